/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `monitord syscalls`: what happens to each system call, and why.
 *
 * The list is for people who want to know whether a program will work and how
 * fast its calls are; with names, every argument is explained.  Everything
 * comes from the table; nothing here knows a system call.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <json-c/json.h>

#include <ipmon/table.h>

#include "nearest.h"
#include "options.h"

static const char usage[] =
	"usage: monitord syscalls [--json] [--class CLASS] [NAME|NUMBER...]\n"
	"\n"
	"Print how each system call is treated. With names or numbers, explain\n"
	"those calls argument by argument.\n"
	"\n"
	"      --class CLASS  only calls of this class (refused, base,\n"
	"                     nonsocket-ro, nonsocket-rw, socket-ro, socket-rw,\n"
	"                     effect, memory, process, signal, credentials)\n"
	"      --json         machine-readable\n"
	"  -h, --help         this text\n";

/* How a kind is compared, as a sentence about one argument. */
static const char *const kind_help[] = {
	[K_NONE] = "not used",
	[K_IGN] = "ignored, may hold anything",
	[K_INT] = "compared, 32 bits",
	[K_UINT] = "compared, 32 bits",
	[K_LONG] = "compared, 64 bits",
	[K_FD] = "descriptor, compared",
	[K_DIRFD] = "directory descriptor, compared",
	[K_PID] = "process id as the leader sees it, compared",
	[K_SIG] = "signal number, compared",
	[K_MODE] = "file mode, compared",
	[K_FLAGS] = "flags, compared",
	[K_LFLAGS] = "flags, compared, 64 bits",
	[K_OFF] = "file offset, compared",
	[K_SIZE] = "size, compared",
	[K_OPENMODE] = "file mode, compared if a file may be created",
	[K_PTR] = "address, compared for null only",
	[K_HINT] = "address hint, compared for null only",
	[K_PATH] = "path, contents compared",
	[K_STR] = "string, contents compared",
	[K_STRV] = "list of strings, contents compared",
	[K_BUFIN] = "input buffer, contents compared",
	[K_IN] = "input structure, contents compared",
	[K_ARRIN] = "input array, contents compared",
	[K_IOVIN] = "input vectors, lengths and contents compared",
	[K_MSGIN] = "message, address, data and control data compared",
	[K_MMSGIN] = "messages, address, data and control data compared",
	[K_SADDRIN] = "socket address, compared without padding",
	[K_BUFOUT] = "output buffer, size compared, contents replicated",
	[K_OUT] = "output structure, replicated",
	[K_OUTALWAYS] = "output structure, replicated also on error",
	[K_ARROUT] = "output array, size compared, contents replicated",
	[K_IOVOUT] = "output vectors, lengths compared, contents replicated",
	[K_MSGOUT] = "message, replicated with address and control data",
	[K_MMSGOUT] = "messages, replicated with address and control data",
	[K_SADDROUT] = "socket address, replicated",
	[K_INOUT] = "structure, compared and replicated",
	[K_INOUTALWAYS] = "structure, compared, replicated also on error",
	[K_LENPTR] = "length, compared and replicated",
	[K_OFFPTR] = "file offset, compared and replicated",
	[K_FDSET] = "descriptor set, compared and replicated",
	[K_POLLFD] = "poll list: fd and events compared, revents replicated",
	[K_SIGSET] = "signal set, compared",
	[K_WALK] = "structure, compared or replicated by its members",
	[K_WALKV] = "depends on the command",
	[K_ASIZE] = "size that depends on the layout, compared for zero only",
	[K_BUFOUTOK] = "output buffer, size compared, contents replicated",
	[K_OUTNZ] = "output structure, replicated if the result is not 0",
	[K_OUTINTR] = "output structure, replicated if interrupted",
	[K_SIGSETOUT] = "signal set, replicated",
};
_Static_assert(sizeof(kind_help) / sizeof(kind_help[0]) == K_MAX,
	       "one explanation per kind");

static const char *const exec_help[] = {
	[EXEC_NONE] = "nobody",
	[EXEC_LEADER] = "the leader; the others receive what it got",
	[EXEC_ALL] = "every variant, for its own process",
	[EXEC_MONITOR] = "monitord decides case by case",
};

