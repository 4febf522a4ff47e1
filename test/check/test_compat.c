// SPDX-License-Identifier: Apache-2.0
/*
 * The temporary-name family of libipmon-compat against mkstemp(3) and
 * relatives.  Linked with the library in front of libc; the first test makes
 * sure that it is the library which answers.
 */
#include <criterion/criterion.h>
#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/compat.XXXXXX";

static void setup(void)
{
	strcpy(dir, "/tmp/compat.XXXXXX");
	umask(022);
	cr_assert_not_null(mkdtemp(dir));
}

static void teardown(void)
{
	cr_expect_eq(rmdir(dir), 0, "a test left something behind");
}

TestSuite(compat, .init = setup, .fini = teardown);

static const char *in_dir(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static bool drawn(const char *x)
{
	for (int i = 0; i < 6; i++)
		if (!isalnum((unsigned char)x[i]))
			return false;
	return strncmp(x, "XXXXXX", 6) != 0;
}

static unsigned int mode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_mode;
}

Test(compat, the_library_answers)
{
	static const char *const names[] = {
		"mkstemp", "mkstemp64", "mkostemp", "mkostemp64", "mkstemps",
		"mkstemps64", "mkostemps", "mkostemps64", "mkdtemp", "mktemp",
		"tmpnam", "tmpnam_r", "tempnam", "tmpfile", "tmpfile64",
		"__os_unique_id",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		Dl_info info;
		void *f = dlsym(RTLD_DEFAULT, names[i]);

		cr_assert(f && dladdr(f, &info));
		cr_expect(strstr(info.dli_fname, "libipmon-compat"), "%s: %s",
			  names[i], info.dli_fname);
	}
}

Test(compat, mkstemp_makes_a_private_file)
{
	char t[PATH_MAX];
	int fd;

	strcpy(t, in_dir("aXXXXXX"));
	errno = 4711;
	fd = mkstemp(t);
	cr_assert_geq(fd, 0);
	cr_expect_eq(errno, 4711, "errno is not touched on success");
	cr_expect(drawn(t + strlen(t) - 6));
	cr_expect_eq(mode_of(t), S_IFREG | 0600);
	cr_expect_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	cr_expect_eq(fcntl(fd, F_GETFD), 0);
	close(fd);
	unlink(t);
}

Test(compat, flags_and_suffixes)
{
	char t[PATH_MAX];
	int fd;

	strcpy(t, in_dir("aXXXXXX.c"));
	fd = mkostemps(t, 2, O_CLOEXEC | O_APPEND | O_WRONLY);
	cr_assert_geq(fd, 0);
	cr_expect_str_eq(t + strlen(t) - 2, ".c");
	cr_expect(drawn(t + strlen(t) - 8));
	cr_expect_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	cr_expect(fcntl(fd, F_GETFL) & O_APPEND);
	cr_expect_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR,
		     "the access mode is not the caller's to choose");
	close(fd);
	unlink(t);
}

Test(compat, bad_templates)
{
	static const char *const bad[] = { "", "XXXXX", "aXXXXXXb", "XXXXXx" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char t[PATH_MAX];

		strcpy(t, in_dir(bad[i]));
		errno = 0;
		cr_expect_eq(mkstemp(t), -1);
		cr_expect_eq(errno, EINVAL);
		cr_expect_str_eq(t, in_dir(bad[i]), "left as it was");
		errno = 0;
		cr_expect_null(mkdtemp(t));
		cr_expect_eq(errno, EINVAL);
		cr_expect_str_eq(mktemp(t), "");
	}
	{
		char t[] = "XXXXXX", u[] = "XXXXXXab";

		errno = 0;
		cr_expect_eq(mkstemps(t, 1), -1);
		cr_expect_eq(errno, EINVAL);
		errno = 0;
		cr_expect_eq(mkstemps(t, -1), -1);
		cr_expect_eq(errno, EINVAL);
		errno = 0;
		cr_expect_eq(mkstemps(u, INT_MAX), -1);
		cr_expect_eq(errno, EINVAL);
	}
}

Test(compat, other_errors_are_reported_at_once)
{
	char t[PATH_MAX];

	strcpy(t, in_dir("missing/XXXXXX"));
	errno = 0;
	cr_expect_eq(mkstemp(t), -1);
	cr_expect_eq(errno, ENOENT);
	strcpy(t, in_dir("missing/XXXXXX"));
	errno = 0;
	cr_expect_null(mkdtemp(t));
	cr_expect_eq(errno, ENOENT);
}

Test(compat, mkdtemp_makes_a_private_directory)
{
	char t[PATH_MAX];

	strcpy(t, in_dir("dXXXXXX"));
	cr_assert_eq(mkdtemp(t), t);
	cr_expect_eq(mode_of(t), S_IFDIR | 0700);
	rmdir(t);
}

Test(compat, names_that_do_not_exist)
{
	char t[PATH_MAX], buf[L_tmpnam], *p;

	strcpy(t, in_dir("fXXXXXX"));
	cr_expect_eq(mktemp(t), t);
	cr_expect_eq(access(t, F_OK), -1);
	cr_expect_eq(tmpnam_r(buf), buf);
	cr_expect_eq(strncmp(buf, P_tmpdir "/", strlen(P_tmpdir) + 1), 0);
	cr_expect_null(tmpnam_r(NULL));
	p = tmpnam(NULL);
	cr_expect_not_null(p);
	cr_expect_eq(tmpnam(NULL), p, "one static buffer");
	cr_expect_eq(tmpnam(buf), buf);

	unsetenv("TMPDIR");
	p = tempnam(dir, "prefix");
	cr_assert_not_null(p);
	cr_expect_eq(strncmp(p, in_dir("prefi"), strlen(dir) + 6), 0);
	cr_expect_eq(strlen(p), strlen(dir) + 1 + 5 + 6);
	free(p);
	setenv("TMPDIR", dir, 1);
	p = tempnam("/", NULL);
	cr_assert_not_null(p);
	cr_expect_eq(strncmp(p, dir, strlen(dir)), 0, "TMPDIR comes first");
	free(p);
}

Test(compat, tmpfile_has_no_name)
{
	FILE *f = tmpfile();
	struct stat st;
	char buf[8] = "";

	cr_assert_not_null(f);
	cr_assert_eq(fstat(fileno(f), &st), 0);
	cr_expect_eq(st.st_nlink, 0);
	cr_expect_eq(st.st_mode & 07777, 0600);
	cr_expect_gt(fprintf(f, "hello"), 0);
	rewind(f);
	cr_expect_str_eq(fgets(buf, sizeof(buf), f), "hello");
	fclose(f);
}

Test(compat, names_differ)
{
	char a[PATH_MAX], b[PATH_MAX];
	int differing = 0;

	for (int i = 0; i < 100; i++) {
		strcpy(a, in_dir("XXXXXX"));
		strcpy(b, in_dir("XXXXXX"));
		mktemp(a);
		mktemp(b);
		differing += strcmp(a, b) != 0;
	}
	cr_expect_eq(differing, 100);
}
