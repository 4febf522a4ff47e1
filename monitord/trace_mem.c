// SPDX-License-Identifier: Apache-2.0
/*
 * Structures in the memory of a traced call, as text.
 *
 * Every count comes from the program: it is cut to what is worth showing
 * before anything is read.
 */
#include "trace_mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>

#define IOV_SHOWN	16
#define POLL_SHOWN	32
#define FDS_SHOWN	64

bool format_read(const struct format *f, void *dst, uint64_t src, size_t n)
{
	return f->read(f->ctx, dst, src, n) == (ssize_t)n;
}

ssize_t format_read_string(const struct format *f, char *dst, uint64_t src,
			   size_t n)
{
	size_t have = 0;

	/* piece by piece, no piece across a page: the string may end just
	 * before memory which cannot be read */
	while (have < n) {
		size_t piece = 4096 - ((src + have) & 4095);
		ssize_t got;

		if (piece > n - have)
			piece = n - have;
		if (piece > 256)
			piece = 256;
		got = f->read(f->ctx, dst + have, src + have, piece);
		if (got <= 0)
			break;
		if (memchr(dst + have, '\0', (size_t)got)) {
			have += strlen(dst + have) + 1;
			return (ssize_t)have;
		}
		have += (size_t)got;
		if ((size_t)got < piece)
			break;
	}
	return have ? (ssize_t)have : -EFAULT;
}

void show_pointer(struct text *t, uint64_t v)
{
	if (v)
		text_printf(t, "%#lx", v);
	else
		text_puts(t, "NULL");
}

/* A buffer of `len` bytes, cut to the formatter's limit. */
static void show_bytes(struct text *t, const struct format *f, uint64_t addr,
		       uint64_t len)
{
	unsigned char buf[4096];
	size_t want = f->strmax < sizeof(buf) ? f->strmax : sizeof(buf);

	if (len < want)
		want = (size_t)len;
	if (want && !format_read(f, buf, addr, want))
		show_pointer(t, addr);
	else
		text_quote(t, buf, want, len > want);
}

void show_iovec(struct text *t, const struct format *f, uint64_t addr,
		uint64_t count, uint64_t total)
{
	struct iovec v;

	if (!addr || (count && !format_read(f, &v, addr, sizeof(v)))) {
		show_pointer(t, addr);
		return;
	}
	text_putc(t, '[');
	for (uint64_t i = 0; i < count; i++) {
		uint64_t part;

		if (i)
			text_puts(t, ", ");
		if (i == IOV_SHOWN) {
			text_puts(t, "...");
			break;
		}
		if (!format_read(f, &v, addr + i * sizeof(v), sizeof(v))) {
			show_pointer(t, addr + i * sizeof(v));
			break;
		}
		part = v.iov_len < total ? v.iov_len : total;
		if (total != UINT64_MAX)
			total -= part;
		text_puts(t, "{iov_base=");
		if (v.iov_base)
			show_bytes(t, f, (uint64_t)v.iov_base, part);
		else
			text_puts(t, "NULL");
		text_printf(t, ", iov_len=%lu}", v.iov_len);
	}
	text_putc(t, ']');
}

void show_msghdr(struct text *t, const struct format *f, uint64_t addr,
		 uint64_t total)
{
	struct msghdr m;

	if (!format_read(f, &m, addr, sizeof(m))) {
		show_pointer(t, addr);
		return;
	}
	text_puts(t, "{msg_name=");
	if (m.msg_name)
		show_sockaddr(t, f, (uint64_t)m.msg_name, m.msg_namelen);
	else
		text_puts(t, "NULL");
	text_printf(t, ", msg_namelen=%u, msg_iov=", m.msg_namelen);
	show_iovec(t, f, (uint64_t)m.msg_iov, m.msg_iovlen, total);
	text_printf(t, ", msg_iovlen=%lu, ", (unsigned long)m.msg_iovlen);
	if (m.msg_control && m.msg_controllen) {
		text_puts(t, "msg_control=");
		show_pointer(t, (uint64_t)m.msg_control);
		text_puts(t, ", ");
	}
	text_printf(t, "msg_controllen=%lu, msg_flags=",
		    (unsigned long)m.msg_controllen);
	show_value(t, SHOW_MSG, (uint32_t)m.msg_flags);
	text_putc(t, '}');
}

