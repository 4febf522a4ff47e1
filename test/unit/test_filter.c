// SPDX-License-Identifier: Apache-2.0
/*
 * The seccomp program, run by a small interpreter of the BPF subset that
 * seccomp allows, and once by the kernel itself.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <linux/audit.h>
#include <linux/futex.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <fcntl.h>
#include <unistd.h>

#include <ipmon/gate_rules.h>
#include "launch.h"

#define GATE	0x412345678000ull
#define IP	(GATE + 2)
#define X32	0x40000000

/* -1: not a program the kernel would take */
static int64_t run(const struct sock_fprog *p, const struct seccomp_data *d)
{
	uint32_t a = 0, x = 0, mem[BPF_MEMWORDS] = { 0 };

	for (unsigned int pc = 0; pc < p->len; pc++) {
		const struct sock_filter *f = &p->filter[pc];
		bool taken;

		switch (f->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (f->k % 4 || f->k + 4 > sizeof(*d))
				return -1;
			memcpy(&a, (const char *)d + f->k, 4);
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= f->k;
			continue;
		case BPF_ST:
			mem[f->k % BPF_MEMWORDS] = a;
			continue;
		case BPF_LD | BPF_MEM:
			a = mem[f->k % BPF_MEMWORDS];
			continue;
		case BPF_MISC | BPF_TAX:
			x = a;
			continue;
		case BPF_MISC | BPF_TXA:
			a = x;
			continue;
		case BPF_JMP | BPF_JA:
			pc += f->k;
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K:
			taken = a == f->k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			taken = a > f->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			taken = a >= f->k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			taken = a & f->k;
			break;
		case BPF_RET | BPF_K:
			return f->k;
		default:
			return -1;
		}
		pc += taken ? f->jt : f->jf;
	}
	return -1;	/* ran off the end */
}

/* by policy, then those of followers: FOLLOWER + policy */
#define FOLLOWER 3
static struct sock_fprog prog[6];

static void setup(void)
{
	for (int p = POLICY_STRICT; p <= POLICY_RELAXED; p++)
		for (int f = 0; f <= FOLLOWER; f += FOLLOWER)
			cr_assert_eq(filter_build(GATE, (enum policy)p, !f,
						  &prog[p + f]), 0);
}

static void teardown(void)
{
	for (int p = 0; p < 6; p++)
		free(prog[p].filter);
}

TestSuite(filter, .init = setup, .fini = teardown);

static uint32_t verdict(int policy, uint64_t ip, uint32_t arch, int nr,
			const uint64_t args[6])
{
	struct seccomp_data d = {
		.nr = nr, .arch = arch, .instruction_pointer = ip,
	};
	int64_t r;

	if (args)
		memcpy(d.args, args, sizeof(d.args));
	r = run(&prog[policy], &d);
	cr_assert_geq(r, 0, "not a valid program");
	return (uint32_t)r;
}

static bool traced(int policy, uint64_t ip, uint32_t arch, int nr,
		   const uint64_t args[6])
{
	uint32_t v = verdict(policy, ip, arch, nr, args);

	cr_assert(v == SECCOMP_RET_TRACE || v == SECCOMP_RET_ALLOW);
	return v == SECCOMP_RET_TRACE;
}

/* At the gate, native calls. */
static bool allowed(int policy, int nr, uint64_t a0, uint64_t a1, uint64_t a2,
		    uint64_t a3)
{
	const uint64_t args[6] = { a0, a1, a2, a3, (uint64_t)-1, 0 };

	return !traced(policy, IP, AUDIT_ARCH_X86_64, nr, args);
}

static uint64_t random64(void)
{
	return (uint64_t)random() << 42 ^ (uint64_t)random() << 21 ^
	       (uint64_t)random();
}

