/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets: addresses, messages with control data, socket options.
 *
 * Theory of operation
 * -------------------
 * Programs rarely clear a socket address before filling it in, and pass the
 * size of the structure rather than the size of what they filled in.  So
 * addresses are compared member by member for the families we know; a Unix
 * path ends at its NUL.  Control messages are compared one by one, headers
 * and data but not the alignment between them.
 */
#include "walk.h"

#define SOCKADDR_MAX 128	/* sizeof(struct sockaddr_storage) */
#define CMSG_BYTES_MAX 65536u	/* more than net.core.optmem_max allows */

enum {			/* offsets in the kernel's struct user_msghdr */
	MSG_NAME = 0, MSG_NAMELEN = 8, MSG_IOV = 16, MSG_IOVLEN = 24,
	MSG_CONTROL = 32, MSG_CONTROLLEN = 40, MSG_FLAGS = 48, MSG_SIZE = 56,
	MMSG_LEN = 56, MMSG_SIZE = 64,
};

enum { FAMILY_UNIX = 1, FAMILY_INET = 2, FAMILY_INET6 = 10,
	FAMILY_NETLINK = 16, FAMILY_VSOCK = 40 };

enum { NR_BIND = 49 };

/* sun_path: a NUL-terminated path, or an abstract name of exactly len. */
static int unix_path(struct ipmon_walk *w, unsigned int arg, uint64_t addr,
		     const unsigned char *path, uint64_t len)
{
	if (len && path[0])
		len = pure_strnlen(path, len);
	return ipmon_emit_in(w, arg, addr + 2, len, "sun_path");
}

int walk_sockaddr(struct ipmon_walk *w, unsigned int arg, uint64_t addr,
		  uint64_t len)
{
	unsigned char sa[SOCKADDR_MAX];
	unsigned int family;
	int rc;

	if (!addr)
		return ipmon_emit_scalar(w, arg, 0, "address");
	if (len > SOCKADDR_MAX || len < 2)	/* EINVAL */
		return walk_null(w, arg, addr, "address");
	rc = walk_fetch(w, arg, sa, addr, len);
	if (rc)
		return rc < 0 ? rc : 0;
	family = pure_u16(sa);
	rc = ipmon_emit_scalar(w, arg, family, "sa_family");
	if (rc)
		return rc;
	if (family == FAMILY_UNIX)
		return unix_path(w, arg, addr, sa + 2, len - 2);
	if (family == FAMILY_INET && len >= 16)
		len = 8;	/* port and address; sin_zero is padding */
	else if (family == FAMILY_INET6 && len >= 28)
		len = 28;	/* everything including the scope */
	/* one's own netlink port is often made of pthread_self(), an address;
	 * the kernel only wants it to be unique */
	else if (family == FAMILY_NETLINK && len >= 12 && w->nr == NR_BIND)
		return ipmon_emit_in(w, arg, addr + 8, 4, "nl_groups");
	else if (family == FAMILY_NETLINK && len >= 12)
		return ipmon_emit_in(w, arg, addr + 4, 8, "nl_pid, nl_groups");
	else if (family == FAMILY_VSOCK && len >= 16)
		return ipmon_emit_in(w, arg, addr + 4, 8, "svm_port, svm_cid");
	return ipmon_emit_in(w, arg, addr + 2, len - 2, "address");
}

/*
 * An address the kernel fills in, with its value-result length.  The buffer
 * is this argument, the length pointer the row's parameter.
 */
int walk_sockaddr_out(struct ipmon_walk *w, unsigned int arg)
{
	uint64_t lenptr = w->args[w->row->arg[arg].a], len = 0;
	unsigned char word[4];

	if (!w->args[arg])
		return ipmon_emit_scalar(w, arg, 0, "address");
	if (lenptr && !walk_read(w, word, lenptr, 4)) {
		len = pure_u32(word);
		if (len >> 31)
			len = 0;	/* EINVAL */
	}
	return ipmon_emit_out(w, arg, w->args[arg],
			      pure_min(len, SOCKADDR_MAX), R_U32, lenptr,
			      "address");
}

/* The value-result length, unless the buffer it belongs to is absent. */
int walk_lenptr(struct ipmon_walk *w, unsigned int arg)
{
	unsigned char word[4];
	int rc;

	if (!w->args[w->row->arg[arg].a])
		return 0;
	rc = walk_fetch(w, arg, word, w->args[arg], 4);
	if (rc)
		return rc < 0 ? rc : 0;
	rc = ipmon_emit_scalar(w, arg, pure_u32(word), "length");
	if (rc)
		return rc;
	return ipmon_emit_out(w, arg, w->args[arg], 4, R_ALWAYS, 0, "length");
}

