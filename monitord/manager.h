/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a service manager (systemd) tells the process it starts, and what that
 * process tells it.  See manager.c for the theory of operation.
 */
#ifndef MONITORD_MANAGER_H
#define MONITORD_MANAGER_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/* Whose messages are passed on; the unit's NotifyAccess. */
enum notify { NOTIFY_MAIN, NOTIFY_ALL, NOTIFY_DIRECT };

/*
 * In the process the caller started, before it forks: has a service manager
 * started it?  If so, a socket to which the program can talk takes the place
 * of the manager's in environ.
 */
void manager_begin(void);
/* Has it? */
bool manager_started_us(void);
/* Does stderr lead to the journal, or would a service's? */
bool manager_journal(void);
/* Is stderr the journal's stream? */
bool manager_stderr_is_journal(void);

/*
 * In a variant, before its first execve: the variables which name the process
 * that is meant name the leader.
 */
void manager_child(char **env, pid_t leader);

/* ---- the front process ---- */

/* In the tracer: the socket of the front process is not ours. */
void manager_tracer(void);
/* To poll for POLLIN; -1 if there is nothing. */
int manager_fd(void);
/* Pass on what has come; root: the program's pid, 0 = not yet or no more. */
void manager_relay(pid_t root);

/*
 * A signal to all processes of the unit reaches the program by itself and must
 * not be handed on to it.  The witness, a process that does nothing else, tells
 * such a signal from one to the front process alone.
 */
void manager_witness_start(void);
void manager_witness_end(void);
/* To poll for POLLIN; -1 if there is none. */
int manager_witness_fd(void);
/* A signal to the front process: true if it has to be held until it is known
 * who else has got it. */
bool manager_hold(const siginfo_t *info);
/* What the witness has seen. */
void manager_witnessed(void);
/* The next signal that is to be handed on after all; false: none at present. */
bool manager_let_go(siginfo_t *info);
/* Milliseconds until manager_let_go() has to be asked again, -1: never. */
int manager_timeout(void);

/* Die of the signal the program has died of. */
void manager_die(int sig);

#endif
