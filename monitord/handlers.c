// SPDX-License-Identifier: Apache-2.0
/*
 * Which function acts for which handler id of the syscall table.
 *
 * Empty fields are the generic behaviour: set_compare, generic_start,
 * generic_done.
 */

#include "fast.h"
#include "h_memory.h"
#include "h_misc.h"
#include "h_process.h"
#include "handlers.h"
#include "internal.h"
#include "launch.h"
#include "newname.h"
#include "own.h"
#include "placement.h"
#include "procview.h"
#include "signals.h"

const struct handler handlers[H_MAX] = {
	[H_FORK] = { .compare = own_clone_compare, .start = fork_start,
		     .done = fork_done },
	[H_EXEC] = { .compare = exec_compare, .start = exec_start,
		     .done = exec_done },
	[H_EXIT] = { .start = exit_start },
	[H_WAIT] = { .start = wait_start, .done = wait_done },
	[H_MMAP] = { .start = mmap_start, .done = mmap_done },
	[H_MREMAP] = { .start = mremap_start, .done = mremap_done },
	[H_SHMAT] = { .start = shmat_start, .done = shmat_done },
	[H_SHMDT] = { .start = shmdt_start, .done = shmdt_done },
	[H_MUNMAP] = { .start = munmap_start, .done = munmap_done },
	[H_MPROTECT] = { .start = mprotect_start, .done = mprotect_done },
	[H_MADVISE] = { .start = madvise_start, .done = madvise_done },
	[H_BRK] = { .start = brk_start },
	[H_MLOCKALL] = { .start = mlockall_start, .done = generic_done },
	[H_MSYNC] = { .start = msync_start, .done = msync_done },
	[H_EPOLL_CTL] = { .start = epoll_ctl_start },
	[H_EPOLL_WAIT] = { .start = leader_start, .done = epoll_wait_done },
	[H_SIGRETURN] = { .start = sigreturn_start },
	[H_SIGSEND] = { .start = sigsend_start, .done = sigsend_done },
	[H_TIMER_CREATE] = { .start = timer_create_start },
	[H_SIGTIMEDWAIT] = { .start = leader_start,
			     .done = sigtimedwait_done },
	[H_FUTEX] = { .start = futex_start, .done = futex_done },
	[H_CHANNEL] = { .done = channel_done },
	[H_SETTID] = { .start = settid_start },
	[H_SETPGID] = { .start = leader_start, .done = setpgid_done },
	[H_CHDIR] = { .start = leader_start, .done = chdir_done },
	[H_FCHDIR] = { .start = leader_start, .done = fchdir_done },
	[H_RLIMIT] = { .start = rlimit_start, .done = rlimit_done },
	[H_PRLIMIT] = { .start = prlimit_start, .done = prlimit_done },
	[H_PRCTL] = { .start = prctl_start, .done = prctl_done },
	[H_ARCH_PRCTL] = { .start = arch_prctl_start,
			   .done = arch_prctl_done },
	[H_SECCOMP] = { .start = seccomp_start },
	[H_UNSHARE] = { .start = leader_start, .done = unshare_done },
	[H_SETNS] = { .start = leader_start, .done = setns_done },
	[H_MOUNT] = { .start = mount_start, .done = mount_done },
	[H_OPEN] = { .compare = newname_compare, .start = open_start,
		     .done = open_done },
	[H_PROCESS_VM] = { .start = process_vm_start,
			   .done = process_vm_done },
	[H_PIDFD] = { .start = pidfd_start },
	[H_AIO] = { .start = aio_start, .done = aio_done },
	[H_ROBUST] = { .start = robust_start },
	[H_LINKED] = { .start = linked_start },
	[H_AFTER] = { .start = after_start },
	[H_PERSONALITY] = { .start = personality_start },
	[H_CAP] = { .start = leader_start, .done = cap_done },
	[H_GETDENTS] = { .start = leader_start, .done = getdents_done },
	[H_PROCESS_MADVISE] = { .start = process_madvise_start },
	[H_AFFINITY_SET] = { .start = affinity_set_start },
	[H_SCHED_SETATTR] = { .start = sched_setattr_start },
	[H_AFFINITY_GET] = { .start = leader_start,
			     .done = affinity_get_done },
	[H_NEWNAME] = { .compare = newname_compare },
	[H_FANOTIFY] = { .start = fanotify_mark_start,
			 .done = fanotify_mark_done },
	[H_LANDLOCK] = { .start = landlock_start },
	[H_VMSPLICE] = { .start = vmsplice_start },
};
