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
 * little as it needs (needs[] below), each with a comment in the drop-in and a
 * line on the terminal that says so.  Capabilities that only the monitor needs
 * it keeps from the program (--withhold).
 *
 * What makes Type=notify, watchdogs, socket activation and stopping work lies
 * in manager.c: the process systemd knows is the front process.
 *
 * Our own drop-in is not read as part of the unit, so that doing it again gives
 * the same text.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launch.h"
#include "options.h"
#include "unitfile.h"

#define DROPIN	"50-ipmon.conf"
#define MARK	"# Written by 'monitord service"
#define UNITS	"/etc/systemd/system"

/* What is asked for on the command line. */
static struct {
	char unit[256];			/* "nginx.service" */
	const char *root;		/* "" or a directory */
	const char *config, *n, *policy;
	bool dry_run, revert;
} want;

/* Of the drop-in, as systemctl names it; with --root it is below that. */
static char own[PATH_MAX];
static char dir[PATH_MAX], path[PATH_MAX];
static unsigned int variants;

/* ---- the drop-in's text, and what is said about it ---- */

static FILE *out;			/* the drop-in */
static FILE *said;			/* lines for the person */

static void __attribute__((format(printf, 1, 2))) tell(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("  ", said);
	vfprintf(said, fmt, ap);
	fputc('\n', said);
	va_end(ap);
}

/* A setting and why: in the drop-in as a comment, and for the person. */
static void need(const char *setting, const char *why)
{
	fprintf(out, "# %s\n%s\n", why, setting);
	tell("%s: %s", setting, why);
}