/* Control data to send: header and data of each message. */
static int cmsgs(struct ipmon_walk *w, unsigned int arg, uint64_t addr,
		 uint64_t len)
{
	unsigned char head[8];
	uint64_t off = 0, clen;
	int rc;

	if (!addr || len > CMSG_BYTES_MAX)
		return ipmon_emit_in(w, arg, addr, len, "msg_control");
	while (len - off >= 16) {
		rc = walk_fetch(w, arg, head, addr + off, 8);
		if (rc)
			return rc < 0 ? rc : 0;
		clen = pure_u64(head);
		if (clen < 16 || clen > len - off)	/* EINVAL */
			return ipmon_emit_scalar(w, arg, clen, "cmsg_len");
		rc = ipmon_emit_in(w, arg, addr + off, clen, "cmsg");
		if (rc)
			return rc;
		clen = (clen + 7) & ~7ull;
		if (clen > len - off)
			break;
		off += clen;
	}
	return 0;
}

static int msg_name(struct ipmon_walk *w, unsigned int arg, uint64_t addr,
		    const unsigned char *msg, enum walk_dir dir,
		    uint64_t min_ret)
{
	uint64_t name = pure_u64(msg + MSG_NAME);
	uint32_t len = pure_u32(msg + MSG_NAMELEN);
	int rc;

	if (!name)	/* then the length is not looked at */
		return ipmon_emit_scalar(w, arg, 0, "msg_name");
	rc = ipmon_emit_scalar(w, arg, walk_int(len), "msg_namelen");
	if (rc || len >> 31)
		return rc;
	len = len > SOCKADDR_MAX ? SOCKADDR_MAX : len;	/* as the kernel */
	if (dir == WALK_SEND)
		return len ? walk_sockaddr(w, arg, name, len) : 0;
	rc = walk_out_from(w, arg, name, len, R_U32, addr + MSG_NAMELEN,
			   min_ret, "msg_name");
	if (rc)
		return rc;
	return walk_out_from(w, arg, addr + MSG_NAMELEN, 4, R_SUCCESS, 0, min_ret,
			     "msg_namelen");
}

static int msg_control(struct ipmon_walk *w, unsigned int arg, uint64_t addr,
		       const unsigned char *msg, enum walk_dir dir,
		       uint64_t min_ret)
{
	uint64_t ctl = pure_u64(msg + MSG_CONTROL);
	uint64_t len = pure_u64(msg + MSG_CONTROLLEN);
	int rc;

	rc = ipmon_emit_scalar(w, arg, len, "msg_controllen");
	if (rc)
		return rc;
	if (dir == WALK_SEND)
		return len && len >> 31 == 0 ? cmsgs(w, arg, ctl, len) : 0;
	rc = walk_out_from(w, arg, ctl, len, R_U64, addr + MSG_CONTROLLEN,
			   min_ret, "msg_control");
	if (rc)
		return rc;
	/* msg_controllen and msg_flags are neighbours */
	return walk_out_from(w, arg, addr + MSG_CONTROLLEN, 12, R_SUCCESS, 0,
			     min_ret, "msg_controllen, msg_flags");
}

/* One message; for recvmmsg `min_ret` is its index + 1 and its byte count is
 * in the u32 at `total`. */
static int message(struct ipmon_walk *w, unsigned int arg, uint64_t addr,
		   enum walk_dir dir, uint64_t min_ret, uint64_t total)
{
	unsigned char msg[MSG_SIZE];
	uint64_t count;
	int rc;

	rc = walk_fetch(w, arg, msg, addr, sizeof(msg));
	if (rc)
		return rc < 0 ? rc : 0;
	rc = msg_name(w, arg, addr, msg, dir, min_ret);
	if (rc)
		return rc;
	count = pure_u64(msg + MSG_IOVLEN);
	rc = ipmon_emit_scalar(w, arg, count, "msg_iovlen");
	if (rc)
		return rc;
	rc = walk_iov(w, arg, pure_u64(msg + MSG_IOV), count, dir,
		      total ? R_VEC_U32 : R_VEC, total, min_ret);
	if (rc)
		return rc;
	return msg_control(w, arg, addr, msg, dir, min_ret);
}

