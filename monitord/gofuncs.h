/* SPDX-License-Identifier: Apache-2.0 */
/* Where functions of Go programs begin and end. */
#ifndef MONITORD_GOFUNCS_H
#define MONITORD_GOFUNCS_H

#include "sites.h"

/* The function that contains vaddr, from .gopclntab. */
bool go_function(const struct elf_image *e, uint64_t vaddr, uint64_t *start,
		 uint64_t *end);

#endif
