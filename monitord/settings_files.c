// SPDX-License-Identifier: Apache-2.0
/*
 * Are the things that settings name as they should be on this machine?
 *
 * Asked before anything is started: ld.so would print its complaint about a
 * library it cannot load into the program's own output, and a report that cannot
 * be written is missed when it is needed.
 */
#include <elf.h>
#undef AT_ENTRY			/* auxv names that are also ours */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launch.h"
#include "rootdir.h"
#include "settings.h"

struct check {
	settings_wrong *wrong;
	void *ctx;
	int n;
};

static void report(struct check *c, int variant, const char *key,
		   const struct fault *f)
{
	c->wrong(c->ctx, variant, key, f);
	c->n++;
}

/* ---- libraries ---- */

static int library(const char *path, struct fault *f)
{
	Elf64_Ehdr eh;
	ssize_t n;
	int fd = root_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK |
			   O_NOCTTY);

	if (fd < 0) {
		fault_set(f, "%s: %s; is the path right, and the library installed?",
			  path, strerror(errno));
		return -1;
	}
	n = read(fd, &eh, sizeof(eh));
	close(fd);
	if (n == sizeof(eh) && !memcmp(eh.e_ident, ELFMAG, SELFMAG) &&
	    eh.e_ident[EI_CLASS] == ELFCLASS64 && eh.e_type == ET_DYN &&
	    eh.e_machine == EM_X86_64)
		return 0;
	fault_set(f, "%s is no shared library for 64-bit x86", path);
	return -1;
}

static void check_preload(struct check *c, const struct options *opt,
			  unsigned int v)
{
	char *list = strdup(opt->preload[v]), *save = NULL;
	struct fault f;

	if (!list)
		die("out of memory");
	for (char *p = strtok_r(list, ":", &save); p;
	     p = strtok_r(NULL, ":", &save))
		if (library(p, &f))
			report(c, (int)v, "Preload", &f);
	free(list);
}

/* ---- programs ---- */

static void check_path(struct check *c, int v, const char *key,
		       const char *name)
{
	struct fault f;
	char *file = NULL;
	int r = launch_find(name, &file);

	if (r < 0)
		fault_set(&f, "%s: %s; is the path right, and may it be executed?",
			  name, strerror(-r));
	else if (exec_file_foreign(file))
		fault_set(&f, "%s is not a program for 64-bit x86", file);
	if (r < 0 || exec_file_foreign(file))
		report(c, v, key, &f);
	free(file);
}

/* ---- processors ---- */

static void check_cpus(struct check *c, int variant, const char *key,
		       const char *list)
{
	unsigned long want[CPU_LIST_WORDS], have[CPU_LIST_WORDS] = { 0 };
	struct fault f;

	if (!list || !cpu_list_parse(list, want, CPU_LIST_WORDS) ||
	    sched_getaffinity(0, sizeof(have),
			      (cpu_set_t *)(void *)have) < 0)
		return;
	for (size_t i = 0; i < CPU_LIST_WORDS; i++)
		if (want[i] & have[i])
			return;
	fault_set(&f, "%s: none of these processors can be used; 'taskset -pc $$' shows those that can",
		  list);
	report(c, variant, key, &f);
}

/* ---- what is written ---- */

const char *output_remedy(int error)
{
	switch (error) {
	case ENOENT:
		return "make its directory first";
	case ENOTDIR:
	case EISDIR:
		return "name a file in a directory";
	case ENOSPC:
	case EDQUOT:
		return "make room, or name a place that has some";
	case EROFS:
		return "name a place that can be written; in a service, ReadWritePaths= lets it be";
	default:
		return "name a file in a place that this user may write to";
	}
}

static void cannot_write(struct check *c, const char *key, const char *path,
			 int error)
{
	struct fault f;

	fault_set(&f, "%s: %s; %s", path, strerror(error),
		  output_remedy(error));
	report(c, -1, key, &f);
}

/* `replaced`: by a new file, for which its directory must be writable. */
static void check_file(struct check *c, const char *key, const char *path,
		       bool replaced)
{
	struct stat st;
	char *copy;

	if (!path)
		return;
	if (!stat(path, &st) && S_ISDIR(st.st_mode)) {
		cannot_write(c, key, path, EISDIR);
		return;
	}
	if (!lstat(path, &st)) {
		/* a pipe, or a link to somewhere else: run says more */
		if (!S_ISREG(st.st_mode))
			return;
		if (!replaced) {
			if (access(path, W_OK))
				cannot_write(c, key, path, errno);
			return;
		}
	}
	copy = strdup(path);
	if (!copy)
		die("out of memory");
	if (access(dirname(copy), W_OK | X_OK))
		cannot_write(c, key, path, errno);
	free(copy);
}

static void check_dir(struct check *c, const char *path)
{
	struct stat st;

	if (!path)
		return;
	if (stat(path, &st) < 0 && errno == ENOENT) {
		/* run makes it */
		check_file(c, "ReportDirectory", path, true);
		return;
	}
	errno = 0;
	if (!stat(path, &st) && !S_ISDIR(st.st_mode))
		errno = ENOTDIR;
	if (!errno && !access(path, W_OK | X_OK))
		return;
	cannot_write(c, "ReportDirectory", path, errno);
}

int settings_check_files(const struct options *opt, bool paths,
			 settings_wrong *wrong, void *ctx)
{
	struct check c = { wrong, ctx, 0 };

	for (unsigned int v = 0; v < opt->n; v++) {
		if (opt->preload[v])
			check_preload(&c, opt, v);
		if (paths && opt->variant_path[v])
			check_path(&c, (int)v, "Path", opt->variant_path[v]);
		/* what another machine has, and lets be written, is not known */
		if (!*root_dir)
			check_cpus(&c, (int)v, "CPU", opt->cpu[v]);
	}
	if (!*root_dir)
		check_dir(&c, opt->report_dir);
	if (!paths)
		return c.n;
	/* run itself says what is wrong with these */
	if (opt->program)
		check_path(&c, -1, "Program", opt->program[0]);
	check_cpus(&c, -1, "CPUs", opt->cpus);
	check_file(&c, "Report", opt->report_file, true);
	check_file(&c, "Stats", opt->stats_file, true);
	check_file(&c, "Trace", opt->trace_file, false);
	return c.n;
}
