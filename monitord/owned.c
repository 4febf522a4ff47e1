// SPDX-License-Identifier: Apache-2.0
/*
 * The monitor's own ranges in a variant's address space: one list for all who
 * protect or hide them (h_memory.c, procview_maps.c, solo.c).
 */
#include "library.h"
#include "owned.h"

static void consider(uint64_t s, uint64_t e, uint64_t from, uint64_t end,
		     bool *found, uint64_t *start, uint64_t *stop)
{
	if (!s || s >= end || e <= from || (*found && s >= *start))
		return;
	*found = true;
	*start = s;
	*stop = e;
}

bool owned_next(const struct mm *m, unsigned int v, uint64_t from,
		uint64_t end, uint64_t *start, uint64_t *stop)
{
	bool found = false;
	uint64_t s, e;

	consider(m->gate[v], m->gate[v] + 4096, from, end, &found, start,
		 stop);
	if (m->scratch[v])
		consider(m->scratch[v], m->scratch[v] + SCRATCH_SIZE, from,
			 end, &found, start, stop);
	if (m->library[v])
		consider(m->library[v], m->library[v] + library_size(), from,
			 end, &found, start, stop);
	if (v == LEADER)
		consider(m->vdso[0], m->vdso[1], from, end, &found, start,
			 stop);
	for (unsigned int i = 0; fast_range(m, v, i, &s, &e); i++)
		consider(s, e, from, end, &found, start, stop);
	for (unsigned int i = 0; patch_range(m, v, i, &s, &e); i++)
		consider(s, e, from, end, &found, start, stop);
	return found;
}
