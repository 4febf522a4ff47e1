// SPDX-License-Identifier: Apache-2.0
/*
 * A divergence report out of its JSON file (report_json.c).
 *
 * The file may come from anywhere, and what a variant under attack had in its
 * memory is in it.  Nothing is believed: a member of another type than it
 * should have counts as missing, arrays are read up to what the structure has
 * room for, numbers are brought into range, and text loses whatever is not
 * printable ASCII on the way, so that printing the structure is safe.  What
 * escapes a string had when it was gathered stay as they are.
 */
#include "report.h"
#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct json_object *get(struct json_object *o, const char *key,
			       enum json_type type)
{
	struct json_object *v;

	if (!o || !json_object_object_get_ex(o, key, &v) ||
	    !json_object_is_type(v, type))
		return NULL;
	return v;
}

/* Printable text; `lines`: line ends stay. */
static void copy_text(char *dst, size_t cap, const char *s, size_t n,
		      bool lines)
{
	struct text t;

	text_init(&t, dst, cap);
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if ((c >= 0x20 && c < 0x7f) || (lines && c == '\n'))
			text_putc(&t, (char)c);
		else
			text_printf(&t, "\\%03o", c);
	}
}

static bool get_str(struct json_object *o, const char *key, char *dst,
		    size_t cap)
{
	struct json_object *v = get(o, key, json_type_string);

	dst[0] = '\0';
	if (!v)
		return false;
	copy_text(dst, cap, json_object_get_string(v),
		  (size_t)json_object_get_string_len(v), false);
	return true;
}
#define GET_STR(o, key, dst) get_str(o, key, dst, sizeof(dst))

static int64_t get_int(struct json_object *o, const char *key, int64_t min,
		       int64_t max, int64_t otherwise)
{
	struct json_object *v = get(o, key, json_type_int);
	int64_t n = v ? json_object_get_int64(v) : otherwise;

	return n < min ? min : n > max ? max : n;
}

static uint64_t get_uint(struct json_object *o, const char *key)
{
	struct json_object *v = get(o, key, json_type_int);

	return v ? json_object_get_uint64(v) : 0;
}

static bool get_bool(struct json_object *o, const char *key)
{
	struct json_object *v = get(o, key, json_type_boolean);

	return v && json_object_get_boolean(v);
}

static uint64_t hex(struct json_object *v)
{
	return v && json_object_is_type(v, json_type_string) ?
		strtoull(json_object_get_string(v), NULL, 16) : 0;
}

static uint64_t get_hex(struct json_object *o, const char *key)
{
	return hex(get(o, key, json_type_string));
}

static size_t length(struct json_object *a, size_t most)
{
	size_t n = a ? json_object_array_length(a) : 0;

	return n < most ? n : most;
}

static uint32_t get_bytes(struct json_object *o, const char *key,
			  unsigned char *dst, uint32_t cap)
{
	struct json_object *v = get(o, key, json_type_string);
	const char *s = v ? json_object_get_string(v) : "";
	uint32_t n = 0;

	while (n < cap && isxdigit((unsigned char)s[2 * n]) &&
	       isxdigit((unsigned char)s[2 * n + 1])) {
		char byte[3] = { s[2 * n], s[2 * n + 1] };

		dst[n++] = (unsigned char)strtoul(byte, NULL, 16);
	}
	return n;
}

static void read_frames(struct report_variant *v, struct json_object *a)
{
	v->n_frames = (int)length(a, REPORT_FRAMES);
	for (int i = 0; i < v->n_frames; i++) {
		struct json_object *o = json_object_array_get_idx(a, (size_t)i);
		struct frame *f = &v->frame[i];

		f->pc = get_hex(o, "pc");
		GET_STR(o, "symbol", f->symbol);
		f->sym_off = get_hex(o, "offset");
		GET_STR(o, "object", f->object);
		f->obj_off = get_hex(o, "object_offset");
		GET_STR(o, "source", f->source);
	}
}

static void read_maps(struct report_variant *v, struct json_object *a)
{
	v->n_maps = (unsigned int)length(a, REPORT_MAPS);
	for (unsigned int i = 0; i < v->n_maps; i++) {
		struct json_object *o = json_object_array_get_idx(a, i);
		struct report_map *m = &v->map[i];

		GET_STR(o, "what", m->what);
		m->addr = get_hex(o, "address");
		m->mapped = get_bool(o, "mapped");
		m->start = get_hex(o, "start");
		m->end = get_hex(o, "end");
		m->offset = get_hex(o, "file_offset");
		GET_STR(o, "perms", m->perms);
		GET_STR(o, "path", m->path);
	}
}

