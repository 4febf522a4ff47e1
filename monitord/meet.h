/* SPDX-License-Identifier: Apache-2.0 */
/* Bringing variants that compute to the same instant. */
#ifndef MONITORD_MEET_H
#define MONITORD_MEET_H

#include "monitor.h"

/*
 * All variants of `s` are AT_STOP in the program's code, at whatever instant of
 * the same computation: let those that are behind run on until all are at the
 * same one.
 *
 *	0		they are
 *	-ENOENT		nothing is seen to change, or there is no place to look at
 *	-ETIME		no such instant was found, within bounds
 *	-EAGAIN		one of them is about to make a call, or has had another
 *			stop (its event is to come); those AT_STOP are to be resumed
 */
int meet_set(struct taskset *s);

#endif
