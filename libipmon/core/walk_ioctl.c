/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ioctl: what hangs off the third argument.
 *
 * Theory of operation
 * -------------------
 * Three sources, in this order:
 *
 *  1. requests with inner structure (nested pointers, counts, names) have a
 *     case of their own in special();
 *  2. requests that carry no encoding, or a wrong one (FS_IOC_GETFLAGS says
 *     long and means int), are rows of known[];
 *  3. anything else is taken at its word: direction and size as encoded by
 *     _IOC().  A code without direction and size has a plain number as its
 *     argument if that number is small; otherwise it may be a pointer to we
 *     know not what, and the request is refused (-ENOSYS).
 *
 * The same number can mean different things to different drivers; as in
 * strace, the common meaning is assumed.  The 0x54 family belongs to ttys.
 */
#include "walk.h"

enum ioctl_how {
	I_NONE = 0,	/* argument not used */
	I_VAL,		/* int by value */
	I_LVAL,		/* long by value */
	I_IN,
	I_OUT,
	I_INOUT,
};

struct ioctl_row {
	uint32_t cmd;
	uint16_t size;
	uint8_t how;
};

static const struct ioctl_row known[] = {
	/* FIBMAP, FIGETBSZ */
	{ 0x0001, 4, I_INOUT }, { 0x0002, 4, I_OUT },
	/* hard disks: HDIO_GETGEO, HDIO_GET_IDENTITY */
	{ 0x0301, 16, I_OUT }, { 0x030d, 512, I_OUT },
	/* block devices: BLKROSET, BLKROGET, BLKRRPART, BLKGETSIZE,
	 * BLKFLSBUF, BLKRASET, BLKRAGET, BLKFRASET, BLKFRAGET, BLKSECTGET,
	 * BLKSSZGET */
	{ 0x125d, 4, I_IN }, { 0x125e, 4, I_OUT }, { 0x125f, 0, I_NONE },
	{ 0x1260, 8, I_OUT }, { 0x1261, 0, I_NONE }, { 0x1262, 0, I_LVAL },
	{ 0x1263, 8, I_OUT }, { 0x1264, 0, I_LVAL }, { 0x1265, 8, I_OUT },
	{ 0x1267, 2, I_OUT }, { 0x1268, 4, I_OUT },
	/* BLKBSZGET and BLKBSZSET: int, whatever the encoding says */
	{ 0x80081270, 4, I_OUT }, { 0x40081271, 4, I_IN },
	/* BLKDISCARD, BLKIOMIN, BLKIOOPT, BLKALIGNOFF, BLKPBSZGET,
	 * BLKDISCARDZEROES, BLKSECDISCARD, BLKROTATIONAL, BLKZEROOUT,
	 * BLKGETDISKSEQ is encoded */
	{ 0x1277, 16, I_IN }, { 0x1278, 4, I_OUT }, { 0x1279, 4, I_OUT },
	{ 0x127a, 4, I_OUT }, { 0x127b, 4, I_OUT }, { 0x127c, 4, I_OUT },
	{ 0x127d, 16, I_IN }, { 0x127e, 2, I_OUT }, { 0x127f, 16, I_IN },
	/* keyboard and console: KDGETLED KDSETLED KDGKBTYPE KDSETMODE
	 * KDGETMODE KDGKBMODE KDSKBMODE KDGKBLED KDSKBLED KIOCSOUND
	 * KDMKTONE */
	{ 0x4b31, 1, I_OUT }, { 0x4b32, 0, I_LVAL }, { 0x4b33, 1, I_OUT },
	{ 0x4b3a, 0, I_LVAL }, { 0x4b3b, 4, I_OUT }, { 0x4b44, 4, I_OUT },
	{ 0x4b45, 0, I_LVAL }, { 0x4b64, 1, I_OUT }, { 0x4b65, 0, I_LVAL },
	{ 0x4b2f, 0, I_LVAL }, { 0x4b30, 0, I_LVAL },
	/* loop devices: SET_FD CLR_FD SET_STATUS GET_STATUS SET_STATUS64
	 * GET_STATUS64 CHANGE_FD SET_CAPACITY SET_DIRECT_IO SET_BLOCK_SIZE
	 * CONFIGURE, LOOP_CTL_ADD REMOVE GET_FREE */
	{ 0x4c00, 0, I_VAL }, { 0x4c01, 0, I_NONE }, { 0x4c02, 168, I_IN },
	{ 0x4c03, 168, I_OUT }, { 0x4c04, 232, I_IN }, { 0x4c05, 232, I_OUT },
	{ 0x4c06, 0, I_VAL }, { 0x4c07, 0, I_NONE }, { 0x4c08, 0, I_LVAL },
	{ 0x4c09, 0, I_LVAL }, { 0x4c0a, 304, I_IN }, { 0x4c80, 0, I_LVAL },
	{ 0x4c81, 0, I_LVAL }, { 0x4c82, 0, I_NONE },
	/* CDROMEJECT, CDROMCLOSETRAY, CDROM_DRIVE_STATUS,
	 * CDROM_GET_CAPABILITY; CDROM_NEXT_WRITABLE, CDROM_LAST_WRITTEN, which
	 * mkfs asks every disk */
	{ 0x5309, 0, I_NONE }, { 0x5319, 0, I_NONE }, { 0x5326, 0, I_VAL },
	{ 0x5331, 0, I_NONE }, { 0x5394, 8, I_OUT }, { 0x5395, 8, I_OUT },
	/* TCGETS TCSETS TCSETSW TCSETSF: the kernel's termios, not libc's */
	{ 0x5401, 36, I_OUT }, { 0x5402, 36, I_IN }, { 0x5403, 36, I_IN },
	{ 0x5404, 36, I_IN },
	/* TCGETA TCSETA TCSETAW TCSETAF: a termio has a byte of padding */
	{ 0x5405, 18, I_OUT }, { 0x5406, 17, I_IN }, { 0x5407, 17, I_IN },
	{ 0x5408, 17, I_IN },
	/* TCSBRK TCXONC TCFLSH TIOCEXCL TIOCNXCL TIOCSCTTY TIOCGPGRP
	 * TIOCSPGRP TIOCOUTQ TIOCSTI TIOCGWINSZ TIOCSWINSZ */
	{ 0x5409, 0, I_VAL }, { 0x540a, 0, I_VAL }, { 0x540b, 0, I_VAL },
	{ 0x540c, 0, I_NONE }, { 0x540d, 0, I_NONE }, { 0x540e, 0, I_VAL },
	{ 0x540f, 4, I_OUT }, { 0x5410, 4, I_IN }, { 0x5411, 4, I_OUT },
	{ 0x5412, 1, I_IN }, { 0x5413, 8, I_OUT }, { 0x5414, 8, I_IN },
	/* TIOCMGET TIOCMBIS TIOCMBIC TIOCMSET TIOCGSOFTCAR TIOCSSOFTCAR
	 * FIONREAD TIOCCONS TIOCGSERIAL TIOCPKT FIONBIO TIOCNOTTY TIOCSETD
	 * TIOCGETD TCSBRKP TIOCSBRK TIOCCBRK TIOCGSID */
	{ 0x5415, 4, I_OUT }, { 0x5416, 4, I_IN }, { 0x5417, 4, I_IN },
	{ 0x5418, 4, I_IN }, { 0x5419, 4, I_OUT }, { 0x541a, 4, I_IN },
	{ 0x541b, 4, I_OUT }, { 0x541d, 0, I_NONE }, { 0x541e, 72, I_OUT },
	{ 0x5420, 4, I_IN }, { 0x5421, 4, I_IN }, { 0x5422, 0, I_NONE },
	{ 0x5423, 4, I_IN }, { 0x5424, 4, I_OUT }, { 0x5425, 0, I_VAL },
	{ 0x5427, 0, I_NONE }, { 0x5428, 0, I_NONE }, { 0x5429, 4, I_OUT },
	/* TIOCGRS485 TIOCSRS485; TCGETX TCSETX TCSETXF TCSETXW */
	{ 0x542e, 32, I_OUT }, { 0x542f, 32, I_INOUT }, { 0x5432, 16, I_OUT },
	{ 0x5433, 16, I_IN }, { 0x5434, 16, I_IN }, { 0x5435, 16, I_IN },
	/* TIOCVHANGUP, TIOCGPTPEER, TIOCSIG (a number, despite _IOW) */
	{ 0x5437, 0, I_NONE }, { 0x5441, 0, I_VAL }, { 0x40045436, 0, I_VAL },
	/* FIONCLEX FIOCLEX FIOASYNC TIOCGLCKTRMIOS TIOCSLCKTRMIOS
	 * TIOCSERGETLSR TIOCMIWAIT TIOCGICOUNT FIOQSIZE */
	{ 0x5450, 0, I_NONE }, { 0x5451, 0, I_NONE }, { 0x5452, 4, I_IN },
	{ 0x5456, 36, I_OUT }, { 0x5457, 36, I_IN }, { 0x5459, 4, I_OUT },
	{ 0x545c, 0, I_VAL }, { 0x545d, 80, I_OUT }, { 0x5460, 8, I_OUT },
	/* IOCTL_VM_SOCKETS_GET_LOCAL_CID */
	{ 0x7b9, 4, I_OUT },
	/* consoles: VT_OPENQRY GETMODE SETMODE GETSTATE RELDISP ACTIVATE
	 * WAITACTIVE DISALLOCATE */
	{ 0x5600, 4, I_OUT }, { 0x5601, 8, I_OUT }, { 0x5602, 8, I_IN },
	{ 0x5603, 6, I_OUT }, { 0x5605, 0, I_LVAL }, { 0x5606, 0, I_LVAL },
	{ 0x5607, 0, I_LVAL }, { 0x5608, 0, I_LVAL },
	/* sockets: FIOSETOWN SIOCSPGRP FIOGETOWN SIOCGPGRP SIOCATMARK
	 * SIOCGSTAMP SIOCGSTAMPNS */
	{ 0x8901, 4, I_IN }, { 0x8902, 4, I_IN }, { 0x8903, 4, I_OUT },
	{ 0x8904, 4, I_OUT }, { 0x8905, 4, I_OUT }, { 0x8906, 16, I_OUT },
	{ 0x8907, 16, I_OUT },
	/* NS_GET_USERNS, NS_GET_PARENT (a new descriptor), NS_GET_NSTYPE */
	{ 0xb701, 0, I_NONE }, { 0xb702, 0, I_NONE }, { 0xb703, 0, I_NONE },
	/* NS_GET_OWNER_UID stores although it is encoded without direction;
	 * NS_GET_{PID,TGID}_{FROM,IN}_PIDNS take a number */
	{ 0xb704, 4, I_OUT }, { 0x8004b706, 0, I_VAL },
	{ 0x8004b707, 0, I_VAL }, { 0x8004b708, 0, I_VAL },
	{ 0x8004b709, 0, I_VAL },
	/* FS_IOC_GETFLAGS, SETFLAGS, GETVERSION, SETVERSION: int */
	{ 0x80086601, 4, I_OUT }, { 0x40086602, 4, I_IN },
	{ 0x80087601, 4, I_OUT }, { 0x40087602, 4, I_IN },
	/* FIFREEZE, FITHAW: encoded inout, argument not used */
	{ 0xc0045877, 0, I_NONE }, { 0xc0045878, 0, I_NONE },
	/* FICLONE: a descriptor by value */
	{ 0x40049409, 0, I_VAL },
	/* RTC_IRQP_SET, RTC_EPOCH_SET: by value */
	{ 0x4008700c, 0, I_LVAL }, { 0x4008700e, 0, I_LVAL },
	/* INOTIFY_IOC_SETNEXTWD: by value */
	{ 0x40044900, 0, I_VAL },
	/* WDIOC_SETOPTIONS reads, WDIOC_KEEPALIVE takes nothing */
	{ 0x80045704, 4, I_IN }, { 0x80045705, 0, I_NONE },
	/* TUNSETNOCSUM DEBUG PERSIST OWNER LINK GROUP OFFLOAD: by value */
	{ 0x400454c8, 0, I_VAL }, { 0x400454c9, 0, I_VAL },
	{ 0x400454cb, 0, I_VAL }, { 0x400454cc, 0, I_VAL },
	{ 0x400454cd, 0, I_VAL }, { 0x400454ce, 0, I_VAL },
	{ 0x400454d0, 0, I_VAL },
	/* TUNGETIFF: a whole ifreq */
	{ 0x800454d2, 40, I_OUT },
};

