// SPDX-License-Identifier: Apache-2.0
/*
 * `monitord service`: put a service of systemd's under the monitor.
 *
 * Theory of operation
 * -------------------
 * The unit stays as its package has installed it.  A drop-in,
 * NAME.service.d/50-ipmon.conf, empties ExecStart= and gives the same command
 * lines again behind "monitord run"; everything else of the unit holds as
 * before: ExecStartPre=, ExecReload= and ExecStop= act on the service from
 * outside and run directly.
 *
 * Restrictions that would keep the monitor from working are loosened by as
 * little as it needs (service_needs.c), each with a comment in the drop-in and
 * a line on the terminal that says so.
 *
 * What makes Type=notify, watchdogs, socket activation and stopping work lies
 * in manager.c: the process systemd knows is the front process.
 *
 * Our own drop-in is not read as part of the unit, so that doing it again gives
 * the same text.
 *
 * Settings are those of /etc/ipmon/NAME.conf if the service has the name of a
 * configuration.  With --root all of it, units, configuration and drop-in, is of
 * the system in that directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config.h"
#include "front.h"
#include "launch.h"
#include "nearest.h"
#include "options.h"
#include "rootdir.h"
#include "service.h"

#define DROPIN	"50-ipmon.conf"
#define MARK	"# Written by 'monitord service"
#define UNITS	"/etc/systemd/system"
#define SUFFIX	".service"

/* What is asked for on the command line. */
static struct {
	char unit[256];			/* "nginx.service" */
	const char *config, *n, *policy;
	bool no_config, dry_run, revert;
} want;

/* Of the drop-in, as systemctl names it; with --root it is below that. */
static char own[PATH_MAX];
static char dir[PATH_MAX], path[PATH_MAX];
static unsigned int variants;

/* Where the drop-in goes. */
static void place(void)
{
	snprintf(own, sizeof(own), UNITS "/%.255s.d/" DROPIN, want.unit);
	snprintf(dir, sizeof(dir), "%.3000s" UNITS "/%.255s.d", root_dir,
		 want.unit);
	snprintf(path, sizeof(path), "%.3000s%.1000s", root_dir, own);
}

/* sd_booted(3): is there a systemd to be asked, and to read what is written? */
static bool booted(void)
{
	return !access("/run/systemd/system", F_OK);
}

/* ---- reading the unit ---- */

/* Standard output of a program, malloc'd; *status as of waitpid. */
static char *output_of(char *const argv[], bool quiet, int *status)
{
	char *text = NULL;
	size_t n = 0, room = 0;
	int p[2];
	pid_t pid;

	*status = -1;
	if (pipe2(p, O_CLOEXEC) < 0)
		return NULL;
	fflush(NULL);
	pid = fork();
	if (!pid) {
		if (quiet) {
			int null = null_open(O_CLOEXEC);

			if (null >= 0)
				dup2(null, 2);
		}
		dup2(p[1], 1);
		setenv("SYSTEMD_COLORS", "0", 1);
		setenv("SYSTEMD_PAGER", "", 1);
		execvp(argv[0], argv);
		_exit(errno == ENOENT ? EXIT_NOTFOUND : EXIT_NOEXEC);
	}
	close(p[1]);
	while (pid > 0) {
		ssize_t r;

		if (n + 1 >= room) {
			char *more = realloc(text, room = 2 * room + 16384);

			if (!more)
				break;
			text = more;
		}
		r = read(p[0], text + n, room - n - 1);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			break;
		n += (size_t)r;
	}
	close(p[0]);
	if (pid > 0)
		waitpid(pid, status, 0);
	if (text)
		text[n] = 0;
	return text;
}

/* Of the services there are, the one with nearly that name. */
static char near[sizeof(want.unit)];
static unsigned int near_by;

static void near_name(void *ctx, const char *name)
{
	struct nearest try = { NULL, 0 };
	char given[sizeof(near)], there[sizeof(near)];
	size_t n = strlen(name), suffix = strlen(SUFFIX);

	(void)ctx;
	if (n <= suffix || n >= sizeof(near) || strcmp(name + n - suffix, SUFFIX))
		return;
	/* what both have says nothing about how near they are */
	snprintf(given, sizeof(given), "%.*s",
		 (int)(strlen(want.unit) - suffix), want.unit);
	snprintf(there, sizeof(there), "%.*s", (int)(n - suffix), name);
	nearest_try(&try, given, there);
	if (!try.word || (*near && try.distance >= near_by))
		return;
	strcpy(near, name);
	near_by = try.distance;
}

