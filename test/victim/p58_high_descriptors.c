/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptor numbers beyond 127, 1000, 1024 and 4096; limits raised and
 * reached.
 */
#include "victim.h"
int main(void)
{
	struct rlimit rl;
	int fd = OK(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600)), n;

	OK(getrlimit(RLIMIT_NOFILE, &rl));
	rl.rlim_cur = rl.rlim_max < 8000 ? rl.rlim_max : 8000;
	OK(setrlimit(RLIMIT_NOFILE, &rl));
	int nums[] = { 127, 128, 200, 255, 256, 999, 1000, 1001, 1023, 1024, 4095, 4096, 7999 };
	for (size_t i = 0; i < sizeof(nums) / 4; i++) {
		char b[8];

		if ((rlim_t)nums[i] >= rl.rlim_cur)
			continue;
		CHECK(dup2(fd, nums[i]) == nums[i]);
		CHECK(pwrite(nums[i], "data", 4, i * 4) == 4 && pread(nums[i], b, 4, i * 4) == 4);
		struct pollfd p = { nums[i], POLLIN, 0 };
		CHECK(poll(&p, 1, 0) == 1);
		if (nums[i] != 200)
			OK(close(nums[i]));
	}
	OK(fcntl(1000, F_GETFD) == -1 && errno == EBADF ? 0 : -1);
	char *m = OK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, 200, 0));
	CHECK(memcmp(m, "data", 4) == 0);
	rl.rlim_cur = 50;
	OK(setrlimit(RLIMIT_NOFILE, &rl));
	for (n = 0; open("/dev/null", O_RDONLY) >= 0; n++)
		;
	CHECK(errno == EMFILE);
	printf("then %d more\n", n);
	FAILS(dup(fd), EMFILE);
	FAILS(pipe((int[2]){ 0 }), EMFILE);
	FAILS(fcntl(fd, F_DUPFD, 50), EINVAL);
	FAILS(dup2(fd, 51), EBADF);
	REAP(CHILD(CHECK(getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_cur == 50)));
	FAILS(socket(AF_INET, SOCK_STREAM, 0), EMFILE);
	puts("high ok");
	return 0;
}
