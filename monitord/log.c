// SPDX-License-Identifier: Apache-2.0
/*
 * Messages: one line each, on monitord's own stderr.
 *
 * Nothing is ever printed on the program's stdout, and nothing on stderr
 * unless something is wrong or -v asks for it.  A line is composed first and
 * written with one call, so lines of monitord and of the program do not mix.
 * Callers sanitize what comes from a variant (text.h).
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <errno.h>

#include "monitor.h"
#include "divergence.h"
#include "front.h"

static void put_line(const char *fmt, va_list ap)
{
	static const char prefix[] = "monitord: ";
	char buf[2048];
	size_t n = sizeof(prefix) - 1;
	int saved = errno;
	int k;

	memcpy(buf, prefix, n);
	k = vsnprintf(buf + n, sizeof(buf) - n - 1, fmt, ap);
	if (k < 0)
		k = 0;
	n += (size_t)k < sizeof(buf) - n - 1 ? (size_t)k : sizeof(buf) - n - 2;
	buf[n++] = '\n';
	for (size_t done = 0; done < n;) {
		ssize_t r = write(STDERR_FILENO, buf + done, n - done);

		if (r > 0)
			done += (size_t)r;
		else if (errno != EINTR)
			break;
	}
	errno = saved;
}

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_line(fmt, ap);
	va_end(ap);
}

void verbose(const char *fmt, ...)
{
	va_list ap;

	if (!mon.opt.verbose)
		return;
	va_start(ap, fmt);
	put_line(fmt, ap);
	va_end(ap);
}

const char *remedy(int error)
{
	switch (error) {
	case 0:
		return "this is a fault of monitord's, please report it";
	case ENOMEM:
		return "allow it more memory (ulimit -v, MemoryMax=), or use fewer variants (-n)";
	case EAGAIN:
		return "allow more processes (ulimit -u, TasksMax=)";
	case EMFILE:
	case ENFILE:
		return "allow more open files (ulimit -n, LimitNOFILE=)";
	default:
		return "'monitord doctor' says what this machine does not allow";
	}
}

void die(const char *fmt, ...)
{
	static bool dying;
	int error = errno;
	va_list ap;

	va_start(ap, fmt);
	put_line(fmt, ap);
	va_end(ap);
	/* what says no reason is nobody's but ours */
	if (strstr(fmt, "out of memory"))
		error = ENOMEM;
	else if (!strstr(fmt, "%s"))
		error = 0;
	say("it cannot go on; %s", remedy(error));
	if (!dying) {
		dying = true;
		if (mon.n_tasks)
			kill_all(EXIT_MONITOR);
		front_exited(EXIT_MONITOR);
	}
	/* PTRACE_O_EXITKILL takes what kill_all() missed */
	_exit(EXIT_MONITOR);
}

/*
 * Refusals are said once per call and detail: a program that tries again and
 * again must not flood the terminal.
 */
#define SAID_MAX 256

static bool said_before(uint64_t nr, const char *detail)
{
	static uint64_t said[SAID_MAX];
	static unsigned int n;
	uint64_t h = 14695981039346656037ull ^ nr;

	for (const char *p = detail ? detail : ""; *p; p++)
		h = (h ^ (unsigned char)*p) * 1099511628211ull;
	for (unsigned int i = 0; i < n; i++)
		if (said[i] == h)
			return true;
	if (n == SAID_MAX)
		return true;
	said[n++] = h;
	return false;
}

void refuse(struct taskset *s, const char *detail)
{
	uint64_t nr = s->t[LEADER].call.nr;
	const struct ipmon_row *row = ipmon_row(nr);
	char name[32];

	if ((row->flags & RF_QUIET) && !mon.opt.verbose)
		return;
	if (said_before(nr, detail))
		return;
	if (!detail)
		detail = row->reason[0] ? row->reason : "unknown system call";
	say("refused %s in process %d: %s", ipmon_name(nr, name),
	    (int)s->proc->vpid, detail);
}
