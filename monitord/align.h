/* SPDX-License-Identifier: Apache-2.0 */
/* Stopping variants that compute at the same place. */
#ifndef MONITORD_ALIGN_H
#define MONITORD_ALIGN_H

#include "monitor.h"

/*
 * All variants of `s` are AT_STOP in the program's code: bring followers to
 * where the leader is, if that can be found. False: one of them is about to
 * make a call, or has had another stop (its event is to come); the set is not
 * to be parked now, those still AT_STOP are to be resumed.
 */
bool align_set(struct taskset *s);

#endif
