// SPDX-License-Identifier: Apache-2.0
/*
 * monitord: sub-command selection.
 *
 * main() records what the caller passed in (signals, descriptors, limits)
 * before anything else happens, because variants must get exactly that.
 */
#include <stdio.h>
#include <string.h>

#include "front.h"
#include "options.h"

#ifndef IPMON_VERSION
#define IPMON_VERSION "unknown"
#endif

static const char usage[] =
	"usage: monitord run [OPTION...] -- PROGRAM [ARG...]\n"
	"       monitord report FILE\n"
	"       monitord doctor\n"
	"       monitord syscalls [NAME...]\n"
	"       monitord --help | --version\n"
	"\n"
	"  run       run PROGRAM as N variants in lockstep; only the first one,\n"
	"            the leader, touches the outside world, and any difference\n"
	"            in behaviour between variants stops all of them\n"
	"  doctor    say what this kernel and machine allow\n"
	"  syscalls  print how each system call is treated\n"
	"\n"
	"`monitord COMMAND --help` explains a command, monitord(1) everything.\n";

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "run", cmd_run },
	{ "report", cmd_report },
	{ "doctor", cmd_doctor },
	{ "syscalls", cmd_syscalls },
};

int main(int argc, char **argv)
{
	inherit_save();
	if (argc < 2) {
		fputs(usage, stderr);
		return EXIT_MONITOR;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    !strcmp(argv[1], "help")) {
		fputs(usage, stdout);
		return 0;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("monitord " IPMON_VERSION);
		return 0;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	say("no command '%s'; try 'monitord --help'", argv[1]);
	return EXIT_MONITOR;
}
