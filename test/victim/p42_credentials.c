/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User and group ids: reading, setting, saved ones, groups, capabilities,
 * losing privilege.
 */
#include "victim.h"
#include <grp.h>
#include <sys/fsuid.h>
#include <linux/capability.h>

int main(void)
{
	uid_t r, e, s;
	gid_t g[64] = { 0 };
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];

	OK(getresuid(&r, &e, &s));
	CHECK(r == getuid() && e == geteuid());
	OK(getgroups(64, g));
	OK(syscall(SYS_capget, &h, d));
	if (geteuid() == 0)
		REAP(CHILD({
			put_file("secret", "x");
			OK(chmod("secret", 0600));
			OK(chmod(".", 0755));
			OK(setgroups(2, (gid_t[]){ 100, 200 }));
			CHECK(getgroups(64, g) == 2 && g[1] == 200);
			OK(setresgid(1000, 1000, 1000));
			OK(setfsuid(1000) == 0 ? 0 : -1);
			setfsuid(0);
			OK(seteuid(1000));
			FAILS(open("secret", O_RDONLY), EACCES);
			OK(seteuid(0));
			OK(open("secret", O_RDONLY));
			OK(setresuid(1000, 1000, 1000));
			FAILS(setuid(0), EPERM);
			FAILS(open("secret", O_RDONLY), EACCES);
			FAILS(setgroups(0, NULL), EPERM);
			OK(getresuid(&r, &e, &s));
			CHECK(r == 1000 && e == 1000 && s == 1000);
			OK(syscall(SYS_capget, &h, d));
			CHECK(d[0].effective == 0);
			FAILS(kill(1, 0), EPERM);
			pthread_t t;
			ZERO(pthread_create(&t, NULL, (void *(*)(void *))(void (*)(void))geteuid, NULL));
			void *v;
			ZERO(pthread_join(t, &v));
			CHECK((uintptr_t)v == 1000);
		}));
	CHECK(getuid() == r || 1);
	puts("credentials ok");
	return 0;
}
