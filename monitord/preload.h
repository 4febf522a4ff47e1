/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MONITORD_PRELOAD_H
#define MONITORD_PRELOAD_H

/* Execute monitord again if LD_PRELOAD is set; the second time, set it again. */
void without_preload(char **argv);

#endif
