/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files: fcntl, handles, mounts, quotas, times, extended attributes.
 */
#include "walk.h"

/* struct flock { s16 type; s16 whence; s64 start; s64 len; s32 pid; } with
 * padding after whence and pid */
static int flock_arg(struct ipmon_walk *w, int get, int ofd)
{
	unsigned char fl[32];
	uint64_t addr = w->args[2];
	int rc;

	rc = walk_fetch(w, 2, fl, addr, sizeof(fl));
	if (rc)
		return rc < 0 ? rc : 0;
	rc = ipmon_emit_scalar(w, 2, pure_u32(fl), "l_whence << 16 | l_type");
	if (!rc)
		rc = ipmon_emit_scalar(w, 2, pure_u64(fl + 8), "l_start");
	if (!rc)
		rc = ipmon_emit_scalar(w, 2, pure_u64(fl + 16), "l_len");
	/* l_pid is an input only where it must be 0 */
	if (!rc && ofd)
		rc = ipmon_emit_scalar(w, 2, pure_u32(fl + 24), "l_pid");
	if (rc || !get)
		return rc;
	rc = ipmon_emit_out(w, 2, addr, 4, R_SUCCESS, 0, "l_type, l_whence");
	if (rc)
		return rc;
	return ipmon_emit_out(w, 2, addr + 8, 20, R_SUCCESS, 0,
			      "l_start, l_len, l_pid");
}

int walk_fcntl(struct ipmon_walk *w)
{
	uint64_t v = w->args[2];

	switch ((int32_t)w->args[1]) {
	case 1:		/* F_GETFD */
	case 3:		/* F_GETFL */
	case 9:		/* F_GETOWN */
	case 11:	/* F_GETSIG */
	case 1025:	/* F_GETLEASE */
	case 1028:	/* F_CREATED_QUERY */
	case 1032:	/* F_GETPIPE_SZ */
	case 1034:	/* F_GET_SEALS */
		return 0;
	case 0:		/* F_DUPFD */
	case 4:		/* F_SETFL */
	case 8:		/* F_SETOWN */
	case 10:	/* F_SETSIG */
	case 1024:	/* F_SETLEASE */
	case 1026:	/* F_NOTIFY */
	case 1027:	/* F_DUPFD_QUERY */
	case 1030:	/* F_DUPFD_CLOEXEC */
	case 1031:	/* F_SETPIPE_SZ */
	case 1033:	/* F_ADD_SEALS */
		return ipmon_emit_scalar(w, 2, walk_int(v), "arg");
	case 2:		/* F_SETFD: FD_CLOEXEC; perl passes an address */
		return ipmon_emit_scalar(w, 2, v & 1, "arg");
	case 5:		/* F_GETLK */
		return flock_arg(w, 1, 0);
	case 6:		/* F_SETLK */
	case 7:		/* F_SETLKW */
		return flock_arg(w, 0, 0);
	case 36:	/* F_OFD_GETLK */
		return flock_arg(w, 1, 1);
	case 37:	/* F_OFD_SETLK */
	case 38:	/* F_OFD_SETLKW */
		return flock_arg(w, 0, 1);
	case 15:	/* F_SETOWN_EX */
	case 1036:	/* F_SET_RW_HINT */
	case 1038:	/* F_SET_FILE_RW_HINT */
		return ipmon_emit_in(w, 2, v, 8, "arg");
	case 16:	/* F_GETOWN_EX */
	case 17:	/* F_GETOWNER_UIDS */
	case 1035:	/* F_GET_RW_HINT */
	case 1037:	/* F_GET_FILE_RW_HINT */
		return ipmon_emit_out(w, 2, v, 8, R_SUCCESS, 0, "arg");
	default:
		return -WALK_ENOSYS;
	}
}

/* struct open_how { u64 flags; u64 mode; u64 resolve; }: no slack anywhere */
int walk_openat2(struct ipmon_walk *w)
{
	int rc;

	if (!w->args[2] || w->args[3] < 24 || w->args[3] > 4096)
		return 0;	/* EINVAL, E2BIG */
	rc = ipmon_emit_in(w, 2, w->args[2], 24, "open_how");
	return rc ? rc : walk_tail(w, w->args[2], 24, w->args[3]);
}

