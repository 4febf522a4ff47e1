/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory, clocks, security modules, keys: walkers that have no family.
 */
#include "walk.h"

#define MAP_ANONYMOUS_ 0x20u

/* Without a file, descriptor and offset may hold anything. */
int walk_mmap(struct ipmon_walk *w)
{
	int rc;

	if (w->args[3] & MAP_ANONYMOUS_)
		return 0;
	rc = ipmon_emit_scalar(w, 4, walk_int(w->args[4]), "fd");
	return rc ? rc : ipmon_emit_scalar(w, 5, w->args[5], "offset");
}

/* One byte per page. */
int walk_mincore(struct ipmon_walk *w)
{
	uint64_t pages = w->args[1] / 4096 + (w->args[1] % 4096 != 0);

	if (!w->args[2])
		return 0;
	/* With ENOMEM it has been stored as far as there was memory, which is not
	 * known here: the rest of it is the program's, and may be another's. */
	return ipmon_emit_out(w, 2, w->args[2], pages, R_SUCCESS, 0, "vec");
}

/* ---- NUMA ---- */

/*
 * A node mask of `maxnode` - 1 bits (the kernel's off-by-one); the bits
 * behind them are not looked at.
 */
static int nodemask(struct ipmon_walk *w, unsigned int arg, uint64_t maxnode)
{
	uint64_t addr = w->args[arg], bits = maxnode - 1;
	unsigned char last;
	int rc;

	if (!addr || maxnode < 2 || bits > 4096 * 8)
		return 0;
	if (bits / 8) {
		rc = ipmon_emit_in(w, arg, addr, bits / 8, "nodes");
		if (rc)
			return rc;
	}
	if (bits % 8) {
		rc = walk_fetch(w, arg, &last, addr + bits / 8, 1);
		if (rc)
			return rc < 0 ? rc : 0;
		return ipmon_emit_scalar(w, arg,
					 last & ((1u << bits % 8) - 1),
					 "last byte of nodes");
	}
	return 0;
}

/* set_mempolicy(mode, mask, maxnode), mbind(..., mask, maxnode, flags) */
int walk_mempolicy_set(struct ipmon_walk *w)
{
	unsigned int arg = walk_arg(w, 0);

	return nodemask(w, arg, arg < 5 ? w->args[arg + 1] : 0);
}

/* get_mempolicy(mode, mask, maxnode, addr, flags): whole longs are written */
int walk_mempolicy_get(struct ipmon_walk *w)
{
	uint64_t bits = w->args[2] - 1;

	if (!w->args[1] || !w->args[2] || bits > 4096 * 8)
		return 0;
	return ipmon_emit_out(w, 1, w->args[1], (bits + 63) / 64 * 8,
			      R_SUCCESS, 0, "nodes");
}

int walk_migrate_pages(struct ipmon_walk *w)
{
	int rc = nodemask(w, 2, w->args[1]);

	return rc ? rc : nodemask(w, 3, w->args[1]);
}

/* move_pages(pid, count, pages, nodes, status, flags): pages are addresses */
int walk_move_pages(struct ipmon_walk *w)
{
	uint64_t n = w->args[1];
	int rc = 0;

	if (n > IPMON_SPAN_MAX / 8)
		return 0;	/* E2BIG */
	if (w->args[3])
		rc = ipmon_emit_in(w, 3, w->args[3], n * 4, "nodes");
	if (!rc && w->args[4])
		/* stored as far as it went, also when it went wrong */
		rc = ipmon_emit_out(w, 4, w->args[4], n * 4, R_ALWAYS, 0,
				    "status");
	return rc;
}

/* ---- clock adjustment ---- */

#define TIMEX_SIZE 208

struct timex_row {
	uint16_t modes;		/* member counts if one of these is set */
	uint8_t off, len;
};

