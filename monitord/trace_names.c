// SPDX-License-Identifier: Apache-2.0
/*
 * Names for traces and reports: flag tables, and which argument of which
 * call is shown with which of them.
 *
 * Presentation only.  A call or value which is missing here is still traced
 * correctly, as plain numbers and pointers, by the kinds of its table row;
 * nothing in this file decides what is compared.  Calls are named, not
 * numbered, so that the syscall table stays the only place that knows
 * numbers.
 */
#include "trace.h"

#include <asm/prctl.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <linux/memfd.h>
#include <linux/stat.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct name {
	uint64_t v;
	const char *s;
};
#define N(x) { (uint64_t)(uint32_t)(x), #x }
#define E { 0, NULL }

/*
 * A table's `one` mask selects the bits that hold a single enumerated value;
 * the others are flags.  Entries within the mask are values, the rest flags;
 * flags of several bits come before their parts.
 */
struct table {
	uint64_t one;
	const struct name *names;
};

static const struct name open_names[] = {
	N(O_RDONLY), N(O_WRONLY), N(O_RDWR), N(O_CREAT), N(O_EXCL),
	N(O_NOCTTY), N(O_TRUNC), N(O_APPEND), N(O_NONBLOCK), N(O_SYNC),
	N(O_DSYNC), N(O_ASYNC), N(O_DIRECT), N(O_TMPFILE), N(O_DIRECTORY),
	N(O_NOFOLLOW), N(O_NOATIME), N(O_CLOEXEC), N(O_PATH),
	{ 0100000, "O_LARGEFILE" }, E };
static const struct name prot_names[] = {
	N(PROT_NONE), N(PROT_READ), N(PROT_WRITE), N(PROT_EXEC),
	N(PROT_GROWSDOWN), N(PROT_GROWSUP), E };
static const struct name map_names[] = {
	N(MAP_SHARED), N(MAP_PRIVATE), { 3, "MAP_SHARED_VALIDATE" },
	N(MAP_FIXED), N(MAP_ANONYMOUS), N(MAP_32BIT), N(MAP_GROWSDOWN),
	N(MAP_DENYWRITE), N(MAP_EXECUTABLE), N(MAP_LOCKED), N(MAP_NORESERVE),
	N(MAP_POPULATE), N(MAP_NONBLOCK), N(MAP_STACK), N(MAP_HUGETLB),
	N(MAP_SYNC), { 0x100000, "MAP_FIXED_NOREPLACE" }, E };
static const struct name at_names[] = {
	N(AT_SYMLINK_NOFOLLOW), N(AT_REMOVEDIR), N(AT_SYMLINK_FOLLOW),
	N(AT_NO_AUTOMOUNT), N(AT_EMPTY_PATH), E };
static const struct name access_names[] = {
	N(F_OK), N(R_OK), N(W_OK), N(X_OK), E };
static const struct name whence_names[] = {
	N(SEEK_SET), N(SEEK_CUR), N(SEEK_END), N(SEEK_DATA), N(SEEK_HOLE), E };
static const struct name family_names[] = {
	N(AF_UNSPEC), N(AF_UNIX), N(AF_INET), N(AF_INET6), N(AF_NETLINK),
	N(AF_PACKET), N(AF_VSOCK), N(AF_ALG), E };
static const struct name socktype_names[] = {
	N(SOCK_STREAM), N(SOCK_DGRAM), N(SOCK_RAW), N(SOCK_RDM),
	N(SOCK_SEQPACKET), N(SOCK_PACKET), N(SOCK_NONBLOCK), N(SOCK_CLOEXEC),
	E };
static const struct name sighow_names[] = {
	N(SIG_BLOCK), N(SIG_UNBLOCK), N(SIG_SETMASK), E };
static const struct name fcntl_names[] = {
	N(F_DUPFD), N(F_GETFD), N(F_SETFD), N(F_GETFL), N(F_SETFL),
	N(F_GETLK), N(F_SETLK), N(F_SETLKW), N(F_SETOWN), N(F_GETOWN),
	N(F_SETSIG), N(F_GETSIG), N(F_OFD_GETLK), N(F_OFD_SETLK),
	N(F_OFD_SETLKW), N(F_SETLEASE), N(F_GETLEASE), N(F_NOTIFY),
	N(F_DUPFD_CLOEXEC), N(F_SETPIPE_SZ), N(F_GETPIPE_SZ), N(F_ADD_SEALS),
	N(F_GET_SEALS), E };
