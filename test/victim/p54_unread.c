/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel does not read may differ: behind buffers, reserved members. */
#include "victim.h"
#include <mqueue.h>
#include <sys/msg.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>

/* the program's buffer is its first words; addresses follow */
static uintptr_t words[20000];

static void say(const char *what, long r)
{
	printf("%s: %ld %s\n", what, r, r < 0 ? strerror(errno) : "");
}

static void sockets(void)
{
	int p[2], small = 4608;

	OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, p));
	OK(setsockopt(p[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)));
	say("unix", send(p[0], words, 20000, MSG_DONTWAIT));
}

/* The address of a message on a connected TCP socket is not looked at. */
static void tcp(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET }, junk = to;
	socklen_t len = sizeof(to);
	int l = OK(socket(AF_INET, SOCK_STREAM, 0));
	int c = OK(socket(AF_INET, SOCK_STREAM, 0)), a, n = 0;
	char buf[64];

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	OK(bind(l, (void *)&to, sizeof(to)));
	OK(listen(l, 1));
	OK(getsockname(l, (void *)&to, &len));
	OK(connect(c, (void *)&to, sizeof(to)));
	a = OK(accept(l, NULL, NULL));
	junk.sin_addr.s_addr = (uint32_t)((uintptr_t)&words >> 16);
	memcpy(junk.sin_zero, &words[9], sizeof(junk.sin_zero));
	for (int i = 0; i < 10; i++) {
		say("tcp", sendto(c, "hello", 5, 0, (void *)&junk, sizeof(junk)));
		junk.sin_family = i & 1 ? AF_INET : 0x1234;
	}
	OK(shutdown(c, SHUT_WR));
	while ((len = (socklen_t)OK(read(a, buf, sizeof(buf)))))
		n += (int)len;
	say("read", n);
}

static void queues(void)
{
	struct mq_attr attr = { .mq_maxmsg = 2, .mq_msgsize = 64 };
	mqd_t q = mq_open("/p54_unread", O_RDWR | O_CREAT, 0600, &attr);
	int m = OK(msgget(IPC_PRIVATE, 0600));

	if (q != (mqd_t)-1) {
		OK(mq_unlink("/p54_unread"));
		if (mq_send(q, (char *)words, 65, 0) == 0 || errno != EMSGSIZE)
			puts("a queue took more than it takes");
		if (mq_send(q, (char *)words, 20000, 0) == 0 ||
		    errno != EMSGSIZE)
			puts("a queue took much more than it takes");
	}
	words[0] = 1;
	say("msgsnd", msgsnd(m, words, 20000, 0));
	OK(msgctl(m, IPC_RMID, NULL));
}

/* Refused before the buffer is looked at, or because some of it is not there. */
static void refused(void)
{
	struct iovec v[2] = {
		{ words + 8, SSIZE_MAX }, { words + 8, 8 },
	};
	uintptr_t *end = OK(mmap(NULL, 8192, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	int p[2], u = OK(socket(AF_INET, SOCK_DGRAM, 0));
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(9),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	OK(munmap((char *)end + 4096, 4096));
	for (unsigned int i = 0; i < 4096 / sizeof(*end); i++)
		end[i] = (uintptr_t)&end[i];
	OK(pipe(p));
	say("writev", writev(p[1], v, 2));
	if (syscall(SYS_add_key, "user", "p54", end, 8192, -2) != -1)
		puts("a key of more than there is");
	say("sethostname", sethostname((char *)(end + 511), 64));
	say("setxattr", setxattr("/dev/null", "user.a", end + 500, 200, 0));
	say("dumpable", prctl(PR_SET_DUMPABLE, end));
	say("capability", prctl(PR_CAPBSET_READ, end));
	say("udp", sendto(u, words, 70000, 0, (void *)&to, sizeof(to)));
}

static void __attribute__((noinline)) dirty(void)
{
	volatile uintptr_t junk[64];

	for (int i = 0; i < 64; i++)
		junk[i] = (uintptr_t)&junk[i] * 0x10001;
}

static void __attribute__((noinline)) family(int s)
{
	struct {
		struct nlmsghdr n;
		struct genlmsghdr g;
		struct nlattr a;
		char name[8];
	} m;
	char reply[4096];
	struct nlmsghdr *r = (void *)reply;

	m.n.nlmsg_len = sizeof(m);
	m.n.nlmsg_type = GENL_ID_CTRL;
	m.n.nlmsg_flags = NLM_F_REQUEST;
	m.n.nlmsg_seq = 7;
	m.n.nlmsg_pid = 0;
	m.g.cmd = CTRL_CMD_GETFAMILY;
	m.g.version = 1;	/* and nothing in `reserved` */
	m.a.nla_type = CTRL_ATTR_FAMILY_NAME;
	m.a.nla_len = sizeof(m.a) + 7;
	memcpy(m.name, "nlctrl\0", 8);
	say("generic netlink", send(s, &m, sizeof(m), 0));
	if (recv(s, reply, sizeof(reply), 0) > 0)
		printf("type %d, sequence %u\n", r->nlmsg_type, r->nlmsg_seq);
}

int main(void)
{
	int s = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 8; i < sizeof(words) / sizeof(words[0]); i++)
		words[i] = (uintptr_t)&words[i];
	sockets();
	tcp();
	queues();
	refused();
	dirty();
	if (s >= 0)
		family(s);
	return 0;
}
