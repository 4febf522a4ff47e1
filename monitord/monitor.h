/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor's model of the world.
 *
 * Theory of operation
 * -------------------
 * monitord runs N copies ("variants") of one process tree.  Variant 0 is the
 * leader.  Everything the program knows about exists N times, and the model
 * pairs the copies by creation order:
 *
 *   struct proc	the same-rank process of every variant
 *   struct taskset	the same-rank thread of every variant
 *   struct task	one kernel thread of one variant
 *   struct mm		the same-rank address space of every variant
 *   struct domain	sets that share writable memory and are therefore
 *			scheduled one at a time (see sched.c)
 *
 * Every syscall of every task stops in a seccomp trace stop ("entry").  When
 * all live variants of a set have arrived there, the set is at a rendezvous:
 * the calls are compared, the leader (or everybody) executes, results are
 * replicated, the set is released.  See rendezvous.c.
 *
 * One thread owns all of this; nothing here is locked.
 *
 * The program only ever sees the leader's identifiers (pids, tids,
 * descriptors).  The real ids of followers never leave the monitor.
 */
#ifndef MONITORD_MONITOR_H
#define MONITORD_MONITOR_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <signal.h>
#include <sys/types.h>
#include <sys/user.h>
#include <sys/queue.h>
#include <ipmon/abi.h>
#include <ipmon/table.h>
#include <ipmon/items.h>

#define MAX_VARIANTS	8
#define LEADER		0

struct monitor;
struct proc;
struct taskset;
struct task;
struct mm;
struct domain;
struct files;
struct turn;

enum policy { POLICY_STRICT, POLICY_VERIFIED, POLICY_RELAXED };
enum layout { LAYOUT_DISJOINT, LAYOUT_SAME, LAYOUT_INDEPENDENT };

static inline const char *layout_name(enum layout l)
{
	return l == LAYOUT_SAME ? "same" :
	       l == LAYOUT_INDEPENDENT ? "independent" : "disjoint";
}

enum on_divergence { DIV_KILL, DIV_CONTINUE };
enum placement { PLACE_AUTO, PLACE_NONE, PLACE_ONE };
/* Capabilities monitord needs and the program is not to have: bits. */
enum withhold { WITHHOLD_PTRACE = 1, WITHHOLD_KILL = 2, WITHHOLD_SETPCAP = 4 };

/* Exit statuses of `monitord run`; part of the interface (monitord.1). */
#define EXIT_DIVERGENCE	99
#define EXIT_MONITOR	125
#define EXIT_NOEXEC	126
#define EXIT_NOTFOUND	127

struct env_override {
	unsigned int variant;
	char *assignment;		/* "NAME=VALUE" */
};

/* What the user wants of single calls ([Calls] of monitord.conf). */
enum call_action {
	CALL_DEFAULT = 0,
	CALL_TRAP,	/* always a rendezvous */
	CALL_VERIFY,	/* in-process: not before all have asked for it */
	CALL_RELAX,	/* in-process: the leader does not wait */
	CALL_DENY,	/* refused with an error */
	CALL_ACTIONS
};
struct call_override {
	uint8_t action;			/* enum call_action */
	uint8_t error;			/* CALL_DENY: errno */
};

/* Of a list of libraries for LD_PRELOAD, with its 0. */
#define PRELOAD_MAX 4096u

struct options {
	unsigned int n;			/* variants, 1..MAX_VARIANTS */
	enum policy policy;
	enum layout layout;
	enum on_divergence on_divergence;
	enum placement placement;
	unsigned int timeout;		/* seconds a late variant may be late */
	unsigned int level;		/* enum ipmon_level, 0 = all */
	unsigned int lag_records;	/* how far the leader may be ahead: */
	unsigned int lag_bytes;		/* 0 = no bound of its own */
	unsigned int lag_ms;
	const char *cpus;		/* list of processors, or NULL */
	const char *variant_path[MAX_VARIANTS];
	char *preload[MAX_VARIANTS];	/* libraries, separated by colons */
	const char *cpu[MAX_VARIANTS];	/* as cpus, or NULL */
	struct env_override *env;
	size_t n_env;
	bool diverse;			/* not all load the same code: own.c */
	struct call_override calls[IPMON_NR_MAX];
	bool any_calls;
	const char *report_file;	/* JSON divergence report, or NULL */
	const char *report_dir;		/* ... each in a file of its own there */
	const char *stats_file;		/* JSON counters, or NULL */
	const char *trace_file;		/* strace-like lines, or NULL */
	const char *control;		/* socket, "none", NULL: default */
	const char *metrics;		/* where to serve them, or NULL */
	unsigned int notify;		/* enum notify (manager.h) */
	unsigned int withhold;		/* enum withhold: not for the program */
	const char *argv0;		/* its name, NULL: as in argv */
	unsigned int verbose;
	char **program;			/* what a file says it is, or NULL */
	char **argv;			/* program and arguments */
};

