/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel asynchronous I/O: submit, get events with user data, destroy; or
 * refused as a whole.
 */
#include "victim.h"
#include <linux/aio_abi.h>

int main(void)
{
	aio_context_t ctx = 0;
	int f = OK(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600));
	char b[512];
	struct iocb cb, *list[1] = { &cb };
	struct io_event ev[2];

	if (syscall(SYS_io_setup, 8, &ctx) < 0) {
		CHECK(errno == ENOSYS);
		put_file("f", "aio aio aio");
		puts("kernel aio ok");
		return 0;
	}
	memcpy(b, "aio aio aio", 12);
	memset(&cb, 0, sizeof(cb));
	cb.aio_fildes = f;
	cb.aio_lio_opcode = IOCB_CMD_PWRITE;
	cb.aio_buf = (uintptr_t)b;
	cb.aio_nbytes = 11;
	cb.aio_data = (uintptr_t)&cb;
	CHECK(syscall(SYS_io_submit, ctx, 1, list) == 1);
	CHECK(syscall(SYS_io_getevents, ctx, 1, 2, ev, NULL) == 1);
	CHECK(ev[0].data == (uintptr_t)&cb && ev[0].obj == (uintptr_t)&cb && ev[0].res == 11);
	OK(syscall(SYS_io_destroy, ctx));
	puts("kernel aio ok");
	return 0;
}
