// SPDX-License-Identifier: Apache-2.0
/*
 * Divergence: what happens when variants differ.
 *
 * Theory of operation
 * -------------------
 * Whoever noticed the difference calls diverge() while the set is stopped.
 *
 *   1. Tasks of the set that still run are interrupted, for a bounded time:
 *      a stalled variant is to show where it is.
 *   2. The report is gathered.
 *   3. Policy kill, or a difference without a follower to blame: SIGKILL for
 *      every process of every variant, and they are reaped here.  The leader
 *      is at its entry stop; SIGKILL there means the call is never executed.
 *   4. Policy continue: the deviating followers are dropped.  Only their own
 *      tasks may be touched in step 1, as the others' stops would be lost to
 *      the event loop; but for a leader that handles its calls itself, which
 *      is anywhere: its stop is acted upon by the loop afterwards.
 *   5. Only then the report is printed on stderr and written as JSON (before
 *      3, if a service manager reads it, see there).
 *
 * The leader is never dropped: it holds the program's descriptors.  If it is
 * the leader that crashed, was outvoted, or stalled, policy continue ends the
 * run like policy kill does, and says so.
 *
 * A dropped task's death is handed to the event loop (event_defer_death), so
 * sets that waited only for that variant proceed from there, not from within
 * whatever called diverge().
 */
#include "divergence.h"
#include "event.h"
#include "fast.h"
#include "fast_report.h"
#include "journal.h"
#include "manager.h"
#include "report.h"
#include "reportdir.h"
#include "tracee.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define INTERRUPT_NS	1000000000ull
#define REAP_NS		5000000000ull
#define STRAYS_NS	100000000ull

static void nap(void)
{
	struct timespec ts = { 0, 500000 };

	nanosleep(&ts, NULL);
}

/* ---- stopping what runs ---- */

/* Stop the running tasks of `s` in the variants of `mask`. */
static void interrupt_running(struct taskset *s, unsigned int mask)
{
	uint64_t end;
	bool pending = true;

	for (unsigned int v = 0; v < mon.n; v++) {
		struct task *t = &s->t[v];

		if ((mask & 1u << v) && t->tid && t->at == AT_RUN)
			ptrace(PTRACE_INTERRUPT, t->tid, 0, 0);
	}
	for (end = now_ns() + INTERRUPT_NS; pending && now_ns() < end;) {
		pending = false;
		for (unsigned int v = 0; v < mon.n; v++) {
			struct task *t = &s->t[v];
			int status;

			if (!(mask & 1u << v) || !t->tid || t->at != AT_RUN)
				continue;
			if (waitpid(t->tid, &status, __WALL | WNOHANG) !=
			    t->tid) {
				pending = true;
				continue;
			}
			task_classify(t, status);
			if (t->at == AT_DEAD)
				event_defer_death(t);
			else if (t->at == AT_ENTRY)
				task_fetch_call(t);
		}
		if (pending)
			nap();
	}
}

/* ---- the end ---- */

/* Kill the process of a task. Its tid cannot have been reused: we have not
 * reaped it. */
static void kill_task(const struct task *t)
{
	pid_t tgid = t->set->proc->pid[t->variant];

	if (!t->tid)
		return;
	if (tgid <= 0 || syscall(SYS_tgkill, tgid, t->tid, SIGKILL) < 0)
		kill(t->tid, SIGKILL);
}

/*
 * Processes we trace without a task: children whose parent's fork event has
 * not been handled.  Their stops have been collected already, so waitpid
 * will not show them; /proc knows who traces whom.
 */
static void kill_strays(void)
{
	DIR *d = opendir("/proc");
	struct dirent *e;

	if (!d)
		return;
	while ((e = readdir(d))) {
		int pid = atoi(e->d_name), tracer = 0;
		char name[64], line[256];
		FILE *f;

		if (pid <= 0)
			continue;
		snprintf(name, sizeof(name), "/proc/%d/status", pid);
		f = fopen(name, "re");
		if (!f)
			continue;
		while (fgets(line, sizeof(line), f))
			if (sscanf(line, "TracerPid: %d", &tracer) == 1)
				break;
		fclose(f);
		if (tracer == getpid())
			kill(pid, SIGKILL);
	}
	closedir(d);
}