/* The files of the unit, from systemd if it runs: it knows generated ones and
 * all kinds of drop-ins.  0, or what to say has been said. */
static int cat_unit(struct unit *u)
{
	char *argv[] = { (char *)"systemctl", (char *)"cat",
			 (char *)"--no-pager", want.unit, NULL };
	char *text = NULL;
	int status, r;

	if (!*root_dir && booted()) {
		text = output_of(argv, true, &status);
		if (status != 0) {
			free(text);
			text = NULL;
		}
	}
	if (!text)
		text = unit_find(root_dir, want.unit, sizeof(want.unit));
	if (!text) {
		unit_each(root_dir, near_name, NULL);
		if (*near)
			say("there is no unit %s%s%s; did you mean %s?", want.unit,
			    *root_dir ? " in " : "", root_dir, near);
		else if (*root_dir)
			say("there is no unit %s in %s; 'systemctl --root %s list-unit-files' shows those there are",
			    want.unit, root_dir, root_dir);
		else if (booted())
			say("there is no unit %s; 'systemctl list-unit-files --type=service' shows those there are",
			    want.unit);
		else
			say("there is no unit %s, and systemd does not run here; 'monitord run -- PROGRAM' needs neither",
			    want.unit);
		return -1;
	}
	place();
	r = unit_parse(u, text, own);
	free(text);
	if (r < 0) {
		say("%s: %s", want.unit, strerror(-r));
		return -1;
	}
	return 0;
}

/* ---- the drop-in ---- */

static FILE *out, *said;		/* its text; lines for the person */
static size_t n_commands;
static const char *bad_command;
static char *command_prefix;

static void exec_start(void *ctx, const char *value)
{
	char *line = unit_prefixed(value, command_prefix, &bad_command);

	(void)ctx;
	if (!line) {
		if (!bad_command)
			bad_command = "out of memory";
		return;
	}
	fprintf(out, "ExecStart=%s\n", line);
	n_commands++;
	free(line);
}

static bool already;
static void exec_check(void *ctx, const char *value)
{
	char *program = unit_program(value);

	(void)ctx;
	if (program && !strcmp(basename(program), "monitord"))
		already = true;
	free(program);
}

/* A word for the command line, in quotes if it needs any. In the first one, the
 * program, "$" begins no variable. */
static void put_word(FILE *f, const char *value, bool program)
{
	bool plain = !value[strcspn(value, " \t\"'\\$%;")];

	fputs(plain ? "" : "\"", f);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			fputc('\\', f);
		if ((*value == '$' && !program) || *value == '%')
			fputc(*value, f);
		fputc(*value, f);
	}
	fputs(plain ? "" : "\"", f);
}

static void put_value(FILE *f, const char *option, const char *value)
{
	fprintf(f, " %s ", option);
	put_word(f, value, false);
}

static const char *unit_type(const struct unit *u)
{
	const char *type = unit_value(u, "Type");

	return type ? type : unit_value(u, "BusName") ? "dbus" : "simple";
}

/* Writes the drop-in to `out`; -1: said why not. */
static int compose(const struct unit *u, const char *self)
{
	const char *type = unit_type(u);
	size_t size;
	FILE *command = open_memstream(&command_prefix, &size);

	if (!command)
		return -1;
	unit_list(u, "ExecStart", exec_check, NULL);
	if (already) {
		say("%s runs under monitord already, by its own ExecStart=; nothing to do",
		    want.unit);
		fclose(command);
		return -1;
	}
	fprintf(out, MARK " %s', which also removes it (--revert).\n"
		"# The unit's own commands, run by monitord(1).\n[Service]\n",
		want.unit);
	put_word(command, self, true);
	fputs(" run", command);
	if (want.config)
		put_value(command, "--config", want.config);
	if (want.n)
		put_value(command, "-n", want.n);
	if (want.policy)
		put_value(command, "--policy", want.policy);
	needs_options(u, type, command);
	fclose(command);

	fputs("ExecStart=\n", out);
	unit_list(u, "ExecStart", exec_start, NULL);
	if (bad_command) {
		say("%s: ExecStart=: %s; 'systemd-analyze verify %s' says more",
		    want.unit, bad_command, want.unit);
		return -1;
	}
	if (!n_commands) {
		say("%s has no ExecStart=: there is nothing to run under monitord",
		    want.unit);
		return -1;
	}
	needs_settings(u, type, self, variants);
	return 0;
}

/* ---- writing and removing it ---- */

static char *read_file(const char *name)
{
	FILE *f = fopen(name, "re");
	char *text = NULL;
	size_t room = 0;

	if (!f)
		return NULL;
	if (getdelim(&text, &room, 0, f) < 0) {
		free(text);
		text = strdup("");
	}
	fclose(f);
	return text;
}