enum { STRICT, VERIFIED, RELAXED };

static const char *path_name(const struct ipmon_row *row, int policy)
{
	switch (ipmon_row_path(row)) {
	case PATH_REFUSED:
		return "refused";
	case PATH_MONITOR:
		return "monitord";
	case PATH_INPROC:
		return policy == STRICT ? "monitord" : "in-process";
	case PATH_INPROC_WAIT:
		return policy == STRICT ? "monitord" :
		       policy == VERIFIED ? "verified" : "in-process";
	}
	return "?";
}

static bool depends(const struct ipmon_row *row)
{
	return (row->flags & RF_BYCMD) && ipmon_row_path(row) != PATH_REFUSED &&
	       ipmon_row_path(row) != PATH_MONITOR;
}

/* Name of the level, "-" for what is never in-process. */
static const char *level_name(const struct ipmon_row *row)
{
	enum ipmon_path path = ipmon_row_path(row);

	return ipmon_level_name(path == PATH_INPROC || path == PATH_INPROC_WAIT ?
				ipmon_row_level(row) : LEVEL_NONE);
}

static bool has_fd(const struct ipmon_row *row)
{
	for (unsigned int i = 0; i < row->nargs; i++)
		if (row->arg[i].kind == K_FD)
			return true;
	return false;
}

/* "buf out(2)", "struct in 16": kind with its parameters. */
static void arg_text(const struct ipmon_arg *a, char *buf, size_t n)
{
	const char *name = ipmon_kind_name(a->kind);

	switch (a->kind) {
	case K_IN:
	case K_OUT:
	case K_OUTALWAYS:
	case K_OUTNZ:
	case K_OUTINTR:
	case K_INOUT:
	case K_INOUTALWAYS:
		snprintf(buf, n, "%s %u", name, a->b);
		break;
	default:
		snprintf(buf, n, "%s", name);
		break;
	}
}

static unsigned int terminal_width(void)
{
	struct winsize ws;
	const char *cols = getenv("COLUMNS");

	if (!isatty(STDOUT_FILENO))
		return 0;	/* one line per call, for grep */
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) && ws.ws_col)
		return ws.ws_col;
	return cols && atoi(cols) > 0 ? (unsigned int)atoi(cols) : 80;
}

/* Words of the argument list, wrapped under `indent`. */
static void print_args(const struct ipmon_row *row, unsigned int width,
		       unsigned int indent)
{
	unsigned int col = indent;
	char word[40];

	for (unsigned int i = 0; i < row->nargs; i++) {
		size_t len;

		arg_text(&row->arg[i], word, sizeof(word));
		len = strlen(word) + 2;
		if (width && i && col + len > width) {
			printf("\n%*s", (int)indent, "");
			col = indent;
		}
		printf("%s%s", word, i + 1 < row->nargs ? ", " : "");
		col += (unsigned int)len;
	}
	putchar('\n');
}

#define COLUMNS_WIDTH 95	/* of everything before the arguments */

static void print_refused(unsigned int nr, const struct ipmon_row *row)
{
	printf("%3u %-23s %-12s %s%s: %s\n", nr, row->name,
	       ipmon_class_name(row->cls), strerrorname_np(row->error),
	       row->flags & RF_QUIET ? ", quietly" : "", row->reason);
}

static void print_row(unsigned int nr, const struct ipmon_row *row,
		      unsigned int width)
{
	bool wide = !width || width >= COLUMNS_WIDTH + 40;
	char verified[16];

	if (row->exec == EXEC_NONE) {
		print_refused(nr, row);
		return;
	}
	snprintf(verified, sizeof(verified), "%s%s", path_name(row, VERIFIED),
		 depends(row) ? "*" : "");
	printf("%3u %-23s %-12s %-7s %-8s ", nr, row->name,
	       ipmon_class_name(row->cls), ipmon_exec_name(row->exec),
	       ipmon_result_name(row->result));
	if (wide)
		printf("%-12s ", level_name(row));
	printf("%-11s %s%s", verified, path_name(row, RELAXED),
	       depends(row) ? "*" : "");
	if (row->nargs && wide)
		printf("%*s", (int)(12 - strlen(path_name(row, RELAXED)) -
				    depends(row)), "");
	else if (row->nargs)
		printf("\n    ");
	print_args(row, width, wide ? COLUMNS_WIDTH : 4);
}

