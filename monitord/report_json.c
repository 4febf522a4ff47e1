// SPDX-License-Identifier: Apache-2.0
/*
 * The divergence report as JSON, version 1.
 *
 * Numbers of 64 bits are strings in hexadecimal, because JSON readers lose
 * their low bits; bytes are hexadecimal without separators.  All strings are
 * ASCII: what came from a variant has been escaped when it was gathered.
 *
 *	version, kind, summary, syscall, nr, time, program, policy, layout, n
 *	task	  tid, rank, comm, pid: as the program sees them
 *	variants  one each: variant, role, pid, tid (real ones), comm, state,
 *		  deviates; syscall, nr, args (decoded), raw_args when it is
 *		  at a call; ip, sp; backtrace of { pc, symbol, offset, object,
 *		  object_offset, source }, innermost first; maps of { what,
 *		  address, mapped, start, end, perms, file_offset, path }
 *	diff	  deviating_variant, argument (from 1, as everywhere) and arg
 *		  (the same as an index into args), label, and by kind
 *		  payload: offset, leader_len, variant_len, window_offset,
 *			   leader_at, variant_at (where the buffers are),
 *			   from_ring (the leader's bytes are out of the ring),
 *			   leader, variant (bytes from there), *_text
 *		  argument: leader, variant, leader_len, variant_len
 *		  crash: leader_signal, variant_signal, *_address
 *		  exit, killed: *_status; result: *_result
 *		  address_found_as: "text", "binary" or "argument" when the
 *		  differing value is an address
 *	recent	  seq, text: the thread's calls before, oldest first
 *	inprocess when calls were handled in-process: ahead, the calls the leader
 *		  has completed from the one that differs on; visible, how many
 *		  of them others can see; calls, { when: "before", "here" or
 *		  "ahead", visible, text }, oldest first
 *	leader_alone, note, guess
 *
 * Members are only added within a version; readers ignore what they do not
 * know.
 */
#include "report.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

static void add_bytes(struct json_object *o, const char *key,
		      const unsigned char *p, uint32_t n)
{
	char hex[2 * REPORT_WINDOW + 1];

	for (uint32_t i = 0; i < n && i < REPORT_WINDOW; i++)
		snprintf(hex + 2 * i, 3, "%02x", p[i]);
	hex[2 * (n < REPORT_WINDOW ? n : REPORT_WINDOW)] = '\0';
	json_add_str(o, key, hex);
}

static void add_text(struct json_object *o, const char *key,
		     const unsigned char *p, uint32_t n)
{
	char buf[4 * REPORT_WINDOW + 1];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	text_escape(&t, p, n);
	json_add_str(o, key, buf);
}

static struct json_object *frames(const struct report_variant *v)
{
	struct json_object *a = json_object_new_array();

	for (int i = 0; i < v->n_frames; i++) {
		const struct frame *f = &v->frame[i];
		struct json_object *o = json_object_new_object();

		json_add_hex(o, "pc", f->pc);
		json_add_str(o, "symbol", f->symbol);
		json_add_hex(o, "offset", f->sym_off);
		json_add_str(o, "object", f->object);
		json_add_hex(o, "object_offset", f->obj_off);
		json_add_str(o, "source", f->source);
		json_object_array_add(a, o);
	}
	return a;
}

static struct json_object *maps(const struct report_variant *v)
{
	struct json_object *a = json_object_new_array();

	for (unsigned int i = 0; i < v->n_maps; i++) {
		const struct report_map *m = &v->map[i];
		struct json_object *o = json_object_new_object();

		json_add_str(o, "what", m->what);
		json_add_hex(o, "address", m->addr);
		json_object_object_add(o, "mapped",
				       json_object_new_boolean(m->mapped));
		if (m->mapped) {
			json_add_hex(o, "start", m->start);
			json_add_hex(o, "end", m->end);
			json_add_str(o, "perms", m->perms);
			json_add_hex(o, "file_offset", m->offset);
			json_add_str(o, "path", m->path);
		}
		json_object_array_add(a, o);
	}
	return a;
}

static struct json_object *variant(const struct report *r, unsigned int i)
{
	const struct report_variant *v = &r->v[i];
	struct json_object *o = json_object_new_object();
	struct json_object *args = json_object_new_array();
	struct json_object *raw = json_object_new_array();

	json_add_uint(o, "variant", i);
	json_add_str(o, "role", i == LEADER ? "leader" : "follower");
	json_add_int(o, "pid", v->pid);
	json_add_int(o, "tid", v->tid);
	json_add_str(o, "comm", v->comm);
	json_add_str(o, "state", v->state);
	json_object_object_add(o, "deviates",
			       json_object_new_boolean(v->deviates));
	if (v->has_call) {
		json_add_str(o, "syscall", v->call_name);
		json_add_uint(o, "nr", v->nr);
		for (unsigned int k = 0; k < v->nargs; k++)
			json_object_array_add(args,
				json_object_new_string(v->arg[k]));
		for (unsigned int k = 0; k < 6; k++) {
			char hex[24];

			snprintf(hex, sizeof(hex), "%#lx", v->raw[k]);
			json_object_array_add(raw, json_object_new_string(hex));
		}
	}
	json_object_object_add(o, "args", args);
	json_object_object_add(o, "raw_args", raw);
	json_add_hex(o, "ip", v->ip);
	json_add_hex(o, "sp", v->sp);
	json_object_object_add(o, "backtrace", frames(v));
	json_object_object_add(o, "maps", maps(v));
	return o;
}