static void show_unix(struct text *t, const struct sockaddr_un *un, size_t len)
{
	size_t n = len - offsetof(struct sockaddr_un, sun_path);

	if (len <= offsetof(struct sockaddr_un, sun_path))
		return;
	text_puts(t, ", sun_path=");
	if (un->sun_path[0]) {
		text_quote(t, un->sun_path, strnlen(un->sun_path, n), false);
	} else {
		text_putc(t, '@');
		text_quote(t, un->sun_path + 1, n - 1, false);
	}
}

void show_sockaddr(struct text *t, const struct format *f, uint64_t addr,
		   uint64_t len)
{
	union {
		struct sockaddr sa;
		struct sockaddr_un un;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_nl nl;
		unsigned char raw[128];
	} u;
	char host[INET6_ADDRSTRLEN];

	memset(&u, 0, sizeof(u));
	if (len > sizeof(u.raw))
		len = sizeof(u.raw);
	if (len < sizeof(u.sa.sa_family) || !format_read(f, &u, addr, len)) {
		show_pointer(t, addr);
		return;
	}
	text_puts(t, "{sa_family=");
	show_value(t, SHOW_FAMILY, u.sa.sa_family);
	if (u.sa.sa_family == AF_UNIX) {
		show_unix(t, &u.un, len < sizeof(u.un) ? len : sizeof(u.un));
	} else if (u.sa.sa_family == AF_INET && len >= sizeof(u.in)) {
		inet_ntop(AF_INET, &u.in.sin_addr, host, sizeof(host));
		text_printf(t, ", sin_port=htons(%u), sin_addr=inet_addr(\"%s\")",
			    ntohs(u.in.sin_port), host);
	} else if (u.sa.sa_family == AF_INET6 && len >= sizeof(u.in6)) {
		inet_ntop(AF_INET6, &u.in6.sin6_addr, host, sizeof(host));
		text_printf(t, ", sin6_port=htons(%u), sin6_flowinfo=htonl(%u)"
			    ", inet_pton(AF_INET6, \"%s\", &sin6_addr)"
			    ", sin6_scope_id=%u", ntohs(u.in6.sin6_port),
			    ntohl(u.in6.sin6_flowinfo), host,
			    u.in6.sin6_scope_id);
	} else if (u.sa.sa_family == AF_NETLINK && len >= sizeof(u.nl)) {
		text_printf(t, ", nl_pid=%u, nl_groups=%08x", u.nl.nl_pid,
			    u.nl.nl_groups);
	} else if (len > sizeof(u.sa.sa_family)) {
		text_puts(t, ", sa_data=");
		text_quote(t, u.raw + sizeof(u.sa.sa_family),
			   (size_t)len - sizeof(u.sa.sa_family), false);
	}
	text_putc(t, '}');
}

void show_fdset(struct text *t, const struct format *f, uint64_t addr,
		uint64_t nfds)
{
	uint64_t words[1024 / 64];
	unsigned int shown = 0;
	size_t bytes;

	if ((int64_t)nfds < 0)
		nfds = 0;
	if (nfds > 1024)
		nfds = 1024;
	memset(words, 0, sizeof(words));
	bytes = (size_t)(nfds + 63) / 64 * 8;
	if (bytes && !format_read(f, words, addr, bytes)) {
		show_pointer(t, addr);
		return;
	}
	text_putc(t, '[');
	for (unsigned int fd = 0; fd < nfds; fd++) {
		if (!(words[fd / 64] >> (fd % 64) & 1))
			continue;
		if (shown == FDS_SHOWN) {
			text_puts(t, " ...");
			break;
		}
		text_printf(t, "%s%u", shown++ ? " " : "", fd);
	}
	text_putc(t, ']');
}