Test(filter, everything_outside_the_gate_is_traced)
{
	static const uint64_t ips[] = {
		0, GATE, GATE + 1, GATE + 3, IP + (1ull << 32),
		IP - (1ull << 32), IP & 0xffffffff, IP & ~0xffffffffull,
		IP ^ 0x80000000, IP ^ (1ull << 63), (IP >> 32) | (IP << 32),
		0x401000, 0x7ffff7fd0000, ~0ull,
	};

	for (int p = 0; p < 6; p++)
		for (size_t i = 0; i < sizeof(ips) / sizeof(ips[0]); i++)
			for (int nr = -1; nr < 600; nr++)
				cr_assert(traced(p, ips[i], AUDIT_ARCH_X86_64,
						 nr, NULL),
					  "policy %d ip %lx nr %d", p, ips[i],
					  nr);
}

Test(filter, foreign_entries_are_traced_even_at_the_gate)
{
	for (int p = 0; p < 6; p++)
		for (int nr = -1; nr < 600; nr++) {
			cr_assert(traced(p, IP, AUDIT_ARCH_I386, nr, NULL));
			cr_assert(traced(p, IP, 0, nr, NULL));
			cr_assert(traced(p, IP, AUDIT_ARCH_X86_64, nr | X32,
					 NULL));
		}
}

Test(filter, strict_allows_restart_syscall_only)
{
	for (int nr = -1; nr < 1000; nr++)
		for (int f = 0; f <= FOLLOWER; f += FOLLOWER)
			cr_assert_eq(allowed(POLICY_STRICT + f, nr, random64(),
					     random64(), random64(),
					     random64()),
				     nr == SYS_restart_syscall, "nr %d", nr);
}

Test(filter, followers_wait_and_read_clocks_and_no_more)
{
	for (int p = FOLLOWER + POLICY_VERIFIED; p < 6; p++) {
		for (int nr = -1; nr < 1000; nr++) {
			switch (nr) {
			case SYS_restart_syscall:
			case SYS_rt_sigprocmask:
			case SYS_umask:
			case SYS_brk:
			case SYS_clock_gettime:
			case SYS_gettimeofday:
			case SYS_time:
			case SYS_sched_yield:
				cr_expect(allowed(p, nr, 1, 4096, 0, 0));
				break;
			case SYS_futex:
			case SYS_getrandom:
				break;
			default:
				cr_expect_not(allowed(p, nr, 1, 4096, 1, 0),
					      "nr %d", nr);
				break;
			}
		}
		cr_expect(allowed(p, SYS_futex, 4096, FUTEX_WAIT, 1, 0));
		cr_expect(allowed(p, SYS_futex, 4096, FUTEX_WAKE, 1, 0));
		for (uint64_t op = 2; op < 1024; op++)
			cr_expect_not(allowed(p, SYS_futex, 4096, op, 1, 0),
				      "futex %lx", op);
		for (int nr = SYS_sched_setaffinity;
		     nr <= SYS_sched_getaffinity; nr++) {
			/* the caller's own only */
			cr_expect(allowed(p, nr, 0, 128, 4096, 0));
			cr_expect_not(allowed(p, nr, 1, 128, 4096, 0));
		}
		for (int k = 0; k < 50; k++) {
			cr_expect_not(allowed(p - FOLLOWER,
					      SYS_sched_setaffinity,
					      k ? random64() : 0, 128, 4096, 0));
			cr_expect_not(allowed(p, SYS_sched_setaffinity,
					      random64() | 1, 128, 4096, 0));
		}
		cr_expect(allowed(p, SYS_getrandom, 4096, 8, 1, 0));
		cr_expect_not(allowed(p, SYS_getrandom, 4096, 9, 1, 0));
		cr_expect_not(allowed(p, SYS_getrandom, 4096, 8, 0, 0));
		cr_expect_not(allowed(p, SYS_getrandom, 4096,
				      1ull << 32, 1, 0));
	}
}