static void print_details(unsigned int nr, const struct ipmon_row *row)
{
	const char *flag;

	printf("%s (%u)\n", row->name, nr);
	printf("  class      %s\n", ipmon_class_name(row->cls));
	if (row->exec == EXEC_NONE) {
		printf("  refused    %s (%s)%s\n  because    %s\n",
		       strerrorname_np(row->error), strerror(row->error),
		       row->flags & RF_QUIET ? ", without a message" : "",
		       row->reason);
		return;
	}
	printf("  run by     %s\n", exec_help[row->exec]);
	printf("  result     %s\n", ipmon_result_name(row->result));
	printf("  strict     %s\n", path_name(row, STRICT));
	printf("  verified   %s%s\n", ipmon_row_path(row) == PATH_INPROC_WAIT ?
	       "in-process, after the followers agreed" :
	       path_name(row, VERIFIED),
	       depends(row) ? ", for the commands that allow it" : "");
	printf("  relaxed    %s%s\n", path_name(row, RELAXED),
	       depends(row) ? ", for the commands that allow it" : "");
	if (strcmp(level_name(row), "-"))
		printf("  level      %s%s%s%s\n", level_name(row),
		       has_fd(row) ? ", " : "", has_fd(row) ?
		       ipmon_level_name(ipmon_level_socket(
						ipmon_row_level(row))) : "",
		       has_fd(row) ? " for a socket" : "");
	for (unsigned int i = 0; i < row->nargs; i++) {
		const struct ipmon_arg *a = &row->arg[i];
		char word[40];

		arg_text(a, word, sizeof(word));
		printf("  argument %u %-16s %s\n", i + 1, word, kind_help[a->kind]);
	}
	if (row->flags) {
		printf("  flags     ");
		for (unsigned int b = 0; (flag = ipmon_flag_name(b)); b++) {
			if (row->flags & 1u << b)
				printf(" %s", flag);
		}
		putchar('\n');
	}
}

static struct json_object *row_json(unsigned int nr,
				    const struct ipmon_row *row)
{
	struct json_object *o = json_object_new_object();
	struct json_object *args = json_object_new_array();
	struct json_object *flags = json_object_new_array();
	const char *flag;

#define STR(key, s) json_object_object_add(o, key, json_object_new_string(s))
	json_object_object_add(o, "nr", json_object_new_int((int)nr));
	STR("name", row->name);
	STR("class", ipmon_class_name(row->cls));
	STR("executed_by", ipmon_exec_name(row->exec));
	for (unsigned int b = 0; (flag = ipmon_flag_name(b)); b++) {
		if (row->flags & 1u << b)
			json_object_array_add(flags,
					      json_object_new_string(flag));
	}
	json_object_object_add(o, "flags", flags);
	if (row->exec == EXEC_NONE) {
		STR("errno", strerrorname_np(row->error));
		STR("reason", row->reason);
		json_object_put(args);
		return o;
	}
	STR("result", ipmon_result_name(row->result));
	STR("strict", path_name(row, STRICT));
	STR("verified", path_name(row, VERIFIED));
	STR("relaxed", path_name(row, RELAXED));
	STR("level", level_name(row));
#undef STR
	for (unsigned int i = 0; i < row->nargs; i++) {
		struct json_object *a = json_object_new_object();
		char word[40];

		arg_text(&row->arg[i], word, sizeof(word));
		json_object_object_add(a, "kind", json_object_new_string(word));
		json_object_object_add(a, "compared",
			json_object_new_string(kind_help[row->arg[i].kind]));
		json_object_array_add(args, a);
	}
	json_object_object_add(o, "arguments", args);
	return o;
}

/* Number of a call given by name or number; -1 when there is none. */
static int find(const char *word)
{
	char *end;
	unsigned long nr;

	for (unsigned int i = 0; i < IPMON_NR_MAX; i++) {
		if (*word && !strcmp(ipmon_row(i)->name, word))
			return (int)i;
	}
	nr = strtoul(word, &end, 10);
	if (!*word || *end || nr >= IPMON_NR_MAX || !ipmon_row(nr)->name[0])
		return -1;
	return (int)nr;
}

