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
 * mq_notify with SIGEV_THREAD is refused: the kernel would send libc's
 * callback pointers of the leader through a netlink socket, where nobody
 * can translate them.
 */
#include <errno.h>
#include <signal.h>
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
		if (mq && ev.notify == SIGEV_THREAD) {
			refuse(s, "notification by a thread");
			set_finish(s, -ENOSYS);
			return;
		}
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