static const struct name futex_names[] = {
	N(FUTEX_WAIT), N(FUTEX_WAKE), N(FUTEX_REQUEUE), N(FUTEX_CMP_REQUEUE),
	N(FUTEX_WAKE_OP), N(FUTEX_LOCK_PI), N(FUTEX_UNLOCK_PI),
	N(FUTEX_TRYLOCK_PI), N(FUTEX_WAIT_BITSET), N(FUTEX_WAKE_BITSET),
	N(FUTEX_WAIT_REQUEUE_PI), N(FUTEX_CMP_REQUEUE_PI),
	N(FUTEX_PRIVATE_FLAG), N(FUTEX_CLOCK_REALTIME), E };
static const struct name prctl_names[] = {
	N(PR_SET_PDEATHSIG), N(PR_GET_PDEATHSIG), N(PR_GET_DUMPABLE),
	N(PR_SET_DUMPABLE), N(PR_GET_KEEPCAPS), N(PR_SET_KEEPCAPS),
	N(PR_SET_NAME), N(PR_GET_NAME), N(PR_GET_SECCOMP), N(PR_SET_SECCOMP),
	N(PR_CAPBSET_READ), N(PR_CAPBSET_DROP), N(PR_GET_TSC), N(PR_SET_TSC),
	N(PR_GET_SECUREBITS), N(PR_SET_SECUREBITS), N(PR_SET_TIMERSLACK),
	N(PR_GET_TIMERSLACK), N(PR_SET_MM), N(PR_SET_PTRACER),
	N(PR_SET_CHILD_SUBREAPER), N(PR_GET_CHILD_SUBREAPER),
	N(PR_SET_NO_NEW_PRIVS), N(PR_GET_NO_NEW_PRIVS), N(PR_GET_TID_ADDRESS),
	N(PR_SET_THP_DISABLE), N(PR_GET_THP_DISABLE), N(PR_CAP_AMBIENT),
	{ 0x53564d41, "PR_SET_VMA" }, E };
static const struct name arch_names[] = {
	N(ARCH_SET_GS), N(ARCH_SET_FS), N(ARCH_GET_FS), N(ARCH_GET_GS),
	N(ARCH_GET_CPUID), N(ARCH_SET_CPUID), { 0x3001, "0x3001 /* ARCH_??? */" },
	E };
static const struct name ioctl_names[] = {
	N(TCGETS), N(TCSETS), N(TCSETSW), N(TCSETSF), N(TCSBRK), N(TCXONC),
	N(TCFLSH), N(TIOCSCTTY), N(TIOCGPGRP), N(TIOCSPGRP), N(TIOCOUTQ),
	N(TIOCSTI), N(TIOCGWINSZ), N(TIOCSWINSZ), N(FIONREAD), N(TIOCNOTTY),
	N(FIONBIO), N(TIOCGSID), N(TIOCGPTN), N(TIOCSPTLCK), N(FIONCLEX),
	N(FIOCLEX), N(FIOASYNC), { 0x8910, "SIOCGIFNAME" },
	{ 0x8912, "SIOCGIFCONF" }, { 0x8913, "SIOCGIFFLAGS" },
	{ 0x8915, "SIOCGIFADDR" }, { 0x8921, "SIOCGIFMTU" },
	{ 0x8927, "SIOCGIFHWADDR" }, { 0x8933, "SIOCGIFINDEX" },
	{ 0x40049409, "FICLONE" }, { 0x80086601, "FS_IOC_GETFLAGS" }, E };
static const struct name clock_names[] = {
	N(CLOCK_REALTIME), N(CLOCK_MONOTONIC), N(CLOCK_PROCESS_CPUTIME_ID),
	N(CLOCK_THREAD_CPUTIME_ID), N(CLOCK_MONOTONIC_RAW),
	N(CLOCK_REALTIME_COARSE), N(CLOCK_MONOTONIC_COARSE),
	N(CLOCK_BOOTTIME), N(CLOCK_REALTIME_ALARM), N(CLOCK_BOOTTIME_ALARM),
	N(CLOCK_TAI), E };