void kill_all(int status)
{
	uint64_t start = now_ns();
	bool strays_killed = false;
	struct taskset *s;

	if (!mon.ending) {
		mon.ending = true;
		mon.ending_status = status;
	}
	LIST_FOREACH(s, &mon.sets, all)
		for (unsigned int v = 0; v < mon.n; v++)
			kill_task(&s->t[v]);

	/* Reap here: when this returns nothing of the program runs. */
	while (now_ns() - start < REAP_NS) {
		int st;
		pid_t tid = waitpid(-1, &st, __WALL | WNOHANG);
		struct task *t;

		if (!strays_killed && now_ns() - start > STRAYS_NS) {
			strays_killed = true;
			kill_strays();
		}

		if (tid < 0 && errno == ECHILD)
			break;
		if (tid <= 0) {
			nap();
			continue;
		}
		t = task_find(tid);
		if (WIFSTOPPED(st)) {
			/* a child nobody knew yet, or a stop that was under
			 * way before the kill */
			kill(tid, SIGKILL);
			ptrace(PTRACE_CONT, tid, 0, 0);
		} else if (t) {
			task_unbind(t);
			t->at = AT_DEAD;
			t->status = st;
		}
	}
}

/* ---- dropping followers ---- */

/*
 * A dropped task is gone.  Its death makes the event loop look at its set
 * again, unless another one's will anyway; that one may free the set, so ours
 * must not stand behind it in the queue.
 */
static void forget_task(struct task *t)
{
	const struct taskset *s = t->set;

	t->at = AT_DEAD;
	for (unsigned int v = 0; v < mon.n; v++)
		if (s->t[v].death_pending) {
			task_unbind(t);
			return;
		}
	event_defer_death(t);
}

static void drop_variants(unsigned int mask)
{
	uint64_t end = now_ns() + REAP_NS;
	struct taskset *s;
	bool pending = true;

	mask &= mon.live & ~(1u << LEADER);
	if (!mask)
		return;
	mon.live &= ~mask;
	for (unsigned int v = 1; v < mon.n; v++)
		if (mask & 1u << v)
			mon.v[v].dropped = true;
	LIST_FOREACH(s, &mon.sets, all)
		fast_dropped(s, mask);

	LIST_FOREACH(s, &mon.sets, all)
		for (unsigned int v = 1; v < mon.n; v++)
			if (mask & 1u << v)
				kill_task(&s->t[v]);

	while (pending) {
		bool late = now_ns() >= end;

		pending = false;
		LIST_FOREACH(s, &mon.sets, all) {
			s->arrived &= ~mask;
			for (unsigned int v = 1; v < mon.n; v++) {
				struct task *t = &s->t[v];
				pid_t r;
				int st = 0;

				if (!(mask & 1u << v) || !t->tid)
					continue;
				r = waitpid(t->tid, &st, __WALL | WNOHANG);
				if (r == t->tid && WIFSTOPPED(st)) {
					kill_task(t);
					ptrace(PTRACE_CONT, t->tid, 0, 0);
					r = 0;
				}
				if (!r && !late) {
					pending = true;
					continue;
				}
				t->status = r == t->tid ? st : SIGKILL;
				forget_task(t);
			}
		}
		if (pending)
			nap();
	}
	for (unsigned int v = 1; v < mon.n; v++)
		if ((mask & 1u << v) && mon.v[v].ctl >= 0) {
			close(mon.v[v].ctl);
			mon.v[v].ctl = -1;
		}
}

void drop_variant(unsigned int v)
{
	if (v < mon.n)
		drop_variants(1u << v);
}

/* ---- diverge ---- */

static int write_json(const struct report *r, const char *path)
{
	struct json_object *o = report_to_json(r);
	/* it shows memory of the program */
	int err = jsonfile_write(path, o, true);

	if (err < 0)
		say("cannot write the report to %s: %s; what stands on standard error is all there is",
		    path, strerror(-err));
	json_object_put(o);
	return err;
}