static int how(struct ipmon_walk *w, unsigned int what, uint64_t size)
{
	uint64_t arg = w->args[2];

	switch (what) {
	case I_VAL:
		return ipmon_emit_scalar(w, 2, walk_int(arg), "arg");
	case I_LVAL:
		return ipmon_emit_scalar(w, 2, arg, "arg");
	case I_IN:
		return ipmon_emit_in(w, 2, arg, size, "arg");
	case I_OUT:
		return ipmon_emit_out(w, 2, arg, size, R_SUCCESS, 0, "arg");
	case I_INOUT:
		return walk_inout(w, 2, arg, size, R_SUCCESS, "arg");
	default:
		return 0;
	}
}

/* ---- network interfaces ---- */

#define IFREQ_SIZE 40
#define IFNAME_SIZE 16

static int ifreq_name(struct ipmon_walk *w, uint64_t addr)
{
	if (!addr)
		return ipmon_emit_scalar(w, 2, 0, "ifreq");
	return walk_str(w, 2, addr, IFNAME_SIZE, "ifr_name");
}

/* ... and the pointer behind it, to be followed if 0 is returned; positive: there is
 * none to be. */
static int ifreq_data(struct ipmon_walk *w, uint64_t *addr)
{
	unsigned char word[8];
	int rc = ifreq_name(w, w->args[2]);

	if (rc || !w->args[2])
		return rc ? rc : 1;
	rc = walk_fetch(w, 2, word, w->args[2] + IFNAME_SIZE, 8);
	if (!rc)
		*addr = pure_u64(word);
	return rc;
}

