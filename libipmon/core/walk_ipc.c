/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System V IPC, message queues, futexes.
 *
 * The *ctl calls are several calls in one; what their last argument is follows
 * from the command.  Where the kernel takes only a few members of a structure
 * (IPC_SET), only those are compared, because callers leave the rest unset.
 */
#include "walk.h"

/* Sizes of the x86-64 kernel structures. */
#define SEMID_DS 104
#define SHMID_DS 112
#define MSQID_DS 120
#define SEMINFO 40
#define SHMINFO 72
#define SHM_INFO_SIZE 48
#define MSGINFO 32

enum { IPC_RMID_ = 0, IPC_SET_ = 1, IPC_STAT_ = 2, IPC_INFO_ = 3 };

static int perm(struct ipmon_walk *w, unsigned int arg)
{
	unsigned char p[24];
	int rc;

	/* ipc64_perm: key, uid, gid, cuid, cgid, mode */
	rc = walk_fetch(w, arg, p, w->args[arg], sizeof(p));
	if (rc)
		return rc;
	rc = ipmon_emit_scalar(w, arg, pure_u32(p + 4), "ipc_perm.uid");
	if (!rc)
		rc = ipmon_emit_scalar(w, arg, pure_u32(p + 8), "ipc_perm.gid");
	if (!rc)
		rc = ipmon_emit_scalar(w, arg, pure_u32(p + 20) & 0777,
				       "ipc_perm.mode");
	return rc;
}

static int out(struct ipmon_walk *w, unsigned int arg, uint64_t len)
{
	return ipmon_emit_out(w, arg, w->args[arg], len, R_SUCCESS, 0, NULL);
}

/* GETALL, SETALL: an array of u16, as many as the set has semaphores. */
static int sem_array(struct ipmon_walk *w, int set)
{
	long n;

	if (!w->sem_nsems)
		return -WALK_ENOSYS;
	n = w->sem_nsems(w->ctx, (int)w->args[0]);
	if (n < 0 || n > 65535)	/* no such set: the kernel says which error */
		return walk_null(w, 3, w->args[3], NULL);
	if (set)
		return ipmon_emit_in(w, 3, w->args[3], (uint64_t)n * 2,
				     "values");
	return out(w, 3, (uint64_t)n * 2);
}

int walk_semctl(struct ipmon_walk *w)
{
	int rc;

	switch ((int32_t)w->args[2]) {
	case IPC_STAT_:
	case 18:	/* SEM_STAT */
	case 20:	/* SEM_STAT_ANY */
		return out(w, 3, SEMID_DS);
	case IPC_INFO_:
	case 19:	/* SEM_INFO */
		return out(w, 3, SEMINFO);
	case IPC_SET_:
		rc = perm(w, 3);
		return rc < 0 ? rc : 0;
	case 13:	/* GETALL */
		return sem_array(w, 0);
	case 17:	/* SETALL */
		return sem_array(w, 1);
	case 16:	/* SETVAL */
		return ipmon_emit_scalar(w, 3, walk_int(w->args[3]), "value");
	default:	/* IPC_RMID, GETVAL, GETPID, GETNCNT, GETZCNT; EINVAL */
		return 0;
	}
}

int walk_shmctl(struct ipmon_walk *w)
{
	int rc;

	switch ((int32_t)w->args[1]) {
	case IPC_STAT_:
	case 13:	/* SHM_STAT */
	case 15:	/* SHM_STAT_ANY */
		return out(w, 2, SHMID_DS);
	case IPC_INFO_:
		return out(w, 2, SHMINFO);
	case 14:	/* SHM_INFO */
		return out(w, 2, SHM_INFO_SIZE);
	case IPC_SET_:
		rc = perm(w, 2);
		return rc < 0 ? rc : 0;
	default:	/* IPC_RMID, SHM_LOCK, SHM_UNLOCK */
		return 0;
	}
}

int walk_msgctl(struct ipmon_walk *w)
{
	int rc;

	switch ((int32_t)w->args[1]) {
	case IPC_STAT_:
	case 11:	/* MSG_STAT */
	case 13:	/* MSG_STAT_ANY */
		return out(w, 2, MSQID_DS);
	case IPC_INFO_:
	case 12:	/* MSG_INFO */
		return out(w, 2, MSGINFO);
	case IPC_SET_:
		rc = perm(w, 2);
		if (!rc)
			rc = ipmon_emit_in(w, 2, w->args[2] + 88, 8,
					   "msg_qbytes");
		return rc < 0 ? rc : 0;
	default:
		return 0;
	}
}

/* struct { long mtype; char mtext[msgsz]; } */
int walk_msgsnd(struct ipmon_walk *w)
{
	if (!w->args[1] || w->args[2] >> 31)	/* EFAULT, EINVAL */
		return 0;
	return ipmon_emit_in(w, 1, w->args[1], w->args[2] + 8, "msgbuf");
}

int walk_msgrcv(struct ipmon_walk *w)
{
	int rc;

	if (!w->args[1] || w->args[2] >> 31)
		return 0;
	rc = ipmon_emit_out(w, 1, w->args[1], 8, R_SUCCESS, 0, "mtype");
	if (rc)
		return rc;
	/* the result does not count mtype */
	return ipmon_emit_out(w, 1, w->args[1] + 8, w->args[2], R_RET, 0,
			      "mtext");
}

