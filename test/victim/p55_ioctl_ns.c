// SPDX-License-Identifier: Apache-2.0
/*
 * What a namespace is told to be by ioctl: its kind, its owner, its parent.
 */
#include "victim.h"

#include <linux/nsfs.h>
#include <sys/ioctl.h>

int main(void)
{
	int ns = OK(open("/proc/self/ns/uts", O_RDONLY)), owner;
	struct stat a, b;

	CHECK(ioctl(ns, NS_GET_NSTYPE) == CLONE_NEWUTS);
	owner = ioctl(ns, NS_GET_USERNS);
	if (owner >= 0) {
		CHECK(ioctl(owner, NS_GET_NSTYPE) == CLONE_NEWUSER);
		OK(fstat(owner, &a));
		OK(stat("/proc/self/ns/user", &b));
		CHECK(a.st_dev == b.st_dev);
		OK(close(owner));
	} else {
		CHECK(errno == EPERM);
	}
	FAILS(ioctl(ns, NS_GET_PARENT), EINVAL);
	puts("namespaces");
	return 0;
}