static int ifreq_get(struct ipmon_walk *w)
{
	uint64_t addr = w->args[2];
	int rc = ifreq_name(w, addr);

	if (rc || !addr)
		return rc;
	return ipmon_emit_out(w, 2, addr + IFNAME_SIZE,
			      IFREQ_SIZE - IFNAME_SIZE, R_SUCCESS, 0, "ifr_ifru");
}

/* `len` bytes of the union are an input; 0: it is a socket address. */
static int ifreq_set(struct ipmon_walk *w, uint64_t len)
{
	uint64_t addr = w->args[2];
	int rc = ifreq_name(w, addr);

	if (rc || !addr)
		return rc;
	if (!len)
		return walk_sockaddr(w, 2, addr + IFNAME_SIZE, 16);
	return ipmon_emit_in(w, 2, addr + IFNAME_SIZE, len, "ifr_ifru");
}

/* struct ifconf { int len; struct ifreq *req; } */
static int ifconf(struct ipmon_walk *w)
{
	unsigned char conf[16];
	uint64_t req;
	uint32_t len;
	int rc;

	rc = walk_fetch(w, 2, conf, w->args[2], sizeof(conf));
	if (rc)
		return rc < 0 ? rc : 0;
	len = pure_u32(conf);
	req = pure_u64(conf + 8);
	if (req) {	/* a null buffer asks for the size needed */
		rc = ipmon_emit_scalar(w, 2, len, "ifc_len");
		if (!rc && !(len >> 31))
			rc = ipmon_emit_out(w, 2, req, len, R_U32, w->args[2],
					    "ifc_req");
	} else {
		rc = ipmon_emit_scalar(w, 2, 0, "ifc_req");
	}
	if (rc)
		return rc;
	return ipmon_emit_out(w, 2, w->args[2], 4, R_SUCCESS, 0, "ifc_len");
}