void show_pollfd(struct text *t, const struct format *f, uint64_t addr,
		 uint64_t count, bool found)
{
	unsigned int shown = 0;
	struct pollfd p;

	count = (uint32_t)count;
	if (!addr || (count && !format_read(f, &p, addr, sizeof(p)))) {
		show_pointer(t, addr);
		return;
	}
	text_putc(t, '[');
	for (uint64_t i = 0; i < count && i < 65536; i++) {
		if (!format_read(f, &p, addr + i * sizeof(p), sizeof(p)))
			break;
		if (found && !p.revents)
			continue;
		if (shown)
			text_puts(t, ", ");
		if (shown++ == POLL_SHOWN) {
			text_puts(t, "...");
			break;
		}
		text_printf(t, "{fd=%d, %s=", p.fd, found ? "revents" : "events");
		show_value(t, SHOW_POLLEV,
			   (uint16_t)(found ? p.revents : p.events));
		text_putc(t, '}');
	}
	text_putc(t, ']');
}

static void show_sigbits(struct text *t, uint64_t set)
{
	bool first = true;

	/* a nearly full set reads better as its complement */
	if (__builtin_popcountll(set) > 32) {
		text_putc(t, '~');
		set = ~set;
	}
	text_putc(t, '[');
	for (int sig = 1; sig <= 64; sig++) {
		const char *name = sigabbrev_np(sig);

		if (!(set >> (sig - 1) & 1))
			continue;
		if (!first)
			text_putc(t, ' ');
		first = false;
		if (name)
			text_puts(t, name);
		else if (sig == 32)
			text_puts(t, "RTMIN");
		else
			text_printf(t, "RT_%d", sig - 32);
	}
	text_putc(t, ']');
}

void show_sigset(struct text *t, const struct format *f, uint64_t addr)
{
	uint64_t set;

	if (format_read(f, &set, addr, sizeof(set)))
		show_sigbits(t, set);
	else
		show_pointer(t, addr);
}

void show_flock(struct text *t, const struct format *f, uint64_t addr)
{
	static const char *const type[] = { "F_RDLCK", "F_WRLCK", "F_UNLCK" };
	struct flock l;

	if (!format_read(f, &l, addr, sizeof(l))) {
		show_pointer(t, addr);
		return;
	}
	if (l.l_type >= 0 && l.l_type < 3)
		text_printf(t, "{l_type=%s, l_whence=", type[l.l_type]);
	else
		text_printf(t, "{l_type=%d, l_whence=", l.l_type);
	show_value(t, SHOW_WHENCE, (uint16_t)l.l_whence);
	text_printf(t, ", l_start=%ld, l_len=%ld}", (long)l.l_start,
		    (long)l.l_len);
}

static void show_sigaction(struct text *t, const struct format *f,
			   uint64_t addr)
{
	/* the kernel's layout, not the C library's */
	struct {
		uint64_t handler, flags, restorer, mask;
	} a;

	if (!format_read(f, &a, addr, sizeof(a))) {
		show_pointer(t, addr);
		return;
	}
	text_puts(t, "{sa_handler=");
	if (a.handler == 0)
		text_puts(t, "SIG_DFL");
	else if (a.handler == 1)
		text_puts(t, "SIG_IGN");
	else
		show_pointer(t, a.handler);
	text_puts(t, ", sa_mask=");
	show_sigbits(t, a.mask);
	text_puts(t, ", sa_flags=");
	show_value(t, SHOW_SAFLAG, (uint32_t)a.flags);
	if (a.restorer)
		text_printf(t, ", sa_restorer=%#lx", a.restorer);
	text_putc(t, '}');
}

static void show_wait_status(struct text *t, const struct format *f,
			     uint64_t addr)
{
	int st;

	if (!f->done || f->ret <= 0 || !format_read(f, &st, addr, sizeof(st))) {
		show_pointer(t, addr);
	} else if (WIFEXITED(st)) {
		text_printf(t, "[{WIFEXITED(s) && WEXITSTATUS(s) == %d}]",
			    WEXITSTATUS(st));
	} else if (WIFSIGNALED(st)) {
		text_puts(t, "[{WIFSIGNALED(s) && WTERMSIG(s) == ");
		format_signal(t, WTERMSIG(st));
		text_printf(t, "%s}]", WCOREDUMP(st) ? " && WCOREDUMP(s)" : "");
	} else if (WIFSTOPPED(st)) {
		text_puts(t, "[{WIFSTOPPED(s) && WSTOPSIG(s) == ");
		format_signal(t, WSTOPSIG(st));
		text_puts(t, "}]");
	} else {
		text_printf(t, "[%#x]", (unsigned int)st);
	}
}