static const struct name madv_names[] = {
	N(MADV_NORMAL), N(MADV_RANDOM), N(MADV_SEQUENTIAL), N(MADV_WILLNEED),
	N(MADV_DONTNEED), N(MADV_FREE), N(MADV_REMOVE), N(MADV_DONTFORK),
	N(MADV_DOFORK), N(MADV_MERGEABLE), N(MADV_UNMERGEABLE),
	N(MADV_HUGEPAGE), N(MADV_NOHUGEPAGE), N(MADV_DONTDUMP), N(MADV_DODUMP),
	N(MADV_WIPEONFORK), N(MADV_KEEPONFORK), N(MADV_COLD), N(MADV_PAGEOUT),
	E };
static const struct name msg_names[] = {
	N(MSG_OOB), N(MSG_PEEK), N(MSG_DONTROUTE), N(MSG_CTRUNC), N(MSG_TRUNC),
	N(MSG_DONTWAIT), N(MSG_EOR), N(MSG_WAITALL), N(MSG_CONFIRM),
	N(MSG_ERRQUEUE), N(MSG_NOSIGNAL), N(MSG_MORE), N(MSG_WAITFORONE),
	N(MSG_ZEROCOPY), N(MSG_FASTOPEN), N(MSG_CMSG_CLOEXEC), E };
static const struct name clone_names[] = {
	{ 0, "0" }, N(SIGCHLD), N(CLONE_VM), N(CLONE_FS), N(CLONE_FILES),
	N(CLONE_SIGHAND), N(CLONE_PIDFD), N(CLONE_PTRACE), N(CLONE_VFORK),
	N(CLONE_PARENT), N(CLONE_THREAD), N(CLONE_NEWNS), N(CLONE_SYSVSEM),
	N(CLONE_SETTLS), N(CLONE_PARENT_SETTID), N(CLONE_CHILD_CLEARTID),
	N(CLONE_DETACHED), N(CLONE_UNTRACED), N(CLONE_CHILD_SETTID),
	N(CLONE_NEWCGROUP), N(CLONE_NEWUTS), N(CLONE_NEWIPC),
	N(CLONE_NEWUSER), N(CLONE_NEWPID), N(CLONE_NEWNET), N(CLONE_IO), E };
static const struct name wait_names[] = {
	N(WNOHANG), N(WUNTRACED), N(WEXITED), N(WCONTINUED), N(WNOWAIT),
	N(__WNOTHREAD), N(__WALL), N(__WCLONE), E };
static const struct name rlimit_names[] = {
	N(RLIMIT_CPU), N(RLIMIT_FSIZE), N(RLIMIT_DATA), N(RLIMIT_STACK),
	N(RLIMIT_CORE), N(RLIMIT_RSS), N(RLIMIT_NPROC), N(RLIMIT_NOFILE),
	N(RLIMIT_MEMLOCK), N(RLIMIT_AS), N(RLIMIT_LOCKS), N(RLIMIT_SIGPENDING),
	N(RLIMIT_MSGQUEUE), N(RLIMIT_NICE), N(RLIMIT_RTPRIO),
	N(RLIMIT_RTTIME), E };
static const struct name epollop_names[] = {
	N(EPOLL_CTL_ADD), N(EPOLL_CTL_DEL), N(EPOLL_CTL_MOD), E };
static const struct name epollflag_names[] = { N(EPOLL_CLOEXEC), E };
static const struct name solevel_names[] = {
	{ 0, "SOL_IP" }, N(SOL_SOCKET), { 6, "SOL_TCP" }, { 17, "SOL_UDP" },
	{ 41, "SOL_IPV6" }, { 58, "SOL_ICMPV6" }, { 255, "SOL_RAW" },
	{ 263, "SOL_PACKET" }, { 270, "SOL_NETLINK" }, E };
