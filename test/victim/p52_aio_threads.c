/* SPDX-License-Identifier: Apache-2.0 */
/* POSIX asynchronous I/O, which libc does with threads. */
#include "victim.h"
#include <aio.h>

int main(void)
{
	int f = OK(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600));
	char b[4][100], r[400];
	struct aiocb cb[4];
	const struct aiocb *one[1];

	for (int i = 0; i < 4; i++) {
		memset(b[i], 'a' + i, 100);
		memset(&cb[i], 0, sizeof(cb[i]));
		cb[i].aio_fildes = f;
		cb[i].aio_buf = b[i];
		cb[i].aio_nbytes = 100;
		cb[i].aio_offset = i * 100;
		OK(aio_write(&cb[i]));
	}
	for (int i = 0; i < 4; i++) {
		one[0] = &cb[i];
		while (aio_error(&cb[i]) == EINPROGRESS)
			aio_suspend(one, 1, NULL);
		CHECK(aio_return(&cb[i]) == 100);
	}
	CHECK(pread(f, r, 400, 0) == 400 && r[0] == 'a' && r[399] == 'd');
	puts("aio ok");
	return 0;
}
