// SPDX-License-Identifier: Apache-2.0
/*
 * `monitord service`: what the monitor needs that a unit does not grant.
 *
 * Theory of operation
 * -------------------
 * Each function looks at one kind of restriction.  If the unit restricts it,
 * the least that lets the monitor work is added to the drop-in: settings of
 * systemd's that are lists are added to by giving them again
 * (systemd.exec(5)), which for a deny list takes entries away from it.  What
 * the unit does not restrict is left alone, as a first entry would be a
 * restriction by itself.
 *
 * Capabilities that only the monitor needs it keeps from the program
 * (--withhold); a system call filter holds for all alike, so there the monitor
 * is what still refuses.
 */
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "launch.h"
#include "monitor.h"
#include "service.h"

static FILE *out;			/* the drop-in */
static FILE *said;			/* lines for the person */
static unsigned int variants;

void needs_begin(FILE *dropin, FILE *person)
{
	out = dropin;
	said = person;
}

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

/* Does the unit take away directories that root could use otherwise? */
static bool hides_files(const struct unit *u)
{
	static const char *const keys[] = {
		"RootDirectory", "RootImage", "ReadOnlyPaths",
		"InaccessiblePaths", "TemporaryFileSystem",
	};
	const char *v = unit_value(u, "ProtectSystem");

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (unit_value(u, keys[i]))
			return true;
	return v && !strcmp(v, "strict");
}

/* Does a command line speak of this variable? */
static bool commands_name(const struct unit *u, const char *variable)
{
	for (size_t i = 0; i < u->n; i++)
		if (!strncmp(u->item[i].key, "Exec", 4) &&
		    strstr(u->item[i].value, variable))
			return true;
	return false;
}

/*
 * A place for the control socket, where root's `ps` looks (see_path.c): what is
 * left to other users is a /tmp that may be private.  The program does not see
 * it (manager.c), but systemd itself expands variables in command lines.
 */
static void need_runtime_dir(const struct unit *u)
{
	if (mon.opt.control || (runs_as_root(u) && !hides_files(u)))
		return;
	if (commands_name(u, "RUNTIME_DIRECTORY"))
		tell("note: 'monitord ps' may not find it: its commands use $RUNTIME_DIRECTORY, so it gets no directory for a control socket; name a place in its configuration (Control=)");
	else
		need("RuntimeDirectory=ipmon/%N",
		     "for the control socket, where 'monitord ps' looks; the program's own $RUNTIME_DIRECTORY stays as it is");
}

/* A report that cannot be written keeps the monitor from starting. */
static void need_reports(const struct unit *u)
{
	const char *dir = mon.opt.report_dir, *v;
	char setting[PATH_MAX + 32];

	if (!dir)
		return;
	v = unit_value(u, "ProtectSystem");
	if (v && !strcmp(v, "strict") && *dir == '/' &&
	    strlen(dir) < PATH_MAX && !dir[strcspn(dir, " \t\"'\\%")]) {
		snprintf(setting, sizeof(setting), "ReadWritePaths=-%s", dir);
		need(setting, "for reports of divergences (ReportDirectory=); make the directory first");
	}
	if (!runs_as_root(u))
		tell("note: reports go to %s, which must be writable for the service's user",
		     dir);
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
		soft = soft * variants + 4;
		if (hard == ULONG_MAX)
			snprintf(setting, sizeof(setting),
				 "LimitNPROC=%lu:infinity", soft);
		else
			snprintf(setting, sizeof(setting),
				 "LimitNPROC=%lu:%lu", soft,
				 hard * variants + 4);
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
	char setting[PATH_MAX + sizeof(mon.libipmon) + sizeof(preload_list) + 64];

	if (!unit_list(u, "NoExecPaths", NULL, NULL))
		return;
	snprintf(setting, sizeof(setting), "ExecPaths=%s%s%s%s%s", self,
		 *mon.libipmon ? " " : "", mon.libipmon,
		 *preload_list ? " " : "", preload_list);
	need(setting, "NoExecPaths= would keep the monitor from being executed");
}

/*
 * Of a service that stays in the foreground the main process is the one systemd has
 * started.  If there is a file that names the program, systemd takes the main process from
 * there after a reload: one that is no child of its, so it does not learn how it ends,
 * and, without a control group that tells when it is empty, not even that.  It would
 * remove the file when the service has ended.
 */
static void need_no_pid_file(const struct unit *u, const char *type)
{
	const char *file = unit_value(u, "PIDFile");

	if (!file || !strcmp(type, "forking"))
		return;
	need("PIDFile=", "systemd's main process is the monitor, and the file names the program");
	fputs("ExecStopPost=-+/bin/rm -f \"", out);
	/* specifiers are expanded here as there: those that are a directory's path, and
	 * others; what is relative is so to the runtime directory */
	if (*file != '/' && (*file != '%' || !file[1] ||
			     !strchr("CELSTVht", file[1])))
		fputs("%t/", out);
	for (; *file; file++) {
		if (*file == '"' || *file == '\\')
			fputc('\\', out);
		if (*file == '$')
			fputc('$', out);
		fputc(*file, out);
	}
	fputs("\"\n", out);
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

void needs_options(const struct unit *u, const char *type, FILE *command)
{
	need_notify(u, type, command);
	need_caps(u, command);
}

void needs_settings(const struct unit *u, const char *type, const char *self,
		    unsigned int n)
{
	variants = n;
	need_calls(u);
	need_families(u);
	need_exec(u, self);
	need_runtime_dir(u);
	need_reports(u);
	need_limits(u);
	need_no_pid_file(u, type);
	remarks(u, type);
}