/* struct file_handle { u32 handle_bytes; int type; u8 f_handle[]; } */
int walk_handle_get(struct ipmon_walk *w)
{
	/* AT_HANDLE_MNT_ID_UNIQUE, CONNECTABLE, FID, AT_SYMLINK_FOLLOW,
	 * AT_EMPTY_PATH; with any other flag nothing is looked at or stored */
	const uint32_t valid = 0x1 | 0x2 | 0x200 | 0x400 | 0x1000;
	unsigned char word[4];
	uint64_t addr = w->args[2], bytes;
	int rc;

	if ((uint32_t)w->args[4] & ~valid)
		return 0;
	if (w->args[3]) {
		/* AT_HANDLE_MNT_ID_UNIQUE asks for the 64-bit number */
		rc = ipmon_emit_out(w, 3, w->args[3], w->args[4] & 1 ? 8 : 4,
				    R_ALWAYS, 0, "mount_id");
		if (rc)
			return rc;
	}
	if (!addr)
		return 0;
	rc = walk_fetch(w, 2, word, addr, sizeof(word));
	if (rc)
		return rc < 0 ? rc : 0;
	bytes = pure_u32(word);
	rc = ipmon_emit_scalar(w, 2, bytes, "handle_bytes");
	if (rc || bytes > 128)	/* MAX_HANDLE_SZ: EINVAL */
		return rc;
	/* the size needed is stored even when it did not fit */
	rc = ipmon_emit_out(w, 2, addr, 8, R_ALWAYS, 0,
			    "handle_bytes, handle_type");
	if (rc || !bytes)
		return rc;
	return ipmon_emit_out(w, 2, addr + 8, bytes, R_U32, addr, "f_handle");
}

int walk_handle_open(struct ipmon_walk *w)
{
	unsigned char word[4];
	uint64_t bytes;
	int rc;

	if (!w->args[1])
		return 0;
	rc = walk_fetch(w, 1, word, w->args[1], sizeof(word));
	if (rc)
		return rc < 0 ? rc : 0;
	bytes = pure_u32(word);
	if (bytes > 128)
		return ipmon_emit_scalar(w, 1, bytes, "handle_bytes");
	return ipmon_emit_in(w, 1, w->args[1], bytes + 8, "file_handle");
}

/*
 * Mount data is a page of which nearly every file system reads a string; the
 * few binary ones (NFS of old) are compared up to their first zero byte.
 */
int walk_mount(struct ipmon_walk *w)
{
	return walk_str(w, 4, w->args[4], 4096, "data");
}

int walk_fsconfig(struct ipmon_walk *w)
{
	uint64_t value = w->args[3];

	switch ((uint32_t)w->args[1]) {
	case 1:		/* FSCONFIG_SET_STRING: at most 256 bytes */
		return walk_str(w, 3, value, 257, "value");
	case 2:		/* FSCONFIG_SET_BINARY: at most 1 MiB */
		if ((int32_t)w->args[4] <= 0 || w->args[4] > 1u << 20)
			return walk_null(w, 3, value, "value");
		return ipmon_emit_in(w, 3, value, w->args[4], "value");
	case 3:		/* FSCONFIG_SET_PATH */
	case 4:		/* FSCONFIG_SET_PATH_EMPTY */
		return walk_str(w, 3, value, 4096, "value");
	default:	/* flags, descriptors, commands: must be null */
		return walk_null(w, 3, value, "value");
	}
}

/* mnt_id_req begins with its size; shared by statmount and listmount. */
int walk_statmount(struct ipmon_walk *w)
{
	unsigned char word[4];
	uint64_t size;
	int rc;

	if (w->args[0]) {
		rc = walk_fetch(w, 0, word, w->args[0], sizeof(word));
		if (rc)
			return rc < 0 ? rc : 0;
		size = pure_u32(word);
		rc = ipmon_emit_scalar(w, 0, size, "size");
		if (!rc && size >= 24 && size <= 4096)
			rc = ipmon_emit_in(w, 0, w->args[0], size,
					   "mnt_id_req");
		if (rc)
			return rc;
	}
	if (w->row->arg[1].kind != K_WALK || !w->args[1])
		return 0;
	/* struct statmount begins with the number of bytes stored */
	return ipmon_emit_out(w, 1, w->args[1], w->args[2], R_U32, w->args[1],
			      "statmount");
}

struct quota_row {
	uint32_t cmd;
	uint8_t in, out;	/* bytes */
};

static const struct quota_row quotas[] = {
	{ 0x800001, 0, 0 },	/* Q_SYNC */
	{ 0x800003, 0, 0 },	/* Q_QUOTAOFF */
	{ 0x800004, 0, 4 },	/* Q_GETFMT */
	{ 0x800005, 0, 24 },	/* Q_GETINFO */
	{ 0x800006, 24, 0 },	/* Q_SETINFO */
	{ 0x800007, 0, 72 },	/* Q_GETQUOTA */
	{ 0x800008, 68, 0 },	/* Q_SETQUOTA: 4 bytes of padding follow */
	{ 0x800009, 0, 72 },	/* Q_GETNEXTQUOTA */
	{ 0x5801, 4, 0 },	/* Q_XQUOTAON */
	{ 0x5802, 4, 0 },	/* Q_XQUOTAOFF */
	{ 0x5803, 0, 112 },	/* Q_XGETQUOTA */
	{ 0x5804, 112, 0 },	/* Q_XSETQLIM */
	{ 0x5805, 0, 80 },	/* Q_XGETQSTAT */
	{ 0x5806, 4, 0 },	/* Q_XQUOTARM */
	{ 0x5807, 0, 0 },	/* Q_XQUOTASYNC */
	{ 0x5808, 1, 160 },	/* Q_XGETQSTATV: the version is an input */
	{ 0x5809, 0, 112 },	/* Q_XGETNEXTQUOTA */
};

