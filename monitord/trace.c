// SPDX-License-Identifier: Apache-2.0
/*
 * --trace: one line per rendezvous in strace's notation, with the leader's
 * arguments and results and the ids the program sees.
 *
 *	[pid 1234] openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 3
 *	[pid 1234] --- SIGCHLD (Child exited) ---
 *	[pid 1234] +++ exited with 0 +++
 *
 * A line is written when the call is complete and the leader still stopped,
 * so outputs can be shown.  A call that never returns, or returns into a new
 * image, has lost its inputs by then: trace_begin(), called when the
 * rendezvous is complete, keeps the text of such calls until the result is
 * known.
 */
#include "trace.h"
#include "divergence.h"
#include "tracee.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* Text of a call whose inputs will be gone; newest first. */
struct begun {
	const struct taskset *set;
	unsigned int id;
	struct begun *next;
	char text[];
};
static struct begun *begun_head;

static ssize_t read_leader(void *ctx, void *dst, uint64_t src, size_t n)
{
	return mem_read_some(ctx, dst, src, n);
}

/* The image that held the arguments is gone. */
static ssize_t read_gone(void *ctx, void *dst, uint64_t src, size_t n)
{
	return -EFAULT;
}

static struct begun *begun_take(const struct taskset *s)
{
	struct begun **pp, *b;

	for (pp = &begun_head; (b = *pp); pp = &b->next)
		if (b->set == s && b->id == s->id) {
			*pp = b->next;
			return b;
		}
	return NULL;
}

static void fill_format(struct format *f, struct taskset *s)
{
	struct task *t = &s->t[LEADER];

	*f = (struct format){
		/* the set's row: not every call is in the table */
		.row = s->row ? s->row : ipmon_row(t->call.nr),
		.nr = t->call.nr,
		.args = t->call.args, .strmax = FORMAT_STRMAX,
		.read = read_leader, .ctx = t,
	};
}

static void put_line(struct taskset *s, const char *call, const char *result)
{
	/* strace's column for results */
	int pad = 39 - (int)strlen(call);

	fprintf(mon.trace, "[pid %d] %s%*s %s\n", s->vtid, call,
		pad > 0 ? pad : 0, "", result);
}

void trace_begin(struct taskset *s)
{
	char buf[FORMAT_MAX];
	struct format f;
	struct begun *b;
	struct text t;

	if (!mon.trace)
		return;
	fill_format(&f, s);
	if (f.row->result != RES_NORETURN)
		return;
	text_init(&t, buf, sizeof(buf));
	format_call(&t, &f);
	free(begun_take(s));
	b = malloc(sizeof(*b) + t.len + 1);
	if (!b)
		return;
	b->set = s;
	b->id = s->id;
	memcpy(b->text, buf, t.len + 1);
	b->next = begun_head;
	begun_head = b;
}

void trace_call(struct taskset *s, int64_t ret)
{
	char call[FORMAT_MAX], result[FORMAT_MAX];
	struct begun *b;
	struct format f;
	struct text t;

	if (!mon.trace)
		return;
	fill_format(&f, s);
	f.ret = ret;
	/* exit: there is no result */
	f.done = f.row->handler != H_EXIT;
	b = begun_take(s);
	if (!b) {
		if (f.row->result == RES_NORETURN && f.done && !ret)
			f.read = read_gone;
		text_init(&t, call, sizeof(call));
		format_call(&t, &f);
	}
	text_init(&t, result, sizeof(result));
	format_ret(&t, &f);
	put_line(s, b ? b->text : call, result);
	free(b);
}

void trace_signal(struct taskset *s, int sig)
{
	char name[32];
	struct text t;
	const char *desc = sigdescr_np(sig);

	if (!mon.trace)
		return;
	text_init(&t, name, sizeof(name));
	format_signal(&t, sig);
	if (desc)
		fprintf(mon.trace, "[pid %d] --- %s (%s) ---\n", s->vtid, name,
			desc);
	else
		fprintf(mon.trace, "[pid %d] --- %s ---\n", s->vtid, name);
}

void trace_exit(struct proc *p, int status)
{
	char what[64];
	struct text t;

	if (!mon.trace)
		return;
	text_init(&t, what, sizeof(what));
	format_status(&t, status);
	fprintf(mon.trace, "[pid %d] +++ %s +++\n", p->vpid, what);
	fflush(mon.trace);
}
