// SPDX-License-Identifier: Apache-2.0
/*
 * Backtraces of stopped tasks with libdw.
 *
 * Theory of operation
 * -------------------
 * A divergence may be an attack in progress: the stack, the mapped files and
 * their debugging information are then hostile input to a large parser.  So
 * unwinding and symbol lookup happen in a short-lived child of monitord, which
 * is killed when it takes too long; if it crashes, monitord keeps the frames
 * it got until then.  The child ptraces nothing: registers are handed over
 * by fork, memory is read through a /proc/TID/mem descriptor which
 * monitord, the tracer, has opened.
 *
 * The child sends frames over a pipe as it finds them, in two passes: first
 * all frames with what the mapped files themselves say, then once more with
 * separate debugging information and source lines, which are large, found by
 * names a program may choose, and the first thing to give up.
 *
 * Object files are opened by what is mapped, not by what their name says now.
 *
 * A task inside IP-MON (fast_where) is shown where its program is: behind its
 * syscall instruction, with the registers it had there.  Those a compiler saves
 * are found by unwinding IP-MON's own frames down to its entry, as far as it
 * has been built with debugging information; without, the program's own
 * unwinding seldom needs more than the stack pointer.
 *
 * A task whose pc is not in executable memory has been called or has returned
 * there: the frame before it is at the return address on top of the stack.
 */
#include "divergence.h"
#include "fast_report.h"
#include "launch.h"
#include "text.h"
#include "tracee.h"

#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEADLINE_MS	3000
#define MAPPINGS_MAX	16384
#define READS_MAX	100000	/* memory words one unwinding may ask for */

struct message {
	int index;
	struct frame frame;
};
_Static_assert(sizeof(struct message) <= PIPE_BUF, "one atomic write each");

struct unwind {
	pid_t tid;
	int mem;
	int out;
	int max, n;
	unsigned int reads;
	struct user_regs_struct regs;
	bool inside;			/* ... of IP-MON: `where` is valid */
	struct fast_where where;
	uint64_t text[2];		/* of libipmon */
	bool debuginfo;			/* second pass */
	Dwfl *dwfl;
	struct frame frame[64];
	bool activation[64];
	struct map_entry *maps;
	size_t n_maps;
};

/* ---- in the child ---- */

static struct unwind *self;	/* libdwfl's find_elf has no own argument */

static int keep_mapping(void *ctx, const struct map_entry *e)
{
	struct unwind *u = ctx;

	if (u->n_maps == MAPPINGS_MAX)
		return 1;
	u->maps[u->n_maps++] = *e;
	return 0;
}

static const struct map_entry *mapping_at(const struct unwind *u, uint64_t addr)
{
	for (size_t i = 0; i < u->n_maps; i++)
		if (addr >= u->maps[i].start && addr < u->maps[i].end)
			return &u->maps[i];
	return NULL;
}

/* Open what is mapped there; never anything but the same regular file. */
static int open_mapped(const struct unwind *u, const struct map_entry *e)
{
	char name[PATH_MAX], again[64];
	struct stat st;
	int at, fd;

	snprintf(name, sizeof(name), "/proc/%d/map_files/%lx-%lx", (int)u->tid,
		 e->start, e->end);
	at = open(name, O_PATH | O_CLOEXEC);
	if (at < 0) {
		/* not privileged: by name, in the program's own root */
		snprintf(name, sizeof(name), "/proc/%d/root%s", (int)u->tid,
			 e->path);
		at = open(name, O_PATH | O_CLOEXEC);
	}
	if (at < 0)
		return -1;
	if (fstat(at, &st) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_ino != e->inode) {
		close(at);
		return -1;
	}
	snprintf(again, sizeof(again), "/proc/self/fd/%d", at);
	fd = open(again, O_RDONLY | O_CLOEXEC);
	close(at);
	return fd;
}

static int find_elf(Dwfl_Module *mod, void **userdata, const char *modname,
		    Dwarf_Addr base, char **file_name, Elf **elfp)
{
	const struct map_entry *e = mapping_at(self, base);
	int fd;

	if (!e || e->path[0] != '/')
		return -1;
	fd = open_mapped(self, e);
	if (fd >= 0)
		*file_name = strdup(e->path);
	return fd;
}