static void read_variant(struct report *r, struct json_object *o)
{
	int64_t k = get_int(o, "variant", -1, MAX_VARIANTS, -1);
	struct json_object *args = get(o, "args", json_type_array);
	struct json_object *raw = get(o, "raw_args", json_type_array);
	struct report_variant *v;

	if (k < 0 || k >= r->n || r->v[k].present)
		return;
	v = &r->v[k];
	v->present = true;
	v->pid = (pid_t)get_int(o, "pid", 0, INT32_MAX, 0);
	v->tid = (pid_t)get_int(o, "tid", 0, INT32_MAX, 0);
	GET_STR(o, "comm", v->comm);
	GET_STR(o, "state", v->state);
	v->deviates = get_bool(o, "deviates");
	if (v->deviates)
		r->deviating |= 1u << k;
	v->has_call = GET_STR(o, "syscall", v->call_name);
	v->nr = get_uint(o, "nr");
	v->nargs = v->has_call ? (unsigned int)length(args, 6) : 0;
	for (unsigned int i = 0; i < v->nargs; i++) {
		struct json_object *a = json_object_array_get_idx(args, i);

		if (json_object_is_type(a, json_type_string))
			copy_text(v->arg[i], sizeof(v->arg[i]),
				  json_object_get_string(a),
				  (size_t)json_object_get_string_len(a), false);
	}
	for (unsigned int i = 0; i < length(raw, 6); i++)
		v->raw[i] = hex(json_object_array_get_idx(raw, i));
	v->ip = get_hex(o, "ip");
	v->sp = get_hex(o, "sp");
	read_frames(v, get(o, "backtrace", json_type_array));
	read_maps(v, get(o, "maps", json_type_array));
}

static void read_difference(struct report *r, struct json_object *o)
{
	struct report_variant *a = &r->v[LEADER], *b;

	r->variant = (unsigned int)get_int(o, "deviating_variant", 1,
					   MAX_VARIANTS - 1, 1);
	b = &r->v[r->variant];
	r->arg = (int)get_int(o, "arg", -1, 5, -1);
	GET_STR(o, "label", r->label);
	GET_STR(o, "address_found_as", r->pointer);
	r->len[0] = get_uint(o, "leader_len");
	r->len[1] = get_uint(o, "variant_len");
	switch (r->kind) {
	case DIV_PAYLOAD:
		r->offset = get_uint(o, "offset");
		r->window_at = get_uint(o, "window_offset");
		r->from_ring = get_bool(o, "from_ring");
		a->span_addr = get_hex(o, "leader_at");
		b->span_addr = get_hex(o, "variant_at");
		a->span_len = r->len[0];
		b->span_len = r->len[1];
		a->window_len = get_bytes(o, "leader", a->window,
					  REPORT_WINDOW);
		b->window_len = get_bytes(o, "variant", b->window,
					  REPORT_WINDOW);
		break;
	case DIV_ARGUMENT:
		r->value[0] = get_hex(o, "leader");
		r->value[1] = get_hex(o, "variant");
		break;
	case DIV_CRASH:
		r->sig[0] = (int)get_int(o, "leader_signal", 0, 64, 0);
		r->sig[1] = (int)get_int(o, "variant_signal", 0, 64, 0);
		r->fault_addr[0] = get_hex(o, "leader_address");
		r->fault_addr[1] = get_hex(o, "variant_address");
		break;
	case DIV_EXIT:
	case DIV_KILLED:
		r->status[0] = (int)get_int(o, "leader_status", INT32_MIN,
					    INT32_MAX, 0);
		r->status[1] = (int)get_int(o, "variant_status", INT32_MIN,
					    INT32_MAX, 0);
		break;
	case DIV_RESULT:
		r->ret[0] = get_int(o, "leader_result", INT64_MIN, INT64_MAX,
				    0);
		r->ret[1] = get_int(o, "variant_result", INT64_MIN, INT64_MAX,
				    0);
		break;
	default:
		break;
	}
}