int walk_msg(struct ipmon_walk *w, unsigned int arg, uint64_t addr,
	     enum walk_dir dir)
{
	return message(w, arg, addr, dir, 0, 0);
}

int walk_mmsg(struct ipmon_walk *w, unsigned int arg, uint64_t addr,
	      uint64_t vlen, enum walk_dir dir)
{
	uint64_t i, msg;
	unsigned char probe;
	int rc;

	if (!addr)
		return ipmon_emit_scalar(w, arg, 0, NULL);
	vlen = pure_min(vlen, WALK_MMSG_MAX);
	for (i = 0; i < vlen; i++) {
		msg = addr + i * MMSG_SIZE;
		rc = message(w, arg, msg, dir, i + 1,
			     dir == WALK_RECV ? msg + MMSG_LEN : 0);
		if (!rc)
			rc = walk_out_from(w, arg, msg + MMSG_LEN, 4, R_SUCCESS, 0,
					   i + 1, "msg_len");
		if (rc)
			return rc;
		/* no thousand fault items for one bad pointer */
		if (walk_read(w, &probe, msg, 1))
			break;
	}
	return 0;
}

/* ---- socket options ---- */

enum { SOL_SOCKET_ = 1, SOL_IP_ = 0, SOL_TCP_ = 6, SOL_IPV6_ = 41 };
enum { SO_BINDTODEVICE_ = 25, SO_ATTACH_FILTER_ = 26,
	SO_ATTACH_REUSEPORT_CBPF_ = 51 };
enum { MCAST_JOIN_GROUP_ = 42, MCAST_LEAVE_SOURCE_GROUP_ = 47 };
enum { SO_ORIGINAL_DST_ = 80 };	/* netfilter's, but a plain address */
enum { TCP_ZEROCOPY_RECEIVE_ = 35 };
/* iptables, ip6tables, arptables and ebtables: their structures hold pointers */
enum { XT_BASE = 64, XT_END = 96, EBT_BASE = 128, EBT_END = 132 };
/* multicast routing (linux/mroute.h, mroute6.h) */
enum { MRT_ADD_VIF_ = 202, MRT_ADD_MFC_ = 204, MRT_DEL_MFC_ = 205,
	MRT_ADD_MFC_PROXY_ = 210, MRT_DEL_MFC_PROXY_ = 211 };

static int opt_unknown(uint32_t level, uint32_t name, int get)
{
	/* of ip6tables: replace and counters, or info and entries; revisions */
	if (level == SOL_IPV6_)
		return name == XT_BASE || name == XT_BASE + 1 ||
			(get && (name == XT_BASE + 4 || name == XT_BASE + 5));
	return level == SOL_IP_ && name != SO_ORIGINAL_DST_ &&
		((name >= XT_BASE && name < XT_END) ||
		 (name >= EBT_BASE && name < EBT_END));
}

/* struct sock_fprog { u16 len; struct sock_filter *filter; } */
int walk_sock_fprog(struct ipmon_walk *w, unsigned int arg, uint64_t addr)
{
	unsigned char prog[16];
	uint64_t len;
	int rc;

	rc = walk_fetch(w, arg, prog, addr, sizeof(prog));
	if (rc)
		return rc < 0 ? rc : 0;
	len = pure_u16(prog);
	rc = ipmon_emit_scalar(w, arg, len, "number of BPF instructions");
	if (rc || !len || len > 4096)	/* BPF_MAXINSNS: EINVAL */
		return rc;
	return ipmon_emit_in(w, arg, pure_u64(prog + 8), len * 8, "BPF program");
}

/*
 * struct group_req { u32 interface; sockaddr_storage group; }, aligned to 8,
 * and group_source_req with a second address: mostly unused bytes.
 */
static int multicast(struct ipmon_walk *w, uint64_t len)
{
	uint64_t off;
	int rc;

	rc = ipmon_emit_in(w, 3, w->args[3], 4, "gr_interface");
	for (off = 8; !rc && len >= off + SOCKADDR_MAX && off < 264;
	     off += SOCKADDR_MAX)
		rc = walk_sockaddr(w, 3, w->args[3] + off, SOCKADDR_MAX);
	return rc;
}

/*
 * A structure of multicast routing: what lies between its members is unused.
 * struct mif6ctl { u16 mifi; u8 flags, threshold; u16 pifi; u32 rate; }
 * struct mfcctl { u32 origin, group; u16 parent; u8 ttls[32]; u32 pkt, byte, wrong;
 *	int expire; }
 * struct mf6cctl { sockaddr_in6 origin, group; u16 parent; u32 set[8]; }
 * Returns 1 if it is none of these.
 */
