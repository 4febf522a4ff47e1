/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The divergence report as data.
 *
 * report_gather() turns live, stopped tasks into a struct report: plain
 * values and text, nothing that refers to a task.  Everything in it that came
 * from a variant has been bounded and escaped.  report_guess() adds plain
 * words; report_print() renders text for people and report_to_json() the JSON
 * object, both from the struct alone, so that a report can also be rendered
 * from its file.
 */
#ifndef MONITORD_REPORT_H
#define MONITORD_REPORT_H

#include "divergence.h"
#include "jsonfile.h"
#include "style.h"

#define REPORT_FRAMES	32
#define REPORT_MAPS	12
#define REPORT_WINDOW	256	/* bytes shown around a difference */
#define REPORT_ARG	1024

/* An address of interest and what is mapped there in that variant. */
struct report_map {
	char what[64];			/* "ip", "argument 2", "fault address" */
	uint64_t addr;
	bool mapped;
	uint64_t start, end, offset;
	char perms[5];
	char path[256];			/* "[heap]", a file, "" = anonymous */
};

struct report_variant {
	bool present;			/* live when it happened */
	pid_t pid, tid;			/* real ids */
	char comm[64];
	char state[128];		/* where it is, in words */
	bool has_call;			/* the next four are valid */
	uint64_t nr;
	uint64_t raw[6];
	char call_name[32];
	unsigned int nargs;
	char arg[6][REPORT_ARG];	/* decoded */
	uint64_t ip, sp;		/* 0 = unknown */
	bool deviates;			/* from the leader */
	struct frame frame[REPORT_FRAMES];
	int n_frames;
	struct report_map map[REPORT_MAPS];
	unsigned int n_maps;
	/* DIV_PAYLOAD: bytes around the difference */
	uint64_t span_addr, span_len;
	unsigned char window[REPORT_WINDOW];
	uint32_t window_len;
};

struct report_recent {
	uint64_t seq;
	char text[256];
};

/* A call out of the ring, beside the one that differs. */
struct report_inproc {
	int when;			/* enum fast_when: before, here, ahead */
	bool visible;			/* others can see what it did */
	char text[240];
};
#define REPORT_INPROC	20

struct report {
	enum div_kind kind;
	char summary[512];		/* one line */
	char note[512];			/* from the detector */
	char guess[2048];		/* plain words; sentences, one per line */
	char time[40];			/* UTC, ISO 8601 */
	char program[512];
	const char *policy, *layout;
	/* variants were given programs, libraries or variables of their own */
	bool configured;
	unsigned int n;			/* variants */
	unsigned int variant;		/* the first that deviates */
	/* who deviates: bits; 0 in `leader_alone` unless all followers agree
	 * with one another against the leader and there are two at least */
	unsigned int deviating;
	bool leader_alone;
	pid_t vtid, vpid;
	unsigned int rank;
	uint64_t nr;			/* of the leader, or the only one there */
	char syscall[32];
	/* what differs */
	int arg;			/* -1 = none in particular */
	char label[64];
	uint64_t value[2];
	uint64_t len[2];
	uint64_t offset;		/* of the first differing byte */
	uint64_t window_at;		/* offset of window[0] in the span */
	int sig[2];
	uint64_t fault_addr[2];
	int status[2];
	int64_t ret[2];
	/* The differing values are addresses of mapped memory, each in its
	 * own variant: "" or how they were found ("text", "decimal
	 * text", "shifted text": without lower bits, "binary",
	 * "argument"), with the last entry of v[].map saying where. */
	char pointer[16];
	/* DIV_CRASH: the address is mapped in the other variant. */
	bool fault_is_foreign;
	struct report_variant v[MAX_VARIANTS];
	struct report_recent recent[RECENT_MAX];
	unsigned int n_recent;
	/* calls were handled in-process */
	bool inproc;
	bool from_ring;			/* the leader's bytes are the ring's */
	uint64_t ahead, visible;	/* what the leader has completed from the
					 * call that differs on */
	struct report_inproc ring[REPORT_INPROC];
	unsigned int n_ring;
};

/* Which live followers differ from the leader in the sense of d; sets
 * *leader_alone as in struct report.  0: the leader itself is to blame. */
unsigned int report_deviating(const struct divergence *d, bool *leader_alone);
/* Everything that needs the tasks.  They must be stopped; those that are not
 * are reported without registers.  `deviating` and `leader_alone` as
 * report_deviating() said before anything was interrupted. */
void report_gather(struct report *r, const struct divergence *d,
		   unsigned int deviating, bool leader_alone);

/* report_guess.c: fills r->guess and r->summary. */
void report_summarise(struct report *r);
void report_guess(struct report *r);

/* report.c */
void report_print(FILE *f, const struct report *r, const struct style *style);
/* report_json.c */
struct json_object *report_to_json(const struct report *r);

/* report_read.c: the way back, from a file nobody vouches for.  NULL, or in
 * words why it is no report. */
#define REPORT_BYTES	(4u << 20)	/* more is refused */
#define REPORT_DEPTH	12
const char *report_from_json(struct report *r, struct json_object *o);
const char *report_parse(struct report *r, const char *text, size_t n);

/* "the leader" or "variant N", in a static buffer of a few. */
const char *report_who(unsigned int v);

#endif