static int make_dirs(void)
{
	char part[PATH_MAX];

	for (char *p = dir + 1;; p++) {
		if (*p && *p != '/')
			continue;
		snprintf(part, sizeof(part), "%.*s", (int)(p - dir), dir);
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return -errno;
		if (!*p)
			return 0;
	}
}

static int write_file(const char *text)
{
	char tmp[PATH_MAX + 64];
	FILE *f;
	int r = make_dirs();

	if (r < 0)
		return r;
	snprintf(tmp, sizeof(tmp), "%s/.#%s.%d", dir, DROPIN, (int)getpid());
	f = fopen(tmp, "wxe");
	if (!f)
		return -errno;
	r = fputs(text, f) < 0 ? -EIO : 0;
	if (fflush(f) || fsync(fileno(f)))
		r = -errno;
	fchmod(fileno(f), 0644);
	fclose(f);
	if (!r && rename(tmp, path) < 0)
		r = -errno;
	if (r)
		unlink(tmp);
	return r;
}

static int cannot(const char *what, int error)
{
	say("cannot %s %s: %s%s", what, path, strerror(error),
	    (error == EACCES || error == EPERM) && geteuid() ?
	    "; run this as root" : "");
	return EXIT_MONITOR;
}

/* So that systemd reads the drop-in, or that it is gone. */
static int reload(void)
{
	char *argv[] = { (char *)"systemctl", (char *)"daemon-reload", NULL };
	int status;

	if (*root_dir)
		return 0;
	if (!booted()) {
		printf("systemd does not run here: this counts when it next starts the machine;\n"
		       "'monitord run -- PROGRAM' needs no systemd\n");
		return 0;
	}
	free(output_of(argv, false, &status));
	if (status == 0)
		return 0;
	say("systemd has not read it yet; run: systemctl daemon-reload");
	return EXIT_MONITOR;
}

static int revert(void)
{
	char *text = read_file(path);
	int r;

	if (!text && errno == ENOENT) {
		printf("%s: not under monitord (there is no %s); nothing to do\n",
		       want.unit, path);
		return 0;
	}
	if (!text)
		return cannot("read", errno);
	r = strncmp(text, MARK, strlen(MARK));
	free(text);
	if (r) {
		say("%s was not written by monitord; remove it by hand if you want to",
		    path);
		return EXIT_MONITOR;
	}
	if (want.dry_run) {
		printf("would remove %s\n", path);
		return 0;
	}
	if (unlink(path) < 0)
		return cannot("remove", errno);
	printf("%s: removed %s\n", want.unit, path);
	if (!rmdir(dir))
		printf("  and its directory, which was empty\n");
	r = reload();
	if (!*root_dir && booted())
		printf("next: systemctl restart %s\n", want.unit);
	return r;
}

/* Where settings come from, or would. */
static void say_settings(void)
{
	if (want.config && strchr(want.config, '/'))
		printf("  settings: %s%s\n", root_dir, want.config);
	else if (want.config)
		printf("  settings: %s" IPMON_CONFDIR "/%s.conf\n", root_dir,
		       want.config);
	else if (want.no_config)
		printf("  settings: defaults (--no-config)\n");
	else
		printf("  settings: defaults (there is no %s" IPMON_CONFDIR "/%.*s.conf)\n",
		       root_dir, (int)(strlen(want.unit) - strlen(SUFFIX)),
		       want.unit);
}

static int install(const char *text, const char *notes, const char *type)
{
	char *old = read_file(path);
	bool same = old && !strcmp(old, text);
	bool foreign = old && strncmp(old, MARK, strlen(MARK));
	int r = 0;

	free(old);
	if (foreign) {
		say("%s exists and was not written by monitord; move it away first",
		    path);
		return EXIT_MONITOR;
	}
	if (want.dry_run) {
		printf("# %s%s\n%s", path, same ? " (as it is)" : "", text);
		return 0;
	}
	if (!same)
		r = write_file(text);
	if (r < 0)
		return cannot("write", -r);
	printf("%s: Type=%s, %u variants\n  %s %s\n", want.unit, type, variants,
	       same ? "up to date:" : "wrote", path);
	say_settings();
	fputs(notes, stdout);
	r = reload();
	if (*root_dir)
		return r;
	if (booted())
		printf("next: systemctl restart %s\n", want.unit);
	printf("back: monitord service --revert %s\n", want.unit);
	return r;
}

/* ---- the command line ---- */

