/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls made so often that an implementation may answer them without its monitor.
 */
#ifndef VICTIM_CALLS_H
#define VICTIM_CALLS_H

#define TIMES 12

static void say(const char *name, long first, int e)
{
	if (first == -1)
		printf("%s: %s\n", name, strerrorname_np(e));
	else
		printf("%s = %ld\n", name, first);
}

/* All the same, every time. */
static void repeat(const char *name, long nr, const long a[6])
{
	long r = 0;
	int e = 0;

	for (int i = 0; i < TIMES; i++) {
		long k;

		errno = 0;
		k = syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
		CHECK(!i || (k == r && errno == e));
		r = k;
		e = errno;
	}
	say(name, r, e);
}

#define ARGS(name, ...) repeat(#name, SYS_##name, (const long[6]){ __VA_ARGS__ })
#define C(name) ARGS(name, -1, -1, -1, -1, -1, -1);
/* A descriptor is made and closed. */
#define FD(name, ...) \
	for (int i = 0; i < TIMES; i++) { \
		long fd = syscall(SYS_##name, ##__VA_ARGS__); \
		if (fd >= 0) \
			OK(syscall(SYS_close, fd)); \
		if (i + 1 == TIMES) \
			say(#name, fd < 0 ? -1 : 0, errno); \
	}
/* The value is of no interest. */
#define ANY(name, ...) \
	for (int i = 0; i < TIMES; i++) { \
		long any = syscall(SYS_##name, ##__VA_ARGS__); \
		if (i + 1 == TIMES) \
			say(#name, any == -1 ? -1 : 0, errno); \
	}

#endif