Test(filter, what_servers_do_is_allowed_at_the_gate)
{
	static const int nrs[] = {
		SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64,
		SYS_pwrite64, SYS_close, SYS_newfstatat, SYS_fstat,
		SYS_lseek, SYS_sendfile, SYS_recvfrom, SYS_sendto,
		SYS_recvmsg, SYS_sendmsg, SYS_accept4, SYS_epoll_wait,
		SYS_epoll_ctl, SYS_poll, SYS_shutdown, SYS_getpid,
		SYS_clock_gettime, SYS_restart_syscall,
	};

	for (int p = POLICY_VERIFIED; p <= POLICY_RELAXED; p++)
		for (size_t i = 0; i < sizeof(nrs) / sizeof(nrs[0]); i++)
			cr_expect(allowed(p, nrs[i], 3, 4096, 1, 2),
				  "policy %d nr %d", p, nrs[i]);
}

Test(filter, dangerous_calls_never_pass)
{
	static const int nrs[] = {
		SYS_mprotect, SYS_clone,
		SYS_clone3, SYS_fork, SYS_vfork, SYS_execve, SYS_execveat,
		SYS_exit, SYS_exit_group, SYS_kill, SYS_tgkill, SYS_tkill,
		SYS_ptrace, SYS_process_vm_writev, SYS_process_vm_readv,
		SYS_prctl, SYS_arch_prctl, SYS_seccomp, SYS_rt_sigreturn,
		SYS_sigaltstack, SYS_setuid, SYS_setns,
		SYS_unshare, SYS_mount, SYS_shmat, SYS_shmdt, SYS_pkey_mprotect,
		SYS_remap_file_pages, SYS_userfaultfd,
		SYS_io_uring_setup, SYS_io_uring_enter, SYS_rseq,
		SYS_personality, SYS_modify_ldt, SYS_mkdir, SYS_mknod, SYS_swapon,
		SYS_sethostname, SYS_settimeofday, SYS_close_range,
		SYS_process_madvise, SYS_set_tid_address, SYS_bpf,
		SYS_perf_event_open, SYS_pidfd_getfd, SYS_init_module,
		SYS_prlimit64, SYS_sched_setscheduler,
		SYS_ioprio_set, SYS_setpriority, SYS_keyctl, SYS_fanotify_mark,
		SYS_move_pages, SYS_migrate_pages, SYS_get_robust_list,
		SYS_pidfd_open, SYS_pidfd_send_signal, SYS_rt_sigqueueinfo,
		SYS_rt_tgsigqueueinfo, SYS_process_mrelease, SYS_open_tree,
		SYS_move_mount, SYS_fsopen, SYS_chroot, SYS_pivot_root,
		SYS_chdir, SYS_fchdir,
		/* what makes files and links, opens them as it likes, or
		 * changes the rights to them */
		SYS_open, SYS_openat, SYS_creat, SYS_open_by_handle_at,
		SYS_mkdirat, SYS_link, SYS_linkat, SYS_symlink, SYS_symlinkat,
		SYS_mknodat, SYS_chmod, SYS_fchmod, SYS_fchmodat, SYS_chown,
		SYS_lchown, SYS_fchown, SYS_fchownat, SYS_setxattr,
		SYS_lsetxattr, SYS_fsetxattr, SYS_removexattr,
		SYS_lremovexattr, SYS_fremovexattr, SYS_mq_open, SYS_mq_unlink,
		SYS_acct,
	};

	for (int p = 0; p < 6; p++)
		for (size_t i = 0; i < sizeof(nrs) / sizeof(nrs[0]); i++)
			for (int k = 0; k < 50; k++)
				cr_expect_not(allowed(p, nrs[i],
						      k ? random64() : 0,
						      k ? random64() : 0,
						      k ? random64() : 0,
						      k ? random64() : 0),
					      "policy %d nr %d", p, nrs[i]);
}

Test(filter, nothing_of_the_guarded_classes_passes_whatever_the_arguments)
{
	/* regular rows only: irregular ones have argument rules */
	for (int p = 0; p < 6; p++)
		for (int nr = 0; nr < IPMON_NR_MAX; nr++) {
			const struct ipmon_row *row = ipmon_row((uint64_t)nr);
			bool guarded = (row->cls == CLASS_EFFECT &&
					!(row->flags & RF_GATE)) ||
				row->cls > CLASS_EFFECT ||
				row->cls <= CLASS_REFUSED ||
				row->exec == EXEC_NONE || row->exec == EXEC_ALL;

			if (!guarded || ipmon_memory_row(row) ||
			    row->flags & RF_EACH || nr == SYS_rt_sigpending ||
			    nr == SYS_futex || nr == SYS_restart_syscall)
				continue;
			for (int k = 0; k < 20; k++)
				cr_expect_not(allowed(p, nr, random64(),
						      random64(), random64(),
						      random64()),
					      "policy %d %s", p, row->name);
		}
}

