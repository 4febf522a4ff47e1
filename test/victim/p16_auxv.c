/* SPDX-License-Identifier: Apache-2.0 */
/* The auxiliary vector tells the truth, by getauxval and on the stack. */
#include "victim.h"
#include <elf.h>
#include <link.h>

int main(int argc, char **argv)
{
	extern char **environ;
	char **e = environ, self[PATH_MAX];
	ElfW(auxv_t) *a;
	int seen = 0;
	unsigned char zero[16] = { 0 };
	ssize_t n = OK(readlink("/proc/self/exe", self, sizeof(self) - 1));

	self[n] = 0;
	CHECK(getauxval(AT_PAGESZ) == 4096);
	CHECK(getauxval(AT_UID) == getuid() && getauxval(AT_EGID) == getegid());
	CHECK(getauxval(AT_SECURE) == 0);
	CHECK(getauxval(AT_CLKTCK) == (unsigned long)sysconf(_SC_CLK_TCK));
	CHECK(strcmp((char *)getauxval(AT_PLATFORM), "x86_64") == 0);
	CHECK(memcmp((void *)getauxval(AT_RANDOM), zero, 16) != 0);
	CHECK(strcmp(strrchr((char *)getauxval(AT_EXECFN), '/') + 1,
		     strrchr(self, '/') + 1) == 0);
	CHECK(getauxval(AT_PHNUM) > 3 && getauxval(AT_PHENT) == sizeof(ElfW(Phdr)));
	while (*e++)
		;
	for (a = (ElfW(auxv_t) *)e; a->a_type != AT_NULL; a++)
		if (a->a_type == AT_ENTRY || a->a_type == AT_PHDR)
			seen++;
	CHECK(seen == 2);
	CHECK(argv[argc] == NULL && argv + argc + 1 == environ);
	puts("auxv ok");
	return 0;
}
