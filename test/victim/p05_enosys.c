/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that no kernel knows answer ENOSYS and nothing else happens. */
#include "victim.h"
int main(void)
{
	static const long nr[] = { 340, 386, 387, 400, 423, 600, 999,
				   5000, 100000, 0x3fffffff, -2, -4096 };

	for (size_t i = 0; i < sizeof(nr) / sizeof(nr[0]); i++)
		FAILS(syscall(nr[i], 1, 2, 3, 4, 5, 6), ENOSYS);
	FAILS(syscall(-1), ENOSYS);
	/* calls that the kernel has removed or never had on this machine */
	FAILS(syscall(SYS_create_module, 0, 0), ENOSYS);
	FAILS(syscall(SYS_query_module, 0), ENOSYS);
	FAILS(syscall(SYS_getpmsg, 0), ENOSYS);
	FAILS(syscall(SYS_afs_syscall, 0), ENOSYS);
	FAILS(syscall(SYS_tuxcall, 0), ENOSYS);
	FAILS(syscall(SYS_vserver, 0), ENOSYS);
	FAILS(syscall(SYS_security, 0), ENOSYS);
	puts("unknown numbers ok");
	return 0;
}