/* Where a task is stopped, and what may therefore be done with it. */
enum task_at {
	AT_RUN = 0,	/* not stopped: user code or inside a syscall */
	AT_ENTRY,	/* seccomp stop: call not executed yet. May be
			 * rewritten, skipped, or resumed */
	AT_EXIT,	/* syscall-exit stop: call executed, rax valid */
	AT_SIGNAL,	/* signal-delivery stop: resuming with a signal
			 * delivers it, with 0 swallows it */
	AT_EVENT,	/* fork/clone/exec event stop, inside the syscall */
	AT_STOP,	/* PTRACE_EVENT_STOP: interrupted in user code, or
			 * first stop of a new task */
	AT_GROUP,	/* group stop (job control), PTRACE_LISTENing */
	AT_DEAD,	/* gone (or never existed) */
};

/* One syscall as a task issued it. */
struct call {
	uint64_t nr;
	uint64_t args[6];
	uint64_t ip;		/* after the syscall instruction */
	uint64_t sp;
	uint32_t arch;		/* AUDIT_ARCH_* of the entry */
	bool no_tracer;		/* a filter of the program wants it traced:
				 * without a tracer that is ENOSYS */
};

/* Of a SECCOMP_RET_TRACE: ours has 0, those of the program's filters have this. */
#define TRACE_NO_TRACER 1u

/* A growable vector of items: the single fetch of one variant's call. */
struct items {
	struct ipmon_item *v;
	unsigned int n, cap;
};

struct task {
	pid_t tid;			/* real tid; 0 when AT_DEAD */
	pid_t was_tid;			/* the last tid it had */
	unsigned int variant;
	struct taskset *set;
	enum task_at at;
	int status;			/* wait status of the present stop */
	bool want_exit;			/* resumed with PTRACE_SYSCALL, expects
					 * a syscall-exit stop */
	bool interrupted;		/* PTRACE_INTERRUPT sent, stop pending */
	bool death_pending;		/* found dead, not acted upon yet */
	bool fault;			/* AT_SIGNAL with a synchronous fault,
					 * held for its peers */
	int resume_sig;			/* AT_SIGNAL: deliver this at release */
	struct call call;		/* valid from AT_ENTRY to release */
	struct items items;
	/* full registers; fetched on demand by task_regs() */
	struct user_regs_struct regs;
	bool regs_valid, regs_dirty;
	/* registers as they were at AT_ENTRY, kept by the first injected or
	 * rewritten call; task_finish() restores them */
	struct user_regs_struct saved;
	bool saved_valid;
	bool padded;			/* AT_ENTRY of no call: task_pad() */
	/* procview_where.c: its pid namespace and number there, if inner_of
	 * is its tid */
	pid_t inner_of, inner_nr;
	uint64_t inner_ns;
	LIST_ENTRY(task) hash;
};

enum set_state {
	SET_RUN = 1,	/* released: variants run user code towards their next
			 * entry stop; `arrived` has a bit per arrived task */
	SET_CALL,	/* rendezvous complete, the leader executes the call */
	SET_DONE,	/* the leader is AT_EXIT; what it returned is given to
			 * the others when it is the set's turn, so that
			 * memory changes at the same point of everybody's
			 * schedule. Or AT_ENTRY: it repeats its call then */
	SET_READY,	/* call completed for all; waits for its domain's turn */
	SET_PARKED,	/* interrupted in user code; waits for its turn */
	SET_EXITING,	/* exit or a fatal signal under way, awaiting deaths */
	SET_DEAD,
};

/* A signal taken from the leader, to be delivered to all at one point. */
struct pending_signal {
	siginfo_t info;
	STAILQ_ENTRY(pending_signal) link;
};