static const struct timex_row timex[] = {
	{ 0x0001, 8, 8 },	/* ADJ_OFFSET, ADJ_OFFSET_SINGLESHOT */
	{ 0x0002, 16, 8 },	/* ADJ_FREQUENCY */
	{ 0x0004, 24, 8 },	/* ADJ_MAXERROR */
	{ 0x0008, 32, 8 },	/* ADJ_ESTERROR */
	{ 0x0010, 40, 4 },	/* ADJ_STATUS */
	{ 0x00a0, 48, 8 },	/* ADJ_TIMECONST, ADJ_TAI */
	{ 0x0100, 72, 16 },	/* ADJ_SETOFFSET */
	{ 0x4000, 88, 8 },	/* ADJ_TICK */
};

/* sysfs(1, name), (2, index, buffer), (3) */
int walk_sysfs(struct ipmon_walk *w)
{
	switch ((int32_t)w->args[0]) {
	case 1:
		return walk_str(w, 1, w->args[1], 4096, "name");
	case 2:
		return ipmon_emit_scalar(w, 1, (uint32_t)w->args[1], "index");
	default:
		return 0;
	}
}

/* struct timex: only the members that `modes` names are inputs. */
int walk_timex(struct ipmon_walk *w)
{
	unsigned int arg = walk_arg(w, 0), i;
	uint64_t addr = w->args[arg];
	unsigned char word[4];
	uint32_t modes;
	int rc;

	if (!addr)
		return 0;
	rc = walk_fetch(w, arg, word, addr, sizeof(word));
	if (rc)
		return rc < 0 ? rc : 0;
	modes = pure_u32(word);
	rc = ipmon_emit_scalar(w, arg, modes, "modes");
	for (i = 0; !rc && i < sizeof(timex) / sizeof(timex[0]); i++) {
		if (modes & timex[i].modes)
			rc = ipmon_emit_in(w, arg, addr + timex[i].off,
					   timex[i].len, "timex");
	}
	if (rc)
		return rc;
	return ipmon_emit_out(w, arg, addr, TIMEX_SIZE, R_SUCCESS, 0, "timex");
}

/* ---- security modules, kernel log ---- */

/* A buffer and a u32 value-result size: the walker's two arguments. */
int walk_lsm(struct ipmon_walk *w)
{
	unsigned int buf = walk_arg(w, 0), size = walk_arg(w, 1);
	unsigned char word[4];
	int rc;

	if (!w->args[size])
		return 0;
	rc = walk_fetch(w, size, word, w->args[size], sizeof(word));
	if (rc)
		return rc < 0 ? rc : 0;
	rc = ipmon_emit_scalar(w, size, pure_u32(word), "size");
	/* LSM_FLAG_SINGLE: the module's id is an input */
	if (!rc && buf && w->args[buf] && (w->args[3] & 1))
		rc = ipmon_emit_in(w, buf, w->args[buf], 8, "id");
	if (!rc && w->args[buf])
		rc = ipmon_emit_out(w, buf, w->args[buf],
				    pure_min(pure_u32(word), 1u << 20), R_U32,
				    w->args[size], NULL);
	if (rc)
		return rc;
	return ipmon_emit_out(w, size, w->args[size], 4, R_ALWAYS, 0, "size");
}

int walk_syslog(struct ipmon_walk *w)
{
	int32_t type = (int32_t)w->args[0], len = (int32_t)w->args[2];

	/* SYSLOG_ACTION_READ, READ_ALL, READ_CLEAR */
	if (type < 2 || type > 4 || len < 0)
		return 0;
	return ipmon_emit_out(w, 1, w->args[1], (uint64_t)len, R_RET, 0, NULL);
}

/* ---- keys ---- */