static const struct name sockopt_names[] = {
	N(SO_DEBUG), N(SO_REUSEADDR), N(SO_TYPE), N(SO_ERROR), N(SO_DONTROUTE),
	N(SO_BROADCAST), N(SO_SNDBUF), N(SO_RCVBUF), N(SO_KEEPALIVE),
	N(SO_OOBINLINE), N(SO_PRIORITY), N(SO_LINGER), N(SO_REUSEPORT),
	N(SO_PASSCRED), N(SO_PEERCRED), N(SO_RCVLOWAT), N(SO_SNDLOWAT),
	N(SO_RCVTIMEO), N(SO_SNDTIMEO), N(SO_BINDTODEVICE),
	N(SO_ATTACH_FILTER), N(SO_TIMESTAMP), N(SO_ACCEPTCONN), N(SO_PEERSEC),
	N(SO_SNDBUFFORCE), N(SO_RCVBUFFORCE), N(SO_MARK), N(SO_PROTOCOL),
	N(SO_DOMAIN), N(SO_INCOMING_CPU), E };
static const struct name shut_names[] = {
	N(SHUT_RD), N(SHUT_WR), N(SHUT_RDWR), E };
static const struct name mremap_names[] = {
	N(MREMAP_MAYMOVE), N(MREMAP_FIXED), { 4, "MREMAP_DONTUNMAP" }, E };
static const struct name msync_names[] = {
	N(MS_ASYNC), N(MS_INVALIDATE), N(MS_SYNC), E };
static const struct name flock_names[] = {
	N(LOCK_SH), N(LOCK_EX), N(LOCK_UN), N(LOCK_NB), E };
static const struct name eventfd_names[] = {
	N(EFD_SEMAPHORE), N(EFD_NONBLOCK), N(EFD_CLOEXEC), E };
static const struct name memfd_names[] = {
	N(MFD_CLOEXEC), N(MFD_ALLOW_SEALING), N(MFD_HUGETLB),
	{ 8, "MFD_NOEXEC_SEAL" }, { 16, "MFD_EXEC" }, E };
static const struct name rusage_names[] = {
	{ (uint32_t)RUSAGE_CHILDREN, "RUSAGE_CHILDREN" }, N(RUSAGE_SELF),
	N(RUSAGE_THREAD), E };
static const struct name grnd_names[] = {
	N(GRND_NONBLOCK), N(GRND_RANDOM), { 4, "GRND_INSECURE" }, E };
static const struct name itimer_names[] = {
	{ ITIMER_REAL, "ITIMER_REAL" }, { ITIMER_VIRTUAL, "ITIMER_VIRTUAL" },
	{ ITIMER_PROF, "ITIMER_PROF" }, E };
static const struct name timerflag_names[] = {
	{ TIMER_ABSTIME, "TIMER_ABSTIME" }, E };
static const struct name statx_names[] = {
	N(STATX_ALL), N(STATX_BASIC_STATS), N(STATX_TYPE), N(STATX_MODE),
	N(STATX_NLINK), N(STATX_UID), N(STATX_GID), N(STATX_ATIME),
	N(STATX_MTIME), N(STATX_CTIME), N(STATX_INO), N(STATX_SIZE),
	N(STATX_BLOCKS), N(STATX_BTIME), N(STATX_MNT_ID), E };
static const struct name umount_names[] = {
	{ 1, "MNT_FORCE" }, { 2, "MNT_DETACH" }, { 4, "MNT_EXPIRE" },
	{ 8, "UMOUNT_NOFOLLOW" }, E };
static const struct name rename_names[] = {
	N(RENAME_NOREPLACE), N(RENAME_EXCHANGE), N(RENAME_WHITEOUT), E };
static const struct name falloc_names[] = {
	N(FALLOC_FL_KEEP_SIZE), N(FALLOC_FL_PUNCH_HOLE),
	N(FALLOC_FL_COLLAPSE_RANGE), N(FALLOC_FL_ZERO_RANGE),
	N(FALLOC_FL_INSERT_RANGE), N(FALLOC_FL_UNSHARE_RANGE), E };
static const struct name splice_names[] = {
	N(SPLICE_F_MOVE), N(SPLICE_F_NONBLOCK), N(SPLICE_F_MORE),
	N(SPLICE_F_GIFT), E };
static const struct name idtype_names[] = {
	{ P_ALL, "P_ALL" }, { P_PID, "P_PID" }, { P_PGID, "P_PGID" },
	{ 3, "P_PIDFD" }, E };