/* What a set was told about the time since its last other call (solo.c). */
#define CLOCK_SLOTS 12
#define CLOCKS_GONE 16
struct clock_cache {
	uint64_t value[CLOCK_SLOTS][2];
	uint64_t when[CLOCK_SLOTS];	/* monotonic, ns */
	unsigned int known;		/* bit per slot */
	/* what the leader alone was told, where followers will ask as well */
	struct clock_gone {
		uint64_t nr, value[2];
		uint64_t depth;		/* of the leader's stack */
		uint32_t commons;	/* calls made in-process before it */
		int slot;
		unsigned int waiting;	/* followers that have not */
	} gone[CLOCKS_GONE];
	unsigned int n_gone;
	uint32_t commons;		/* the leader's, at its last call alone */
};

#define RECENT_MAX 16
struct recent {
	uint64_t seq;
	uint64_t nr;
	uint64_t args[6];		/* leader's */
	int64_t ret;
	int signal;			/* a delivery instead of a call, if > 0 */
};

struct taskset {
	unsigned int id;		/* rank, from 1, in creation order */
	struct proc *proc;
	enum set_state state;
	struct task t[MAX_VARIANTS];
	unsigned int arrived;		/* bit per variant at its rendezvous */
	pid_t vtid;			/* tid the program sees */
	const struct ipmon_row *row;	/* of the call at the rendezvous */
	uint64_t t_arrived;		/* ns, first arrival; 0 = none */
	uint64_t t_run;			/* ns, when it was last released, or took
					 * the turn in-process (to the ticker) */
	uint64_t t_call;		/* ns, when the leader went in */
	uint64_t t_deadline;		/* ns, when it must have come back although
					 * the call was repeated, 0 = whenever */
	int64_t ret;			/* leader's result of the call */
	STAILQ_HEAD(, pending_signal) sigq;
	uint64_t t_sigq;		/* ns, first deferral; 0 = empty queue */
	unsigned int solos;		/* private calls made alone (solo.c)
					 * since the last common other call */
	uint32_t solo_commons;		/* ... or, when there were too many, since
					 * the leader had made so many in-process */
	struct clock_cache clocks;	/* likewise */
	unsigned int newnames;		/* names of different lengths in a row */
	uint64_t sp[MAX_VARIANTS];	/* stack pointers at that call */
	bool blocking;			/* the call may sleep: others may run */
	bool redo;			/* leader re-enters the interrupted call */
	uint64_t join_ns;		/* followers join these namespaces of
					 * the leader at the first call */
	bool undelivered;		/* at the end of a call that no signal
					 * has ended */
	bool park;			/* to be parked at the coming stops */
	bool spins;			/* it was going round a loop then */
	bool met;			/* ... computing, all at the same instant */
	uint64_t spin_at;		/* ... in the loop around this one (spin.c) */
	unsigned int spin_vain, spin_skip; /* how often in vain; not to be tried */
	bool in_order;			/* ... all variants in the same round (spin.c) */
	bool waits;			/* ... for others, in a loop that has no other
					 * end (lap.c) */
	bool instant;			/* so they are, at an emulated fault */
	bool went_back;			/* ... before the instruction: tsc_back() */
	unsigned int meet_vain;		/* times in a row it was in vain, */
	unsigned int meet_skip;		/* ... for which it is not tried, */
	int meet_error;			/* ... and why */
	unsigned int meet_left;		/* times in a row one has left instead */
	bool meet_flat;			/* its loop calls nothing */
	unsigned int meet_again;	/* for the signal that waits: times */
	uint64_t t_met, meet_ns;	/* when that was tried, and how long it
					 * took (meet.c) */
	unsigned int park_tries;	/* found computing, and let go on, since
					 * t_run (sched.c) */
	bool idle;			/* to be parked although it does not run */
	unsigned int vain, vain_at;	/* waits in a row, recent_pos at the last, */
	uint64_t vain_addr;		/* ... for the same futex (sched.c) */
	unsigned int wakes_kept;	/* since it gave the turn away at one */
	unsigned int kept;		/* private calls in a row (keeps()), */
	uint64_t kept_since;		/* the first of them */
	unsigned int align_steps;	/* to be tried then (align.c), 0: many */
	uint64_t no_lap;		/* lap.c: places found not to be in a
					 * loop that waits, a bit each */
	bool vforking;			/* SET_CALL: parents wait for a vfork */
	struct taskset *child;		/* last one created, for the handlers */
	bool rewound;			/* leader's call is repeated by hand */
	bool rewritten;			/* leader is in another call than the
					 * program's: task_rewrite() */
	bool early;			/* the leader is at its next stop
					 * already; act on it at release */
	/* the in-process half, fast.c */
	int ctx;			/* context, -1 = none */
	int slot;			/* ring, -1 = none */
	unsigned int tsd;		/* bit per variant: the kernel traps
					 * rdtsc (tsc.c) */
	bool live;			/* handles calls itself */
	uint32_t ctx_flags;		/* its IPMON_CTX_* */
	bool pending;			/* told to come to monitord */
	bool accounted;			/* its counters are in mon.count */
	uint64_t seen_wakes, seen_waits;/* at the last snapshot (see.h) */
	bool flushing;			/* the leader sends what it held */
	uint8_t held_ticks;		/* ticks for which it has held the same */
	uint32_t held_seen;		/* ... what: ring->held */
	struct user_regs_struct flush_regs;
	uint64_t t_catching_up;		/* ns: fast_catch_up() was tried in vain,
					 * 0 = it was not */
	uint64_t lag_pos;		/* ring position the followers have not
					 * reached ... */
	uint64_t t_lag;			/* ... since then (ns), 0 = they have */
	int64_t kick_ret;		/* how the call it was kicked out of would
					 * have ended, 0 = none */
	uint64_t partial;		/* what the leader has transferred before
					 * it was stopped: transfer.c */
	uint64_t piece;			/* bytes of the rest it was sent for, 0 =
					 * all */
	uint64_t t_kicked;		/* ns, when that call had begun */
	uint64_t t_blocked;		/* ns, 0 = not looked yet: the ticker
					 * found the leader in a call ... */
	uint64_t blocked_call;		/* ... which is this one, ctx->n_calls */
	unsigned int parted;		/* followers that have, and wait until
					 * it is known what the others do ... */
	uint64_t t_parted;		/* ... since then */
	struct {			/* who does not get on: fast_watch.c */
		uint64_t where, since, cpu;
	} late[MAX_VARIANTS];
	uint64_t team_got_to[MAX_VARIANTS]; /* fast_waits_turn(): changes when a
					 * sibling gets on */
	bool pinned;			/* not to be freed: a synchronous
					 * operation refers to it */
	uint64_t late_cpu[MAX_VARIANTS];/* ns + 1, at the first time-out */
	uint64_t t_late;
	uint64_t t_interrupt;		/* ns, last interruption */
	uint64_t watched;		/* sched.c: the t_run for which ... */
	uint64_t watched_cpu[MAX_VARIANTS]; /* ... this was measured, ns */