static int find_debuginfo(Dwfl_Module *mod, void **userdata,
			  const char *modname, GElf_Addr base,
			  const char *file_name, const char *link,
			  GElf_Word crc, char **found)
{
	if (!self->debuginfo)
		return -1;
	return dwfl_standard_find_debuginfo(mod, userdata, modname, base,
					    file_name, link, crc, found);
}

static pid_t next_thread(Dwfl *dwfl, void *arg, void **thread_arg)
{
	struct unwind *u = arg;

	if (*thread_arg)
		return 0;
	*thread_arg = u;
	return u->tid;
}

static bool memory_read(Dwfl *dwfl, Dwarf_Addr addr, Dwarf_Word *result,
			void *arg)
{
	struct unwind *u = arg;

	if (u->reads++ > READS_MAX || addr > INT64_MAX)
		return false;
	return pread(u->mem, result, sizeof(*result), (off_t)addr) ==
		(ssize_t)sizeof(*result);
}

static bool set_initial_registers(Dwfl_Thread *thread, void *arg)
{
	const struct user_regs_struct *r = &((struct unwind *)arg)->regs;
	/* DWARF numbering of the x86-64 psABI, the return address last */
	const Dwarf_Word regs[17] = {
		r->rax, r->rdx, r->rcx, r->rbx, r->rsi, r->rdi, r->rbp, r->rsp,
		r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15,
		r->rip,
	};

	return dwfl_thread_state_registers(thread, 0, 17, regs);
}

static void send_frame(const struct unwind *u, int i)
{
	struct message m;

	memset(&m, 0, sizeof(m));
	m.index = i;
	m.frame = u->frame[i];
	if (write(u->out, &m, sizeof(m)) != (ssize_t)sizeof(m))
		_exit(1);
}

/* The pc to look up: a return address belongs to the call before it. */
static uint64_t lookup_pc(const struct unwind *u, int i)
{
	return u->frame[i].pc - (u->activation[i] ? 0 : 1);
}

static void symbolise(struct unwind *u, int i)
{
	struct frame *f = &u->frame[i];
	uint64_t pc = lookup_pc(u, i);
	const struct map_entry *e = mapping_at(u, pc);
	Dwfl_Module *mod = dwfl_addrmodule(u->dwfl, pc);

	if (e) {
		text_sanitize(f->object, sizeof(f->object),
			      e->path[0] ? e->path : "[anonymous]");
		f->obj_off = f->pc - e->start + e->offset;
	}
	if (mod) {
		GElf_Addr bias;
		GElf_Off off;
		GElf_Sym sym;
		const char *name;

		if (dwfl_module_getelf(mod, &bias))
			f->obj_off = f->pc - bias;
		name = dwfl_module_addrinfo(mod, pc, &off, &sym, NULL, NULL,
					    NULL);
		if (name) {
			text_sanitize(f->symbol, sizeof(f->symbol), name);
			/* without the symbol version: name@@GLIBC_2.34 */
			f->symbol[strcspn(f->symbol, "@")] = '\0';
			f->sym_off = off + (f->pc - pc);
		}
	}
}

static void add_source(struct unwind *u, int i)
{
	Dwfl_Module *mod = dwfl_addrmodule(u->dwfl, lookup_pc(u, i));
	Dwfl_Line *line = mod ? dwfl_module_getsrc(mod, lookup_pc(u, i)) : NULL;
	const char *src;
	struct text t;
	int nr = 0;

	if (!line)
		return;
	src = dwfl_lineinfo(line, NULL, &nr, NULL, NULL, NULL);
	if (!src)
		return;
	text_init(&t, u->frame[i].source, sizeof(u->frame[i].source));
	text_escape(&t, src, strlen(src));
	text_printf(&t, ":%d", nr);
}

static int on_frame(Dwfl_Frame *state, void *arg)
{
	struct unwind *u = arg;
	Dwarf_Addr pc;
	bool activation;

	if (u->n >= u->max || !dwfl_frame_pc(state, &pc, &activation) || !pc)
		return DWARF_CB_ABORT;
	u->frame[u->n].pc = pc;
	u->activation[u->n] = activation;
	symbolise(u, u->n);
	send_frame(u, u->n++);
	return DWARF_CB_OK;
}

