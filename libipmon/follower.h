/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call of a follower, between follower.c (records, outputs), private.c (calls
 * made alone, clocks) and compare.c (inputs, differences).
 */
#ifndef IPMON_FOLLOWER_H
#define IPMON_FOLLOWER_H

#include "broker.h"

#define NOTE(text)	((uint64_t)(uintptr_t)(text))

struct follower {
	struct ipmon_ctx *ctx;
	struct ipmon_frame *f;
	const struct ipmon_plan *plan;
	uint64_t nr;
	struct ipmon_reader r;
	struct ipmon_difference diff;	/* filled when a comparison fails */
	int answered;			/* it has been reported already */
	int64_t answer;
	unsigned int n_out;
	struct {
		uint64_t addr;
		uint32_t len;
		uint8_t arg;
		uint64_t label;
	} out[1024];
};
/* ---- follower.c ---- */

void follower_reader(struct ipmon_reader *r, struct ipmon_ctx *ctx);

/* ---- compare.c ---- */

/* Fills fo->diff; -1. */
int differ(struct follower *fo, unsigned int kind, int arg, uint64_t leader,
	   uint64_t own, uint64_t label, const char *note);
/* The reader found no well-formed continuation where we expected one. -1 */
int malformed(struct follower *fo);
/* Pointers that are null in one variant only: lane_nulls(). -1 */
int nulls_differ(struct follower *fo, uint64_t leader, uint64_t own);
/* Report fo->diff; monitord's answer (abi.h). */
int64_t report_difference(struct follower *fo, int have_record);
/* All inputs; 0 when they are equal.  -1: see r.status and diff. */
int compare_inputs(struct follower *fo, unsigned int lane, uint64_t ctl_word);

#endif
