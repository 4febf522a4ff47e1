/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System V semaphores and message queues: undo, all-or-nothing, types,
 * truncation, limits.
 */
#include "victim.h"
union semun { int val; struct semid_ds *buf; unsigned short *array; };

int main(void)
{
	int s = OK(semget(IPC_PRIVATE, 3, 0600)), q = OK(msgget(IPC_PRIVATE, 0600));
	unsigned short all[3] = { 1, 2, 3 };
	struct sembuf two[2] = { { 0, -1, IPC_NOWAIT }, { 1, -3, IPC_NOWAIT } };
	struct sembuf undo = { 2, -2, SEM_UNDO }, up = { 1, 1, 0 }, wait0 = { 0, 0, 0 };
	struct semid_ds ds;
	struct { long type; char text[32]; } m, r;
	struct msqid_ds qd;
	struct timespec ts = { 0, 10000000 };

	OK(semctl(s, 0, SETALL, (union semun){ .array = all }));
	FAILS(semop(s, two, 2), EAGAIN);
	CHECK(semctl(s, 0, GETVAL) == 1);
	OK(semop(s, &up, 1));
	OK(semop(s, two, 2));
	CHECK(semctl(s, 0, GETVAL) == 0 && semctl(s, 1, GETVAL) == 0);
	OK(semop(s, &wait0, 1));
	REAP(CHILD(OK(semop(s, &undo, 1)); CHECK(semctl(s, 2, GETVAL) == 1)));
	CHECK(semctl(s, 2, GETVAL) == 3);
	two[0].sem_flg = 0;
	FAILS(semtimedop(s, two, 1, &ts), EAGAIN);
	pid_t k = CHILD(two[1].sem_flg = 0; two[1].sem_op = -1; OK(semop(s, two + 1, 1)));
	while (semctl(s, 1, GETNCNT) == 0)
		sleep_ms(1);
	OK(semop(s, &up, 1));
	REAP(k);
	CHECK(semctl(s, 1, GETPID) == k || semctl(s, 1, GETPID) == getpid());
	OK(semctl(s, 0, IPC_STAT, (union semun){ .buf = &ds }));
	CHECK(ds.sem_nsems == 3 && ds.sem_perm.uid == geteuid());
	OK(semctl(s, 0, GETALL, (union semun){ .array = all }));
	printf("%d %d %d\n", all[0], all[1], all[2]);
	OK(semctl(s, 0, IPC_RMID));
	FAILS(semop(s, &up, 1), EINVAL);
	for (int i = 1; i <= 5; i++) {
		m.type = i % 3 + 1;
		snprintf(m.text, 32, "message %d", i);
		OK(msgsnd(q, &m, strlen(m.text) + 1, 0));
	}
	CHECK(msgrcv(q, &r, 32, 2, 0) == 10);
	printf("%s\n", r.text);
	CHECK(msgrcv(q, &r, 32, -2, 0) == 10);
	printf("%s\n", r.text);
	FAILS(msgrcv(q, &r, 3, 0, 0), E2BIG);
	CHECK(msgrcv(q, &r, 3, 0, MSG_NOERROR) == 3);
	FAILS(msgrcv(q, &r, 32, 77, IPC_NOWAIT), ENOMSG);
	OK(msgctl(q, IPC_STAT, &qd));
	CHECK(qd.msg_qnum == 2 && qd.msg_lspid == getpid());
	k = CHILD({
		CHECK(msgrcv(q, &r, 32, 50, 0) == 5);
		CHECK(strcmp(r.text, "late") == 0);
	});
	m.type = 50;
	strcpy(m.text, "late");
	OK(msgsnd(q, &m, 5, 0));
	REAP(k);
	OK(msgctl(q, IPC_RMID, NULL));
	FAILS(msgsnd(q, &m, 5, 0), EINVAL);
	return 0;
}