static void write_reports(const struct report *r, long root_pid, bool kept)
{
	const char *file = mon.opt.report_file;
	struct style style = style_for(STDERR_FILENO, STYLE_AUTO);
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	void (*old)(int) = signal(SIGPIPE, SIG_IGN);

	style.whole_headline = !isatty(STDERR_FILENO);
	/* in one piece, so that it does not mix with the program's output */
	if (f) {
		report_print(f, r, &style);
		fclose(f);
		fwrite(text, 1, n, stderr);
		fflush(stderr);
		free(text);
	} else {
		report_print(stderr, r, &style);
	}
	if (mon.opt.report_file)
		write_json(r, mon.opt.report_file);
	if (mon.opt.report_dir) {
		const char *path = report_dir_path(mon.opt.report_dir,
						   mon.opt.argv[0], root_pid);

		if (!write_json(r, path)) {
			say("report: %s", path);
			file = path;
		}
	}
	journal_divergence(r, file, kept);
	signal(SIGPIPE, old);
}

/* Why a divergence is the leader's. */
static const char *why_leader(const struct divergence *d, bool leader_alone)
{
	if (leader_alone)
		return "the followers agree against the leader";
	if (d->kind == DIV_CRASH)
		return "the leader crashed";
	if (d->kind == DIV_STALL)
		return "the leader is late";
	return "no follower is to blame";
}

/*
 * SIGKILL ends a ptrace stop.  If it came for the leader while its call was
 * looked at, registers and memory could not be read any more, and that is all
 * there is to the difference.  No call of the set is executed in any case.
 */
static bool killed_meanwhile(const struct divergence *d)
{
	return d->set && d->kind != DIV_EXIT && d->kind != DIV_KILLED &&
	       task_dying(&d->set->t[LEADER]);
}

bool diverge(const struct divergence *found)
{
	static struct fast_view view;
	struct divergence full = *found, *d = &full;
	bool leader_alone, blame_leader, keep, report_first, stopped = false;
	unsigned int deviating;
	struct report *r;
	long root_pid;

	if (mon.ending || killed_meanwhile(d))
		return false;
	tsc_trap(false);	/* libdw and others may ask for the time */
	mon.count.divergences++;
	if (mon.trace)
		fflush(mon.trace);

	/* there is no root process any more when all have been killed */
	root_pid = mon.root ? mon.root->vpid : getpid();
	deviating = report_deviating(d, &leader_alone);
	blame_leader = leader_alone || !deviating ||
		(d->kind == DIV_CRASH && d->sig[0]);
	keep = mon.opt.on_divergence == DIV_CONTINUE && !blame_leader;
	if (d->set && d->set->live) {
		struct task *t = &d->set->t[LEADER];

		stopped = keep && t->at == AT_RUN && d->set->state == SET_RUN;
		/* a sleeping call that is ended comes to us */
		if (stopped)
			fast_want(d->set);
		interrupt_running(d->set, !keep ? mon.live : stopped ?
				  deviating | 1u << LEADER : deviating);
		fast_view_fill(&view, d);
		d->view = &view;
	} else if (d->set) {
		interrupt_running(d->set, keep ? deviating : mon.live);
	}

	r = calloc(1, sizeof(*r));
	if (r) {
		report_gather(r, d, deviating, leader_alone);
		report_summarise(r);
		report_guess(r);
	}

	/*
	 * Act first: whoever reads the report may be slow, or gone.  Not so if
	 * a service manager reads it; it may end us as soon as the program's
	 * main process is dead, with the report unsaid.
	 */
	report_first = !keep && r && manager_journal();
	if (report_first)
		write_reports(r, root_pid, keep);
	if (keep) {
		drop_variants(deviating);
		if (stopped && d->set->t[LEADER].at != AT_RUN &&
		    d->set->t[LEADER].at != AT_DEAD)
			event_defer_stop(&d->set->t[LEADER]);
	} else {
		kill_all(EXIT_DIVERGENCE);
	}

	if (r && !report_first)
		write_reports(r, root_pid, keep);
	else if (!r)
		say("divergence: %s, and no memory for a report",
		    div_kind_name(d->kind));
	free(r);
	for (unsigned int v = 1; keep && v < mon.n; v++)
		if (deviating & 1u << v)
			say("variant %u has been dropped%s", v,
			    mon.live == 1u << LEADER ?
			    "; the leader continues alone, unmonitored" : "");
	if (!keep && mon.opt.on_divergence == DIV_CONTINUE)
		say("%s, and nothing continues without the leader, which "
		    "holds the program's files and connections: ending",
		    why_leader(d, leader_alone));
	tsc_trap(true);
	return keep;
}
