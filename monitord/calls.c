// SPDX-License-Identifier: Apache-2.0
/*
 * Per-call wishes: [Calls] of monitord.conf, --trap, --verify, --relax, --deny.
 *
 * Theory of operation
 * -------------------
 * Trap, Verify and Relax say where and when a call is made, which is IP-MON's to
 * decide, equally in all variants: it has a table with a byte per call
 * (calls_table) and asks it in ipmon_decide().  What is trapped or denied there
 * is left to monitord.
 *
 * Deny is monitord's: at the rendezvous, when all variants have asked for the
 * call, none of them makes it.  The filter lets nobody make it at the gate either
 * (filter.c).  The first execve, which starts the program, is ours.
 *
 * Where variants do not all load the same code (own.c), the calls such code may
 * make alone are left to monitord, who alone knows how to do that.
 */
#include <sys/syscall.h>

#include <ipmon/abi.h>
#include "calls.h"

bool calls_denied(uint64_t nr)
{
	return nr < IPMON_NR_MAX && mon.opt.calls[nr].action == CALL_DENY;
}

bool calls_denied_start(struct taskset *s)
{
	uint64_t nr = s->t[LEADER].call.nr;
	static bool said[IPMON_NR_MAX];

	if (!calls_denied(nr) || s->proc->launching)
		return false;
	mon.count.refused[nr]++;
	if (!said[nr]) {
		said[nr] = true;
		say("refused %s in process %d: denied by configuration (Deny=, --deny)",
		    s->row->name, s->proc->vpid);
	}
	set_finish(s, -(int64_t)mon.opt.calls[nr].error);
	return true;
}

/* What own.c knows, but for memory, files and what is never in-process. */
static const uint16_t looks[] = {
	SYS_access, SYS_stat, SYS_readlink, SYS_readlinkat, SYS_faccessat,
	SYS_faccessat2, SYS_sched_getaffinity, SYS_getrandom, SYS_sched_yield,
};

bool calls_table(uint8_t table[IPMON_NR_MAX])
{
	static const uint8_t wish[CALL_ACTIONS] = {
		[CALL_TRAP] = IPMON_WISH_LEFT,
		[CALL_VERIFY] = IPMON_WISH_WAIT,
		[CALL_RELAX] = IPMON_WISH_GO,
		[CALL_DENY] = IPMON_WISH_LEFT,
	};
	bool any = false;

	for (unsigned int nr = 0; nr < IPMON_NR_MAX; nr++) {
		table[nr] = wish[mon.opt.calls[nr].action];
		any |= table[nr] != 0;
	}
	/* a follower moves a mapping by first holding its place (memcalls.c) */
	if (calls_denied(SYS_mmap))
		table[SYS_mremap] = IPMON_WISH_LEFT;
	if (!mon.opt.diverse)
		return any;
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++)
		if (!table[looks[i]])
			table[looks[i]] = IPMON_WISH_LEFT;
	return true;
}