	void *handler_data;		/* handler private, freed by release */
	uint64_t robust_head[MAX_VARIANTS];	/* set_robust_list */
	struct recent recent[RECENT_MAX];
	unsigned int recent_pos;
	TAILQ_ENTRY(taskset) ready;	/* domain run queue */
	bool queued;
	LIST_ENTRY(taskset) in_proc;
	LIST_ENTRY(taskset) all;
};

/* The same-rank address space of every variant (shared by vfork/CLONE_VM). */
struct mm {
	unsigned int refs;
	unsigned int id;		/* unique, from 1 */
	uint64_t gate[MAX_VARIANTS];	/* r-x page: syscall; ret. Fixed for the
					 * life of the variant's process tree */
	uint64_t scratch[MAX_VARIANTS];	/* rw page(s) at a hidden address, for
					 * arguments of injected calls */
	int64_t delta[MAX_VARIANTS];	/* follower address = leader address +
					 * delta, for mappings the kernel places
					 * (multiple of 4 GiB) */
	uint64_t stack[MAX_VARIANTS];	/* where argc is */
	uint64_t env_added[MAX_VARIANTS];/* the LD_PRELOAD string we have put
					 * into envp, 0 = none */
	uint64_t env_orig[MAX_VARIANTS];/* the one that was there, or 0 */
	uint64_t auxv[MAX_VARIANTS];	/* stack address of the auxv */
	uint64_t at_random[MAX_VARIANTS];/* at_random.c: bytes that are to be
					 * made the same, 0 = none */
	bool has_tls;			/* ... the thread pointer is set */
	bool registered;		/* libipmon is in it */
	bool linking;			/* own.c: each variant loads what it
					 * likes; linked_start() ends it */
	bool static_exe;		/* without a dynamic linker */
	bool pad;			/* every gate's page has one (tracee.h) */
	bool warned_overlap;
	struct shadow_map *shadows;	/* shadow.c: shared mappings */
	struct fast *fast;		/* fast.c: arenas, NULL = none */
	bool no_fast;			/* ... not to be used any more */
	struct patch_map *patches;	/* patch.c */
	struct tsc_map *tsc;		/* tsc.c */
	uint64_t vdso[2];		/* leader's: start and end, hidden; 0 */
	uint64_t vdso_clock;		/* clock_gettime in it, 0 = none */
	bool patched;			/* libc's syscall sites lead to IP-MON */
	bool clocks_apart;		/* variants have read clocks alone */
	bool signalled;			/* a signal has been taken: threads may go on
					 * at addresses from its frame */
	bool maps_live_file;		/* h_mmap.c: followers see in memory what
					 * the leader writes to a file */
	struct ipmon_ranges ranges[MAX_VARIANTS];
	uint64_t library[MAX_VARIANTS];	/* library.c: where it begins, 0 */
	uint64_t ipmon_text[MAX_VARIANTS][2];
	uint64_t brk[MAX_VARIANTS];	/* program break as last seen, 0 =
					 * unknown (h_memory.c) */
};
#define SCRATCH_SIZE 65536u
/* Fixed uses of the scratch area (offsets); the rest is the handlers'. */
#define SCRATCH_FD_OFFSET	0u	/* task_send_fd: 256 bytes */
#define SCRATCH_PAIR_OFFSET	256u	/* leader_send_fd: two numbers */
#define SCRATCH_SLOTS_OFFSET	4096u	/* 256-byte slots by set, 28 KiB */
#define SCRATCH_BIG_OFFSET	32768u	/* 32 KiB, synchronous use only */

