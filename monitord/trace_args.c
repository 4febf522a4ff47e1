// SPDX-License-Identifier: Apache-2.0
/*
 * One call, one argument, one result as text.
 *
 * Rules
 *   - Kinds of the table row decide; trace_names.c may refine a scalar or
 *     name the layout of a struct.  No call is known here by its number.
 *   - The memory read is hostile and may be gone: every count is bounded
 *     before use, and what cannot be read is shown as the bare pointer.
 *   - Before the call (`done` is false) outputs are shown as pointers.
 *   - Pure: memory only through f->read.
 */
#include "trace.h"
#include "trace_mem.h"

#include <errno.h>
#include <fcntl.h>
#include <ipmon/abi.h>
#include <ipmon/items.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define STRV_MAX	16	/* strings shown of an argument vector */
#define PATH_SHOWN	4096

void format_signal(struct text *t, int sig)
{
	const char *name = sig > 0 ? sigabbrev_np(sig) : NULL;

	/* the kernel's first real-time signal, not the C library's */
	if (name)
		text_printf(t, "SIG%s", name);
	else if (sig == 32)
		text_puts(t, "SIGRTMIN");
	else if (sig > 32 && sig <= 64)
		text_printf(t, "SIGRT_%d", sig - 32);
	else
		text_printf(t, "%d", sig);
}

void format_status(struct text *t, int status)
{
	if (WIFEXITED(status)) {
		text_printf(t, "exited with %d", WEXITSTATUS(status));
	} else if (WIFSIGNALED(status)) {
		text_puts(t, "killed by ");
		format_signal(t, WTERMSIG(status));
		if (WCOREDUMP(status))
			text_puts(t, " (core dumped)");
	} else if (WIFSTOPPED(status)) {
		text_puts(t, "stopped by ");
		format_signal(t, WSTOPSIG(status));
	} else {
		text_printf(t, "status %#x", (unsigned int)status);
	}
}

static void show_string(struct text *t, const struct format *f, uint64_t addr,
			size_t max)
{
	char buf[PATH_SHOWN + 1];
	ssize_t n;
	char *end;

	if (!addr) {
		text_puts(t, "NULL");
		return;
	}
	if (max > PATH_SHOWN)
		max = PATH_SHOWN;
	n = format_read_string(f, buf, addr, max + 1);
	if (n < 0) {
		show_pointer(t, addr);
		return;
	}
	end = memchr(buf, '\0', (size_t)n);
	if (end)
		text_quote(t, buf, (size_t)(end - buf), false);
	else
		text_quote(t, buf, (size_t)n < max ? (size_t)n : max, true);
}

static void show_strv(struct text *t, const struct format *f, uint64_t addr)
{
	uint64_t p;

	if (!addr || !format_read(f, &p, addr, sizeof(p))) {
		show_pointer(t, addr);
		return;
	}
	text_putc(t, '[');
	for (unsigned int i = 0; p; i++) {
		if (i)
			text_puts(t, ", ");
		if (i == STRV_MAX) {
			text_puts(t, "...");
			break;
		}
		show_string(t, f, p, f->strmax);
		addr += sizeof(p);
		if (!format_read(f, &p, addr, sizeof(p))) {
			text_puts(t, ", ");
			show_pointer(t, addr);
			break;
		}
	}
	text_putc(t, ']');
}

/* An environment: the pointer and the number of strings. */
static void show_envp(struct text *t, const struct format *f, uint64_t addr)
{
	unsigned int n = 0;
	uint64_t p;

	show_pointer(t, addr);
	if (!addr || !format_read(f, &p, addr, sizeof(p)))
		return;
	while (n < 4096 && format_read(f, &p, addr + 8ull * n, sizeof(p)) && p)
		n++;
	text_printf(t, " /* %u var%s */", n, n == 1 ? "" : "s");
}

static void show_buffer(struct text *t, const struct format *f, uint64_t addr,
			uint64_t len)
{
	unsigned char buf[PATH_SHOWN];
	size_t want = f->strmax < sizeof(buf) ? f->strmax : sizeof(buf);

	if (!addr || !want) {
		show_pointer(t, addr);
		return;
	}
	if (len < want)
		want = (size_t)len;
	if (want && !format_read(f, buf, addr, want)) {
		show_pointer(t, addr);
		return;
	}
	text_quote(t, buf, want, len > want);
}

