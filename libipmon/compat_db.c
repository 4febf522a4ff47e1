// SPDX-License-Identifier: Apache-2.0
/*
 * Berkeley DB's file identities.
 *
 * Berkeley DB gives each database file an identity of its own, which it writes
 * into the file, and makes it of the process's id, the time and the address of
 * a variable on the stack (os/os_uid.c), so under disjoint layouts every
 * variant would write another one.  The function that makes it can be replaced:
 * the library exports it and calls it through its procedure linkage table.
 * Here it takes the identity from getrandom(2), whose bytes the monitor
 * replicates.  A program without the library never calls it.
 */
#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

struct __db_env;
void __os_unique_id(struct __db_env *env, uint32_t *id);

__attribute__((visibility("default")))
void __os_unique_id(struct __db_env *env, uint32_t *id)
{
	int saved = errno;
	long n;

	do
		n = syscall(SYS_getrandom, id, sizeof(*id), 0);
	while (n < 0 && errno == EINTR);
	if (n != sizeof(*id))
		*id = (uint32_t)getpid();
	errno = saved;
}
