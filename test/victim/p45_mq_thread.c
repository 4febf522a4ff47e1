/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mq_notify by a thread: libc sends its callback through the kernel, every
 * variant must get its own back. And chroot by way of a descriptor.
 */
#include "victim.h"

static sem_t sem;
static void *volatile got;
static void notified(union sigval v)
{
	got = v.sival_ptr;
	sem_post(&sem);
}

int main(void)
{
	struct mq_attr at = { .mq_maxmsg = 4, .mq_msgsize = 16 };
	char name[32], buf[16];
	int local, fd;
	mqd_t q;

	OK(sem_init(&sem, 0, 0));
	snprintf(name, sizeof(name), "/victim-%d", getpid());
	q = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &at);
	if (q != (mqd_t)-1) {
		struct sigevent ev = { .sigev_notify = SIGEV_THREAD,
				       .sigev_notify_function = notified,
				       .sigev_value.sival_ptr = &local };
		OK(mq_unlink(name));
		for (int i = 0; i < 3; i++) {
			ev.sigev_value.sival_ptr = &local + i;
			OK(mq_notify(q, &ev));
			OK(mq_send(q, "hello", 5, 1));
			while (sem_wait(&sem) < 0)
				;
			CHECK(got == &local + i);
			CHECK(mq_receive(q, buf, sizeof(buf), NULL) == 5);
		}
		OK(mq_notify(q, &ev));
		OK(mq_notify(q, NULL));
	}
	OK(mkdir("root", 0755));
	put_file("root/file", "x");
	fd = OK(open("root", O_RDONLY));
	REAP(CHILD({
		snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		if (chroot(name) == 0) {
			OK(chdir("/"));
			OK(access("/file", F_OK));
			FAILS(access("/proc", F_OK), ENOENT);
		}
	}));
	puts("notified");
	return 0;
}