/* Where the drop-in goes. */
static void place(void)
{
	snprintf(own, sizeof(own), UNITS "/%.255s.d/" DROPIN, want.unit);
	snprintf(dir, sizeof(dir), "%.3000s" UNITS "/%.255s.d", want.root,
		 want.unit);
	snprintf(path, sizeof(path), "%.3000s%.1000s", want.root, own);
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
			int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

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

/* The files of the unit, from systemd if it runs: it knows generated ones and
 * all kinds of drop-ins.  0, or what to say has been said. */
static int cat_unit(struct unit *u)
{
	char *argv[] = { (char *)"systemctl", (char *)"cat",
			 (char *)"--no-pager", want.unit, NULL };
	char *text = NULL;
	int status, r;

	if (!*want.root) {
		text = output_of(argv, true, &status);
		if (status != 0) {
			free(text);
			text = NULL;
		}
	}
	if (!text)
		text = unit_find(want.root, want.unit, sizeof(want.unit));
	if (!text) {
		say("there is no unit %s%s%s; 'systemctl list-unit-files --type=service' shows those there are",
		    want.unit, *want.root ? " in " : "", want.root);
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

/* ---- what the monitor needs ---- */

static bool runs_as_root(const struct unit *u)
{
	const char *user = unit_value(u, "User");

	return !unit_true(u, "DynamicUser") &&
		(!user || !strcmp(user, "root") || !strcmp(user, "0"));
}

/* Is this word in the space-separated list? */
static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; (p = strstr(p, word)); p += n)
		if ((p == list || strchr(" \t", p[-1])) &&
		    (!p[n] || strchr(" \t", p[n])))
			return true;
	return false;
}

/*
 * Capabilities: to look into processes that have changed their user, to signal
 * them, and to take both from the program again.
 */
static const char *const caps[] = { "CAP_SYS_PTRACE", "CAP_KILL",
				    "CAP_SETPCAP" };
#define N_CAPS 3

struct cap_state {
	bool any, has[N_CAPS];
};

static void cap_line(void *ctx, const char *value)
{
	struct cap_state *c = ctx;
	bool minus = *value == '~';

	for (unsigned int i = 0; i < N_CAPS; i++) {
		bool named = has_word(value + minus, caps[i]);

		if (!c->any)
			c->has[i] = minus ? !named : named;
		else if (named)
			c->has[i] = !minus;
	}
	c->any = true;
}

/* Is the last value of the key empty? */
static bool emptied(const struct unit *u, const char *key)
{
	for (size_t i = u->n; i-- > 0;)
		if (!strcmp(u->item[i].key, key))
			return !*u->item[i].value;
	return false;
}

/* Adds --withhold to the command. */
static void need_caps(const struct unit *u, FILE *command)
{
	struct cap_state c = { false, { false } };
	char list[128] = "", given[128], setting[192];

	unit_list(u, "CapabilityBoundingSet", cap_line, &c);
	if (!c.any && !emptied(u, "CapabilityBoundingSet"))
		return;
	if (!runs_as_root(u))
		return;		/* all its processes are one user's */
	for (unsigned int i = 0; i < N_CAPS; i++)
		if (!c.has[i]) {
			strcat(list, *list ? " " : "");
			strcat(list, caps[i]);
		}
	if (!*list)
		return;
	snprintf(setting, sizeof(setting), "CapabilityBoundingSet=%s", list);
	need(setting, "to watch processes that change their user; the program itself does not get them");
	strcpy(given, list);
	for (char *p = given; *p; p++)
		if (*p == ' ')
			*p = ',';
	fprintf(command, " --withhold %s", given);
}

/*
 * System calls the monitor makes, or lets a variant make, that a program of the
 * common kinds (@system-service without @privileged and @resources) may lack.
 */
#define CALLS \
	"ptrace process_vm_readv process_vm_writev pidfd_open pidfd_getfd " \
	"seccomp memfd_create personality sched_setaffinity setpgid setsid " \
	"signalfd4 socketpair close_range"

static void need_calls(const struct unit *u)
{
	if (unit_list(u, "SystemCallFilter", NULL, NULL))
		need("SystemCallFilter=" CALLS,
		     "what the monitor calls itself; it still refuses the program ptrace and the like");
}

static void need_families(const struct unit *u)
{
	bool lists = unit_list(u, "RestrictAddressFamilies", NULL, NULL);
	bool has = false, first = true, deny = false;

	for (size_t i = 0; i < u->n; i++) {
		const char *v = u->item[i].value;
		bool minus = *v == '~';

		if (strcmp(u->item[i].key, "RestrictAddressFamilies"))
			continue;
		if (!*v) {
			first = true;
			continue;
		}
		if (first) {
			deny = minus;
			has = deny;
			first = false;
		}
		if (has_word(v + minus, "AF_UNIX"))
			has = !minus;
	}
	if (lists && !has)
		need("RestrictAddressFamilies=AF_UNIX",
		     "for the journal, sd_notify and 'monitord ps'; the program gets it, too");
}

/* "SOFT[:HARD]"; infinity is 0. */
static bool limit(const char *value, unsigned long *soft, unsigned long *hard)
{
	char *end;

	if (!value || *value < '0' || *value > '9')
		return false;
	*soft = *hard = strtoul(value, &end, 10);
	if (*end == ':') {
		value = end + 1;
		if (!strcmp(value, "infinity"))
			*hard = ULONG_MAX;
		else
			*hard = strtoul(value, &end, 10);
	}
	return true;
}

static void need_limits(const struct unit *u)
{
	unsigned long soft, hard;
	char setting[128];

	if (variants > 1 && limit(unit_value(u, "LimitNOFILE"), &soft, &hard) &&
	    hard <= CTL_FD) {
		snprintf(setting, sizeof(setting), "LimitNOFILE=%lu:%d", soft,
			 CTL_FD + 1);
		need(setting, "the monitor needs a descriptor with a number that high");
	}
	if (limit(unit_value(u, "LimitNPROC"), &soft, &hard)) {
		snprintf(setting, sizeof(setting), "LimitNPROC=%lu",
			 soft * variants + 4);
		need(setting, "each process of the program exists once per variant");
	}
	if (limit(unit_value(u, "TasksMax"), &soft, &hard) &&
	    !strchr(unit_value(u, "TasksMax"), '%')) {
		snprintf(setting, sizeof(setting), "TasksMax=%lu",
			 soft * variants + 4);
		need(setting, "each process of the program exists once per variant");
	}
}

static void need_exec(const struct unit *u, const char *self)
{
	char setting[PATH_MAX + sizeof(preload_list) + 64];
	char libs[sizeof(preload_list)], *colon;

	if (!unit_list(u, "NoExecPaths", NULL, NULL))
		return;
	snprintf(libs, sizeof(libs), "%s", preload_list);
	for (colon = libs; (colon = strchr(colon, ':'));)
		*colon = ' ';
	snprintf(setting, sizeof(setting), "ExecPaths=%s%s%s", self,
		 *libs ? " " : "", libs);
	need(setting, "NoExecPaths= would keep the monitor from being executed");
}

/* Whose messages to pass on: adds --notify to the command. */
static void need_notify(const struct unit *u, const char *type, FILE *command)
{
	const char *access = unit_value(u, "NotifyAccess");
	bool forking = !strcmp(type, "forking");

	if (!access || !strcmp(access, "none"))
		return;
	if (forking) {
		fputs(" --notify direct", command);
		if (strcmp(access, "all"))
			need("NotifyAccess=all",
			     "the process systemd started ends, and the program talks for itself");
	} else if (!strcmp(access, "all")) {
		fputs(" --notify all", command);
	}
}

/* What cannot be helped, or is for the administrator to decide. */
static void remarks(const struct unit *u, const char *type)
{
	const char *v;

	if (!strcmp(type, "forking") && !unit_value(u, "PIDFile"))
		tell("note: Type=forking without PIDFile=: systemd cannot tell the main process from its variants and does not restart the service when it dies; set PIDFile=, or make the program stay in the foreground (Type=exec)");
	if (unit_value(u, "RootDirectory") || unit_value(u, "RootImage"))
		tell("note: monitord and its libraries must be installed in %s as well",
		     unit_value(u, "RootDirectory") ? unit_value(u,
		     "RootDirectory") : unit_value(u, "RootImage"));
	v = unit_value(u, "MemoryMax");
	if (!v)
		v = unit_value(u, "MemoryHigh");
	if (v && strcmp(v, "infinity"))
		tell("note: the service's memory is limited (%s), and %u variants need up to %u times as much",
		     v, variants, variants);
	v = unit_value(u, "CPUSchedulingPolicy");
	if (v && (!strcmp(v, "fifo") || !strcmp(v, "rr")))
		tell("note: CPUSchedulingPolicy=%s: variants wait for one another; leave processors to others (CPUAffinity=)",
		     v);
}

/* ---- the drop-in ---- */

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

/* A value for the command line, in quotes if it needs any. */
static void put_value(FILE *f, const char *option, const char *value)
{
	bool plain = !value[strcspn(value, " \t\"'\\$%;")];

	fprintf(f, " %s %s", option, plain ? "" : "\"");
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			fputc('\\', f);
		if (*value == '$' || *value == '%')
			fputc(*value, f);
		fputc(*value, f);
	}
	fputs(plain ? "" : "\"", f);
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
	fprintf(command, "%s run", self);
	if (want.config)
		put_value(command, "--config", want.config);
	if (want.n)
		put_value(command, "-n", want.n);
	if (want.policy)
		put_value(command, "--policy", want.policy);
	need_notify(u, type, command);
	need_caps(u, command);
	fclose(command);

	fputs("ExecStart=\n", out);
	unit_list(u, "ExecStart", exec_start, NULL);
	if (bad_command) {
		say("%s: ExecStart=: %s", want.unit, bad_command);
		return -1;
	}
	if (!n_commands) {
		say("%s has no ExecStart=: there is nothing to run under monitord",
		    want.unit);
		return -1;
	}
	need_calls(u);
	need_families(u);
	need_exec(u, self);
	need_limits(u);
	remarks(u, type);
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

	if (*want.root)
		return 0;
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
	if (!*want.root)
		printf("next: systemctl restart %s\n", want.unit);
	return r;
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
	printf("%s: Type=%s, %u variants\n  %s %s\n%s", want.unit, type,
	       variants, same ? "up to date:" : "wrote", path, notes);
	r = reload();
	if (*want.root)
		return r;
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
	"      --config NAME  settings of /etc/ipmon/NAME.conf\n"
	"  -n N               number of variants, 1 to 8 (2)\n"
	"      --policy P     strict, verified (default) or relaxed\n"
	"      --revert       remove the drop-in: the service runs natively again\n"
	"      --dry-run      print what would be written, change nothing\n"
	"      --root DIR     of a system in DIR, such as an image\n"
	"  -h, --help\n"
	"\n"
	"Exit status: 0, or 125 with the reason on standard error.\n";

enum { O_CONFIG = 256, O_POLICY, O_REVERT, O_DRY, O_ROOT };

static const struct option longopts[] = {
	{ "config", required_argument, NULL, O_CONFIG },
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
	bool bare = !dot || strcmp(dot, ".service");
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
			     bare ? ".service" : "") >= sizeof(want.unit)) {
		say("'%s' is not the name of a unit", name);
		return -1;
	}
	return 0;
}