static int routing(struct ipmon_walk *w, uint32_t level, uint32_t name,
		   uint64_t len)
{
	int route = name == MRT_ADD_MFC_ || name == MRT_DEL_MFC_ ||
		     name == MRT_ADD_MFC_PROXY_ || name == MRT_DEL_MFC_PROXY_;
	uint64_t at = w->args[3];
	int rc = 1;

	if (level == SOL_IPV6_ && name == MRT_ADD_VIF_ && len == 12) {
		rc = ipmon_emit_in(w, 3, at, 6, "mif");
		return rc ? rc : ipmon_emit_in(w, 3, at + 8, 4, "rate");
	}
	if (level == SOL_IP_ && route && len == 60) {
		rc = ipmon_emit_in(w, 3, at, 42, "route");
		return rc ? rc : ipmon_emit_in(w, 3, at + 44, 16, "expiry");
	}
	if (level == SOL_IPV6_ && route && len == 92) {
		rc = walk_sockaddr(w, 3, at, 28);
		if (!rc)
			rc = walk_sockaddr(w, 3, at + 28, 28);
		if (!rc)
			rc = ipmon_emit_in(w, 3, at + 56, 2, "parent");
		return rc ? rc : ipmon_emit_in(w, 3, at + 60, 32, "mifs");
	}
	return rc;
}

int walk_sockopt_set(struct ipmon_walk *w)
{
	uint32_t level = (uint32_t)w->args[1], name = (uint32_t)w->args[2];
	int32_t len = (int32_t)w->args[4];
	int rc;

	if (opt_unknown(level, name, 0))
		return -WALK_ENOSYS;
	if (level == SOL_SOCKET_ && (name == SO_ATTACH_FILTER_ ||
				     name == SO_ATTACH_REUSEPORT_CBPF_))
		return len == 16 ? walk_sock_fprog(w, 3, w->args[3]) : 0;
	if (!w->args[3] || len <= 0)
		return 0;
	/* a name that ends at its NUL, often in a larger buffer */
	if (level == SOL_SOCKET_ && name == SO_BINDTODEVICE_)
		return walk_str(w, 3, w->args[3], pure_min((uint64_t)len, 15),
				"device");
	if ((level == SOL_IP_ || level == SOL_IPV6_) && len >= 136 &&
	    name >= MCAST_JOIN_GROUP_ && name <= MCAST_LEAVE_SOURCE_GROUP_)
		return multicast(w, (uint64_t)len);
	rc = routing(w, level, name, (uint64_t)len);
	return rc <= 0 ? rc :
	       ipmon_emit_in(w, 3, w->args[3], (uint64_t)len, "option");
}

/*
 * A value-result length like K_LENPTR's, but in units: SO_GET_FILTER counts
 * instructions of 8 bytes, everything else bytes.
 */
int walk_sockopt_get(struct ipmon_walk *w)
{
	uint32_t level = (uint32_t)w->args[1], name = (uint32_t)w->args[2];
	struct ipmon_item item;
	unsigned char word[4];
	uint64_t unit = 1, len;
	int rc;

	if (opt_unknown(level, name, 1) ||
	    (level == SOL_TCP_ && name == TCP_ZEROCOPY_RECEIVE_))
		return -WALK_ENOSYS;
	if (level == SOL_SOCKET_ && name == SO_ATTACH_FILTER_)
		unit = 8;
	rc = walk_fetch(w, 4, word, w->args[4], 4);
	if (rc)
		return rc < 0 ? rc : 0;
	len = pure_u32(word);
	/* a negative length is refused by most, but taken for a large one by some
	 * (IPv6, raw sockets) */
	rc = ipmon_emit_scalar(w, 4, len, "length");
	if (rc)
		return rc;
	/* A few options read part of the buffer (IP_MSFILTER, SCTP): their
	 * input is not compared, because most callers leave it unset. */
	if (w->args[3] && len) {
		item.type = IT_OUT;
		item.arg = 3;
		item.rule = R_U32;
		item.group = (uint8_t)unit;
		item.len = (uint32_t)pure_min(len * unit, 65536);
		item.value = 0;
		item.addr = w->args[3];
		item.aux = w->args[4];
		item.label = "option";
		rc = walk_item(w, &item);
		if (rc)
			return rc;
	}
	return ipmon_emit_out(w, 4, w->args[4], 4, R_ALWAYS, 0, "length");
}
