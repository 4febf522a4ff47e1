/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A parent sends its child whole structures, pointers included, through a pipe
 * and a socket pair it made, as programs that separate privileges do.
 */
#include "victim.h"
struct message {
	int kind;
	void *heap, *data, *code, *mapped;
	char text[16];
};
static int some_data;
static char odd[sizeof(struct message) + 5];

static void send_both(int fd, const struct message *m)
{
	CHECK(write(fd, m, sizeof(*m)) == sizeof(*m));
	/* once more at an odd place within a larger message */
	memset(odd, 'x', sizeof(odd));
	memcpy(odd + 3, m, sizeof(*m));
	CHECK(write(fd, odd, sizeof(odd)) == sizeof(odd));
}

static void expect_both(int fd)
{
	struct message got;

	CHECK(read(fd, &got, sizeof(got)) == sizeof(got));
	CHECK(got.kind == 7 && !strcmp(got.text, "hello"));
	CHECK(read(fd, odd, sizeof(odd)) == sizeof(odd));
	memcpy(&got, odd + 3, sizeof(got));
	CHECK(got.kind == 7 && !strcmp(got.text, "hello"));
}

int main(void)
{
	int p[2], s[2];
	struct message m;
	pid_t child;

	memset(&m, 0, sizeof(m));
	m.kind = 7;
	m.heap = malloc(100);
	m.data = &some_data;
	m.code = (void *)main;
	m.mapped = OK(mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	strcpy(m.text, "hello");
	OK(pipe(p));
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	child = CHILD({
		expect_both(p[0]);
		expect_both(s[1]);
	});
	send_both(p[1], &m);
	send_both(s[0], &m);
	REAP(child);
	printf("internal ok\n");
	return 0;
}