/* -1: --help; else an exit status, 0 to go on. */
static int parse(int argc, char **argv)
{
	int c;

	want.root = "";
	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, ":n:h", longopts, NULL)) != -1) {
		switch (c) {
		case 'n': want.n = optarg; break;
		case O_CONFIG: want.config = optarg; break;
		case O_POLICY: want.policy = optarg; break;
		case O_REVERT: want.revert = true; break;
		case O_DRY: want.dry_run = true; break;
		case O_ROOT: want.root = strcmp(optarg, "/") ? optarg : ""; break;
		case 'h':
			fputs(usage, stdout);
			return -1;
		case ':':
			say("option '%s' needs a value; try 'monitord service --help'",
			    argv[optind - 1]);
			return EXIT_MONITOR;
		default:
			say("no option '%s'; try 'monitord service --help'",
			    argv[optind - 1]);
			return EXIT_MONITOR;
		}
	}
	if (argc - optind != 1) {
		say("%s; try 'monitord service nginx.service'", argc == optind ?
		    "no service given" : "one service at a time");
		return EXIT_MONITOR;
	}
	return unit_name(argv[optind]) < 0 ? EXIT_MONITOR : 0;
}

/* Are the settings such that `run` will take them?  How many variants? */
static int check_settings(void)
{
	char *argv[12];
	int n = 0, r;

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

	if (!*want.root && u->fragment && !strchr(want.unit, '@') &&
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
	size_t root = strlen(want.root);

	if (n <= 0)
		return -errno;
	self[n] = 0;
	/* as it is called within the system in DIR */
	if (root && !strncmp(self, want.root, root) && self[root] == '/')
		memmove(self, self + root, strlen(self + root) + 1);
	return 0;
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
	if (!want.revert && (check_settings() || cat_unit(&u) < 0))
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
	find_libipmon();
	out = open_memstream(&text, &n_text);
	said = open_memstream(&notes, &n_notes);
	if (!out || !said || compose(&u, self) < 0)
		return EXIT_MONITOR;
	fclose(out);
	fclose(said);
	return install(text, notes, unit_type(&u));
}