/* Of openat2 one form passes: no directory, one of the gate's structures. */
Test(filter, files_are_opened_in_one_way)
{
	const uint64_t how = GATE + IPMON_HOW_OFFSET;

	for (int p = 0; p < 6; p++) {
		bool in = p == POLICY_VERIFIED || p == POLICY_RELAXED;

		for (uint64_t at = how - 4096; at < how + 4096; at++)
			cr_expect_eq(allowed(p, SYS_openat2, (uint64_t)-1, 99,
					     at, 24),
				     in && at >= how && at < how + 1024 &&
				     at % 32 == 0, "%lx", at);
		cr_expect_eq(allowed(p, SYS_openat2, 0xffffffff, 99, how, 24),
			     in);
		cr_expect_not(allowed(p, SYS_openat2, (uint64_t)AT_FDCWD, 99,
				      how, 24));
		cr_expect_not(allowed(p, SYS_openat2, 3, 99, how, 24));
		cr_expect_not(allowed(p, SYS_openat2, (uint64_t)-1, 99, how,
				      32));
		cr_expect_not(allowed(p, SYS_openat2, (uint64_t)-1, 99,
				      how ^ 1ull << 40, 24));
		for (int k = 0; k < 1000; k++)
			cr_expect_not(allowed(p, SYS_openat2, random64(),
					      random64(), random64(), 24));
	}
	/* each of them reads, and stays on the file system it starts on */
	for (unsigned int i = 0; i < IPMON_HOWS; i++) {
		const struct ipmon_how h = ipmon_how(i);

		cr_expect_eq(h.flags & ~(uint64_t)(O_NOCTTY | O_NONBLOCK |
			     O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), 0);
		cr_expect(h.mode == 0 && h.resolve == RESOLVE_NO_XDEV);
	}
}

/* Not in the suite above: there the kernel has been asked already. */
Test(filter_old_kernel, no_file_is_opened_at_the_gate)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog old = { 4, code };
	int error;

	cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	cr_assert_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &old), 0);
	cr_assert_not(filter_opens(&error));
	cr_expect_eq(error, ENOSYS);
	setup();
	for (int p = 0; p < 6; p++)
		for (unsigned int i = 0; i < IPMON_HOWS; i++)
			cr_expect_not(allowed(p, SYS_openat2, (uint64_t)-1, 99,
					      GATE + IPMON_HOW_OFFSET +
					      i * IPMON_HOW_STRIDE, 24));
	cr_expect(allowed(POLICY_VERIFIED, SYS_read, 3, 4096, 1, 0));
	teardown();
}

/* What configuration denies is denied in the form the gate has for it. */
Test(filter, who_denies_opening_denies_it_at_the_gate)
{
	static struct call_override calls[IPMON_NR_MAX];
	static const int nrs[] = { SYS_open, SYS_openat };

	cr_assert(filter_opens(NULL));
	filter_deny(calls);
	cr_expect(filter_opens(NULL));
	for (size_t i = 0; i < sizeof(nrs) / sizeof(nrs[0]); i++) {
		calls[nrs[i]].action = CALL_DENY;
		cr_expect_not(filter_opens(NULL));
		teardown();
		setup();
		cr_expect_not(allowed(POLICY_RELAXED, SYS_openat2,
				      (uint64_t)-1, 99,
				      GATE + IPMON_HOW_OFFSET, 24));
		calls[nrs[i]].action = CALL_DEFAULT;
	}
	filter_deny(NULL);
}