struct proc {
	unsigned int id;
	pid_t pid[MAX_VARIANTS];	/* real tgids */
	pid_t vpid;			/* tgid as the program sees it */
	struct proc *parent;		/* NULL for the root or a reparented one */
	struct mm *mm;
	struct domain *domain;
	struct turn *turn;		/* turn.c, or NULL */
	struct taskset *held;		/* stopped while it had the turn: no other set of
					 * it has the turn before (sched.c); or NULL */
	struct files *files;
	bool borrows;			/* its memory is its parent's, with what
					 * is noted there about descriptors; its
					 * descriptors are its own (vfork) */
	bool launching;			/* before its first successful exec */
	bool execing;			/* an exec is under way: its other
					 * threads die */
	bool exiting;			/* exit_group, exec or fatal signal: the
					 * deaths of its tasks are expected */
	bool killed;			/* a fatal signal took it */
	bool zombie;			/* ended, kept until waited for */
	unsigned int dead;		/* bit per variant reaped by monitord */
	int exit_status[MAX_VARIANTS];	/* wait status per variant */
	uint64_t t_early;		/* ns: a follower's task died although
					 * the leader's still lives; see
					 * task_dead() */
	struct taskset *early_set;	/* which one, which variant, how */
	unsigned int early_variant;
	int early_status;
	bool has_filter;		/* the program installed seccomp filters */
	bool own_mntns;
	bool vtsc_sigsegv;		/* the program asked for PR_TSC_SIGSEGV */
	int vdumpable;			/* PR_SET_DUMPABLE as the program set it */
	bool vnnp;			/* PR_SET_NO_NEW_PRIVS, likewise */
	bool vno_random;		/* ADDR_NO_RANDOMIZE, likewise */
	uint8_t vseccomp;		/* SECCOMP_MODE_*, likewise */
	int exit_signal;
	LIST_HEAD(, taskset) sets;
	LIST_ENTRY(proc) all;
};

