/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `monitord service`: between its two halves, cmd_service.c and
 * service_needs.c.
 */
#ifndef MONITORD_SERVICE_H
#define MONITORD_SERVICE_H

#include <stdio.h>

#include "unitfile.h"

/* Where settings go that the drop-in needs, and lines that say so. */
void needs_begin(FILE *dropin, FILE *person);
/* Options of `run` that follow from the unit, and settings that go with them. */
void needs_options(const struct unit *u, const char *type, FILE *command);
/* Everything else. */
void needs_settings(const struct unit *u, const char *type, const char *self,
		    unsigned int variants);

#endif