static void show_dirents(struct text *t, const struct format *f, uint64_t addr)
{
	/* linux_dirent64: ino, off, u16 reclen, u8 type, name */
	unsigned int entries = 0;
	uint64_t at = 0;
	uint16_t reclen;

	show_pointer(t, addr);
	while (at < (uint64_t)f->ret && entries < 65536 &&
	       format_read(f, &reclen, addr + at + 16, sizeof(reclen)) &&
	       reclen >= 19) {
		at += reclen;
		entries++;
	}
	text_printf(t, " /* %u entr%s */", entries, entries == 1 ? "y" : "ies");
}

static void show_one_epoll_event(struct text *t, const struct epoll_event *e)
{
	text_puts(t, "{events=");
	show_value(t, SHOW_EPOLLEV, e->events);
	text_printf(t, ", data=%#lx}", e->data.u64);
}

static void show_epoll_events(struct text *t, const struct format *f,
			      uint64_t addr)
{
	struct epoll_event e;

	if (!f->done || f->ret < 0) {
		show_pointer(t, addr);
		return;
	}
	text_putc(t, '[');
	for (int64_t i = 0; i < f->ret; i++) {
		if (i)
			text_puts(t, ", ");
		if (i == POLL_SHOWN ||
		    !format_read(f, &e, addr + (uint64_t)i * sizeof(e),
				 sizeof(e))) {
			text_puts(t, "...");
			break;
		}
		show_one_epoll_event(t, &e);
	}
	text_putc(t, ']');
}

static void show_rlim(struct text *t, rlim_t r)
{
	if (r == RLIM_INFINITY)
		text_puts(t, "RLIM64_INFINITY");
	else if (r >= 1024 && r % 1024 == 0)
		text_printf(t, "%lu*1024", (unsigned long)(r / 1024));
	else
		text_printf(t, "%lu", (unsigned long)r);
}

static void show_timeval(struct text *t, const struct timeval *v)
{
	text_printf(t, "{tv_sec=%ld, tv_usec=%ld}", (long)v->tv_sec,
		    (long)v->tv_usec);
}

static void show_timespec(struct text *t, const struct timespec *v)
{
	text_printf(t, "{tv_sec=%ld, tv_nsec=%ld}", (long)v->tv_sec, v->tv_nsec);
}

static void show_stat(struct text *t, const struct stat *st)
{
	text_puts(t, "{st_mode=");
	show_value(t, SHOW_SIFMT, st->st_mode & S_IFMT);
	text_printf(t, "|%#03o", st->st_mode & 07777u);
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		text_printf(t, ", st_rdev=makedev(%#x, %#x)",
			    major(st->st_rdev), minor(st->st_rdev));
	else
		text_printf(t, ", st_size=%ld", (long)st->st_size);
	text_puts(t, ", ...}");
}

bool show_struct(struct text *t, const struct format *f, unsigned int i,
		 enum show s)
{
	union {
		int32_t n[2];
		struct timespec ts[2];
		struct timeval tv[2];
		struct stat st;
		struct rlimit rl;
		struct epoll_event ev;
		struct utsname uts;
		struct winsize ws;
	} u;
	uint64_t addr = f->args[i];
	static const size_t size[SHOW_MAX] = {
		[SHOW_TIMESPEC] = sizeof(u.ts[0]),
		[SHOW_TIMESPEC2] = sizeof(u.ts),
		[SHOW_TIMEVAL] = sizeof(u.tv[0]),
		[SHOW_TIMEVAL2] = sizeof(u.tv),
		[SHOW_ITIMERSPEC] = sizeof(u.ts),
		[SHOW_STAT] = sizeof(u.st), [SHOW_FDPAIR] = sizeof(u.n),
		[SHOW_RLIMITS] = sizeof(u.rl),
		[SHOW_EPOLLEVENT] = sizeof(u.ev),
		[SHOW_UTSNAME] = sizeof(u.uts), [SHOW_INT32] = 4,
		[SHOW_WINSZ] = sizeof(u.ws), [SHOW_LEN] = 4,
	};