/* Sets that share writable memory: one runs at a time. See sched.c. */
struct domain {
	unsigned int refs;
	struct taskset *owner;		/* who runs user code now, or NULL */
	uint64_t t_owned;		/* ns, since when */
	uint64_t t_gives;		/* ns, since when it waits, being queued itself,
					 * for whom it has woken (sched.c) */
	struct taskset *sliced;		/* whose slice that is the start of, if it had
					 * the turn in-process: compared only */
	uint32_t sliced_turn;		/* turn_count() then */
	/* turn.c: those that handle calls themselves and hand it on */
	struct turn *team;		/* who has it in place of an owner, or NULL */
	struct turn *last_team;		/* who had it before: compared only */
	TAILQ_HEAD(, turn) turns;
	bool team_next;			/* who waits in a team is next */
	struct taskset *holder;		/* as seen by the ticker: compared only */
	uint32_t holder_turn;		/* turn_count() then */
	bool shared;			/* the tree's shared-memory domain */
	unsigned int park_early;	/* so many fewer tries than PARK_TRIES
					 * (sched.c) */
	uint64_t t_tick;		/* ns, when the ticker looked at it */
	const struct task *late;	/* who keeps a seized turn: compared only, */
	uint64_t late_cpu, t_late;	/* its processor time; ns, since when so */
	TAILQ_HEAD(, taskset) ready;
};

struct counters {
	uint64_t rendezvous, stops, injected, signals, deferred;
	uint64_t sites_planned, sites_left, sites_patched;
	uint64_t why[8];	/* traps, by enum trap_why (patch.h) */
	uint64_t inproc, verified, held, forwarded, wakes, waits;
	uint64_t solo;			/* calls a variant made alone */
	uint64_t parked, divergences, forks, execs, overlaps;
	uint64_t newnames;	/* names adopted from the leader: newname.c */
	uint64_t bytes;		/* copied for followers, but for rings in use */
	uint64_t per_nr[IPMON_NR_MAX];
	uint64_t per_nr_ns[IPMON_NR_MAX];	/* from arrival to end, */
	uint64_t per_nr_max[IPMON_NR_MAX];	/* ... the longest */
	struct ipmon_count in[IPMON_NR_MAX];	/* of rings that are gone */
	uint64_t refused[IPMON_NR_MAX];
};

struct variant {
	uint64_t gate;			/* chosen once, named by the filter */
	int ctl;			/* monitord's end of the fd channel */
	bool dropped;			/* removed after a divergence */
};
/* Number of the descriptor channel in every follower process. Never visible
 * to the program: followers hold none of its descriptors. */
#define CTL_FD 1000

struct monitor {
	struct options opt;
	unsigned int n;
	unsigned int live;		/* bit per variant not dropped */
	struct variant v[MAX_VARIANTS];
	LIST_HEAD(, proc) procs;
	LIST_HEAD(, taskset) sets;
	LIST_HEAD(, task) hash[1024];
	unsigned int n_tasks;
	struct proc *root;
	bool filtered;			/* so are we, by whoever started us */
	bool root_done;
	int root_status;		/* exit status for our caller */
	bool no_opens;			/* fast_no_opens() */
	bool pid_namespaces;		/* the program made or entered some */
	bool ending;			/* everything is being killed */
	int ending_status;
	uint64_t now;			/* ns, CLOCK_MONOTONIC, updated per event */
	uint64_t seq;			/* rendezvous number */
	uint64_t t_sent;		/* ns, when the program last sent a signal */
	struct counters count;
	FILE *trace;
	char libipmon[4096];		/* path of libipmon.so, "" if not found */
	int status_fd;			/* to the front process (front.c) */
};

extern struct monitor mon;

static inline bool variant_live(unsigned int v)
{
	return mon.live & (1u << v);
}
#define for_each_variant(v) \
	for (unsigned int v = 0; v < MAX_VARIANTS && v < mon.n; v++) if (variant_live(v))
#define for_each_follower(v) \
	for (unsigned int v = 1; v < MAX_VARIANTS && v < mon.n; v++) if (variant_live(v))

uint64_t now_ns(void);
/*
 * Trap rdtsc in the tracer as it is trapped in the variants.  Switching between
 * tasks that differ in this writes CR4, which a virtual machine traps: with
 * the tracer like its variants a rendezvous costs half (bench/syscall).  Off
 * around code of libraries that may read the TSC, through the vDSO or not.
 */
void tsc_trap(bool on);

/* ---- model.c: creation, lookup, references ---- */
struct taskset *set_new(struct proc *p);
struct proc *proc_new(struct proc *parent);
void set_free(struct taskset *s);
void proc_free(struct proc *p);
void task_bind(struct task *t, pid_t tid);	/* enter tid in the hash */
void task_unbind(struct task *t);
struct task *task_find(pid_t tid);
struct proc *proc_by_vpid(pid_t vpid);		/* pid as the program sees it */
struct taskset *set_by_vtid(pid_t vtid);
struct mm *mm_new(void);
struct mm *mm_get(struct mm *m);
struct mm *mm_fork(const struct mm *m);		/* copy for a forked child */
void mm_put(struct mm *m);

