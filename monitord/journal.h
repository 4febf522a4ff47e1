/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A divergence as a record of the journal, with fields that can be searched.
 * The fields are listed in monitord(1), "The journal".
 */
#ifndef MONITORD_JOURNAL_H
#define MONITORD_JOURNAL_H

#include "report.h"

/* MESSAGE_ID of a divergence; the catalogue (ipmon.catalog) explains it. */
#define JOURNAL_DIVERGENCE "6f64c0c26b794b5fbdd0e49d1d6c0f98"

/*
 * Send it, if monitord was started by a service manager or its stderr is the
 * journal.  report_file: where the JSON report has been written, or NULL; kept:
 * the others go on without the deviating variant.
 */
void journal_divergence(const struct report *r, const char *report_file,
			bool kept);

#endif