Test(filter, mmap_by_arguments)
{
	const uint64_t anon = MAP_PRIVATE | MAP_ANONYMOUS;
	const uint64_t rw = PROT_READ | PROT_WRITE;
	const int p = POLICY_RELAXED;

	cr_expect(allowed(p, SYS_mmap, 0, 4096, rw, anon));
	cr_expect(allowed(p, SYS_mmap, 0, 4096, PROT_NONE,
			  anon | MAP_NORESERVE | MAP_STACK));
	/* an address, even a mere hint, could be a monitor's region */
	cr_expect_not(allowed(p, SYS_mmap, 4096, 4096, rw, anon));
	cr_expect_not(allowed(p, SYS_mmap, 1ull << 32, 4096, rw, anon));
	cr_expect_not(allowed(p, SYS_mmap, 0, 4096, rw, anon | MAP_FIXED));
	cr_expect_not(allowed(p, SYS_mmap, 0, 4096, rw, MAP_PRIVATE));
	cr_expect_not(allowed(p, SYS_mmap, 0, 4096, rw,
			      MAP_SHARED | MAP_ANONYMOUS));
	cr_expect_not(allowed(p, SYS_mmap, 0, 4096, rw | PROT_EXEC, anon));
	cr_expect_not(allowed(p, SYS_mmap, 0, 4096, rw | 1ull << 32, anon));
	cr_expect_not(allowed(p, SYS_mmap, 0, 4096, rw, anon | 1ull << 32));
	cr_expect_not(allowed(p, SYS_mmap, 0, 4096, rw, anon | MAP_GROWSDOWN));
}

Test(filter, commands)
{
	const int p = POLICY_VERIFIED;

	cr_expect(allowed(p, SYS_fcntl, 3, F_GETFL, 0, 0));
	cr_expect(allowed(p, SYS_fcntl, 3, F_SETFL, 0x800, 0));
	cr_expect(allowed(p, SYS_fcntl, 3, F_DUPFD_CLOEXEC, 0, 0));
	cr_expect(allowed(p, SYS_fcntl, 3, F_SETLKW, 4096, 0));
	cr_expect_not(allowed(p, SYS_fcntl, 3, F_SETOWN, 0, 0));
	cr_expect_not(allowed(p, SYS_fcntl, 3, F_ADD_SEALS, 0, 0));
	cr_expect(allowed(p, SYS_ioctl, 3, FIONREAD, 0, 0));
	cr_expect(allowed(p, SYS_ioctl, 3, FIONBIO, 0, 0));
	cr_expect(allowed(p, SYS_ioctl, 3, TCGETS, 0, 0));
	cr_expect(allowed(p, SYS_socket, AF_INET, SOCK_STREAM, 0, 0));
	cr_expect(allowed(p, SYS_socket, AF_INET6, SOCK_DGRAM, 0, 0));
	for (uint64_t af = 0; af < 100; af++)
		cr_expect(af == AF_INET || af == AF_INET6 ||
			  !allowed(p, SYS_socket, af, SOCK_STREAM, 0, 0));
	cr_expect_not(allowed(p, SYS_ioctl, 0, TIOCSTI, 0, 0));
	cr_expect_not(allowed(p, SYS_ioctl, 0, TIOCSCTTY, 0, 0));
	cr_expect(allowed(p, SYS_futex, 0, FUTEX_WAIT, 0, 0));
	cr_expect(allowed(p, SYS_futex, 0, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 0,
			  0));
	cr_expect(allowed(p, SYS_futex, 0, FUTEX_WAIT_BITSET |
			  FUTEX_CLOCK_REALTIME, 0, 0));
	cr_expect(allowed(p, SYS_futex, 0, FUTEX_UNLOCK_PI, 0, 0));
	cr_expect(allowed(p, SYS_futex, 0, FUTEX_TRYLOCK_PI_PRIVATE, 0, 0));
	/* an action may be asked for, not set */
	cr_expect(allowed(p, SYS_rt_sigaction, 1, 0, 4096, 8));
	cr_expect_not(allowed(p, SYS_rt_sigaction, 1, 4096, 0, 8));
	cr_expect_not(allowed(p, SYS_rt_sigaction, 1, 1ull << 32, 0, 8));
	cr_expect_not(allowed(FOLLOWER + p, SYS_rt_sigaction, 1, 4096, 0, 8));
	cr_expect_not(allowed(p, SYS_futex, 0, FUTEX_WAKE_OP, 0, 0));
	cr_expect_not(allowed(p, SYS_futex, 0, FUTEX_LOCK_PI, 0, 0));
	cr_expect_not(allowed(p, SYS_futex, 0, FUTEX_CMP_REQUEUE, 0, 0));
}