/* quotactl(cmd, special, id, addr), quotactl_fd(fd, cmd, id, addr) */
int walk_quotactl(struct ipmon_walk *w)
{
	unsigned int cmd_arg = w->row->arg[0].kind == K_FD ? 1 : 0, i;
	uint32_t cmd = (uint32_t)w->args[cmd_arg] >> 8;
	uint64_t addr = w->args[3];
	int rc = 0;

	if (cmd == 0x800002)	/* Q_QUOTAON: path of the quota file */
		return walk_str(w, 3, addr, 4096, "quota file");
	for (i = 0; i < sizeof(quotas) / sizeof(quotas[0]); i++) {
		if (quotas[i].cmd != cmd)
			continue;
		if (quotas[i].in)
			rc = ipmon_emit_in(w, 3, addr, quotas[i].in, NULL);
		if (!rc && quotas[i].out)
			rc = ipmon_emit_out(w, 3, addr, quotas[i].out,
					    R_SUCCESS, 0, NULL);
		return rc;
	}
	return -WALK_ENOSYS;
}

/* The seconds are not looked at when nsec is UTIME_NOW or UTIME_OMIT. */
int walk_utimens(struct ipmon_walk *w)
{
	uint64_t ts[4];
	unsigned int i;
	int rc;

	if (!w->args[2])
		return 0;
	rc = walk_fetch(w, 2, ts, w->args[2], sizeof(ts));
	if (rc)
		return rc < 0 ? rc : 0;
	for (i = 0; i < 4; i += 2) {
		rc = ipmon_emit_scalar(w, 2, ts[i + 1], "tv_nsec");
		if (!rc && ts[i + 1] != 0x3fffffff && ts[i + 1] != 0x3ffffffe)
			rc = ipmon_emit_scalar(w, 2, ts[i], "tv_sec");
		if (rc)
			return rc;
	}
	return 0;
}

/* struct xattr_args { u64 value; u32 size; u32 flags; } */
int walk_xattrat(struct ipmon_walk *w)
{
	unsigned char xa[16];
	uint64_t value, size;
	int rc;

	if (!w->args[4] || w->args[5] < sizeof(xa) || w->args[5] > 4096)
		return 0;	/* EINVAL, E2BIG */
	rc = walk_fetch(w, 4, xa, w->args[4], sizeof(xa));
	if (rc)
		return rc < 0 ? rc : 0;
	value = pure_u64(xa);
	size = pure_u32(xa + 8);
	rc = ipmon_emit_scalar(w, 4, pure_u64(xa + 8), "flags << 32 | size");
	if (!rc && w->args[5] > sizeof(xa))
		rc = ipmon_emit_in(w, 4, w->args[4] + sizeof(xa),
				   w->args[5] - sizeof(xa), "unknown members");
	if (rc)
		return rc;
	if (w->row->result == RES_COUNT)
		return ipmon_emit_out(w, 4, value, size, R_RET, 0, "value");
	if (size > 65536)	/* XATTR_SIZE_MAX: E2BIG */
		return walk_null(w, 4, value, "value");
	return ipmon_emit_in(w, 4, value, size, "value");
}

/*
 * vmsplice copies into the memory of who has the reading end and takes from
 * that of all others; other flags than SPLICE_F_* are refused first.
 */
int walk_vmsplice(struct ipmon_walk *w)
{
	int mode;

	if (!w->pipe_mode)
		return -WALK_ENOSYS;
	if ((uint32_t)w->args[3] & ~0xfu)
		return 0;	/* EINVAL */
	mode = w->pipe_mode(w->ctx, (int32_t)w->args[0]);
	if (mode < 0)
		return 0;	/* EBADF */
	return walk_iov(w, 1, w->args[1], (uint32_t)w->args[2],
			mode ? WALK_SEND : WALK_RECV, R_VEC, 0, 0);
}

/* landlock_create_ruleset(attr, size, flags): three u64 */
int walk_landlock_attr(struct ipmon_walk *w)
{
	uint64_t size = w->args[1];
	int rc;

	if (!w->args[0] || size < 8 || size > 4096)
		return 0;	/* a question, EFAULT, EINVAL, E2BIG */
	rc = ipmon_emit_in(w, 0, w->args[0], pure_min(size, 24), "ruleset");
	return rc ? rc : walk_tail(w, w->args[0], 24, size);
}

int walk_landlock_rule(struct ipmon_walk *w)
{
	switch ((int32_t)w->args[1]) {
	case 1:		/* path_beneath: u64 access, s32 fd, packed */
		return w->args[2] ? ipmon_emit_in(w, 2, w->args[2], 12, "rule")
				  : 0;
	case 2:		/* net_port: u64 access, u64 port */
		return w->args[2] ? ipmon_emit_in(w, 2, w->args[2], 16, "rule")
				  : 0;
	default:
		return 0;
	}
}
