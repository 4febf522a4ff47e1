/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several mappings of one file with different rights, made in every order,
 * show the same memory; rights of the descriptor bind mprotect.
 */
#include "victim.h"

#define P 4096ul

static char *map(int fd, int prot, int flags, off_t off)
{
	return OK(mmap(NULL, 2 * P, prot, flags, fd, off));
}

int main(void)
{
	int rw = OK(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600));
	int ro = OK(open("f", O_RDONLY)), wo = OK(open("f", O_WRONLY));
	char *r1, *r2, *r3, *w, *priv, *x;
	char b[32];

	OK(ftruncate(rw, 8 * P));
	CHECK(pwrite(rw, "content", 8, 0) == 8);
	/* with its flags checked */
	x = map(ro, PROT_READ, MAP_SHARED_VALIDATE, 0);
	CHECK(!strcmp(x, "content"));
	OK(munmap(x, 2 * P));
	FAILS(mmap(NULL, P, PROT_READ, MAP_SHARED_VALIDATE | 1 << 21, ro, 0),
	      EOPNOTSUPP);
	/* read-only first */
	r1 = map(ro, PROT_READ, MAP_SHARED, 0);
	r2 = map(rw, PROT_READ, MAP_SHARED, 0);
	CHECK(!strcmp(r1, "content") && !strcmp(r2, "content"));
	CHECK(pwrite(rw, "CONTENT", 8, 0) == 8);
	CHECK(!strcmp(r1, "CONTENT") && !strcmp(r2, "CONTENT"));
	FAILS(mprotect(r1, P, PROT_READ | PROT_WRITE), EACCES);
	FAILS(mmap(NULL, P, PROT_WRITE, MAP_SHARED, wo, 0), EACCES);
	FAILS(mmap(NULL, P, PROT_READ, MAP_PRIVATE, wo, 0), EACCES);
	/* a later right to write: all see the stores */
	OK(mprotect(r2, P, PROT_READ | PROT_WRITE));
	strcpy(r2 + 100, "stored");
	CHECK(!strcmp(r1 + 100, "stored"));
	CHECK(pread(ro, b, 7, 100) == 7 && !strcmp(b, "stored"));
	w = map(rw, PROT_READ | PROT_WRITE, MAP_SHARED, P);
	w[0] = 'w';
	CHECK(r1[P] == 'w' && r2[P] == 'w');
	r3 = map(ro, PROT_READ, MAP_SHARED_VALIDATE, 0);
	CHECK(r3[P] == 'w' && !strcmp(r3 + 100, "stored"));
	FAILS(mprotect(r3, P, PROT_WRITE), EACCES);
	/* private: copies on its own write, sees the file's changes until then */
	priv = map(rw, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0);
	CHECK(priv[P] == 'w');
	priv[P] = 'p';
	CHECK(r1[P] == 'w' && w[0] == 'w');
	strcpy(r2 + 200, "late");
	CHECK(!strcmp(priv + 200, "late"));
	/* pieces: move, cut, protect, grow */
	w = OK(mremap(w, 2 * P, 4 * P, MREMAP_MAYMOVE));
	w[3 * P] = 'g';
	CHECK(pread(ro, b, 1, 4 * P) == 1 && b[0] == 'g');
	OK(munmap(w + P, P));
	w[2 * P] = 'h';
	CHECK(pread(ro, b, 1, 3 * P) == 1 && b[0] == 'h');
	OK(mprotect(w, P, PROT_NONE));
	OK(mprotect(w, P, PROT_READ));
	CHECK(w[0] == 'w');
	/* a pointer kept in the file is good for the one who stored it */
	x = map(rw, PROT_READ | PROT_WRITE, MAP_SHARED, 6 * P);
	*(char **)x = x + 8;
	strcpy(x + 8, "by pointer");
	CHECK(!strcmp(*(char **)x, "by pointer"));
	REAP(CHILD({
		CHECK(!strcmp(*(char **)x, "by pointer"));
		CHECK(mmap(x + P, P, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_FIXED, rw, 7 * P) == x + P);
		*(char **)(x + P) = x;
	}));
	CHECK(*(char **)(x + P) == x);
	OK(munmap(x, 2 * P));
	OK(munmap(r1, 2 * P));
	OK(munmap(r2, 2 * P));
	/* a second mapping at an offset, from a descriptor that is gone */
	close(rw);
	close(ro);
	close(wo);
	strcpy(w + 2 * P + 8, "end");
	CHECK(!strcmp(r3, "CONTENT"));
	/* it holds addresses */
	OK(unlink("f"));
	puts("shared modes ok");
	return 0;
}