enum {
	KEY_END = 0,
	KEY_VAL,	/* 32-bit value */
	KEY_STR,	/* string, may be null */
	KEY_BUFIN,	/* payload, length is the next argument */
	KEY_BUFOUT,	/* buffer, capacity is the next argument */
	KEY_LEN,	/* size_t */
	KEY_IOVIN,	/* vector, count is the next argument */
	KEY_DH,		/* struct keyctl_dh_params */
	KEY_KDF,	/* struct keyctl_kdf_params */
	KEY_PK,		/* struct keyctl_pkey_params */
	KEY_PKINFO,	/* struct keyctl_pkey_query, out */
	KEY_PKIN,	/* input, length in the params */
	KEY_PKIN2,
	KEY_PKOUT,	/* output, capacity in the params */
};

static const uint8_t keyops[][4] = {
	[0] = { KEY_VAL, KEY_VAL },			/* GET_KEYRING_ID */
	[1] = { KEY_STR },				/* JOIN_SESSION_KEYRING */
	[2] = { KEY_VAL, KEY_BUFIN, KEY_LEN },		/* UPDATE */
	[3] = { KEY_VAL },				/* REVOKE */
	[4] = { KEY_VAL, KEY_VAL, KEY_VAL },		/* CHOWN */
	[5] = { KEY_VAL, KEY_VAL },			/* SETPERM */
	[6] = { KEY_VAL, KEY_BUFOUT, KEY_LEN },		/* DESCRIBE */
	[7] = { KEY_VAL },				/* CLEAR */
	[8] = { KEY_VAL, KEY_VAL },			/* LINK */
	[9] = { KEY_VAL, KEY_VAL },			/* UNLINK */
	[10] = { KEY_VAL, KEY_STR, KEY_STR, KEY_VAL },	/* SEARCH */
	[11] = { KEY_VAL, KEY_BUFOUT, KEY_LEN },	/* READ */
	[12] = { KEY_VAL, KEY_BUFIN, KEY_LEN, KEY_VAL },	/* INSTANTIATE */
	[13] = { KEY_VAL, KEY_VAL, KEY_VAL },		/* NEGATE */
	[14] = { KEY_VAL },				/* SET_REQKEY_KEYRING */
	[15] = { KEY_VAL, KEY_VAL },			/* SET_TIMEOUT */
	[16] = { KEY_VAL },				/* ASSUME_AUTHORITY */
	[17] = { KEY_VAL, KEY_BUFOUT, KEY_LEN },	/* GET_SECURITY */
	[18] = { KEY_END },				/* SESSION_TO_PARENT */
	[19] = { KEY_VAL, KEY_VAL, KEY_VAL, KEY_VAL },	/* REJECT */
	[20] = { KEY_VAL, KEY_IOVIN, KEY_VAL, KEY_VAL },	/* INSTANTIATE_IOV */
	[21] = { KEY_VAL },				/* INVALIDATE */
	[22] = { KEY_VAL, KEY_VAL },			/* GET_PERSISTENT */
	[23] = { KEY_DH, KEY_BUFOUT, KEY_LEN, KEY_KDF },	/* DH_COMPUTE */
	[24] = { KEY_VAL, KEY_LEN, KEY_STR, KEY_PKINFO },	/* PKEY_QUERY */
	[25] = { KEY_PK, KEY_STR, KEY_PKIN, KEY_PKOUT },	/* PKEY_ENCRYPT */
	[26] = { KEY_PK, KEY_STR, KEY_PKIN, KEY_PKOUT },	/* PKEY_DECRYPT */
	[27] = { KEY_PK, KEY_STR, KEY_PKIN, KEY_PKOUT },	/* PKEY_SIGN */
	[28] = { KEY_PK, KEY_STR, KEY_PKIN, KEY_PKIN2 },	/* PKEY_VERIFY */
	[29] = { KEY_VAL, KEY_STR, KEY_STR },		/* RESTRICT_KEYRING */
	[30] = { KEY_VAL, KEY_VAL, KEY_VAL, KEY_VAL },	/* MOVE */
	[31] = { KEY_BUFOUT, KEY_LEN },			/* CAPABILITIES */
};

/* struct keyctl_kdf_params { char *hashname, *otherinfo; u32 otherinfolen;
 * u32 spare[8]; } */