static const char usage[] =
	"usage: monitord service [OPTION...] NAME.service\n"
	"       monitord service --revert NAME.service\n"
	"\n"
	"Writes a drop-in that makes systemd start the service under monitord, and\n"
	"says what it loosens for that; the unit itself is not touched.\n"
	"\n"
	"      --config NAME  settings of /etc/ipmon/NAME.conf; without it, of the one\n"
	"                     with the service's name, if it is there\n"
	"      --no-config    not even that\n"
	"  -n, --variants N   number of variants, 1 to 8 (2)\n"
	"      --policy P     strict, verified (default) or relaxed\n"
	"      --revert       remove the drop-in: the service runs natively again\n"
	"      --dry-run      print what would be written, change nothing\n"
	"      --root DIR     of a system in DIR, such as an image: its units, its\n"
	"                     configuration\n"
	"  -h, --help\n"
	"\n"
	"Exit status: 0, or 125 with the reason on standard error.\n";

enum { O_CONFIG = 256, O_NO_CONFIG, O_POLICY, O_REVERT, O_DRY, O_ROOT };

static const struct option longopts[] = {
	{ "config", required_argument, NULL, O_CONFIG },
	{ "no-config", no_argument, NULL, O_NO_CONFIG },
	{ "variants", required_argument, NULL, 'n' },
	{ "policy", required_argument, NULL, O_POLICY },
	{ "revert", no_argument, NULL, O_REVERT },
	{ "dry-run", no_argument, NULL, O_DRY },
	{ "root", required_argument, NULL, O_ROOT },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int unit_name(const char *name)
{
	const char *dot = strrchr(name, '.');
	bool bare = !dot || strcmp(dot, SUFFIX);
	static const char *const others[] = { ".socket", ".timer", ".target",
		".mount", ".path", ".slice", ".scope", ".device", ".swap",
		".automount" };

	for (size_t i = 0; dot && i < sizeof(others) / sizeof(others[0]); i++)
		if (!strcmp(dot, others[i])) {
			say("%s is not a service; name the service that it starts",
			    name);
			return -1;
		}
	if (!*name || strchr(name, '/') ||
	    (size_t)snprintf(want.unit, sizeof(want.unit), "%s%s", name,
			     bare ? SUFFIX : "") >= sizeof(want.unit)) {
		say("'%s' is not the name of a unit; give one such as nginx.service",
		    name);
		return -1;
	}
	return 0;
}

static int use_root(const char *name)
{
	static char real[PATH_MAX];
	int fd = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || !realpath(name, real)) {
		say("--root %s: %s; name the directory that has the system in it",
		    name, strerror(errno));
		return -1;
	}
	close(fd);
	root_dir = strcmp(real, "/") ? real : "";
	return 0;
}

/* -1: --help; else an exit status, 0 to go on. */
static int parse(int argc, char **argv)
{
	int c;

	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, ":n:h", longopts, NULL)) != -1) {
		switch (c) {
		case 'n': want.n = optarg; break;
		case O_CONFIG: want.config = optarg; break;
		case O_NO_CONFIG: want.no_config = true; break;
		case O_POLICY: want.policy = optarg; break;
		case O_REVERT: want.revert = true; break;
		case O_DRY: want.dry_run = true; break;
		case O_ROOT:
			if (use_root(optarg) < 0)
				return EXIT_MONITOR;
			break;
		case 'h':
			fputs(usage, stdout);
			return -1;
		default:
			return wrong_option("service", argv, longopts, c);
		}
	}
	if (argc - optind != 1) {
		say("%s; try 'monitord service nginx.service'", argc == optind ?
		    "no service given" : "one service at a time");
		return EXIT_MONITOR;
	}
	if (want.config && want.no_config) {
		say("--config or --no-config, not both");
		return EXIT_MONITOR;
	}
	return unit_name(argv[optind]) < 0 ? EXIT_MONITOR : 0;
}

/*
 * The name of a file of settings as the service will call it: absolute, because
 * it has another working directory, and within the system in DIR.
 */
static int config_path(void)
{
	static char config[PATH_MAX];
	size_t root = strlen(root_dir);

	if (!want.config || !strchr(want.config, '/'))
		return 0;
	if (realpath(want.config, config) &&
	    !strncmp(config, root_dir, root) && config[root] == '/') {
		want.config = config + root;
	} else if (root && *want.config != '/') {
		say("--config %s: this is not in %s, where the service could read it; name a file that is",
		    want.config, root_dir);
		return -1;
	}
	return 0;
}

/* Without --config: that of the unit's name; of an instance of a template, its
 * own or its template's. */