/* TUNSETIFF, TUNSETQUEUE: name and flags in, the chosen name out. */
static int tun(struct ipmon_walk *w)
{
	int rc = ifreq_set(w, 2);

	if (rc || !w->args[2])
		return rc;
	return ipmon_emit_out(w, 2, w->args[2], IFREQ_SIZE, R_SUCCESS, 0,
			      "ifreq");
}

/* SIOCGARP, SIOCSARP, SIOCDARP: struct arpreq { sockaddr pa, ha; int flags;
 * sockaddr netmask; char dev[16]; } */
static int arpreq(struct ipmon_walk *w, int get)
{
	uint64_t addr = w->args[2];
	int rc;

	if (!addr)
		return ipmon_emit_scalar(w, 2, 0, "arpreq");
	rc = walk_sockaddr(w, 2, addr, 16);
	if (!rc && !get)
		rc = ipmon_emit_in(w, 2, addr + 16, 16, "arp_ha");
	if (!rc)
		rc = ipmon_emit_in(w, 2, addr + 32, 4, "arp_flags");
	if (!rc)
		rc = walk_str(w, 2, addr + 52, IFNAME_SIZE, "arp_dev");
	if (rc || !get)
		return rc;
	return ipmon_emit_out(w, 2, addr, 68, R_SUCCESS, 0, "arpreq");
}

