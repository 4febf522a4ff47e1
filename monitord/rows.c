// SPDX-License-Identifier: Apache-2.0
/*
 * Calls of IP-MON's that are made at the program's own instructions come to a
 * rendezvous like any other, but have no number of the kernel's and thus no row in
 * the table: these are theirs.
 */
#include <ipmon/abi.h>

#include "rows.h"

static const struct ipmon_row linked = {
	.exec = EXEC_MONITOR, .cls = CLASS_PROCESS, .handler = H_LINKED,
	.flags = RF_PURE | RF_NEVER_INPROC,
	.name = "ipmon_linked",
};

static const struct ipmon_row after = {
	.exec = EXEC_MONITOR, .cls = CLASS_PROCESS, .handler = H_AFTER,
	.flags = RF_NEVER_INPROC, .name = "ipmon_after",
};

const struct ipmon_row *call_row(uint64_t nr)
{
	return nr == IPMON_NR_LINKED ? &linked :
	       nr == IPMON_NR_AFTER ? &after : ipmon_row(nr);
}
