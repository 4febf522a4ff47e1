/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A buffer that is written to a file while others who share the memory go on changing
 * it, as databases do with the last page of their log: by threads, and by processes.
 * What was in it when the call was made counts, in every variant.
 */
#include "victim.h"

#define PAGE	8192
#define ROUNDS	1500
#define OTHERS	3

struct shared {
	unsigned char page[PAGE];
	unsigned int done;
};

static struct shared *sh;
static int file, null;

/* Something between two changes that lets others have their turn. */
static void change(unsigned int who)
{
	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint64_t x = i;

		for (unsigned int at = who * 8; at + 8 <= PAGE; at += 512)
			memcpy(sh->page + at, &x, sizeof(x));
		if (i % 16 == who)
			usleep(1);
		else
			OK(write(null, &x, sizeof(x)));
	}
	__atomic_add_fetch(&sh->done, 1, __ATOMIC_SEQ_CST);
}

static void write_out(void)
{
	const struct iovec v[2] = { { sh->page, 4096 }, { sh->page + 4096, 4096 } };

	while (__atomic_load_n(&sh->done, __ATOMIC_SEQ_CST) < OTHERS) {
		CHECK(pwrite(file, sh->page, PAGE, 0) == PAGE);
		CHECK(pwrite(file, sh->page, 512, PAGE) == 512);
		CHECK(pwritev(file, v, 2, 0) == PAGE);
	}
}

static void *thread(void *arg)
{
	change((unsigned int)(uintptr_t)arg);
	return NULL;
}

int main(void)
{
	pthread_t t[OTHERS];
	pid_t pid[OTHERS];

	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(sh != MAP_FAILED);
	file = OK(open("log", O_RDWR | O_CREAT | O_TRUNC, 0600));
	OK(unlink("log"));
	null = OK(open("/dev/null", O_WRONLY));
	for (unsigned int i = 0; i < OTHERS; i++)
		CHECK(!pthread_create(&t[i], NULL, thread, (void *)(uintptr_t)i));
	write_out();
	for (unsigned int i = 0; i < OTHERS; i++)
		CHECK(!pthread_join(t[i], NULL));
	puts("threads");
	fflush(stdout);
	sh->done = 0;
	for (unsigned int i = 0; i < OTHERS; i++) {
		pid[i] = OK(fork());
		if (!pid[i]) {
			change(i);
			_exit(0);
		}
	}
	write_out();
	for (unsigned int i = 0; i < OTHERS; i++)
		CHECK(waitpid(pid[i], NULL, 0) == pid[i]);
	puts("processes");
	return 0;
}