/* SIOCADDRT, SIOCDELRT: struct rtentry, with much padding and a pointer */
static int rtentry(struct ipmon_walk *w)
{
	unsigned char dev[8];
	uint64_t addr = w->args[2];
	unsigned int i;
	int rc;

	rc = walk_fetch(w, 2, dev, addr + 88, sizeof(dev));
	if (rc)
		return rc < 0 ? rc : 0;
	/* rt_dst, rt_gateway, rt_genmask */
	for (i = 0; !rc && i < 3; i++)
		rc = walk_sockaddr(w, 2, addr + 8 + i * 16, 16);
	if (!rc)
		rc = ipmon_emit_in(w, 2, addr + 56, 2, "rt_flags");
	if (!rc)
		rc = ipmon_emit_in(w, 2, addr + 80, 2, "rt_metric");
	if (!rc)
		rc = walk_str(w, 2, pure_u64(dev), IFNAME_SIZE, "rt_dev");
	if (!rc)
		rc = ipmon_emit_in(w, 2, addr + 96, 18,
				   "rt_mtu, rt_window, rt_irtt");
	return rc;
}

/* What an ethtool command stores (or, set, reads) behind its number. */
static const struct {
	uint16_t cmd;
	uint8_t size, set;
} ethtools[] = {
	/* GSET SSET GDRVINFO GWOL SWOL */
	{ 0x01, 44, 0 }, { 0x02, 44, 1 }, { 0x03, 196, 0 }, { 0x05, 20, 0 },
	{ 0x06, 20, 1 },
	/* COALESCE RINGPARAM PAUSEPARAM CHANNELS, each get and set */
	{ 0x0e, 92, 0 }, { 0x0f, 92, 1 }, { 0x10, 36, 0 }, { 0x11, 36, 1 },
	{ 0x12, 16, 0 }, { 0x13, 16, 1 }, { 0x3c, 36, 0 }, { 0x3d, 36, 1 },
	/* NWAY_RST, GET_TS_INFO, GMODULEINFO, GEEE, SEEE */
	{ 0x09, 4, 0 }, { 0x41, 44, 0 }, { 0x42, 44, 0 }, { 0x44, 40, 0 },
	{ 0x45, 40, 1 },
	/* one value: MSGLVL LINK RXCSUM TXCSUM SG TSO UFO GSO FLAGS PFLAGS
	 * GRO, get and set; PHYS_ID */
	{ 0x07, 8, 0 }, { 0x08, 8, 1 }, { 0x0a, 8, 0 }, { 0x14, 8, 0 },
	{ 0x15, 8, 1 }, { 0x16, 8, 0 }, { 0x17, 8, 1 }, { 0x18, 8, 0 },
	{ 0x19, 8, 1 }, { 0x1c, 8, 1 }, { 0x1e, 8, 0 }, { 0x1f, 8, 1 },
	{ 0x21, 8, 0 }, { 0x22, 8, 1 }, { 0x23, 8, 0 }, { 0x24, 8, 1 },
	{ 0x25, 8, 0 }, { 0x26, 8, 1 }, { 0x27, 8, 0 }, { 0x28, 8, 1 },
	{ 0x2b, 8, 0 }, { 0x2c, 8, 1 },
};

/* An array at `head` whose element count is the u32 at `count`. */
static int ethtool_array(struct ipmon_walk *w, uint64_t addr, unsigned int head,
			 unsigned int count, unsigned int unit)
{
	unsigned char buf[12];
	uint64_t n;
	struct ipmon_item item;
	int rc;

	rc = walk_fetch(w, 2, buf, addr, head);
	if (rc)
		return rc < 0 ? rc : 0;
	rc = ipmon_emit_in(w, 2, addr + 4, head - 4ul, "ethtool");
	if (!rc)
		rc = ipmon_emit_out(w, 2, addr, head, R_SUCCESS, 0, "ethtool");
	n = pure_min(pure_u32(buf + count), 1u << 16);
	if (rc || !n)
		return rc;
	item.type = IT_OUT;
	item.arg = 2;
	item.rule = R_U32;
	item.group = (uint8_t)unit;
	item.len = (uint32_t)n * unit;
	item.value = 0;
	item.addr = addr + head;
	item.aux = addr + count;
	item.label = "ethtool data[]";
	return walk_item(w, &item);
}