static void no_call(const char *word)
{
	struct nearest near = { NULL, 0 };

	for (unsigned int i = 0; i < IPMON_NR_MAX; i++)
		if (ipmon_row(i)->name[0])
			nearest_try(&near, word, ipmon_row(i)->name);
	if (near.word)
		say("no system call '%s' in the table; did you mean %s?", word,
		    near.word);
	else
		say("no system call '%s' in the table: it would be refused; 'monitord syscalls' lists those there are",
		    word);
}

struct choice {
	bool picked[IPMON_NR_MAX];
	bool named;		/* the user named calls: explain them */
	bool json;
};

static void print_json(const struct choice *c)
{
	struct json_object *list = json_object_new_array();

	for (unsigned int nr = 0; nr < IPMON_NR_MAX; nr++) {
		if (c->picked[nr])
			json_object_array_add(list,
					      row_json(nr, ipmon_row(nr)));
	}
	puts(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PRETTY));
	json_object_put(list);
}

static void print_list(const struct choice *c)
{
	unsigned int width = terminal_width(), supported = 0, refused = 0;
	bool wide = !width || width >= COLUMNS_WIDTH + 40;

	printf("%3s %-23s %-12s %-7s %-8s %s%-11s %-11s %s\n", "NR", "NAME",
	       "CLASS", "RUN BY", "RESULT", wide ? "LEVEL        " : "",
	       "VERIFIED", "RELAXED", wide ? "ARGUMENTS" : "");
	for (unsigned int nr = 0; nr < IPMON_NR_MAX; nr++) {
		if (!c->picked[nr])
			continue;
		print_row(nr, ipmon_row(nr), width);
		if (ipmon_row(nr)->exec == EXEC_NONE)
			refused++;
		else
			supported++;
	}
	printf("\n%u supported, %u refused; numbers not listed are refused.\n"
	       "Under --policy strict every supported call goes through "
	       "monitord.\n"
	       "verified: in-process, executed after the followers agreed.\n"
	       "*: in-process for the commands that allow it.\n"
	       "LEVEL: of --level; higher for a descriptor that is a socket.\n",
	       supported, refused);
}

static int pick(struct choice *c, int argc, char **argv, const char *cls)
{
	bool any = false;

	for (int i = 0; i < argc; i++) {
		int nr = find(argv[i]);

		if (nr < 0) {
			no_call(argv[i]);
			return -1;
		}
		c->picked[nr] = true;
		c->named = true;
	}
	for (unsigned int nr = 0; nr < IPMON_NR_MAX; nr++) {
		const struct ipmon_row *row = ipmon_row(nr);

		if (!c->named)
			c->picked[nr] = row->name[0] != '\0';
		if (cls && strcmp(ipmon_class_name(row->cls), cls))
			c->picked[nr] = false;
		any |= c->picked[nr];
	}
	if (!any && c->named)
		say("none of these calls is of class '%s'; without --class all are explained",
		    cls);
	else if (!any)
		say("no class '%s'; 'monitord syscalls --help' lists them", cls);
	return any ? 0 : -1;
}

int cmd_syscalls(int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "class", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct choice c = { .named = false };
	const char *cls = NULL;
	int o;

	opterr = 0;
	optind = 1;
	while ((o = getopt_long(argc, argv, ":h", longopts, NULL)) != -1) {
		switch (o) {
		case 'c':
			cls = optarg;
			break;
		case 'j':
			c.json = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			return wrong_option("syscalls", argv, longopts, o);
		}
	}
	if (pick(&c, argc - optind, argv + optind, cls))
		return EXIT_MONITOR;
	if (c.json) {
		print_json(&c);
	} else if (c.named) {
		for (unsigned int nr = 0, n = 0; nr < IPMON_NR_MAX; nr++) {
			if (!c.picked[nr])
				continue;
			if (n++)
				putchar('\n');
			print_details(nr, ipmon_row(nr));
		}
	} else {
		print_list(&c);
	}
	if (fflush(stdout) || ferror(stdout)) {
		say("cannot write to standard output: %s; is the disk full, or the reader gone?",
		    strerror(errno));
		return EXIT_MONITOR;
	}
	return 0;
}