static int key_kdf(struct ipmon_walk *w, unsigned int arg, uint64_t addr)
{
	unsigned char kdf[56];
	int rc;

	if (!addr)
		return ipmon_emit_scalar(w, arg, 0, "kdf");
	rc = walk_fetch(w, arg, kdf, addr, sizeof(kdf));
	if (rc)
		return rc < 0 ? rc : 0;
	rc = walk_str(w, arg, pure_u64(kdf), 128, "hashname");
	if (!rc)
		rc = ipmon_emit_scalar(w, arg, pure_u32(kdf + 16),
				       "otherinfolen");
	if (!rc && pure_u32(kdf + 16) <= 64)
		rc = ipmon_emit_in(w, arg, pure_u64(kdf + 8),
				   pure_u32(kdf + 16), "otherinfo");
	return rc ? rc : ipmon_emit_in(w, arg, addr + 20, 32, "spare");
}

/* A buffer of a PKEY_* call: struct keyctl_pkey_params { s32 key_id;
 * u32 in_len; u32 out_len (or in2_len); u32 spare[7]; } is argument 1. */
static int key_pk_buf(struct ipmon_walk *w, unsigned int arg, unsigned int what)
{
	unsigned char pk[12];
	uint64_t v = w->args[arg];
	int rc;

	/* the structure itself has been emitted by KEY_PK */
	if (!w->args[1] || walk_read(w, pk, w->args[1], sizeof(pk)))
		return 0;
	if (what == KEY_PKOUT)
		return ipmon_emit_out(w, arg, v, pure_u32(pk + 8), R_RET, 0,
				      "out");
	rc = walk_null(w, arg, v, NULL);
	/* more than a key can be long ends as an error of the key type */
	if (rc || !v)
		return rc;
	return ipmon_emit_in(w, arg, v, pure_u32(pk + (what == KEY_PKIN2 ?
						       8 : 4)), "in");
}

static int key_arg(struct ipmon_walk *w, unsigned int arg, unsigned int what)
{
	uint64_t v = w->args[arg];

	switch (what) {
	case KEY_VAL:
		return ipmon_emit_scalar(w, arg, walk_int(v), NULL);
	case KEY_STR:
		return walk_str(w, arg, v, 4096, NULL);
	case KEY_BUFIN:	/* more than 1 MiB is EINVAL */
		if (w->args[arg + 1] >= (1u << 20))
			return walk_null(w, arg, v, NULL);
		return ipmon_emit_in(w, arg, v, w->args[arg + 1], NULL);
	case KEY_BUFOUT:
		return ipmon_emit_out(w, arg, v, w->args[arg + 1], R_RET, 0,
				      NULL);
	case KEY_IOVIN:
		return walk_iov(w, arg, v, (uint32_t)w->args[arg + 1], WALK_SEND,
				0, 0, 0);
	case KEY_DH:
		return ipmon_emit_in(w, arg, v, 12, "params");
	case KEY_KDF:
		return key_kdf(w, arg, v);
	case KEY_PK:
		return ipmon_emit_in(w, arg, v, 40, "params");
	case KEY_PKINFO:
		return ipmon_emit_out(w, arg, v, 48, R_SUCCESS, 0, "query");
	case KEY_PKIN:
	case KEY_PKIN2:
	case KEY_PKOUT:
		return key_pk_buf(w, arg, what);
	default:	/* KEY_LEN */
		return ipmon_emit_scalar(w, arg, v, NULL);
	}
}

int walk_keyctl(struct ipmon_walk *w)
{
	uint32_t op = (uint32_t)w->args[0];
	unsigned int i;
	int rc;

	if (op >= sizeof(keyops) / sizeof(keyops[0]))
		return -WALK_ENOSYS;
	for (i = 0; i < 4 && keyops[op][i] != KEY_END; i++) {
		rc = key_arg(w, i + 1, keyops[op][i]);
		if (rc)
			return rc;
	}
	return 0;
}
