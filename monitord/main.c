// SPDX-License-Identifier: Apache-2.0
/*
 * monitord: sub-command selection.
 *
 * main() records what the caller passed in (signals, descriptors, limits)
 * before anything else happens, because variants must get exactly that.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <ucontext.h>

#include "front.h"
#include "launch.h"
#include "nearest.h"
#include "options.h"
#include "preload.h"

#ifndef IPMON_VERSION
#define IPMON_VERSION "unknown"
#endif

static int cmd_help(int argc, char **argv);

/* In the order of --help, which must fit 80x24 with all of them. */
static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
	{ "run", cmd_run, "run a program as N variants in lockstep" },
	{ "check-config", cmd_check_config,
	  "say what is wrong with a configuration" },
	{ "ps", cmd_ps, "list what runs under monitord" },
	{ "top", cmd_top, "show what a run is doing, live" },
	{ "service", cmd_service, "run a service of systemd's under monitord" },
	{ "report", cmd_report, "show the report of a divergence" },
	{ "doctor", cmd_doctor, "say what this kernel and machine allow" },
	{ "syscalls", cmd_syscalls, "print how each system call is treated" },
	{ "help", cmd_help, "explain a command, or `help exit-codes`" },
};

#define EXIT_CODES "exit-codes"
static const char exit_codes[] =
	"Exit status of `monitord run`:\n"
	"\n"
	"  0-255  that of the program, if none of the following is the case\n"
	"  128+S  the program died of signal S, as shells say it: 139 is SIGSEGV\n"
	"  99     divergence: variants differed, and all of them have been ended\n"
	"  125    monitord itself failed, or was called wrongly\n"
	"  126    the program was found but cannot be executed\n"
	"  127    the program was not found\n"
	"\n"
	"A program may exit with 99 or 125 itself; monitord has then said nothing on\n"
	"standard error, and `run --report` has written no report.\n"
	"\n"
	"All other commands exit with 0 if all is well, with 125 if they could not do\n"
	"what they were asked, and with 1 if the answer is no: `doctor` when `run`\n"
	"cannot work here, `check-config` when something is wrong, `ps` and `top` when\n"
	"there is no such run (`top`: or not just one). `top` ends with 128+S if signal\n"
	"S ended it.\n";

static void usage(FILE *f)
{
	fputs("usage: monitord run [OPTION...] -- PROGRAM [ARG...]\n"
	      "       monitord COMMAND [ARG...]\n\n", f);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(f, "  %-12s  %s\n", commands[i].name,
			commands[i].summary);
	fputs("\n"
	      "One of the variants, the leader, touches the outside world; a difference\n"
	      "between them stops them all. `monitord COMMAND --help` explains a command,\n"
	      "monitord(1) everything. `monitord --version` says which this is.\n"
	      "`run` exits as the program does, with 128+S if it died of signal S; 99 on\n"
	      "divergence, 125 if monitord failed, 126 not executable, 127 not found.\n",
	      f);
}

/* `help`: it is to be explained, not done. */
static int no_command(const char *word, bool help)
{
	struct nearest near = { NULL, 0 };
	char *program = NULL;

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		nearest_try(&near, word, commands[i].name);
	if (help)
		nearest_try(&near, word, EXIT_CODES);
	if (*word == '-') {
		nearest_try(&near, word, "--help");
		nearest_try(&near, word, "--version");
	}
	if (*word == '-' && !near.word)
		say("no option '%s' before a command; those of run come behind it, 'monitord run %s ...'; try 'monitord --help'",
		    word, word);
	else if (near.word)
		say("no %s '%s'; did you mean %s? Else try 'monitord --help'",
		    *word == '-' ? "option" : "command", word, near.word);
	else if (!help && !launch_find(word, &program))
		say("no command '%s'; try 'monitord --help', or 'monitord run -- %s ...' to run that program",
		    word, word);
	else
		say("no command '%s'; try 'monitord --help'", word);
	free(program);
	return EXIT_MONITOR;
}

static int run_command(int argc, char **argv, bool help)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[0], commands[i].name))
			return commands[i].run(argc, argv);
	return no_command(argv[0], help);
}

static int cmd_help(int argc, char **argv)
{
	static char help[] = "--help";
	char *ask[] = { argv[1], help, NULL };

	if (argc < 2 || argv[1][0] == '-' || !strcmp(argv[1], "help"))
		usage(stdout);
	else if (!strcmp(argv[1], EXIT_CODES))
		fputs(exit_codes, stdout);
	else
		return run_command(2, ask, true);
	return 0;
}

/* What the monitor may need of its stack, with much to spare. */
#define STACK_NEEDED	(1u << 20)
#define STACK_OWN	(8u << 20)
#define STACK_GUARD	4096u

static int command(int argc, char **argv)
{
	if (argc < 2) {
		usage(stderr);
		return EXIT_MONITOR;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		usage(stdout);
		return 0;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("monitord " IPMON_VERSION);
		return 0;
	}
	return run_command(argc - 1, argv + 1, false);
}

static struct {
	int argc, status;
	char **argv;
} started;

static void on_own_stack(void)
{
	started.status = command(started.argc, started.argv);
}

/* The caller's hard limit holds for the stack the kernel gave us, not for memory
 * that we use as one. */
int main(int argc, char **argv)
{
	struct rlimit stack;
	ucontext_t back, to;
	void *own;

	without_preload(argv);
	inherit_save();
	if (getrlimit(RLIMIT_STACK, &stack) || stack.rlim_max >= STACK_NEEDED)
		return command(argc, argv);
	own = mmap(NULL, STACK_OWN, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK,
		   -1, 0);
	/* the lowest page ends it */
	if (own == MAP_FAILED || mprotect(own, STACK_GUARD, PROT_NONE) ||
	    getcontext(&to))
		return command(argc, argv);
	started.argc = argc;
	started.argv = argv;
	to.uc_stack.ss_sp = own;
	to.uc_stack.ss_size = STACK_OWN;
	to.uc_link = &back;
	makecontext(&to, on_own_stack, 0);
	swapcontext(&back, &to);
	return started.status;
}