/* ---- sched.c ---- */
struct domain *domain_new(void);
struct domain *domain_get(struct domain *d);
void domain_put(struct domain *d);
void sched_ready(struct taskset *s);	/* call complete: run when it's its turn */
/* The leader's call has ended: true when it is the set's turn to distribute
 * the result; else call_ended() is called later. */
bool sched_take(struct taskset *s);
void sched_leave(struct taskset *s);	/* blocks or dies: give the turn away */
void sched_sleep(struct taskset *s);	/* blocks: if anybody might want it */
void sched_look(struct domain *d);	/* somebody may want the turn, or leave it */
bool sched_holds(const struct domain *d);	/* is one stopped that had the turn? */
/* The same in two steps for a set that is freed in between, as whoever gets the
 * turn may look for it: a domain to be given to sched_next(), or NULL. */
struct domain *sched_detach(struct taskset *s);
void sched_next(struct domain *d);
/* True: to be called again soon (somebody waits for those who hand the turn on
 * in-process, or for one that goes round a loop). */
bool sched_tick(void);
/* May it be parked, all or only some of its variants being stopped between
 * calls? */
bool sched_may_park(const struct taskset *s, bool computing);
/* It computes, and its variants are at different places: shall it go on for now,
 * in the hope of a call? */
bool sched_patient(struct taskset *s);
void sched_parked(struct taskset *s);	/* interrupted: to the end of the line */
/* From now on `p` shares writable memory with every process of the tree. */
void sched_share(struct proc *p);

/* ---- rendezvous.c ---- */
void set_arrive(struct task *t);	/* t is AT_ENTRY */
/* Finish the call for all variants with the same result and hand the set to
 * the scheduler. Tasks may be AT_ENTRY (skipped) or AT_EXIT. */
void set_finish(struct taskset *s, int64_t ret);
/* Finish with an own result per variant. */
void set_finish_each(struct taskset *s, const int64_t ret[MAX_VARIANTS]);
/* Start the leader's call; completion comes back to the handler's `done`
 * (handlers.h) through the event loop. */
void set_leader_go(struct taskset *s);
/* The leader is AT_ENTRY to repeat an interrupted call. */
void set_leader_again(struct taskset *s);
/* Record the call in the set's history, the counters and the trace. */
void set_note_call(struct taskset *s, int64_t ret);
/* Copy the leader's outputs into the followers (items' OUT spans). */
int set_replicate(struct taskset *s, int64_t ret);
/* faulted.c: output i of the leader, after EFAULT. */
void replicate_faulted(struct taskset *s, unsigned int i);
/* Run the (possibly rewritten) call in follower v to its exit, synchronously.
 * The task must be AT_ENTRY. Returns the result, or -ESRCH when it died. */
int64_t set_follower_exec(struct taskset *s, unsigned int v);
void call_ended(struct taskset *s);	/* dispatch.c: SET_DONE, and its turn */
void set_release(struct taskset *s);	/* scheduler only: resume all */
/* The call is done and registers are in place already (exec, sigreturn): only
 * book-keeping, then to the scheduler. */
void set_finish_raw(struct taskset *s, int64_t ret);
/* Rendezvous if all live variants have arrived (also after a drop). */
void set_check_complete(struct taskset *s);
/* Walk and compare; true when equal (a divergence has been raised if not). */
bool set_compare(struct taskset *s);
/* The same; `filter` edits every variant's items before they are compared. */
bool set_compare_filtered(struct taskset *s,
			  void (*filter)(struct task *t, unsigned int arg),
			  unsigned int arg);

/* ---- event.c ---- */
/* Until every task of every variant is gone. Returns the exit status for
 * our caller. */
int monitor_loop(void);

/* ---- front.c/main: logging. One line, to monitord's stderr. ---- */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void verbose(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* What can be done about an errno that stopped the monitor; 0: its own fault. */
const char *remedy(int error);
/* Our own corruption or impossibility: report, kill all variants, exit 125. */
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
/* An unsupported request was refused: said once per syscall (and detail). */
void refuse(struct taskset *s, const char *detail);

#endif
