/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which flags of seccomp() there are is asked with a filter that is not there:
 * EFAULT for those that are known, EINVAL for the others.
 */
#include "victim.h"

#define AWAY ((void *)8)

int main(void)
{
	static const unsigned int known[] = {
		0, SECCOMP_FILTER_FLAG_TSYNC, SECCOMP_FILTER_FLAG_LOG,
		SECCOMP_FILTER_FLAG_SPEC_ALLOW,
		SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG,
	};
	static const unsigned int unknown[] = { 1u << 20, ~0u, 1u << 31 };

	OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		FAILS(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, known[i],
			      NULL), EFAULT);
		FAILS(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, known[i],
			      AWAY), EFAULT);
	}
	for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++)
		FAILS(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, unknown[i],
			      NULL), EINVAL);
	FAILS(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL), EFAULT);
	puts("flags asked");
	return 0;
}
