// SPDX-License-Identifier: Apache-2.0
/*
 * `monitord run`: from the command line to the event loop.
 *
 * What can be refused is refused before anything is forked: options, the
 * files to write, a program that does not exist.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "front.h"
#include "jsonfile.h"
#include "launch.h"
#include "needed.h"
#include "options.h"
#include "see.h"
#include "reportdir.h"
#include "settings.h"

#ifndef IPMON_LIBDIR
#define IPMON_LIBDIR "/usr/local/lib/ipmon"
#define IPMON_RELDIR "../lib/ipmon"
#endif

char preload_list[4096 + 32];
char preload_needed[PRELOAD_MAX];

/* Is there a libipmon.so in this directory? */
static bool library_in(const char *dir)
{
	char path[PATH_MAX + 32];
	char real[PATH_MAX];
	size_t n;

	snprintf(path, sizeof(path), "%s/libipmon.so", dir);
	/* ld.so splits LD_PRELOAD at colons and blanks */
	if (!realpath(path, real) || access(real, R_OK) ||
	    strpbrk(real, ": ") || strlen(real) >= sizeof(mon.libipmon))
		return false;
	strcpy(mon.libipmon, real);
	n = strlen(real) - strlen(".so");
	snprintf(path, sizeof(path), "%.*s-compat.so", (int)n, real);
	if (!access(path, R_OK))
		strcpy(preload_list, path);
	return true;
}

void find_libipmon(void)
{
	char self[sizeof(mon.libipmon) - 64];
	char dir[sizeof(self) + sizeof(IPMON_RELDIR) + 16];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	mon.libipmon[0] = preload_list[0] = 0;
	/*
	 * The build tree first: an installed library may be another version.
	 * Then the tree this monitord was installed in, wherever that is now.
	 */
	if (n > 0) {
		const char *bin;

		self[n] = 0;
		bin = dirname(self);
		snprintf(dir, sizeof(dir), "%s/../libipmon", bin);
		if (library_in(dir))
			return;
		snprintf(dir, sizeof(dir), "%s/" IPMON_RELDIR, bin);
		if (library_in(dir))
			return;
	}
	library_in(IPMON_LIBDIR);
}

static void find_needed(void)
{
	for (unsigned int v = 0; v < mon.opt.n && mon.opt.diverse; v++)
		if (mon.opt.preload[v])
			needed_by(mon.opt.preload[v], preload_needed,
				  sizeof(preload_needed));
}

/* --cpus: everything we start inherits it. */
static int use_cpus(const char *list)
{
	unsigned long mask[CPU_LIST_WORDS];

	cpu_list_parse(list, mask, CPU_LIST_WORDS);
	if (sched_setaffinity(0, sizeof(mask),
			      (const cpu_set_t *)(const void *)mask) < 0) {
		say("--cpus %s: %s", list, errno == EINVAL ?
		    "none of these processors can be used; 'taskset -pc $$' shows those that can" :
		    strerror(errno));
		return EXIT_MONITOR;
	}
	return 0;
}

static int no_output(const char *option, const char *path, int error)
{
	say("%s %s: %s; %s", option, path, error == EPERM ?
	    "it is a link or file of somebody else's" : strerror(error),
	    output_remedy(error));
	return EXIT_MONITOR;
}

/* The tracer: everything happens under here. */
static void tracer(void)
{
	int status;

	if (launch() < 0) {
		front_exited(EXIT_MONITOR);
		return;
	}
	status = monitor_loop();
	front_exited(status);
}

int cmd_run(int argc, char **argv)
{
	int r = options_parse(argc, argv, &mon.opt);

	if (r)
		return r < 0 ? 0 : r;
	if (mon.opt.cpus && use_cpus(mon.opt.cpus))
		return EXIT_MONITOR;
	mon.n = mon.opt.n;
	mon.live = (1u << mon.n) - 1;
	r = launch_resolve();
	if (r)
		return r;
	find_libipmon();
	find_needed();
	/* what cannot be written is missed when it is too late to get it again */
	if (mon.opt.trace_file) {
		int fd = output_open(mon.opt.trace_file, O_CREAT | O_TRUNC);

		mon.trace = fd < 0 ? NULL : fdopen(fd, "w");
		if (!mon.trace)
			return no_output("--trace", mon.opt.trace_file,
					 fd < 0 ? -fd : errno);
	}
	if (mon.opt.report_dir && report_dir_prepare(mon.opt.report_dir) < 0)
		return EXIT_MONITOR;
	if (mon.opt.report_file) {
		r = jsonfile_reserve(mon.opt.report_file);
		if (r < 0)
			return no_output("--report", mon.opt.report_file, -r);
	}
	if (mon.opt.stats_file) {
		r = jsonfile_reserve(mon.opt.stats_file);
		if (r < 0)
			return no_output("--stats", mon.opt.stats_file, -r);
	}
	r = see_prepare();
	return r ? r : front_start(tracer);
}
