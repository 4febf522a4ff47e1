/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every way to change the user and group ids, in children, with and without
 * the privilege; what files they may then open.
 */
#include "victim.h"
#include <linux/capability.h>
#include <sys/fsuid.h>
#include <grp.h>

static void ids(void)
{
	uid_t r, e, s;
	gid_t rg, eg, sg, g[70];

	OK(syscall(SYS_getresuid, &r, &e, &s));
	OK(syscall(SYS_getresgid, &rg, &eg, &sg));
	printf("  uid %u %u %u gid %u %u %u groups %d\n", r, e, s, rg, eg, sg,
	       getgroups(70, g));
	CHECK(getuid() == r && geteuid() == e && getgid() == rg && getegid() == eg);
}

int main(void)
{
	gid_t groups[3] = { 10, 20, 30 };

	put_file("secret", "x");
	OK(chmod("secret", 0600));
	ids();
#define TRY(...) REAP(CHILD(__VA_ARGS__; ids()))
	TRY(SAYS(syscall(SYS_setuid, 1000)); SAYS(syscall(SYS_setuid, 0));
	    DOES(open("secret", O_RDONLY)));
	TRY(SAYS(syscall(SYS_setgid, 1000)); SAYS(syscall(SYS_setgid, 0)));
	TRY(SAYS(syscall(SYS_setreuid, 1000, 1001)); SAYS(syscall(SYS_setreuid, -1, 1000));
	    SAYS(syscall(SYS_setreuid, 5, 5)); DOES(open("secret", O_RDONLY)));
	TRY(SAYS(syscall(SYS_setregid, 1000, 1001)); SAYS(syscall(SYS_setregid, -1, -1)));
	TRY(SAYS(syscall(SYS_setresuid, 1, 2, 3)); SAYS(syscall(SYS_setresuid, -1, 3, -1));
	    SAYS(syscall(SYS_setresuid, 4, -1, -1)));
	TRY(SAYS(syscall(SYS_setresgid, 1, 2, 3)); SAYS(syscall(SYS_setresgid, -1, 3, 1)));
	TRY(SAYS(setfsuid(1000)); SAYS(setfsuid(-1)); DOES(open("secret", O_RDONLY));
	    SAYS(setfsuid(getuid())); DOES(open("secret", O_RDONLY)));
	TRY(SAYS(setfsgid(1000)); SAYS(setfsgid(-1)));
	TRY(SAYS(syscall(SYS_setgroups, 3, groups)); SAYS(syscall(SYS_setgroups, 0, NULL));
	    SAYS(syscall(SYS_setgroups, 3, (void *)8)); SAYS(syscall(SYS_setgroups, 100000, groups)));
	TRY(SAYS(syscall(SYS_setgroups, 3, groups)); gid_t g[3] = { 0 };
	    SAYS(getgroups(1, g)); SAYS(getgroups(3, g)); printf("  %u %u %u\n", g[0], g[1], g[2]));
	TRY(SAYS(seteuid(1000)); DOES(open("secret", O_RDONLY)); SAYS(seteuid(0));
	    DOES(open("secret", O_RDONLY)));
	/* capabilities */
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct c[2];
	TRY(SAYS(syscall(SYS_capget, &h, c)); c[0].effective = 0; c[1].effective = 0;
	    SAYS(syscall(SYS_capset, &h, c)); SAYS(syscall(SYS_chroot, "."));
	    c[0].permitted = c[1].permitted = 0; c[0].inheritable = c[1].inheritable = 0;
	    SAYS(syscall(SYS_capset, &h, c));
	    c[0].permitted = 1; SAYS(syscall(SYS_capset, &h, c)));
	h.version = 0x1234;
	SAYS(syscall(SYS_capget, &h, NULL));
	printf("  %x\n", h.version);
	SAYS(syscall(SYS_capget, &h, (void *)8));
	h.pid = -1;
	SAYS(syscall(SYS_capget, &h, c));
	TRY(SAYS(prctl(PR_CAPBSET_DROP, CAP_NET_RAW, 0, 0, 0)); SAYS(prctl(PR_CAPBSET_READ, CAP_NET_RAW, 0, 0, 0));
	    SAYS(prctl(PR_CAPBSET_DROP, 99, 0, 0, 0)));
	TRY(SAYS(prctl(PR_SET_SECUREBITS, 0x10, 0, 0, 0)); SAYS(prctl(PR_GET_SECUREBITS, 0, 0, 0, 0)); SAYS(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
	    SAYS(prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0)));
	/* what a user may not */
	TRY(SAYS(setuid(1000)); struct rlimit rl = { RLIM_INFINITY, RLIM_INFINITY };
	    struct timeval tv = { 1, 0 };
	    SAYS(syscall(SYS_setrlimit, RLIMIT_NICE, &rl)); SAYS(syscall(SYS_setpriority, 0, 0, -20));
	    SAYS(syscall(SYS_sethostname, "x", 1)); SAYS(syscall(SYS_setdomainname, "x", 1));
	    SAYS(syscall(SYS_settimeofday, &tv, NULL)); SAYS(syscall(SYS_mount, "a", "b", "c", 0, 0));
	    SAYS(syscall(SYS_umount2, ".", 0)); SAYS(syscall(SYS_pivot_root, ".", "."));
	    SAYS(syscall(SYS_swapon, "secret", 0)); SAYS(syscall(SYS_swapoff, "secret"));
	    SAYS(syscall(SYS_acct, "secret")); SAYS(syscall(SYS_vhangup)); SAYS(syscall(SYS_chroot, "."));
	    SAYS(syscall(SYS_mknod, "dev", S_IFCHR | 0600, 0x103)); SAYS(chown("secret", 0, 0)); SAYS(kill(1, 0));
	    SAYS(syscall(SYS_quotactl, 0x80000100, "nodev", 0, NULL)); SAYS(syscall(SYS_syslog, 5, NULL, 0));
	    SAYS(syscall(SYS_fsopen, "tmpfs", 0));
	    struct timex { long x[26]; } tx; memset(&tx, 0, sizeof(tx)); *(unsigned int *)&tx = 1;
	    SAYS(syscall(SYS_adjtimex, &tx)); SAYS(syscall(SYS_clock_settime, 0, &tv)));
	puts("credentials ok");
	return 0;
}