static void read_calls(struct report *r, struct json_object *o)
{
	static const char *const when[] = { "before", "here", "ahead" };
	struct json_object *recent = get(o, "recent", json_type_array);
	struct json_object *in = get(o, "inprocess", json_type_object);
	struct json_object *calls = get(in, "calls", json_type_array);
	char word[16];

	r->n_recent = (unsigned int)length(recent, RECENT_MAX);
	for (unsigned int i = 0; i < r->n_recent; i++) {
		struct json_object *e = json_object_array_get_idx(recent, i);

		r->recent[i].seq = get_uint(e, "seq");
		GET_STR(e, "text", r->recent[i].text);
	}
	r->inproc = in;
	r->ahead = get_uint(in, "ahead");
	r->visible = get_uint(in, "visible");
	r->n_ring = (unsigned int)length(calls, REPORT_INPROC);
	for (unsigned int i = 0; i < r->n_ring; i++) {
		struct json_object *c = json_object_array_get_idx(calls, i);

		GET_STR(c, "when", word);
		for (int k = 0; k < 3; k++)
			if (!strcmp(word, when[k]))
				r->ring[i].when = k;
		r->ring[i].visible = get_bool(c, "visible");
		GET_STR(c, "text", r->ring[i].text);
	}
}

/* One of these words, or "unknown". */
static const char *one_of(struct json_object *o, const char *key,
			  const char *const *words)
{
	char have[32];

	GET_STR(o, key, have);
	for (; *words; words++)
		if (!strcmp(have, *words))
			return *words;
	return "unknown";
}

const char *report_from_json(struct report *r, struct json_object *o)
{
	static const char *const policies[] = {
		"strict", "verified", "relaxed", NULL
	};
	static const char *const layouts[] = {
		"disjoint", "same", "independent", NULL
	};
	struct json_object *task, *vs, *guess;
	char kind[32];

	memset(r, 0, sizeof(*r));
	if (!json_object_is_type(o, json_type_object) ||
	    !GET_STR(o, "kind", kind))
		return "not a divergence report of monitord";
	if (get_int(o, "version", 0, INT32_MAX, 1) > 1)
		return "written by a newer monitord; read it with that one";
	for (unsigned int k = 1; k < DIV_KIND_MAX; k++)
		if (!strcmp(kind, div_kind_name((enum div_kind)k)))
			r->kind = (enum div_kind)k;
	if (!r->kind)
		return "not a divergence report of monitord: unknown kind";
	vs = get(o, "variants", json_type_array);
	/* before "n" was written, the variants that were alive */
	r->n = (unsigned int)get_int(o, "n", 1, MAX_VARIANTS,
				     (int64_t)length(vs, MAX_VARIANTS));
	GET_STR(o, "summary", r->summary);
	GET_STR(o, "syscall", r->syscall);
	r->nr = get_uint(o, "nr");
	GET_STR(o, "note", r->note);
	GET_STR(o, "time", r->time);
	GET_STR(o, "program", r->program);
	r->policy = one_of(o, "policy", policies);
	r->layout = one_of(o, "layout", layouts);
	r->leader_alone = get_bool(o, "leader_alone");
	guess = get(o, "guess", json_type_string);
	if (guess)
		copy_text(r->guess, sizeof(r->guess),
			  json_object_get_string(guess),
			  (size_t)json_object_get_string_len(guess), true);
	task = get(o, "task", json_type_object);
	r->vtid = (pid_t)get_int(task, "tid", 0, INT32_MAX, 0);
	r->vpid = (pid_t)get_int(task, "pid", 0, INT32_MAX, 0);
	r->rank = (unsigned int)get_int(task, "rank", 0, INT32_MAX, 0);
	for (size_t i = 0; i < length(vs, MAX_VARIANTS); i++)
		read_variant(r, json_object_array_get_idx(vs, i));
	read_difference(r, get(o, "diff", json_type_object));
	read_calls(r, o);
	return NULL;
}

/* ---- the file ---- */

const char *report_parse(struct report *r, const char *text, size_t n)
{
	struct json_tokener *tok = json_tokener_new_ex(REPORT_DEPTH);
	struct json_object *o;
	const char *err;

	if (!tok)
		return "out of memory";
	if (n > REPORT_BYTES) {
		json_tokener_free(tok);
		return "too large for a divergence report";
	}
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT |
			       JSON_TOKENER_ALLOW_TRAILING_CHARS);
	o = json_tokener_parse_ex(tok, text, (int)n);
	if (o)
		err = report_from_json(r, o);
	else if (json_tokener_get_error(tok) == json_tokener_continue)
		err = "the JSON object ends too early; was it cut?";
	else
		err = json_tokener_error_desc(json_tokener_get_error(tok));
	json_object_put(o);
	json_tokener_free(tok);
	return err;
}
