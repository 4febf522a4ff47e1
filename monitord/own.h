/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Variants that do not all load the same code: theory of operation in own.c.
 */
#ifndef MONITORD_OWN_H
#define MONITORD_OWN_H

#include "monitor.h"

/* A fresh image whose dynamic linker may load other files than the others'. */
void own_begin(struct taskset *s);
/* libipmon has registered: from now on all make the same calls again. */
void own_linked(struct taskset *s);

/* The task is at an entry while its image is being linked.  True: its call has
 * been made, and it is on its way to the next. */
bool own_link(struct task *t);
/* It is at an entry later on, of a call that is nobody else's in any case. */
bool own_at_once(struct task *t);

/* May the variant make this call without the others (solo.c), as code that only
 * it has does? */
bool own_call(const struct task *t);
/* ... because it looks around: others may be about to ask for the same. */
bool own_look(const struct task *t);
/* ... make it; the result. */
int64_t own_make(struct task *t);

/* A new thread: how large its stack is depends on what else is thread-local. */
bool own_clone_compare(struct taskset *s);

/* What code of a variant's own may do between two common calls is without a
 * bound that could be told from what it does for ever. */
unsigned int own_solo_max(unsigned int otherwise);

/* The call is of an allocator's making, maybe with a lock of its own held that
 * other variants have not: no time to let another thread run. */
bool own_section(const struct taskset *s);

#endif