/* SIOCETHTOOL: a command number and what belongs to it, behind a pointer */
static int ethtool(struct ipmon_walk *w)
{
	unsigned char word[8];
	uint64_t addr;
	uint32_t cmd;
	unsigned int i, n = 0;
	int rc = ifreq_data(w, &addr);

	if (rc)
		return rc < 0 ? rc : 0;
	rc = walk_fetch(w, 2, word, addr, 4);
	if (rc)
		return rc < 0 ? rc : 0;
	cmd = pure_u32(word);
	rc = ipmon_emit_scalar(w, 2, cmd, "ethtool command");
	if (rc)
		return rc;
	switch (cmd) {
	case 0x1b:	/* GSTRINGS */
		return ethtool_array(w, addr, 12, 8, 32);
	case 0x1d:	/* GSTATS */
		return ethtool_array(w, addr, 8, 4, 8);
	case 0x20:	/* GPERMADDR */
		return ethtool_array(w, addr, 8, 4, 1);
	case 0x3a:	/* GFEATURES */
		return ethtool_array(w, addr, 8, 4, 16);
	case 0x37:	/* GSSET_INFO: a count for each bit of the mask */
		rc = walk_inout(w, 2, addr, 16, R_SUCCESS, "ethtool");
		if (rc || walk_read(w, word, addr + 8, 8))
			return rc;
		for (i = 0; i < 64; i++)
			n += pure_u64(word) >> i & 1;
		return ipmon_emit_out(w, 2, addr + 16, n * 4ul, R_SUCCESS,
				      0, "ethtool data[]");
	case 0x4c:	/* GLINKSETTINGS: words at 18, three masks of so many;
			 * 0 asks for the number */
		rc = ipmon_emit_in(w, 2, addr + 18, 1, "mask words");
		if (rc || walk_read(w, word, addr + 18, 1))
			return rc;
		return ipmon_emit_out(w, 2, addr, 48 + (word[0] < 128 ?
				      word[0] * 12ul : 0), R_SUCCESS, 0,
				      "ethtool");
	case 0x29: case 0x2d: case 0x2e:
		/* GRXFH, GRXRINGS, GRXCLSRLCNT: of ethtool_rxnfc they store
		 * the field data, the last the number of rules as well */
		rc = ipmon_emit_in(w, 2, addr + 4, 4, "flow_type");
		if (!rc)
			rc = ipmon_emit_out(w, 2, addr + 8, 8, R_SUCCESS, 0,
					    "ethtool data");
		if (!rc && cmd == 0x2e)
			rc = ipmon_emit_out(w, 2, addr + 184, 4, R_SUCCESS, 0,
					    "rule_cnt");
		return rc;
	default:
		break;
	}
	for (i = 0; i < sizeof(ethtools) / sizeof(ethtools[0]); i++) {
		if (ethtools[i].cmd != cmd)
			continue;
		if (ethtools[i].set)
			return ipmon_emit_in(w, 2, addr, ethtools[i].size,
					     "ethtool");
		return ipmon_emit_out(w, 2, addr, ethtools[i].size, R_SUCCESS,
				      0, "ethtool");
	}
	return -WALK_ENOSYS;
}

/* SIOCSHWTSTAMP, SIOCGHWTSTAMP: struct hwtstamp_config, behind a pointer */
static int hwtstamp(struct ipmon_walk *w, int get)
{
	uint64_t addr;
	int rc = ifreq_data(w, &addr);

	if (rc)
		return rc < 0 ? rc : 0;
	return get ? ipmon_emit_out(w, 2, addr, 12, R_SUCCESS, 0,
				    "hwtstamp_config") :
		walk_inout(w, 2, addr, 12, R_SUCCESS, "hwtstamp_config");
}