/* Of the attributes, mq_open takes mq_maxmsg and mq_msgsize only. */
int walk_mq_open(struct ipmon_walk *w)
{
	if (!(w->args[1] & 0100) || !w->args[3])	/* O_CREAT */
		return 0;
	return ipmon_emit_in(w, 3, w->args[3] + 8, 16, "mq_maxmsg, mq_msgsize");
}

/* ---- futex ---- */

enum {
	F_VAL = 1,	/* val, 32 bits */
	F_TIMEOUT = 2,	/* struct timespec at argument 3 */
	F_VAL2 = 4,	/* argument 3 is a count */
	F_UADDR2 = 8,
	F_VAL3 = 16,
	F_OUT = 32,	/* the kernel may write the word at uaddr */
	F_OUT2 = 64,	/* ... at uaddr2 */
};

static const uint8_t futex_uses[] = {
	[0] = F_VAL | F_TIMEOUT,				/* WAIT */
	[1] = F_VAL,						/* WAKE */
	[2] = 0,						/* FD: gone */
	[3] = F_VAL | F_VAL2 | F_UADDR2,			/* REQUEUE */
	[4] = F_VAL | F_VAL2 | F_UADDR2 | F_VAL3,		/* CMP_REQUEUE */
	[5] = F_VAL | F_VAL2 | F_UADDR2 | F_VAL3 | F_OUT2,	/* WAKE_OP */
	[6] = F_TIMEOUT | F_OUT,				/* LOCK_PI */
	[7] = F_OUT,						/* UNLOCK_PI */
	[8] = F_OUT,						/* TRYLOCK_PI */
	[9] = F_VAL | F_TIMEOUT | F_VAL3,			/* WAIT_BITSET */
	[10] = F_VAL | F_VAL3,					/* WAKE_BITSET */
	[11] = F_VAL | F_TIMEOUT | F_UADDR2 | F_OUT | F_OUT2,
							/* WAIT_REQUEUE_PI */
	[12] = F_VAL | F_VAL2 | F_UADDR2 | F_VAL3 | F_OUT2,
							/* CMP_REQUEUE_PI */
	[13] = F_TIMEOUT | F_OUT,				/* LOCK_PI2 */
};

/*
 * The time-out is not compared: the leader's is used, it leaves no process,
 * and a deadline may come from a clock that the variants read on their own
 * (RF_PRIVATE) or from a delay drawn with an address as the seed (jemalloc).
 * Nor is, for the plain waits, whether there is one: see ipmon_futex_result().
 */
int walk_futex(struct ipmon_walk *w)
{
	/* without FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME */
	uint32_t cmd = (uint32_t)w->args[1] & ~(128u | 256u);
	unsigned int uses;
	int rc = 0;

	if (cmd >= sizeof(futex_uses))
		return 0;	/* ENOSYS from the kernel */
	uses = futex_uses[cmd];
	if (uses & F_VAL)
		rc = ipmon_emit_scalar(w, 2, (uint32_t)w->args[2], "val");
	if (!rc && (uses & F_TIMEOUT) && cmd != 0 && cmd != 9)
		rc = walk_null(w, 3, w->args[3], "timeout");
	if (!rc && (uses & F_VAL2))
		rc = ipmon_emit_scalar(w, 3, (uint32_t)w->args[3], "val2");
	if (!rc && (uses & F_UADDR2))
		rc = walk_null(w, 4, w->args[4], "uaddr2");
	if (!rc && (uses & F_VAL3))
		rc = ipmon_emit_scalar(w, 5, (uint32_t)w->args[5], "val3");
	if (!rc && (uses & F_OUT))
		rc = ipmon_emit_out(w, 0, w->args[0], 4, R_ALWAYS, 0, "uaddr");
	if (!rc && (uses & F_OUT2))
		rc = ipmon_emit_out(w, 4, w->args[4], 4, R_ALWAYS, 0, "uaddr2");
	return rc;
}

/* struct futex_waitv { u64 val; u64 uaddr; u32 flags; u32 reserved; } */
int walk_futex_waitv(struct ipmon_walk *w)
{
	unsigned char v[24];
	uint64_t i, n = 2;	/* futex_requeue takes exactly two */
	int rc;

	if (w->row->arg[1].kind == K_UINT)
		n = (uint32_t)w->args[1];
	if (!w->args[0] || n > 128)	/* FUTEX_WAITV_MAX: EINVAL */
		return 0;
	for (i = 0; i < n; i++) {
		rc = walk_fetch(w, 0, v, w->args[0] + i * sizeof(v), sizeof(v));
		if (rc)
			return rc < 0 ? rc : 0;
		rc = ipmon_emit_scalar(w, 0, pure_u64(v), "waitv[].val");
		if (!rc)
			rc = walk_null(w, 0, pure_u64(v + 8), "waitv[].uaddr");
		if (!rc)
			rc = ipmon_emit_scalar(w, 0, pure_u64(v + 16),
					       "waitv[].flags");
		if (rc)
			return rc;
	}
	return 0;
}