static const struct name pollev_names[] = {
	N(POLLIN), N(POLLPRI), N(POLLOUT), N(POLLERR), N(POLLHUP),
	N(POLLNVAL), N(POLLRDNORM), N(POLLRDBAND), N(POLLWRNORM),
	N(POLLWRBAND), N(POLLRDHUP), E };
static const struct name epollev_names[] = {
	{ 0x001, "EPOLLIN" }, { 0x002, "EPOLLPRI" }, { 0x004, "EPOLLOUT" },
	{ 0x008, "EPOLLERR" }, { 0x010, "EPOLLHUP" }, { 0x040, "EPOLLRDNORM" },
	{ 0x080, "EPOLLRDBAND" }, { 0x100, "EPOLLWRNORM" },
	{ 0x200, "EPOLLWRBAND" }, { 0x2000, "EPOLLRDHUP" },
	{ 1u << 28, "EPOLLEXCLUSIVE" }, { 1u << 29, "EPOLLWAKEUP" },
	{ 1u << 30, "EPOLLONESHOT" }, { 1u << 31, "EPOLLET" }, E };
static const struct name saflag_names[] = {
	{ 0x04000000, "SA_RESTORER" }, N(SA_ONSTACK), N(SA_RESTART),
	N(SA_NODEFER), N(SA_RESETHAND), N(SA_SIGINFO), N(SA_NOCLDSTOP),
	N(SA_NOCLDWAIT), E };
static const struct name sifmt_names[] = {
	N(S_IFREG), N(S_IFDIR), N(S_IFCHR), N(S_IFBLK), N(S_IFIFO),
	N(S_IFLNK), N(S_IFSOCK), E };
static const struct name fadvise_names[] = {
	{ POSIX_FADV_NORMAL, "POSIX_FADV_NORMAL" },
	{ POSIX_FADV_RANDOM, "POSIX_FADV_RANDOM" },
	{ POSIX_FADV_SEQUENTIAL, "POSIX_FADV_SEQUENTIAL" },
	{ POSIX_FADV_WILLNEED, "POSIX_FADV_WILLNEED" },
	{ POSIX_FADV_DONTNEED, "POSIX_FADV_DONTNEED" },
	{ POSIX_FADV_NOREUSE, "POSIX_FADV_NOREUSE" }, E };
static const struct name closerange_names[] = {
	{ 2, "CLOSE_RANGE_UNSHARE" }, { 4, "CLOSE_RANGE_CLOEXEC" }, E };

#define ENUM UINT64_MAX
static const struct table tables[SHOW_TABLES] = {
	[SHOW_OPEN] = { O_ACCMODE, open_names },
	/* the same flags where there is no access mode (pipe2, dup3) */
	[SHOW_OFLAG] = { 0, open_names + 3 },
	[SHOW_PROT] = { 0, prot_names },
	[SHOW_MAP] = { 0xf, map_names },
	[SHOW_AT] = { 0, at_names },
	[SHOW_ACCESS] = { 0, access_names },
	[SHOW_WHENCE] = { ENUM, whence_names },
	[SHOW_FAMILY] = { ENUM, family_names },
	[SHOW_SOCKTYPE] = { 0xf, socktype_names },
	[SHOW_SIGHOW] = { ENUM, sighow_names },
	[SHOW_FCNTL] = { ENUM, fcntl_names },
	[SHOW_FUTEX] = { 0x7f, futex_names },
	[SHOW_PRCTL] = { ENUM, prctl_names },
	[SHOW_ARCH] = { ENUM, arch_names },
	[SHOW_IOCTL] = { ENUM, ioctl_names },
	[SHOW_CLOCK] = { ENUM, clock_names },
	[SHOW_MADV] = { ENUM, madv_names },
	[SHOW_MSG] = { 0, msg_names },
	[SHOW_CLONE] = { 0xff, clone_names },
	[SHOW_WAIT] = { 0, wait_names },
	[SHOW_RLIMIT] = { ENUM, rlimit_names },
	[SHOW_EPOLLOP] = { ENUM, epollop_names },
	[SHOW_SOLEVEL] = { ENUM, solevel_names },
	[SHOW_SHUT] = { ENUM, shut_names },
	[SHOW_MREMAP] = { 0, mremap_names },
	[SHOW_MSYNC] = { 0, msync_names },
	[SHOW_FLOCK] = { 0, flock_names },
	[SHOW_EVENTFD] = { 0, eventfd_names },
	[SHOW_MEMFD] = { 0, memfd_names },
	[SHOW_RUSAGE] = { ENUM, rusage_names },
	[SHOW_GRND] = { 0, grnd_names },
	[SHOW_ITIMER] = { ENUM, itimer_names },
	[SHOW_TIMERFLAG] = { 0, timerflag_names },
	[SHOW_STATX] = { 0, statx_names },
	[SHOW_UMOUNT] = { 0, umount_names },
	[SHOW_RENAME] = { 0, rename_names },
	[SHOW_FALLOC] = { 0, falloc_names },
	[SHOW_SPLICE] = { 0, splice_names },
	[SHOW_IDTYPE] = { ENUM, idtype_names },
	[SHOW_EPOLLFLAG] = { 0, epollflag_names },
	[SHOW_POLLEV] = { 0, pollev_names },
	[SHOW_EPOLLEV] = { 0, epollev_names },
	[SHOW_SAFLAG] = { 0, saflag_names },
	[SHOW_SIFMT] = { ENUM, sifmt_names },
	[SHOW_FADVISE] = { ENUM, fadvise_names },
	[SHOW_CLOSERANGE] = { 0, closerange_names },
	[SHOW_SOCKOPT] = { ENUM, sockopt_names },
};