/* The legacy 0x89 range; those not listed hold pointers or are obsolete. */
static int netdev(struct ipmon_walk *w, uint32_t cmd)
{
	int rc;

	switch (cmd) {
	case 0x8910:	/* SIOCGIFNAME: from the index */
		if (!w->args[2])
			return ipmon_emit_scalar(w, 2, 0, "ifreq");
		rc = ipmon_emit_in(w, 2, w->args[2] + IFNAME_SIZE, 4,
				   "ifr_ifindex");
		if (rc)
			return rc;
		return ipmon_emit_out(w, 2, w->args[2], IFNAME_SIZE, R_SUCCESS,
				      0, "ifr_name");
	case 0x8912:
		return ifconf(w);
	case 0x8913: case 0x8915: case 0x8917: case 0x8919: case 0x891b:
	case 0x891d: case 0x891f: case 0x8921: case 0x8927: case 0x8933:
	case 0x8935: case 0x8942: case 0x8970:
		/* SIOCGIF FLAGS ADDR DSTADDR BRDADDR NETMASK METRIC MEM MTU
		 * HWADDR INDEX PFLAGS TXQLEN MAP */
		return ifreq_get(w);
	case 0x8914: case 0x8934:
		return ifreq_set(w, 2);		/* SIOCSIFFLAGS, PFLAGS */
	case 0x891e: case 0x8922: case 0x8943:
		return ifreq_set(w, 4);		/* METRIC, MTU, TXQLEN */
	case 0x8916: case 0x8918: case 0x891a: case 0x891c:
		return ifreq_set(w, 0);		/* ADDR and its relatives */
	case 0x8924: case 0x8937:
		return ifreq_set(w, 8);		/* SIOCSIFHWADDR, HWBROADCAST */
	case 0x8925: case 0x8926: case 0x8929: case 0x8930:
		/* G, SIFENCAP, G, SIFSLAVE: in no kernel any more */
		return ifreq_name(w, w->args[2]);
	case 0x8971:
		return ifreq_set(w, 24);	/* SIOCSIFMAP */
	case 0x8923:	/* SIOCSIFNAME */
		rc = ifreq_name(w, w->args[2]);
		if (rc || !w->args[2])
			return rc;
		return walk_str(w, 2, w->args[2] + IFNAME_SIZE, IFNAME_SIZE,
				"ifr_newname");
	case 0x890b: case 0x890c:
		return rtentry(w);
	case 0x8931: case 0x8932:	/* ADDMULTI, DELMULTI */
		return ifreq_set(w, 0);
	case 0x8946:
		return ethtool(w);
	case 0x8947: case 0x8948:	/* SIOCGMIIPHY, SIOCGMIIREG */
		/* the former asks for the numbers the latter takes */
		rc = cmd == 0x8947 ? ifreq_name(w, w->args[2]) :
			ifreq_set(w, 4);
		if (rc || !w->args[2])
			return rc;
		return ipmon_emit_out(w, 2, w->args[2] + IFNAME_SIZE, 8,
				      R_SUCCESS, 0, "mii_ioctl_data");
	case 0x8949:	/* SIOCSMIIREG */
		return ifreq_set(w, 8);
	case 0x89b0: case 0x89b1:	/* S, SIOCGHWTSTAMP */
		return hwtstamp(w, cmd == 0x89b1);
	case 0x894b:	/* SIOCOUTQNSD */
		return ipmon_emit_out(w, 2, w->args[2], 4, R_SUCCESS, 0, "arg");
	case 0x894c:	/* SIOCGSKNS: the result is a descriptor */
		return 0;
	case 0x8953: case 0x8955:	/* SIOCDARP, SIOCSARP */
		return arpreq(w, 0);
	case 0x8954:
		return arpreq(w, 1);
	case 0x89a0: case 0x89a1:	/* SIOCBRADDBR, SIOCBRDELBR */
		return walk_str(w, 2, w->args[2], IFNAME_SIZE, "bridge");
	case 0x89a2: case 0x89a3:	/* SIOCBRADDIF, SIOCBRDELIF */
		return ifreq_set(w, 4);
	default:	/* bonds, VLANs, tunnels, private ones */
		return -WALK_ENOSYS;
	}
}

/* ---- file systems ---- */

/* struct fiemap: start, length, flags, mapped, count, reserved; extents */
static int fiemap(struct ipmon_walk *w)
{
	unsigned char head[32];
	uint64_t addr = w->args[2], count;
	struct ipmon_item item;
	int rc;

	rc = walk_fetch(w, 2, head, addr, sizeof(head));
	if (rc)
		return rc < 0 ? rc : 0;
	count = pure_u32(head + 24);
	rc = ipmon_emit_in(w, 2, addr, 20, "fm_start, fm_length, fm_flags");
	if (!rc)
		rc = ipmon_emit_scalar(w, 2, count, "fm_extent_count");
	if (!rc)
		/* flags that are not known are told by those that are left,
		 * with an error; the other members stay what they were */
		rc = ipmon_emit_out(w, 2, addr + 16, 8, R_ALWAYS, 0,
				    "fm_flags, fm_mapped_extents");
	if (rc || !count || count > IPMON_SPAN_MAX / 56)
		return rc;
	item.type = IT_OUT;
	item.arg = 2;
	item.rule = R_U32;
	item.group = 56;
	item.len = (uint32_t)(count * 56);
	item.value = 0;
	item.addr = addr + 32;
	item.aux = addr + 20;	/* fm_mapped_extents */
	item.label = "fm_extents";
	return walk_item(w, &item);
}

/* struct file_dedupe_range: source, length, u16 count; 32 bytes for each
 * destination, of which descriptor and offset are inputs */