static bool open_session(struct unwind *u)
{
	static char *debuginfo_path;
	static const Dwfl_Callbacks callbacks = {
		.find_elf = find_elf,
		.find_debuginfo = find_debuginfo,
		.debuginfo_path = &debuginfo_path,
	};

	u->dwfl = dwfl_begin(&callbacks);
	return u->dwfl && !dwfl_linux_proc_report(u->dwfl, u->tid) &&
		!dwfl_report_end(u->dwfl, NULL, NULL);
}

static void restrict_self(void)
{
	struct rlimit cpu = { DEADLINE_MS / 1000, DEADLINE_MS / 1000 };
	struct rlimit none = { 0, 0 };
#ifndef __SANITIZE_ADDRESS__
	/* compressed sections may unpack to anything */
	struct rlimit data = { 1ul << 30, 1ul << 30 };

	setrlimit(RLIMIT_DATA, &data);
#endif
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CPU, &cpu);
	setrlimit(RLIMIT_CORE, &none);
	/* no look-ups over the network */
	unsetenv("DEBUGINFOD_URLS");
}

static const Dwfl_Thread_Callbacks threads = {
	.next_thread = next_thread,
	.memory_read = memory_read,
	.set_initial_registers = set_initial_registers,
};

/* As after a return from where rip is, which has pushed nothing. */
static bool leave(struct unwind *u)
{
	uint64_t to;

	if (pread(u->mem, &to, sizeof(to), (off_t)u->regs.rsp) !=
	    (ssize_t)sizeof(to))
		return false;
	u->regs.rip = to;
	u->regs.rsp += 8;
	return true;
}

/* IP-MON's frames end where its stack begins, at the program's registers. */
static int on_ipmon_frame(Dwfl_Frame *state, void *arg)
{
	struct unwind *u = arg;
	static const int dwarf[] = { 3, 6, 12, 13, 14, 15 };
	Dwarf_Word sp, v[6];

	if (u->n++ > 20 || dwfl_frame_reg(state, 7, &sp) ||
	    sp > u->where.frame)
		return DWARF_CB_ABORT;
	if (sp + 8 < u->where.frame)
		return DWARF_CB_OK;
	for (int i = 0; i < 6; i++)
		if (dwfl_frame_reg(state, (unsigned int)dwarf[i], &v[i]))
			return DWARF_CB_ABORT;
	u->regs.rbx = v[0];
	u->regs.rbp = v[1];
	u->regs.r12 = v[2];
	u->regs.r13 = v[3];
	u->regs.r14 = v[4];
	u->regs.r15 = v[5];
	return DWARF_CB_ABORT;
}

/* The gate and the assembly around it push nothing. */
static void to_program(struct unwind *u)
{
	const struct call *c = &u->where.call;

	if ((u->regs.rip & ~4095ull) == u->where.gate && leave(u))
		leave(u);
	if (u->regs.rip >= u->text[0] && u->regs.rip < u->text[1] &&
	    open_session(u) &&
	    dwfl_attach_state(u->dwfl, NULL, u->tid, &threads, u))
		dwfl_getthread_frames(u->dwfl, u->tid, on_ipmon_frame, u);
	if (u->dwfl)
		dwfl_end(u->dwfl);
	u->dwfl = NULL;
	u->n = 0;
	u->reads = 0;
	u->regs.rip = c->ip;
	u->regs.rsp = c->sp;
}

static void unwind_child(struct unwind *u)
{
	const struct map_entry *e;

	restrict_self();
	self = u;
	u->maps = calloc(MAPPINGS_MAX, sizeof(*u->maps));
	if (!u->maps)
		return;
	maps_each(u->tid, keep_mapping, u);
	if (u->inside)
		to_program(u);
	e = mapping_at(u, u->regs.rip);
	if ((!e || e->perms[2] != 'x') && u->max > 1) {
		u->frame[0].pc = u->regs.rip;
		u->activation[0] = true;
		if (e)
			text_sanitize(u->frame[0].object,
				      sizeof(u->frame[0].object), e->path);
		send_frame(u, u->n++);
		leave(u);
	}
	if (open_session(u) &&
	    dwfl_attach_state(u->dwfl, NULL, u->tid, &threads, u))
		dwfl_getthread_frames(u->dwfl, u->tid, on_frame, u);
	dwfl_end(u->dwfl);
	u->debuginfo = true;
	if (!open_session(u))
		return;
	for (int i = 0; i < u->n; i++) {
		symbolise(u, i);
		add_source(u, i);
		send_frame(u, i);
	}
}

