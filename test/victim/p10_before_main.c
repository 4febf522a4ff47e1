/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nothing has happened before main that the program has not done: no memory was
 * taken from the break, and nothing has failed to be looked up.
 */
#include "victim.h"

int main(void)
{
	char *start = sbrk(0), *later;
	char *error = dlerror();

	free(malloc(10));
	later = sbrk(0);
	printf("the first malloc took %ld, error %s\n", (long)(later - start),
	       error ? error : "none");
	return 0;
}