static void default_config(void)
{
	static char name[sizeof(want.unit)];
	char *at;

	if (want.config || want.no_config)
		return;
	strcpy(name, want.unit);
	name[strlen(name) - strlen(SUFFIX)] = 0;
	if (!config_exists(name)) {
		at = strchr(name, '@');
		if (!at)
			return;
		*at = 0;
		if (!*name || !config_exists(name))
			return;
	}
	want.config = name;
}

/* Are the settings such that `run` will take them?  How many variants? */
static int check_settings(void)
{
	char *argv[12];
	int n = 0, r;

	default_config();
	if (config_path() < 0)
		return EXIT_MONITOR;
	argv[n++] = (char *)"run";
	if (want.config) {
		argv[n++] = (char *)"--config";
		argv[n++] = (char *)want.config;
	}
	if (want.n) {
		argv[n++] = (char *)"-n";
		argv[n++] = (char *)want.n;
	}
	if (want.policy) {
		argv[n++] = (char *)"--policy";
		argv[n++] = (char *)want.policy;
	}
	argv[n++] = (char *)"--";
	argv[n++] = (char *)"true";
	argv[n] = NULL;
	r = options_parse(n, argv, &mon.opt);
	variants = mon.opt.n;
	return r;
}

/* An alias is followed to the unit's own name, where the drop-in belongs. */
static void own_name(const struct unit *u, const char *called)
{
	char real[PATH_MAX], *base;

	if (!*root_dir && u->fragment && !strchr(want.unit, '@') &&
	    realpath(u->fragment, real)) {
		base = basename(real);
		if (strlen(base) < sizeof(want.unit))
			strcpy(want.unit, base);
	}
	if (strcmp(called, want.unit))
		fprintf(want.dry_run ? stderr : stdout,
			"%s is another name of %s\n", called, want.unit);
	place();
}

static int find_self(char *self)
{
	ssize_t n = readlink("/proc/self/exe", self, PATH_MAX - 1);
	size_t root = strlen(root_dir);

	if (n <= 0)
		return -errno;
	self[n] = 0;
	/* as it is called within the system in DIR */
	if (root && !strncmp(self, root_dir, root) && self[root] == '/')
		memmove(self, self + root, strlen(self + root) + 1);
	return 0;
}

/* Will the service find this program when it starts, and the same one? */
static void warn_of_place(const char *self)
{
	char build[PATH_MAX], file[PATH_MAX + 32];
	int fd = root_open(self, O_PATH | O_CLOEXEC);

	if (fd < 0)
		say("warning: there is no %s in %s, and the service cannot start without it; install ipmon there",
		    self, root_dir);
	else
		close(fd);
	snprintf(build, sizeof(build), "%s", dirname(dirname(strdupa(self))));
	snprintf(file, sizeof(file), "%s/build.ninja", build);
	fd = root_open(file, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return;
	close(fd);
	say("warning: %s lies in a build directory: the service runs whatever is built there, and cannot start when it is gone or hidden from it (ProtectHome=, PrivateTmp=); 'ninja -C %s install', then do this again with the monitord that is installed",
	    self, build);
}

int cmd_service(int argc, char **argv)
{
	char self[PATH_MAX], *text = NULL, *notes = NULL;
	size_t n_text, n_notes;
	char called[sizeof(want.unit)];
	struct unit u;
	int r = parse(argc, argv);

	if (r)
		return r < 0 ? 0 : r;
	place();
	strcpy(called, want.unit);
	if (want.revert && cat_unit(&u) < 0) {
		/* the service may be gone, its drop-in not */
		return access(path, F_OK) ? EXIT_MONITOR : revert();
	}
	if (!want.revert && cat_unit(&u) < 0)
		return EXIT_MONITOR;
	own_name(&u, called);
	if (want.revert)
		return revert();
	if (u.masked) {
		say("%s is masked; 'systemctl unmask %s' first", want.unit,
		    want.unit);
		return EXIT_MONITOR;
	}
	/* an alias: now without the drop-in of its own name */
	unit_free(&u);
	if (cat_unit(&u) < 0)
		return EXIT_MONITOR;
	if (find_self(self) < 0) {
		say("where is this program? /proc is needed");
		return EXIT_MONITOR;
	}
	if (check_settings())
		return EXIT_MONITOR;
	warn_of_place(self);
	find_libipmon();
	out = open_memstream(&text, &n_text);
	said = open_memstream(&notes, &n_notes);
	if (!out || !said)
		return EXIT_MONITOR;
	needs_begin(out, said);
	if (compose(&u, self) < 0)
		return EXIT_MONITOR;
	fclose(out);
	fclose(said);
	return install(text, notes, unit_type(&u));
}
