/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POSIX shared memory opened by name in two unrelated images, removed, sized
 * and mapped.
 */
#include "victim.h"
int main(int argc, char **argv)
{
	char name[64];
	int fd;
	char *m;
	struct stat st;

	snprintf(name, sizeof(name), "/victim-shm-%d", argc > 1 ? getppid() : getpid());
	if (argc > 1) {
		fd = OK(shm_open(name, O_RDWR, 0));
		m = OK(mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
		CHECK(strcmp(m, "from the parent") == 0);
		strcpy(m + 4096, "from the child");
		return 0;
	}
	FAILS(shm_open(name, O_RDWR, 0600), ENOENT);
	fd = OK(shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600));
	FAILS(shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
	OK(ftruncate(fd, 8192));
	OK(fstat(fd, &st));
	CHECK(st.st_size == 8192);
	m = OK(mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	strcpy(m, "from the parent");
	REAP(CHILD(execl("/proc/self/exe", "x", "child", NULL); _exit(9)));
	printf("%s\n", m + 4096);
	OK(shm_unlink(name));
	FAILS(shm_unlink(name), ENOENT);
	strcpy(m, "still here");
	CHECK(strcmp(m, "still here") == 0);
	return 0;
}