/* The monitor's hidden pages, and the program, lie below. */
Test(filter, memory_by_address)
{
	static const int nrs[] = { SYS_munmap, SYS_mremap, SYS_madvise };
	const uint64_t low = IPMON_MEMORY_LOW;

	for (int p = 0; p < 6; p++) {
		bool in = p % 3 != POLICY_STRICT, follower = in && p >= 3;

		for (size_t i = 0; i < sizeof(nrs) / sizeof(nrs[0]); i++) {
			cr_expect_eq(allowed(p, nrs[i], low, 4096, 1, 1), in);
			cr_expect_not(allowed(p, nrs[i], low - 1, 4096, 1, 1));
			cr_expect_not(allowed(p, nrs[i], low - 4096,
					      1ull << 40, 1, 1));
			cr_expect_not(allowed(p, nrs[i], 0, ~0ull, 1, 1));
		}
		cr_expect_eq(allowed(p, SYS_brk, 4096, 0, 0, 0), in);
		cr_expect_eq(allowed(p, SYS_madvise, low, 4096, MADV_DONTNEED,
				     0), in);
		cr_expect_not(allowed(p, SYS_madvise, low, 4096, MADV_DONTFORK,
				      0));
		cr_expect_not(allowed(p, SYS_madvise, low, 4096, MADV_REMOVE,
				      0));
		cr_expect_not(allowed(p, SYS_madvise, low, 4096, MADV_FREE, 0));
		/* only followers say where, and replace nothing */
		cr_expect_not(allowed(p, SYS_mremap, low, 4096, 8192,
				      MREMAP_FIXED));
		cr_expect_eq(allowed(p, SYS_mmap, low, 4096, PROT_READ,
				     MAP_PRIVATE | MAP_ANONYMOUS |
				     MAP_FIXED_NOREPLACE), follower);
		cr_expect_not(allowed(p, SYS_mmap, low, 4096, PROT_READ,
				      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED));
		cr_expect_not(allowed(p, SYS_mmap, low, 4096, PROT_EXEC,
				      MAP_PRIVATE | MAP_ANONYMOUS |
				      MAP_FIXED_NOREPLACE));
	}
}

/* The kernel's opinion: nobody traces, so RET_TRACE means ENOSYS. */
Test(filter, the_kernel_takes_it)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		long (*gate)(void) = (long (*)(void))(uintptr_t)GATE;
		static const unsigned char code[] = {
			0xb8, SYS_getpid, 0, 0, 0,	/* mov $nr, %eax */
			0x0f, 0x05, 0xc3,		/* syscall; ret */
		};
		/* the instruction itself must lie at GATE */
		char *page = mmap((void *)(uintptr_t)(GATE - 4096), 8192,
				  PROT_READ | PROT_WRITE | PROT_EXEC,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
				  0);
		long pid_before = getpid(), a, b, c;

		if (page == MAP_FAILED)
			_exit(1);
		memcpy(page + 4096 - 5, code, sizeof(code));
		gate = (long (*)(void))(uintptr_t)(page + 4096 - 5);
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0,
			    &prog[POLICY_RELAXED]))
			_exit(2);
		a = gate();				/* at the gate */
		b = syscall(SYS_getpid);		/* elsewhere */
		c = b < 0 ? errno : 0;
		/* no way to exit any more: tell it by how we die */
		if (a == pid_before && b == -1 && c == ENOSYS)
			__builtin_trap();
		*(volatile int *)0 = 0;
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGILL,
		  "status %x", status);
}
