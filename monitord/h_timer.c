// SPDX-License-Identifier: Apache-2.0
/*
 * Notifications that carry a value of the program: POSIX timers, message
 * queues, and waiting for a signal synchronously.
 *
 * Theory of operation
 * -------------------
 * The leader owns the timer or the notification.  sigev_value is per variant
 * (usually a pointer) and is remembered under the kernel's timer id or the
 * leader's value (valuemap.h); siginfo_translate() puts it back wherever a
 * siginfo is shown.
 *
 * mq_notify with SIGEV_THREAD hands the kernel 32 bytes of libc's (function,
 * argument, attributes), which come back as a message on a netlink socket.
 * All variants' bytes are remembered under the leader's, and a message of
 * that size and content is translated where it is received: see
 * notify_received().
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "front.h"
#include "h_misc.h"
#include "tracee.h"

/* The part of the kernel's struct sigevent that matters here. */
struct sigevent_head {
	uint64_t value;
	int32_t signo;
	int32_t notify;
};

/* ---- notifications by a thread ---- */

#define NOTIFY_LEN	32		/* NOTIFY_COOKIE_LEN of linux/mqueue.h */
#define NOTIFY_KEY	(NOTIFY_LEN - 1)	/* the last byte is the kernel's */
#define NOTIFY_MAX	256

struct notify {
	char bytes[MAX_VARIANTS][NOTIFY_LEN];
	TAILQ_ENTRY(notify) link;
};

static TAILQ_HEAD(, notify) notifies = TAILQ_HEAD_INITIALIZER(notifies);
static unsigned int n_notifies;

static struct notify *notify_find(const char *bytes)
{
	struct notify *n;

	TAILQ_FOREACH(n, &notifies, link)
		if (!memcmp(n->bytes[LEADER], bytes, NOTIFY_KEY))
			return n;
	return NULL;
}

/* Read every variant's bytes; false when the kernel will say EFAULT. */
static bool notify_add(struct taskset *s, const uint64_t at[MAX_VARIANTS])
{
	struct notify *n = calloc(1, sizeof(*n)), *old;

	if (!n)
		die("out of memory");
	for_each_variant(v) {
		if (mem_read(&s->t[v], n->bytes[v], at[v], NOTIFY_LEN) < 0) {
			free(n);
			return false;
		}
	}
	old = notify_find(n->bytes[LEADER]);
	if (!old && n_notifies == NOTIFY_MAX)
		old = TAILQ_FIRST(&notifies);
	if (old) {
		TAILQ_REMOVE(&notifies, old, link);
		free(old);
		n_notifies--;
	}
	TAILQ_INSERT_TAIL(&notifies, n, link);
	n_notifies++;
	return true;
}

bool notify_expected(int64_t ret)
{
	return ret == NOTIFY_LEN && n_notifies;
}

bool notify_received(struct taskset *s)
{
	const struct task *lead = &s->t[LEADER];
	const struct ipmon_item *it = NULL;
	struct notify *n;
	char bytes[NOTIFY_LEN];
	unsigned int i;

	for (i = 0; i < lead->items.n; i++) {
		it = &lead->items.v[i];
		if (it->type == IT_OUT && it->len >= NOTIFY_LEN)
			break;
	}
	if (i == lead->items.n ||
	    mem_read(&s->t[LEADER], bytes, it->addr, NOTIFY_LEN) < 0)
		return true;
	n = notify_find(bytes);
	if (!n)
		return true;
	for_each_follower(v)
		if (i < s->t[v].items.n &&
		    !follower_write(s, v, it->arg, s->t[v].items.v[i].addr,
				    n->bytes[v], NOTIFY_KEY))
			return false;
	return true;
}

/* ---- the calls ---- */

void timer_create_start(struct taskset *s)
{
	struct task *lead = &s->t[LEADER];
	const uint64_t *a = lead->call.args;
	bool mq = lead->call.nr == SYS_mq_notify;
	struct sigevent_head ev = { 0 };
	uint64_t value[MAX_VARIANTS] = { 0 };
	bool own_value = false;
	int64_t ret;

	/* both have the sigevent as their second argument, NULL allowed */
	if (a[1] && mem_read(lead, &ev, a[1], sizeof(ev)) == 0) {
		own_value = true;
		value[LEADER] = ev.value;
		for_each_follower(v) {
			struct sigevent_head own;

			value[v] = ev.value;
			if (mem_read(&s->t[v], &own, s->t[v].call.args[1],
				     sizeof(own)) == 0)
				value[v] = own.value;
		}
		if (mq && ev.notify == SIGEV_THREAD)
			notify_add(s, value);
	}
	ret = set_follower_exec(s, LEADER);
	if (lead->at != AT_EXIT)
		return;
	if (ret == 0 && mq && own_value) {
		valuemap_add(VM_MQ, s->proc->id, ev.value, value);
	} else if (ret == 0 && !mq) {
		int32_t id;

		if (mem_read(lead, &id, a[2], sizeof(id)) < 0)
			return;
		/* without a sigevent the value is the id: same for all */
		if (own_value)
			valuemap_add(VM_TIMER, s->proc->id, (uint32_t)id,
				     value);
		else
			valuemap_del(VM_TIMER, s->proc->id, (uint32_t)id);
	}
	if (set_replicate(s, ret) == 0)
		set_finish(s, ret);
}

void sigtimedwait_done(struct taskset *s, int64_t ret)
{
	struct task *lead = &s->t[LEADER];
	siginfo_t info;

	if (ret > 0 && lead->call.args[1] &&
	    mem_read(lead, &info, lead->call.args[1], sizeof(info)) == 0) {
		/* handed on by the front process: name the true sender */
		if (front_origin(&info))
			mem_write(lead, lead->call.args[1], &info,
				  sizeof(info));
		for_each_follower(v) {
			siginfo_t own = info;

			siginfo_translate(s, &own, v);
			if (!follower_write(s, v, 1, s->t[v].call.args[1],
					    &own, sizeof(own)))
				return;
		}
	}
	set_finish(s, ret);
}
