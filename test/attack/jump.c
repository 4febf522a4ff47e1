/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate in the hands of an attacker, and IP-MON's memory as well.
 *
 *	jump forbidden|allowed		calls the gate, found through %gs
 *	jump at NR			calls an address read from standard input
 *	jump open			line by line from standard input: FORM PATH
 *		FLAGS BYTES OFFSET.  The leader opens PATH through its gate, writes
 *		BYTES there or reads, and says on standard output how that went.
 *		FORM is the call it tries, see open_by()
 *	jump MEMORY SEED		writes into context, ring or cursors:
 *		ring, head, cursors, context, all
 *		in every variant where VARIANT is not set
 *
 * A program could not know %gs has a meaning; whoever executes code of his own
 * finds out.
 */
#include <stddef.h>
#include "attack.h"
#include <linux/openat2.h>
#include <ipmon/abi.h>
#include <ipmon/gate_rules.h>

static long gate_call(uint64_t gate, long nr, long a, long b, long c)
{
	long r;

	/* it uses none of our stack below the red zone of a leaf */
	__asm__ volatile("sub $256, %%rsp\n\tcall *%1\n\tadd $256, %%rsp"
			 : "=a"(r) : "r"(gate), "a"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return r;
}

static long gate_call4(uint64_t gate, long nr, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long r;

	__asm__ volatile("sub $256, %%rsp\n\tcall *%1\n\tadd $256, %%rsp"
			 : "=a"(r) : "r"(gate), "a"(nr), "D"(a), "S"(b), "d"(c),
			   "r"(r10)
			 : "rcx", "r11", "memory");
	return r;
}

static struct ipmon_ctx *context(void)
{
	uint64_t self;

	__asm__ volatile("mov %%gs:0, %0" : "=r"(self));
	return (struct ipmon_ctx *)self;
}

static uint64_t state;

static uint64_t rnd(void)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	/* small numbers, lengths and flags are the interesting ones */
	switch (state >> 61) {
	case 0: return state >> 33 & 0xff;
	case 1: return state >> 33 & 0x3ffff;
	case 2: return (state >> 33 & 0xfff8) | 0x0001001400000000ull;
	case 3: return ~0ull;
	case 4: return 1ull << (state >> 33 & 63);
	default: return state ^ state >> 29;
	}
}

static void scribble(volatile uint64_t *at, size_t bytes, unsigned int one_in)
{
	for (size_t i = 0; i < bytes / 8; i++)
		if (rnd() % one_in == 0)
			at[i] = rnd();
}

static void memory_attack(const char *what)
{
	struct ipmon_ctx *c = context(), copy = *c;
	struct ipmon_ring *r = (void *)copy.ring;
	struct ipmon_cursor *cur = (void *)copy.cursors;
	int all = strcmp(what, "all") == 0;

	if (strcmp(what, "head") == 0 || all)
		r->head = rnd();
	if (strcmp(what, "ring") == 0 || all) {
		scribble((void *)r->data, 65536, 7);
		r->head += 64 + (rnd() & 0xff8);
		r->state = (uint32_t)rnd() & 3;
		r->wake++;
	}
	if (strcmp(what, "cursors") == 0 || all)
		scribble((void *)cur, 4096, 3);
	if (strcmp(what, "context") == 0 || all) {
		/* what lies behind the part the assembly needs, and not the
		 * pointers: a bad one is a plain crash of this variant */
		scribble((void *)&c->vpid, sizeof(*c) -
			 offsetof(struct ipmon_ctx, vpid), 3);
		c->n_variants = (uint32_t)rnd();
	}
}