static struct json_object *difference(const struct report *r)
{
	const struct report_variant *a = &r->v[LEADER], *b = &r->v[r->variant];
	struct json_object *o = json_object_new_object();

	json_add_uint(o, "deviating_variant", r->variant);
	if (r->arg >= 0) {
		json_add_int(o, "arg", r->arg);
		json_add_int(o, "argument", r->arg + 1);
		json_add_str(o, "label", r->label);
	}
	switch (r->kind) {
	case DIV_PAYLOAD:
		json_add_uint(o, "offset", r->offset);
		json_add_uint(o, "leader_len", r->len[0]);
		json_add_uint(o, "variant_len", r->len[1]);
		json_add_hex(o, "leader_at", a->span_addr);
		json_add_hex(o, "variant_at", b->span_addr);
		json_object_object_add(o, "from_ring",
				       json_object_new_boolean(r->from_ring));
		json_add_uint(o, "window_offset", r->window_at);
		add_bytes(o, "leader", a->window, a->window_len);
		add_bytes(o, "variant", b->window, b->window_len);
		add_text(o, "leader_text", a->window, a->window_len);
		add_text(o, "variant_text", b->window, b->window_len);
		break;
	case DIV_ARGUMENT:
		json_add_hex(o, "leader", r->value[0]);
		json_add_hex(o, "variant", r->value[1]);
		json_add_uint(o, "leader_len", r->len[0]);
		json_add_uint(o, "variant_len", r->len[1]);
		break;
	case DIV_CRASH:
		json_add_int(o, "leader_signal", r->sig[0]);
		json_add_int(o, "variant_signal", r->sig[1]);
		json_add_hex(o, "leader_address", r->fault_addr[0]);
		json_add_hex(o, "variant_address", r->fault_addr[1]);
		break;
	case DIV_EXIT:
	case DIV_KILLED:
		json_add_int(o, "leader_status", r->status[0]);
		json_add_int(o, "variant_status", r->status[1]);
		break;
	case DIV_RESULT:
		json_add_int(o, "leader_result", r->ret[0]);
		json_add_int(o, "variant_result", r->ret[1]);
		break;
	default:
		break;
	}
	if (r->pointer[0])
		json_add_str(o, "address_found_as", r->pointer);
	return o;
}

static struct json_object *inprocess(const struct report *r)
{
	static const char *const when[] = { "before", "here", "ahead" };
	struct json_object *o = json_object_new_object();
	struct json_object *calls = json_object_new_array();

	json_add_uint(o, "ahead", r->ahead);
	json_add_uint(o, "visible", r->visible);
	for (unsigned int i = 0; i < r->n_ring; i++) {
		struct json_object *c = json_object_new_object();

		json_add_str(c, "when", when[r->ring[i].when % 3]);
		json_object_object_add(c, "visible",
			json_object_new_boolean(r->ring[i].visible));
		json_add_str(c, "text", r->ring[i].text);
		json_object_array_add(calls, c);
	}
	json_object_object_add(o, "calls", calls);
	return o;
}

struct json_object *report_to_json(const struct report *r)
{
	struct json_object *o = json_object_new_object();
	struct json_object *task = json_object_new_object();
	struct json_object *vs = json_object_new_array();
	struct json_object *recent = json_object_new_array();

	json_add_int(o, "version", 1);
	json_add_str(o, "kind", div_kind_name(r->kind));
	json_add_str(o, "summary", r->summary);
	json_add_str(o, "syscall", r->syscall);
	json_add_uint(o, "nr", r->nr);
	json_add_int(task, "tid", r->vtid);
	json_add_uint(task, "rank", r->rank);
	json_add_str(task, "comm", r->v[LEADER].comm);
	json_add_int(task, "pid", r->vpid);
	json_object_object_add(o, "task", task);
	for (unsigned int v = 0; v < r->n && v < MAX_VARIANTS; v++)
		if (r->v[v].present)
			json_object_array_add(vs, variant(r, v));
	json_object_object_add(o, "variants", vs);
	json_object_object_add(o, "diff", difference(r));
	for (unsigned int i = 0; i < r->n_recent; i++) {
		struct json_object *e = json_object_new_object();

		json_add_uint(e, "seq", r->recent[i].seq);
		json_add_str(e, "text", r->recent[i].text);
		json_object_array_add(recent, e);
	}
	json_object_object_add(o, "recent", recent);
	if (r->inproc)
		json_object_object_add(o, "inprocess", inprocess(r));
	json_object_object_add(o, "leader_alone",
			       json_object_new_boolean(r->leader_alone));
	json_add_str(o, "note", r->note);
	json_add_str(o, "guess", r->guess);
	json_add_str(o, "time", r->time);
	json_add_str(o, "program", r->program);
	json_add_str(o, "policy", r->policy);
	json_add_str(o, "layout", r->layout);
	json_add_uint(o, "n", r->n);
	return o;
}
