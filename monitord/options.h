/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: sub-commands and the options of `run`.
 */
#ifndef MONITORD_OPTIONS_H
#define MONITORD_OPTIONS_H

#include <getopt.h>

#include "monitor.h"

/*
 * Parse `run`'s arguments; argv[0] is "run".  Returns 0, EXIT_MONITOR after
 * having said what is wrong with them, or -1 when --help was asked for and
 * printed.
 */
int options_parse(int argc, char **argv, struct options *opt);

/*
 * wrong.c: say what is wrong with the option at which getopt_long() has returned
 * `c`, one of '?' and ':' (its letters begin with a ':'), of this command.
 * EXIT_MONITOR.
 */
int wrong_option(const char *command, char **argv,
		 const struct option *longopts, int c);

/* Sub-commands: argv[0] is their name; the return value is the exit status. */
int cmd_run(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_ps(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_service(int argc, char **argv);
int cmd_syscalls(int argc, char **argv);
int cmd_check_config(int argc, char **argv);

#endif