const char *show_name(enum show s, uint64_t v)
{
	const struct name *n;

	if (s <= SHOW_KIND || s >= SHOW_TABLES || !tables[s].names)
		return NULL;
	for (n = tables[s].names; n->s; n++)
		if (n->v == v)
			return n->s;
	return NULL;
}

void show_value(struct text *t, enum show s, uint64_t v)
{
	uint64_t one, rest;
	const struct name *n;
	const char *name;
	bool any = false;

	if (s <= SHOW_KIND || s >= SHOW_TABLES || !tables[s].names) {
		text_printf(t, "%#lx", v);
		return;
	}
	one = tables[s].one;
	rest = v & ~one;
	name = one || !v ? show_name(s, v & one) : NULL;
	if (one == ENUM) {
		if (name)
			text_puts(t, name);
		else
			text_printf(t, "%#lx", v);
		return;
	}
	if (name && s == SHOW_CLONE && !(v & one) && rest)
		name = NULL;	/* no termination signal: not worth a "0|" */
	if (name) {
		text_puts(t, name);
		any = true;
		/* FUTEX_WAIT_PRIVATE: one name, as in the headers */
		if (s == SHOW_FUTEX && (rest & FUTEX_PRIVATE_FLAG)) {
			text_puts(t, "_PRIVATE");
			rest &= ~(uint64_t)FUTEX_PRIVATE_FLAG;
		}
	} else if (v & one) {
		text_printf(t, "%#lx", v & one);
		any = true;
	}
	for (n = tables[s].names; n->s; n++) {
		if (!n->v || (n->v & one) || (rest & n->v) != n->v)
			continue;
		text_printf(t, "%s%s", any ? "|" : "", n->s);
		any = true;
		rest &= ~n->v;
	}
	if (rest)
		text_printf(t, "%s%#lx", any ? "|" : "", rest);
	else if (!any)
		text_putc(t, '0');
}

/* ---- which argument of which call ---- */

struct presentation {
	const char *call;
	uint8_t show[6];
};

