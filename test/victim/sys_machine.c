/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls about the machine and the kernel's configuration: names (in a
 * namespace of its own), logs, accounting, swap, quotas, security modules,
 * personality, and calls that are expected to be missing.
 */
#include "victim.h"

#ifndef SYS_lsm_get_self_attr
#define SYS_lsm_get_self_attr 459
#define SYS_lsm_set_self_attr 460
#define SYS_lsm_list_modules 461
#endif
#ifndef SYS_quotactl_fd
#define SYS_quotactl_fd 443
#endif
#ifndef SYS_file_getattr
#define SYS_file_getattr 468
#define SYS_file_setattr 469
#endif

int main(void)
{
	struct utsname u;
	struct sysinfo si;
	char b[4096], longname[200];
	uint64_t ids[32];
	uint32_t size = sizeof(ids);
	int f, st;

	SAYS(uname(&u));
	CHECK(!strcmp(u.sysname, "Linux"));
	SAYS(syscall(SYS_uname, (void *)8));
	SAYS(sysinfo(&si));
	CHECK(si.totalram > 0);
	memset(longname, 'h', sizeof(longname));
	st = reap(CHILD(
		if (unshare(CLONE_NEWUTS) < 0) {
			printf("no namespace: %s\n", strerrorname_np(errno));
			_exit(0);
		}
		SAYS(sethostname("victim", 6));
		SAYS(setdomainname("example", 7));
		SAYS(uname(&u));
		printf("  %s %s\n", u.nodename, u.domainname);
		SAYS(sethostname(longname, 200));
		SAYS(setdomainname(longname, 65));
		SAYS(sethostname("x", -1));
		SAYS(sethostname((void *)8, 5));
		SAYS(gethostname(b, sizeof(b)));
		printf("  %s\n", b)
	));
	CHECK(st == 0);
	/* the kernel's log: whatever is permitted, the size is one */
	DOES(syscall(SYS_syslog, 10, NULL, 0));
	DOES(syscall(SYS_syslog, 3, b, 100));
	SAYS(syscall(SYS_syslog, 3, NULL, 100));
	SAYS(syscall(SYS_syslog, 3, b, -1));
	SAYS(syscall(SYS_syslog, 99, b, 1));
	SAYS(syscall(SYS_acct, "nosuch"));
	SAYS(syscall(SYS_acct, "/"));
	put_file("plain", "x");
	SAYS(syscall(SYS_swapon, "nosuch", 0));
	SAYS(syscall(SYS_swapon, "plain", 0));
	SAYS(syscall(SYS_swapon, "plain", 0x1000000));
	SAYS(syscall(SYS_swapoff, "plain"));
	f = OK(open("plain", O_RDWR));
	memset(b, 0, 256);
	SAYS(syscall(SYS_quotactl, 0x80000700, "nosuch", 0, b));
	SAYS(syscall(SYS_quotactl, 0x80000100, NULL, 0, NULL));
	SAYS(syscall(SYS_quotactl, 0x80000400, "plain", 0, b));
	SAYS(syscall(SYS_quotactl_fd, f, 0x80000700, 0, b));
	SAYS(syscall(SYS_quotactl_fd, -1, 0x80000700, 0, b));
	/* security modules */
	if (SAYS(syscall(SYS_lsm_list_modules, ids, &size, 0)) >= 0)
		printf("  %u bytes\n", size);
	size = 1;
	SAYS(syscall(SYS_lsm_list_modules, ids, &size, 0));
	SAYS(syscall(SYS_lsm_list_modules, ids, NULL, 0));
	SAYS(syscall(SYS_lsm_list_modules, ids, &size, 1));
	size = sizeof(b);
	SAYS(syscall(SYS_lsm_get_self_attr, 100, b, &size, 0));
	SAYS(syscall(SYS_lsm_get_self_attr, 0, b, &size, 0));
	memset(b, 0, 64);
	SAYS(syscall(SYS_lsm_set_self_attr, 100, b, 40, 0));
	SAYS(syscall(SYS_file_getattr, AT_FDCWD, "plain", b, 24, 0));
	SAYS(syscall(SYS_file_getattr, AT_FDCWD, "nosuch", b, 24, 0));
	SAYS(syscall(SYS_file_getattr, AT_FDCWD, "plain", b, 3, 0));
	SAYS(syscall(SYS_file_setattr, AT_FDCWD, "plain", b, 3, 0));
	/* personality */
	SAYS(personality(0xffffffff));
	REAP(CHILD(SAYS(personality(ADDR_COMPAT_LAYOUT)); SAYS(personality(0xffffffff));
		   SAYS(personality(0)); SAYS(personality(0xffffffff));
		   SAYS(personality(UNAME26)); SAYS(uname(&u)); printf("  %.3s\n", u.release)));
	sync();
	SAYS(syscall(SYS_restart_syscall));
	SAYS(syscall(SYS_pause + 10000));
	SAYS(syscall(SYS_vserver));
	SAYS(syscall(SYS_tuxcall));
	SAYS(syscall(SYS_create_module));
	SAYS(syscall(SYS_sysfs, 99, 0, 0) == -1);
	SAYS(syscall(335 + 20) == -1);
	SAYS(syscall(SYS_userfaultfd, 0xffff) == -1);
	SAYS(syscall(SYS_rseq, NULL, 0, 0, 0) == -1);
	SAYS(syscall(SYS_getrandom, b, 10, 0x100));
	SAYS(syscall(SYS_getrandom, b, 10, 0));
	SAYS(syscall(SYS_getrandom, (void *)8, 10, 0));
	SAYS(syscall(SYS_membarrier, 0, 0, 0) > 0);
	SAYS(syscall(SYS_membarrier, 1 << 30, 0, 0));
	puts("machine ok");
	return 0;
}