/* The scalar kinds. Returns false if `kind` is none. */
static bool show_scalar(struct text *t, const struct format *f, unsigned int i,
			enum show s)
{
	uint64_t v = f->args[i];

	switch (f->row->arg[i].kind) {
	case K_INT:
	case K_UINT:
	case K_FLAGS:
		v = (uint32_t)v;
		break;
	case K_LONG:
	case K_LFLAGS:
	case K_SIZE:
	case K_ASIZE:
	case K_OFF:
	case K_IGN:
	case K_WALKV:
		break;
	case K_HINT:
	case K_PTR:
		/* opaque to the comparison, but perhaps not to people */
		if (s > SHOW_DEV)
			return false;
		break;
	case K_FD:
	case K_PID:
		text_printf(t, "%d", (int)v);
		return true;
	case K_DIRFD:
		if ((int)v == AT_FDCWD)
			text_puts(t, "AT_FDCWD");
		else
			text_printf(t, "%d", (int)v);
		return true;
	case K_SIG:
		format_signal(t, (int)v);
		return true;
	case K_MODE:
	case K_OPENMODE:
		text_printf(t, "%#03o", (unsigned int)v & 0xffff);
		return true;
	default:
		return false;
	}

	if (s > SHOW_KIND && s < SHOW_TABLES) {
		show_value(t, s, v);
		return true;
	}
	if (s == SHOW_HEX || s == SHOW_DEV) {
		if (v || s == SHOW_DEV)
			text_printf(t, "%#lx", v);
		else
			text_puts(t, f->row->arg[i].kind == K_HINT ? "NULL" : "0");
		return true;
	}
	if (s == SHOW_OCTAL) {
		text_printf(t, "%#03o", (unsigned int)v);
		return true;
	}
	switch (f->row->arg[i].kind) {
	case K_INT:
		text_printf(t, "%d", (int)v);
		break;
	case K_UINT:
		text_printf(t, "%u", (unsigned int)v);
		break;
	case K_LONG:
	case K_OFF:
		text_printf(t, "%ld", (long)v);
		break;
	case K_SIZE:
	case K_ASIZE:
		text_printf(t, "%lu", v);
		break;
	case K_HINT:
	case K_PTR:
		show_pointer(t, v);
		break;
	case K_FLAGS:
	case K_LFLAGS:
		text_printf(t, "%#lx", v);
		break;
	default:
		/* may be a number or a pointer */
		if (s > SHOW_TABLES)
			return false;
		if ((int64_t)v > -4096 && (int64_t)v < 65536)
			text_printf(t, "%ld", (long)v);
		else if (v <= UINT32_MAX && (int32_t)v < 0 &&
			 (int32_t)v > -4096)
			text_printf(t, "%d", (int)v);
		else
			text_printf(t, "%#lx", v);
		break;
	}
	return true;
}

/* The third argument of fcntl depends on its second. */
static void show_fcntl_arg(struct text *t, const struct format *f,
			   unsigned int i)
{
	const char *cmd = show_name(SHOW_FCNTL, (uint32_t)f->args[1]);
	uint64_t v = f->args[i];

	if (cmd && !strcmp(cmd, "F_SETFL"))
		show_value(t, SHOW_OPEN, (uint32_t)v);
	else if (cmd && !strcmp(cmd, "F_SETFD"))
		text_puts(t, v == FD_CLOEXEC ? "FD_CLOEXEC" : v ? "?" : "0");
	else if (cmd && strstr(cmd, "LK"))
		show_flock(t, f, v);
	else if ((int64_t)v > -65536 && (int64_t)v < 0x7fffffff)
		text_printf(t, "%ld", (long)v);
	else
		text_printf(t, "%#lx", v);
}

static void show_prctl_arg(struct text *t, const struct format *f,
			   unsigned int i)
{
	int cmd = (int)f->args[0];
	uint64_t v = f->args[i];

	if (cmd == PR_SET_NAME)
		show_string(t, f, v, 16);
	else if (cmd == PR_SET_PDEATHSIG)
		format_signal(t, (int)v);
	else if ((int64_t)v >= 0 && v < 65536)
		text_printf(t, "%lu", v);
	else
		text_printf(t, "%#lx", v);
}

/* No kinds are known for it. */
static bool unknown_call(const struct format *f)
{
	return f->row->cls == CLASS_UNKNOWN || f->row->cls == CLASS_REFUSED;
}

