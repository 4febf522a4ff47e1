// SPDX-License-Identifier: Apache-2.0
/*
 * Memory of one task.
 *
 * Theory of operation
 * -------------------
 * process_vm_readv(2) and process_vm_writev(2) copy what may be read, and written, by
 * the flags of the mapping; what else there is goes another way: memory that may only be
 * written, through /proc/PID/mem; text, and a stack that is to grow, through ptrace(2).
 *
 * Nothing that is read here can be believed: a variant, or its sibling, may have changed
 * it for us, or change it after us (glance.c keeps what has been looked at).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <unistd.h>

#include "launch.h"
#include "tracee.h"

struct write_only {
	uint64_t at, n;			/* n: 0, nothing of the kind is there */
};

static int find_write_only(void *ctx, const struct map_entry *e)
{
	struct write_only *w = ctx;

	if (w->at >= e->end)
		return 0;
	if (w->at >= e->start && e->perms[0] != 'r' && e->perms[1] == 'w')
		w->n = e->end - w->at;
	return 1;
}

/*
 * Memory with PROT_WRITE alone can be read by the processor, hence by the kernel for
 * a call, but not by process_vm_readv(), which goes by the mapping's flags.
 */
static ssize_t read_write_only(struct task *t, void *dst, uint64_t src, size_t n)
{
	struct write_only w = { src, 0 };
	char path[32];
	ssize_t got;
	int fd;

	maps_each(t->tid, find_write_only, &w);
	if (!w.n)
		return -EFAULT;
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)t->tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -EFAULT;
	got = pread(fd, dst, n < w.n ? n : w.n, (off_t)src);
	close(fd);
	return got > 0 ? got : -EFAULT;
}

ssize_t mem_read_some(struct task *t, void *dst, uint64_t src, size_t n)
{
	struct iovec l = { dst, n };
	struct iovec r = { (void *)(uintptr_t)src, n };
	ssize_t got;

	if (!n)
		return 0;
	got = process_vm_readv(t->tid, &l, 1, &r, 1, 0);
	if (got < 0 && errno == EFAULT)
		return read_write_only(t, dst, src, n);
	return got < 0 ? -errno : got;
}

int mem_read(struct task *t, void *dst, uint64_t src, size_t n)
{
	char *d = dst;

	while (n) {
		ssize_t got = mem_read_some(t, d, src, n);

		if (got <= 0)
			return got == -ESRCH ? -ESRCH : -EFAULT;
		d += got;
		src += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

int mem_write(struct task *t, uint64_t dst, const void *src, size_t n)
{
	const char *s = src;

	while (n) {
		struct iovec l = { (void *)(uintptr_t)s, n };
		struct iovec r = { (void *)(uintptr_t)dst, n };
		ssize_t put = process_vm_writev(t->tid, &l, 1, &r, 1, 0);

		if (put <= 0)
			return put < 0 && errno == ESRCH ? -ESRCH : -EFAULT;
		s += put;
		dst += (uint64_t)put;
		n -= (size_t)put;
	}
	return 0;
}

int mem_poke(struct task *t, uint64_t dst, const void *src, size_t n)
{
	const unsigned char *s = src;

	while (n) {
		uint64_t word_at = dst & ~7ull;
		size_t off = dst - word_at;
		size_t k = 8 - off < n ? 8 - off : n;
		long word;

		errno = 0;
		word = ptrace(PTRACE_PEEKDATA, t->tid, word_at, 0);
		if (word == -1 && errno)
			return errno == ESRCH ? -ESRCH : -EFAULT;
		memcpy((char *)&word + off, s, k);
		if (ptrace(PTRACE_POKEDATA, t->tid, word_at, word) < 0)
			return errno == ESRCH ? -ESRCH : -EFAULT;
		s += k;
		dst += k;
		n -= k;
	}
	return 0;
}

long mem_strnlen(struct task *t, uint64_t src, size_t max)
{
	char buf[4096];
	size_t done = 0;

	while (done < max) {
		size_t k = 4096 - (src + done) % 4096;
		ssize_t got;
		char *nul;

		/* short strings are the rule: a small first bite */
		if (!done && k > 256)
			k = 256;
		if (k > max - done)
			k = max - done;
		got = mem_read_some(t, buf, src + done, k);
		if (got <= 0)
			return -EFAULT;
		nul = memchr(buf, 0, (size_t)got);
		if (nul)
			return (long)(done + (size_t)(nul - buf));
		done += (size_t)got;
	}
	return -ENAMETOOLONG;
}

int mem_copy(struct task *dst, uint64_t da, struct task *src, uint64_t sa,
	     size_t n)
{
	static char buf[1 << 17];

	while (n) {
		size_t k = n < sizeof(buf) ? n : sizeof(buf);
		int r = mem_read(src, buf, sa, k);

		if (!r)
			r = mem_write(dst, da, buf, k);
		if (r)
			return r;
		da += k;
		sa += k;
		n -= k;
	}
	return 0;
}