static long open_by(const char *form, const char *path, unsigned long flags)
{
	static struct open_how how;
	uint64_t gate = context()->gate;
	uint64_t theirs = gate + IPMON_HOW_OFFSET +
		(uint64_t)ipmon_how_index(0) * IPMON_HOW_STRIDE;
	char there[160];

	how.flags = flags;
	/* the form IP-MON uses */
	if (!strcmp(form, "gate"))
		return gate_call4(gate, SYS_openat2, -1, (long)path,
				  (long)theirs, sizeof(how));
	/* ... from the current directory, from another part of the structures,
	 * with one of our own */
	if (!strcmp(form, "here"))
		return gate_call4(gate, SYS_openat2, AT_FDCWD, (long)path,
				  (long)theirs, sizeof(how));
	if (!strcmp(form, "askew"))
		return gate_call4(gate, SYS_openat2, -1, (long)path,
				  (long)theirs + 16, sizeof(how));
	if (!strcmp(form, "own"))
		return gate_call4(gate, SYS_openat2, -1, (long)path,
				  (long)&how, sizeof(how));
	if (!strcmp(form, "openat"))
		return gate_call4(gate, SYS_openat, AT_FDCWD, (long)path,
				  (long)flags, 0600);
	if (!strcmp(form, "open"))
		return gate_call4(gate, SYS_open, (long)path, (long)flags, 0600,
				  0);
	if (!strcmp(form, "creat"))
		return gate_call4(gate, SYS_creat, (long)path, 0600, 0, 0);
	if (!strcmp(form, "unlink"))
		return gate_call4(gate, SYS_unlink, (long)path, 0, 0, 0);
	if (!strcmp(form, "truncate"))
		return gate_call4(gate, SYS_truncate, (long)path, 0, 0, 0);
	if (!strcmp(form, "chmod"))
		return gate_call4(gate, SYS_chmod, (long)path, 0777, 0, 0);
	snprintf(there, sizeof(there), "%s.there", path);
	if (!strcmp(form, "rename"))
		return gate_call4(gate, SYS_rename, (long)path, (long)there, 0,
				  0);
	if (!strcmp(form, "symlink"))
		return gate_call4(gate, SYS_symlink, (long)path, (long)there, 0,
				  0);
	return -1;
}

static void open_attack(void)
{
	char line[256], form[16], path[128], text[64], said[64];
	unsigned long flags, at;
	long fd, r = 0;

	(void)!write(1, "ready\n", 6);
	for (;;) {
		ssize_t n = read(0, line, sizeof(line) - 1);

		if (n <= 0)
			return;
		line[n] = '\0';
		if (sscanf(line, "%15s %127s %lx %63s %lx", form, path, &flags,
			   text, &at) != 5)
			return;
		if (variant())
			continue;
		/* from here on only the leader */
		fd = open_by(form, path, flags);
		if (fd >= 0)
			r = gate_call4(context()->gate, flags & O_ACCMODE ?
				       SYS_pwrite64 : SYS_pread64, fd,
				       (long)text, (long)strlen(text),
				       (long)at);
		snprintf(said, sizeof(said), "%ld %ld\n", fd, r);
		gate_call4(context()->gate, SYS_write, 1, (long)said,
			   (long)strlen(said), 0);
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	char b[64] = "", line[64];
	unsigned long a;
	int fd = open("record", O_RDWR | O_CREAT, 0600);

	warm();
	if (strcmp(what, "forbidden") == 0) {
		gate_call(context()->gate, SYS_mkdir, (long)"effect", 0700, 0);
	} else if (strcmp(what, "allowed") == 0) {
		gate_call(context()->gate, SYS_write, fd, (long)"x", 1);
	} else if (strcmp(what, "open") == 0) {
		open_attack();
	} else if (strcmp(what, "at") == 0) {
		(void)!write(1, "ready\n", 6);
		if (read(0, line, sizeof(line) - 1) <= 0 ||
		    sscanf(line, "%lx", &a) != 1)
			return 3;
		gate_call(a, atoi(argv[2]), (long)"effect", 0700, 0);
	} else {
		state = strtoul(argc > 2 ? argv[2] : "1", NULL, 0);
		for (int i = 0; i < 50; i++) {
			getppid();
			if (!variant() && i > 3)
				memory_attack(what);
			(void)!pread(fd, b, sizeof(b), 0);
			(void)!write(fd, "abc", 3);
		}
	}
	effect();
	return 0;
}
