/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MONITORD_ROWS_H
#define MONITORD_ROWS_H

#include <ipmon/table.h>

/* The row of a call by its number, IP-MON's own calls included. */
const struct ipmon_row *call_row(uint64_t nr);

#endif