/* Is the memory of argument i meaningful now? */
static bool readable_now(const struct format *f, unsigned int i)
{
	switch (f->row->arg[i].kind) {
	case K_OUT:
	case K_BUFOUT:
	case K_ARROUT:
	case K_IOVOUT:
	case K_MSGOUT:
	case K_MMSGOUT:
	case K_SADDROUT:
	case K_SIGSETOUT:
	case K_BUFOUTOK:
	case K_PTR:
		return f->done && f->ret >= 0;
	case K_OUTNZ:
		return f->done && f->ret > 0;
	case K_OUTINTR:
		return f->done && (f->ret == -EINTR ||
				   f->ret == -516 /* ERESTART_RESTARTBLOCK */);
	case K_OUTALWAYS:
		return f->done;
	default:
		return true;
	}
}

void format_arg(struct text *t, const struct format *f, unsigned int i)
{
	const struct ipmon_arg *a = &f->row->arg[i];
	enum show s = show_arg(f->nr, i);
	uint64_t v = f->args[i];
	/* the argument that holds this one's length or count */
	uint64_t other = a->a < 6 ? f->args[a->a] : 0;

	if (unknown_call(f)) {
		text_printf(t, "%#lx", v);
		return;
	}
	if (show_scalar(t, f, i, s))
		return;
	if (s == SHOW_FCNTLARG) {
		show_fcntl_arg(t, f, i);
		return;
	}
	if (s == SHOW_PRCTLARG) {
		show_prctl_arg(t, f, i);
		return;
	}
	if (!v || !readable_now(f, i)) {
		show_pointer(t, v);
		return;
	}
	if (s == SHOW_ENVP) {
		show_envp(t, f, v);
		return;
	}
	if (s > SHOW_TABLES && show_struct(t, f, i, s))
		return;

	switch (a->kind) {
	case K_PATH:
		show_string(t, f, v, PATH_SHOWN);
		break;
	case K_STR:
		show_string(t, f, v, f->strmax);
		break;
	case K_STRV:
		show_strv(t, f, v);
		break;
	case K_BUFIN:
		show_buffer(t, f, v, other);
		break;
	case K_BUFOUT:
		/* the result may exceed the buffer (MSG_TRUNC) */
		if (f->row->result == RES_COUNT && (uint64_t)f->ret < other)
			other = (uint64_t)f->ret;
		show_buffer(t, f, v, other);
		break;
	case K_BUFOUTOK:
		show_buffer(t, f, v, other);
		break;
	case K_IOVIN:
		show_iovec(t, f, v, other, UINT64_MAX);
		break;
	case K_IOVOUT:
		show_iovec(t, f, v, other, (uint64_t)f->ret);
		break;
	case K_MSGIN:
		show_msghdr(t, f, v, UINT64_MAX);
		break;
	case K_MSGOUT:
		show_msghdr(t, f, v, (uint64_t)f->ret);
		break;
	case K_SADDRIN:
		show_sockaddr(t, f, v, other);
		break;
	case K_SADDROUT: {
		uint32_t len;

		if (format_read(f, &len, other, sizeof(len)))
			show_sockaddr(t, f, v, len);
		else
			show_pointer(t, v);
		break;
	}
	case K_LENPTR:
	case K_OFFPTR: {
		uint64_t word = 0;

		if (!format_read(f, &word, v, a->kind == K_LENPTR ? 4 : 8))
			show_pointer(t, v);
		else
			text_printf(t, "[%ld]", (long)word);
		break;
	}
	case K_FDSET:
		show_fdset(t, f, v, other);
		break;
	case K_POLLFD:
		show_pollfd(t, f, v, other, false);
		break;
	case K_SIGSET:
	case K_SIGSETOUT:
		show_sigset(t, f, v);
		break;
	default:
		show_pointer(t, v);
		break;
	}
}

bool format_is_pointer(unsigned int kind)
{
	switch (kind) {
	case K_PTR:
	case K_HINT:
	case K_WALK:
		return true;
	case K_WALKV:
	case K_ASIZE:
		return false;
	default:
		return kind >= K_PATH && kind < K_MAX;
	}
}

/*
 * The arguments that mean something for this command (futex, prctl, ...):
 * the walker knows.  Without memory it emits faults, but for the right
 * arguments.
 */
static int no_memory(void *ctx, void *dst, uint64_t src, size_t n)
{
	return -EFAULT;
}