	switch (s) {
	case SHOW_SIGSET:
		show_sigset(t, f, addr);
		return true;
	case SHOW_SIGACTION:
		show_sigaction(t, f, addr);
		return true;
	case SHOW_WSTATUS:
		show_wait_status(t, f, addr);
		return true;
	case SHOW_DIRENTS:
		show_dirents(t, f, addr);
		return true;
	case SHOW_EPOLLEVENTS:
		show_epoll_events(t, f, addr);
		return true;
	case SHOW_WINSZ: {
		/* the only terminal answer worth decoding */
		const char *cmd = show_name(SHOW_IOCTL, (uint32_t)f->args[1]);

		if (!cmd || strcmp(cmd, "TIOCGWINSZ") || !f->done || f->ret < 0)
			return false;
		break;
	}
	case SHOW_INT32: {
		/* option values of other sizes are shown as bytes */
		uint64_t len = f->args[4];
		uint32_t n;

		if (format_is_pointer(f->row->arg[4].kind)) {
			if (!f->done || f->ret < 0 ||
			    !format_read(f, &n, len, sizeof(n)))
				return false;
			len = n;
		}
		if (len != 4) {
			show_bytes(t, f, addr, len);
			return true;
		}
		break;
	}
	default:
		break;
	}
	if (s >= SHOW_MAX || !size[s])
		return false;
	memset(&u, 0, sizeof(u));
	if (!format_read(f, &u, addr, size[s])) {
		show_pointer(t, addr);
		return true;
	}
	switch (s) {
	case SHOW_TIMESPEC:
		show_timespec(t, &u.ts[0]);
		break;
	case SHOW_TIMESPEC2:
		text_putc(t, '[');
		show_timespec(t, &u.ts[0]);
		text_puts(t, ", ");
		show_timespec(t, &u.ts[1]);
		text_putc(t, ']');
		break;
	case SHOW_TIMEVAL:
		show_timeval(t, &u.tv[0]);
		break;
	case SHOW_TIMEVAL2:
		text_puts(t, "{it_interval=");
		show_timeval(t, &u.tv[0]);
		text_puts(t, ", it_value=");
		show_timeval(t, &u.tv[1]);
		text_putc(t, '}');
		break;
	case SHOW_ITIMERSPEC:
		text_puts(t, "{it_interval=");
		show_timespec(t, &u.ts[0]);
		text_puts(t, ", it_value=");
		show_timespec(t, &u.ts[1]);
		text_putc(t, '}');
		break;
	case SHOW_STAT:
		show_stat(t, &u.st);
		break;
	case SHOW_FDPAIR:
		text_printf(t, "[%d, %d]", u.n[0], u.n[1]);
		break;
	case SHOW_RLIMITS:
		text_puts(t, "{rlim_cur=");
		show_rlim(t, u.rl.rlim_cur);
		text_puts(t, ", rlim_max=");
		show_rlim(t, u.rl.rlim_max);
		text_putc(t, '}');
		break;
	case SHOW_EPOLLEVENT:
		show_one_epoll_event(t, &u.ev);
		break;
	case SHOW_UTSNAME:
		text_puts(t, "{sysname=");
		text_quote(t, u.uts.sysname, strnlen(u.uts.sysname, 64), false);
		text_puts(t, ", nodename=");
		text_quote(t, u.uts.nodename, strnlen(u.uts.nodename, 64),
			   false);
		text_puts(t, ", ...}");
		break;
	case SHOW_INT32:
	case SHOW_LEN:
		text_printf(t, "[%d]", u.n[0]);
		break;
	case SHOW_WINSZ:
		text_printf(t, "{ws_row=%u, ws_col=%u, ws_xpixel=%u, "
			    "ws_ypixel=%u}", u.ws.ws_row, u.ws.ws_col,
			    u.ws.ws_xpixel, u.ws.ws_ypixel);
		break;
	default:
		return false;
	}
	return true;
}