/* ---- in monitord ---- */

/* A string from the child: terminated, printable. */
static void defuse(char *s, size_t cap)
{
	s[cap - 1] = '\0';
	for (; *s; s++)
		if (*s < 0x20 || *s > 0x7e)
			*s = '?';
}

static int collect(int fd, struct frame *f, int max)
{
	uint64_t deadline = now_ns() + DEADLINE_MS * 1000000ull;
	int n = 0;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		uint64_t now = now_ns();
		struct message m;
		ssize_t r;

		if (now >= deadline)
			break;
		r = poll(&p, 1, (int)((deadline - now) / 1000000u) + 1);
		if (r < 0 && errno != EINTR)
			break;
		if (r <= 0)
			continue;
		r = read(fd, &m, sizeof(m));
		if (r < 0 && errno == EINTR)
			continue;
		if (r != (ssize_t)sizeof(m))
			break;
		/* the child may have been taken over: trust nothing */
		if (m.index < 0 || m.index > n || m.index >= max)
			break;
		defuse(m.frame.symbol, sizeof(m.frame.symbol));
		defuse(m.frame.object, sizeof(m.frame.object));
		defuse(m.frame.source, sizeof(m.frame.source));
		f[m.index] = m.frame;
		if (m.index == n)
			n++;
	}
	return n;
}

/* Nothing came back: the pc and its mapping we can tell without parsing. */
static int bare_mapping(void *ctx, const struct map_entry *e)
{
	struct frame *f = ctx;

	if (f->pc < e->start || f->pc >= e->end)
		return 0;
	text_sanitize(f->object, sizeof(f->object),
		      e->path[0] ? e->path : "[anonymous]");
	f->obj_off = f->pc - e->start + e->offset;
	return 1;
}

static int bare_frame(struct task *t, uint64_t pc, struct frame *f)
{
	memset(f, 0, sizeof(*f));
	f->pc = pc;
	maps_each(t->tid, bare_mapping, f);
	return 1;
}

int backtrace_task(struct task *t, struct frame *f, int max)
{
	struct user_regs_struct *r;
	struct unwind u;
	char name[64];
	int fds[2], n = 0, status;
	uint64_t pc;
	pid_t child;

	if (!t->tid || t->at == AT_DEAD || t->at == AT_RUN || max <= 0)
		return 0;
	r = task_regs(t);
	if (!r)
		return 0;
	memset(&u, 0, sizeof(u));
	u.tid = t->tid;
	u.regs = *r;
	u.inside = fast_where(t, &u.where);
	memcpy(u.text, t->set->proc->mm ? t->set->proc->mm->ipmon_text[t->variant] :
	       u.text, sizeof(u.text));
	pc = u.inside ? u.where.call.ip : r->rip;
	u.max = max < (int)(sizeof(u.frame) / sizeof(u.frame[0])) ? max :
		(int)(sizeof(u.frame) / sizeof(u.frame[0]));
	snprintf(name, sizeof(name), "/proc/%d/mem", (int)t->tid);
	u.mem = open(name, O_RDONLY | O_CLOEXEC);
	if (u.mem < 0)
		return bare_frame(t, pc, f);
	if (pipe2(fds, O_CLOEXEC) < 0) {
		close(u.mem);
		return bare_frame(t, pc, f);
	}
	u.out = fds[1];
	child = fork();
	if (child == 0) {
		signal(SIGPIPE, SIG_DFL);
		unwind_child(&u);
		_exit(0);
	}
	close(fds[1]);
	if (child > 0) {
		n = collect(fds[0], f, u.max);
		kill(child, SIGKILL);
		while (waitpid(child, &status, 0) < 0 && errno == EINTR)
			;
	}
	close(fds[0]);
	close(u.mem);
	return n ? n : bare_frame(t, pc, f);
}