static int dedupe(struct ipmon_walk *w)
{
	unsigned char head[24];
	uint64_t addr = w->args[2], i, count;
	int rc;

	rc = walk_fetch(w, 2, head, addr, sizeof(head));
	if (rc)
		return rc < 0 ? rc : 0;
	count = pure_u16(head + 16);
	rc = ipmon_emit_in(w, 2, addr, 24, "file_dedupe_range");
	if (count > 127)	/* more than a page: ENOMEM */
		count = 0;
	for (i = 0; !rc && i < count; i++)
		rc = ipmon_emit_in(w, 2, addr + 24 + i * 32, 16, "info[]");
	if (rc || !count)
		return rc;
	return ipmon_emit_out(w, 2, addr + 24, count * 32, R_SUCCESS, 0,
			      "info[]");
}

/* RNDADDENTROPY: { int bits; int size; u32 buf[]; } */
static int add_entropy(struct ipmon_walk *w)
{
	unsigned char head[8];
	uint64_t size;
	int rc;

	rc = walk_fetch(w, 2, head, w->args[2], sizeof(head));
	if (rc)
		return rc < 0 ? rc : 0;
	size = pure_u32(head + 4);
	if (size >> 31)
		size = 0;
	return ipmon_emit_in(w, 2, w->args[2], size + 8, "rand_pool_info");
}

/* TIOCLINUX: a sub-command byte; only the one that reads the shift state is
 * plain enough. */
static int tioclinux(struct ipmon_walk *w)
{
	unsigned char sub;
	int rc;

	rc = walk_fetch(w, 2, &sub, w->args[2], 1);
	if (rc)
		return rc < 0 ? rc : 0;
	if (sub != 6)
		return -WALK_ENOSYS;
	return walk_inout(w, 2, w->args[2], 1, R_SUCCESS, "subcode");
}

/* FS_IOC_FSSETXATTR: fsx_nextents and the padding at the end are ignored */
static int fssetxattr(struct ipmon_walk *w)
{
	int rc;

	if (!w->args[2])
		return ipmon_emit_scalar(w, 2, 0, "fsxattr");
	rc = ipmon_emit_in(w, 2, w->args[2], 8, "fsx_xflags, fsx_extsize");
	if (rc)
		return rc;
	return ipmon_emit_in(w, 2, w->args[2] + 12, 8,
			     "fsx_projid, fsx_cowextsize");
}

/* MTIOCTOP, which tar tries on every archive: padding between its two numbers */
static int mtop(struct ipmon_walk *w)
{
	int rc;

	if (!w->args[2])
		return ipmon_emit_scalar(w, 2, 0, "mtop");
	rc = ipmon_emit_in(w, 2, w->args[2], 2, "mt_op");
	if (rc)
		return rc;
	return ipmon_emit_in(w, 2, w->args[2] + 4, 4, "mt_count");
}

/* 1: not one of these. */
static int special(struct ipmon_walk *w, uint32_t cmd)
{
	switch (cmd) {
	case 0xc020660b: return fiemap(w);
	case 0xc0189436: return dedupe(w);
	case 0x40085203: return add_entropy(w);
	case 0x541c: return tioclinux(w);
	case 0x401c5820: return fssetxattr(w);
	case 0x40086d01: return mtop(w);
	case 0x400454ca: case 0x400454d9: return tun(w);
	case 0x400454d1: return -WALK_ENOSYS;	/* TUNSETTXFILTER: pointer */
	case 0x41009432:	/* FS_IOC_SETFSLABEL: a string */
		return walk_str(w, 2, w->args[2], 256, "label");
	case 0x2285: return -WALK_ENOSYS;	/* SG_IO: nested pointers */
	case 0x541f: return -WALK_ENOSYS;	/* TIOCSSERIAL: pointer */
	default: return 1;
	}
}

int walk_ioctl(struct ipmon_walk *w)
{
	uint32_t cmd = (uint32_t)w->args[1];
	unsigned int dir = cmd >> 30, size = cmd >> 16 & 0x3fff;
	unsigned int type = cmd >> 8 & 0xff, i;
	int rc;

	rc = special(w, cmd);
	if (rc != 1)
		return rc;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].cmd == cmd)
			return how(w, known[i].how, known[i].size);
	}
	if (cmd >> 16 == 0 && type == 0x89)
		return netdev(w, cmd);
	if (!dir && !size) {
		if (w->args[2] >= 4096)
			return -WALK_ENOSYS;
		return ipmon_emit_scalar(w, 2, w->args[2], "arg");
	}
	if (!type || !dir || !size)
		return -WALK_ENOSYS;
	/* _IOC_WRITE (1) is what the program writes: an input */
	return how(w, dir == 1 ? I_IN : dir == 2 ? I_OUT : I_INOUT, size);
}
