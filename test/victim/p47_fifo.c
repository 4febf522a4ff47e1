/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FIFOs: opening blocks until both ends are there, ENXIO, end of file,
 * several writers.
 */
#include "victim.h"
int main(void)
{
	char b[100];
	int r, w, n, total = 0;

	OK(mkfifo("fifo", 0600));
	FAILS(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO);
	pid_t k = CHILD({
		w = OK(open("fifo", O_WRONLY));
		CHECK(write(w, "first", 5) == 5);
	});
	r = OK(open("fifo", O_RDONLY));
	while ((n = OK(read(r, b, sizeof(b)))) > 0)
		total += n;
	REAP(k);
	CHECK(total == 5);
	close(r);
	r = OK(open("fifo", O_RDONLY | O_NONBLOCK));
	CHECK(read(r, b, 1) == 0);
	w = OK(open("fifo", O_WRONLY));
	FAILS(read(r, b, 1), EAGAIN);
	for (int i = 0; i < 4; i++)
		REAP(CHILD(CHECK(write(w, &"abcd"[i], 1) == 1)));
	CHECK(read(r, b, 100) == 4 && memcmp(b, "abcd", 4) == 0);
	w = OK(open("fifo", O_RDWR));
	CHECK(write(w, "x", 1) == 1 && read(w, b, 1) == 1);
	puts("fifo ok");
	return 0;
}
