/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SysV segments: addresses of one's own choice, remapping, detaching what has
 * holes, ids after removal, a segment left behind by one process and found by
 * the next.
 */
#include "victim.h"

#define P 4096ul

int main(void)
{
	int id = OK(shmget(IPC_PRIVATE, 4 * P, IPC_CREAT | 0600)), id2;
	key_t key = 0x1d000000 | (getpid() & 0xffffff);
	char *a = OK(shmat(id, NULL, 0)), *b, *hole;
	struct shmid_ds ds;

	hole = OK(mmap(NULL, 16 * P, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	FAILS(shmat(id, hole, 0), EINVAL);
	b = OK(shmat(id, hole + P, SHM_REMAP));
	CHECK(b == hole + P);
	strcpy(a, "one");
	CHECK(!strcmp(b, "one"));
	OK(munmap(hole + 8 * P, 8 * P));
	FAILS(shmat(id, hole + 8 * P + 10, 0), EINVAL);
	b = OK(shmat(id, hole + 8 * P + 10, SHM_RND));
	CHECK(b == hole + 8 * P);
	b[2 * P] = 'r';
	CHECK(a[2 * P] == 'r');
	/* with holes */
	OK(munmap(b + P, P));
	OK(shmdt(b));
	FAILS(shmdt(b), EINVAL);
	FAILS(mprotect(b, P, PROT_READ), ENOMEM);
	/* rights */
	b = OK(shmat(id, NULL, SHM_RDONLY));
	FAILS(mprotect(b, P, PROT_READ | PROT_WRITE), EACCES);
	CHECK(!strcmp(b, "one"));
	OK(shmdt(b));
	/* owner's data changes do not make it another segment */
	OK(shmctl(id, IPC_STAT, &ds));
	ds.shm_perm.mode = 0640;
	OK(shmctl(id, IPC_SET, &ds));
	b = OK(shmat(id, NULL, 0));
	b[1] = 'N';
	CHECK(a[1] == 'N');
	OK(shmctl(id, IPC_RMID, NULL));
	OK(shmdt(a));
	CHECK(b[1] == 'N');
	OK(shmdt(b));
	/* one after the other: contents start at zero */
	for (int i = 0; i < 20; i++) {
		id = OK(shmget(IPC_PRIVATE, P, IPC_CREAT | 0600));
		a = OK(shmat(id, NULL, 0));
		CHECK(a[0] == 0);
		a[0] = 1;
		OK(shmctl(id, IPC_RMID, NULL));
		OK(shmdt(a));
	}
	/* by key, from a child that is gone */
	REAP(CHILD({
		id2 = OK(shmget(key, 100, IPC_CREAT | IPC_EXCL | 0600));
		strcpy(OK(shmat(id2, NULL, 0)), "left behind");
	}));
	FAILS(shmget(key, 100, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
	id2 = OK(shmget(key, 0, 0));
	a = OK(shmat(id2, NULL, 0));
	OK(shmctl(id2, IPC_RMID, NULL));
	CHECK(!strcmp(a, "left behind"));
	REAP(CHILD({
		strcpy(a, "inherited");
	}));
	CHECK(!strcmp(a, "inherited"));
	puts("sysv more ok");
	return 0;
}
