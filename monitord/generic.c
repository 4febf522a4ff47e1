// SPDX-License-Identifier: Apache-2.0
/*
 * Calls whose execution follows from their table row alone.
 *
 * Theory of operation
 * -------------------
 * EXEC_LEADER: the leader executes, followers receive result and outputs and
 * never enter the kernel.  EXEC_ALL: everybody executes, leader first; when
 * it failed, nobody else tries (so that a failure leaves all variants alike),
 * unless with EFAULT, which may follow upon an effect.
 * Refused calls return the row's errno in all variants.
 */
#include <errno.h>

#include "divergence.h"
#include "fast_fd.h"
#include "handlers.h"
#include "h_memory.h"
#include "h_misc.h"
#include "procview.h"
#include "shadow.h"
#include "signals.h"
#include "solo.h"
#include "tracee.h"

void generic_start(struct taskset *s)
{
	if (s->row->exec == EXEC_LEADER || s->row->exec == EXEC_ALL) {
		set_leader_go(s);
		return;
	}
	refuse_start(s);
}

static void done_all(struct taskset *s, int64_t ret)
{
	int64_t each[MAX_VARIANTS];

	for (unsigned int v = 0; v < MAX_VARIANTS; v++)
		each[v] = ret;
	/* EFAULT may come when all is done but the last output */
	if (ret >= 0 || ret == -EFAULT || s->row->result == RES_OWN) {
		for_each_follower(v) {
			int64_t r = set_follower_exec(s, v);

			if (s->row->result == RES_OWN) {
				each[v] = r;
			} else if ((r < 0) != (ret < 0)) {
				struct divergence d = {
					.kind = DIV_RESULT, .set = s,
					.variant = v, .arg = -1,
					.ret = { ret, r },
				};

				if (!diverge(&d))
					return;
			}
		}
	}
	set_finish_each(s, each);
}

void generic_done(struct taskset *s, int64_t ret)
{
	int viewed = 0;

	if (s->row->exec == EXEC_ALL) {
		done_all(s, ret);
		return;
	}
	if (s->row->flags & RF_FILEDATA)
		shadow_file_changed(s, ret);
	if (ret > 0 && s->row->flags & RF_VIEW && view_active())
		viewed = view_replicate(s, ret);
	if (!viewed && set_replicate(s, ret) < 0)
		return;
	if (notify_expected(ret) && !notify_received(s))
		return;
	if (s->row->flags & RF_PRIVATE)
		solo_note_clock(s, ret);
	fast_fd_done(s, ret);
	set_finish(s, ret);
}

void refuse_start(struct taskset *s)
{
	const struct ipmon_row *r = s->row;
	uint64_t nr = s->t[LEADER].call.nr;

	/* numbers no kernel has ever used need no comment */
	if (r->cls == CLASS_UNKNOWN &&
	    ((nr > 334 && nr < 424) || nr >= IPMON_NR_MAX))
		verbose("process %d asks for syscall %lld", s->proc->vpid,
			(long long)nr);
	else if (!(r->flags & RF_QUIET))
		refuse(s, r->reason[0] ? r->reason : NULL);
	if (nr < IPMON_NR_MAX)
		mon.count.refused[nr]++;
	set_finish(s, -(int64_t)(r->error ? r->error : ENOSYS));
}