#define P(name, ...) { #name, { __VA_ARGS__ } }
static const struct presentation presentations[] = {
	P(open, [1] = SHOW_OPEN), P(openat, [2] = SHOW_OPEN),
	P(open_by_handle_at, [2] = SHOW_OPEN),
	P(access, [1] = SHOW_ACCESS), P(faccessat, [2] = SHOW_ACCESS),
	P(faccessat2, [2] = SHOW_ACCESS, [3] = SHOW_AT),
	P(lseek, [2] = SHOW_WHENCE),
	P(mmap, [0] = SHOW_HEX, [2] = SHOW_PROT, [3] = SHOW_MAP, [5] = SHOW_HEX),
	P(mprotect, [2] = SHOW_PROT),
	P(pkey_mprotect, [2] = SHOW_PROT),
	P(mremap, [3] = SHOW_MREMAP), P(msync, [2] = SHOW_MSYNC),
	P(madvise, [2] = SHOW_MADV), P(process_madvise, [3] = SHOW_MADV),
	P(newfstatat, [2] = SHOW_STAT, [3] = SHOW_AT),
	P(stat, [1] = SHOW_STAT), P(lstat, [1] = SHOW_STAT),
	P(fstat, [1] = SHOW_STAT),
	P(statx, [2] = SHOW_AT, [3] = SHOW_STATX),
	P(unlinkat, [2] = SHOW_AT), P(linkat, [4] = SHOW_AT),
	P(fchownat, [4] = SHOW_AT), P(fchmodat2, [3] = SHOW_AT),
	P(utimensat, [2] = SHOW_TIMESPEC2, [3] = SHOW_AT),
	P(utimes, [1] = SHOW_TIMEVAL2), P(futimesat, [2] = SHOW_TIMEVAL2),
	P(execveat, [3] = SHOW_ENVP, [4] = SHOW_AT),
	P(execve, [2] = SHOW_ENVP),
	P(name_to_handle_at, [4] = SHOW_AT),
	P(renameat2, [4] = SHOW_RENAME),
	P(mknod, [2] = SHOW_DEV), P(mknodat, [3] = SHOW_DEV),
	P(umask, [0] = SHOW_OCTAL),
	P(socket, [0] = SHOW_FAMILY, [1] = SHOW_SOCKTYPE),
	P(socketpair, [0] = SHOW_FAMILY, [1] = SHOW_SOCKTYPE, [3] = SHOW_FDPAIR),
	P(accept4, [3] = SHOW_SOCKTYPE), P(shutdown, [1] = SHOW_SHUT),
	P(sendto, [3] = SHOW_MSG), P(recvfrom, [3] = SHOW_MSG),
	P(sendmsg, [2] = SHOW_MSG), P(recvmsg, [2] = SHOW_MSG),
	P(sendmmsg, [3] = SHOW_MSG), P(recvmmsg, [3] = SHOW_MSG),
	P(setsockopt, [1] = SHOW_SOLEVEL, [2] = SHOW_SOCKOPT,
	  [3] = SHOW_INT32),
	P(getsockopt, [1] = SHOW_SOLEVEL, [2] = SHOW_SOCKOPT,
	  [3] = SHOW_INT32, [4] = SHOW_LEN),
	P(pipe, [0] = SHOW_FDPAIR), P(pipe2, [0] = SHOW_FDPAIR, [1] = SHOW_OFLAG),
	P(dup3, [2] = SHOW_OFLAG),
	P(fcntl, [1] = SHOW_FCNTL, [2] = SHOW_FCNTLARG),
	P(flock, [1] = SHOW_FLOCK),
	P(ioctl, [1] = SHOW_IOCTL, [2] = SHOW_WINSZ),
	P(fallocate, [1] = SHOW_FALLOC),
	P(splice, [5] = SHOW_SPLICE), P(tee, [3] = SHOW_SPLICE),
	P(vmsplice, [3] = SHOW_SPLICE),
	P(getdents64, [1] = SHOW_DIRENTS), P(getdents, [1] = SHOW_HEX),
	P(fadvise64, [3] = SHOW_FADVISE),
	P(close_range, [2] = SHOW_CLOSERANGE),
	P(umount2, [1] = SHOW_UMOUNT),
	P(clone, [0] = SHOW_CLONE), P(unshare, [0] = SHOW_CLONE),
	P(setns, [1] = SHOW_CLONE),
	P(wait4, [1] = SHOW_WSTATUS, [2] = SHOW_WAIT),
	P(waitid, [0] = SHOW_IDTYPE, [3] = SHOW_WAIT),
	P(futex, [1] = SHOW_FUTEX),
	P(prctl, [0] = SHOW_PRCTL, [1] = SHOW_PRCTLARG),
	P(arch_prctl, [0] = SHOW_ARCH),
	P(rt_sigaction, [1] = SHOW_SIGACTION, [2] = SHOW_SIGACTION),
	P(rt_sigprocmask, [0] = SHOW_SIGHOW, [1] = SHOW_SIGSET,
	  [2] = SHOW_SIGSET),
	P(rt_sigpending, [0] = SHOW_SIGSET),
	P(signalfd4, [3] = SHOW_OFLAG),
	P(getrlimit, [0] = SHOW_RLIMIT, [1] = SHOW_RLIMITS),
	P(setrlimit, [0] = SHOW_RLIMIT, [1] = SHOW_RLIMITS),
	P(prlimit64, [1] = SHOW_RLIMIT, [2] = SHOW_RLIMITS, [3] = SHOW_RLIMITS),
	P(getrusage, [0] = SHOW_RUSAGE),
	P(getrandom, [2] = SHOW_GRND),
	P(clock_gettime, [0] = SHOW_CLOCK, [1] = SHOW_TIMESPEC),
	P(clock_settime, [0] = SHOW_CLOCK, [1] = SHOW_TIMESPEC),
	P(clock_getres, [0] = SHOW_CLOCK, [1] = SHOW_TIMESPEC),
	P(clock_nanosleep, [0] = SHOW_CLOCK, [1] = SHOW_TIMERFLAG,
	  [2] = SHOW_TIMESPEC, [3] = SHOW_TIMESPEC),
	P(nanosleep, [0] = SHOW_TIMESPEC, [1] = SHOW_TIMESPEC),
	P(gettimeofday, [0] = SHOW_TIMEVAL),
	P(settimeofday, [0] = SHOW_TIMEVAL),
	P(select, [4] = SHOW_TIMEVAL), P(pselect6, [4] = SHOW_TIMESPEC),
	P(ppoll, [2] = SHOW_TIMESPEC),
	P(getitimer, [0] = SHOW_ITIMER, [1] = SHOW_TIMEVAL2),
	P(setitimer, [0] = SHOW_ITIMER, [1] = SHOW_TIMEVAL2,
	  [2] = SHOW_TIMEVAL2),
	P(timer_create, [0] = SHOW_CLOCK), P(timerfd_create, [0] = SHOW_CLOCK,
	  [1] = SHOW_OFLAG),
	P(timer_settime, [1] = SHOW_TIMERFLAG, [2] = SHOW_ITIMERSPEC,
	  [3] = SHOW_ITIMERSPEC),
	P(timerfd_settime, [1] = SHOW_TIMERFLAG, [2] = SHOW_ITIMERSPEC,
	  [3] = SHOW_ITIMERSPEC),
	P(timerfd_gettime, [1] = SHOW_ITIMERSPEC),
	P(epoll_create1, [0] = SHOW_EPOLLFLAG),
	P(epoll_ctl, [1] = SHOW_EPOLLOP, [3] = SHOW_EPOLLEVENT),
	P(epoll_wait, [1] = SHOW_EPOLLEVENTS),
	P(epoll_pwait, [1] = SHOW_EPOLLEVENTS),
	P(epoll_pwait2, [1] = SHOW_EPOLLEVENTS, [3] = SHOW_TIMESPEC),
	P(eventfd2, [1] = SHOW_EVENTFD),
	P(memfd_create, [1] = SHOW_MEMFD),
	P(inotify_init1, [0] = SHOW_OFLAG),
	P(uname, [0] = SHOW_UTSNAME),
	P(brk, [0] = SHOW_HEX),
	P(munmap, [0] = SHOW_HEX),
};

const char *show_call(unsigned int i)
{
	return i < sizeof(presentations) / sizeof(*presentations) ?
		presentations[i].call : NULL;
}

enum show show_arg(uint64_t nr, unsigned int arg)
{
	/* 0: not looked up yet; 1: none; else index + 2 */
	static uint8_t found[IPMON_NR_MAX];
	const unsigned int n = sizeof(presentations) / sizeof(*presentations);

	_Static_assert(sizeof(presentations) / sizeof(*presentations) < 254,
		       "found[] holds the index");
	if (nr >= IPMON_NR_MAX || arg >= 6)
		return SHOW_KIND;
	if (!found[nr]) {
		found[nr] = 1;
		for (unsigned int i = 0; i < n; i++)
			if (!strcmp(presentations[i].call, ipmon_row(nr)->name))
				found[nr] = (uint8_t)(i + 2);
	}
	if (found[nr] == 1)
		return SHOW_KIND;
	return presentations[found[nr] - 2].show[arg];
}
