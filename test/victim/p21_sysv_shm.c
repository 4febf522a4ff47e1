/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System V shared memory: create, attach twice, fork, read-only, stat,
 * remove.
 */
#include "victim.h"
int main(void)
{
	int id = OK(shmget(IPC_PRIVATE, 10000, IPC_CREAT | 0600));
	char *a = OK(shmat(id, NULL, 0)), *b;
	struct shmid_ds ds;

	CHECK(a[9999] == 0);
	strcpy(a, "attached");
	b = OK(shmat(id, NULL, SHM_RDONLY));
	CHECK(b != a && strcmp(b, "attached") == 0);
	OK(shmctl(id, IPC_STAT, &ds));
	CHECK(ds.shm_segsz == 10000 && ds.shm_nattch == 2 && ds.shm_cpid == getpid());
	REAP(CHILD({
		CHECK(strcmp(a, "attached") == 0);
		strcpy(a + 100, "child");
		OK(shmdt(a));
		FAILS(shmdt(a), EINVAL);
		char *c = OK(shmat(id, NULL, 0));
		CHECK(strcmp(c + 100, "child") == 0);
	}));
	CHECK(strcmp(b + 100, "child") == 0);
	OK(shmctl(id, IPC_RMID, NULL));
	OK(shmctl(id, IPC_STAT, &ds));
	CHECK(ds.shm_perm.mode & SHM_DEST);
	OK(shmdt(a));
	OK(shmdt(b));
	FAILS(shmat(id, NULL, 0), EINVAL);
	FAILS(shmget(0x7654321, 100, 0), ENOENT);
	FAILS(shmget(IPC_PRIVATE, 0, IPC_CREAT), EINVAL);
	puts("sysv shm ok");
	return 0;
}