static long no_string(void *ctx, uint64_t src, size_t max)
{
	return -EFAULT;
}

static int note_argument(void *ctx, const struct ipmon_item *item)
{
	*(unsigned int *)ctx |= 1u << (item->arg & 31);
	return 0;
}

static unsigned int meaningful(const struct format *f)
{
	unsigned int mask = 0;
	struct ipmon_walk w = {
		.read = no_memory, .strnlen = no_string,
		.emit = note_argument, .ctx = &mask, .row = f->row,
		.nr = f->nr,
	};

	memcpy(w.args, f->args, sizeof(w.args));
	return ipmon_walk(&w) < 0 ? ~0u : mask;
}

unsigned int format_nargs(const struct format *f)
{
	unsigned int n = f->row->nargs;
	unsigned int mask = 0;

	if (n > 6)
		n = 6;
	if (f->nr == IPMON_INSN_COUNTER || f->nr == IPMON_INSN_RANDOM ||
	    f->nr == IPMON_INSN_VISIT)
		return 0;
	if (unknown_call(f))
		return 6;	/* all registers */
	/* open's mode without O_CREAT and other garbage at the end */
	while (n) {
		const struct ipmon_arg *a = &f->row->arg[n - 1];

		if (a->kind == K_NONE || a->kind == K_IGN) {
			n--;
		} else if (a->kind == K_OPENMODE && a->a < 6 &&
			   !(f->args[a->a] & O_CREAT) &&
			   (f->args[a->a] & O_TMPFILE) != O_TMPFILE) {
			n--;
		} else if (a->kind == K_WALKV && f->row->walker &&
			   show_arg(f->nr, n - 1) != SHOW_HEX) {
			if (!mask)
				mask = meaningful(f);
			if (mask & 1u << (n - 1))
				break;
			n--;
		} else {
			break;
		}
	}
	return n;
}

void format_call(struct text *t, const struct format *f)
{
	unsigned int n = format_nargs(f);
	char name[32];

	text_puts(t, f->row->name[0] ? f->row->name : ipmon_name(f->nr, name));
	text_putc(t, '(');
	for (unsigned int i = 0; i < n; i++) {
		if (i)
			text_puts(t, ", ");
		format_arg(t, f, i);
	}
	text_putc(t, ')');
}

void format_ret(struct text *t, const struct format *f)
{
	/* the kernel's internal restart codes have no errno name */
	static const struct {
		int code;
		const char *name;
	} restarts[] = {
		{ 512, "ERESTARTSYS (To be restarted if SA_RESTART is set)" },
		{ 513, "ERESTARTNOINTR (To be restarted)" },
		{ 514, "ERESTARTNOHAND (To be restarted if no handler)" },
		{ 516, "ERESTART_RESTARTBLOCK (Interrupted by signal)" },
	};
	int64_t ret = f->ret;

	if (!f->done) {
		text_puts(t, "= ?");
		return;
	}
	for (unsigned int i = 0; i < sizeof(restarts) / sizeof(*restarts); i++)
		if (ret == -restarts[i].code) {
			text_printf(t, "= ? %s", restarts[i].name);
			return;
		}
	if (ret < 0 && ret >= -4095) {
		const char *name = strerrorname_np((int)-ret);
		const char *text = strerrordesc_np((int)-ret);

		if (name)
			text_printf(t, "= -1 %s (%s)", name, text ? text : name);
		else
			text_printf(t, "= -1 (errno %d)", (int)-ret);
		return;
	}
	if (f->row->result == RES_ADDR || ret > 0xffffffffll || ret < 0)
		text_printf(t, "= %#lx", (unsigned long)ret);
	else if (f->row->result == RES_OWN && ret > 0xffff)
		text_printf(t, "= %#lx", (unsigned long)ret);
	else
		text_printf(t, "= %ld", (long)ret);
	/* what poll found, as strace shows it */
	for (unsigned int i = 0; i < 6 && i < f->row->nargs; i++) {
		const struct ipmon_arg *a = &f->row->arg[i];

		if (a->kind != K_POLLFD || a->a >= 6)
			continue;
		if (!ret) {
			text_puts(t, " (Timeout)");
		} else {
			text_puts(t, " (");
			show_pollfd(t, f, f->args[i], f->args[a->a], true);
			text_putc(t, ')');
		}
	}
}
