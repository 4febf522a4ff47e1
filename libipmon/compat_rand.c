// SPDX-License-Identifier: Apache-2.0
/*
 * OpenSSL's random numbers.
 *
 * OpenSSL 3 mixes the address of its generator, the thread's id (an address)
 * and the time into every seed (providers/implementations/rands, "nonce"), so
 * under disjoint layouts every variant would draw other keys from the same
 * entropy.  A program that is linked with libcrypto is given a random method
 * that takes every byte from getrandom(2), whose bytes the monitor replicates:
 * RAND_set_rand_method(3), the library's own interface for it.
 *
 * A libcrypto is met in its constructor, before it has drawn anything, be it the program's
 * or brought in later, by dlopen of a module that is linked with it: on x86 every one since
 * 0.9.8 asks there for OPENSSL_ia32cap, with getenv(3), and who asks is given the
 * method.  (dlopen itself cannot be replaced: where it looks depends on
 * who calls it.)  The one the program is linked with needs no search: the weak reference
 * leads to it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "compat_str.h"

/* struct rand_meth_st of <openssl/rand.h>, unchanged since OpenSSL 0.9 */
struct rand_method {
	int (*seed)(const void *buf, int num);
	int (*bytes)(unsigned char *buf, int num);
	void (*cleanup)(void);
	int (*add)(const void *buf, int num, double entropy);
	int (*pseudorand)(unsigned char *buf, int num);
	int (*status)(void);
};

static int fill(unsigned char *buf, int num)
{
	int saved = errno;

	while (num > 0) {
		long n = syscall(SYS_getrandom, buf, (size_t)num, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return 0;
		buf += n;
		num -= (int)n;
	}
	errno = saved;
	return 1;
}

static int seeded(const void *buf, int num)
{
	return 1;
}

static int added(const void *buf, int num, double entropy)
{
	return 1;
}

static int ready(void)
{
	return 1;
}

static const struct rand_method method = {
	.seed = seeded, .bytes = fill, .add = added, .pseudorand = fill,
	.status = ready,
};

extern int RAND_set_rand_method(const struct rand_method *m)
	__attribute__((weak));

static void replace_in(void *object)
{
	int (*set)(const struct rand_method *);

	*(void **)&set = dlsym(object, "RAND_set_rand_method");
	if (set)
		set(&method);
}

/* The object that contains ADDRESS, if it is one that may be asked. */
static void replace_of(const void *address)
{
	Dl_info info;
	void *object;

	if (!dladdr(address, &info) || !info.dli_fname)
		return;
	object = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
	if (!object)
		return;
	replace_in(object);
	dlclose(object);
}

static void replace_random(const void *caller)
{
	static bool once;

	if (RAND_set_rand_method && !once)
		RAND_set_rand_method(&method);
	once = true;
	replace_of(caller);
}

extern char **environ;

/*
 * Otherwise getenv(3). The string that libcrypto asks for is looked at first,
 * by one character: others ask often.
 */
__attribute__((visibility("default"))) char *getenv(const char *name)
{
	size_t len = string_length(name);

	if (name[0] == 'O' && string_begins(name, "OPENSSL_ia32cap", (size_t)-1))
		replace_random(__builtin_return_address(0));
	if (!environ || !len)
		return NULL;
	for (char **e = environ; *e; e++)
		if ((*e)[0] == name[0] && string_begins(*e, name, len) &&
		    (*e)[len] == '=')
			return *e + len + 1;
	return NULL;
}
