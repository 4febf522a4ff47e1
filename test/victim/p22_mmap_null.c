/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that cannot be mapped: other arguments are looked at first. */
#include <sys/mman.h>

#include "victim.h"

int main(void)
{
	static const char *const names[] = { "null", "full", "urandom", "ptmx",
		"zero" };
	static const int flags[] = { 0, MAP_PRIVATE, MAP_SHARED, 3, 3 | 0x80000 };

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (int f = 0; f < 5; f++)
			for (int k = 0; k < 4; k++) {
				char path[32];
				int fd;
				void *p;

				snprintf(path, sizeof(path), "/dev/%s", names[i]);
				fd = open(path, O_RDWR);
				p = mmap(NULL, k == 1 ? 0 : 5000, PROT_READ,
					 flags[f], fd, k == 2 ? 1 : k == 3 ? 4096 : 0);
				printf("%s %x %d: %s\n", names[i], flags[f], k,
				       p == MAP_FAILED ? strerror(errno) : "mapped");
				close(fd);
			}
	return 0;
}
