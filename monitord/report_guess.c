// SPDX-License-Identifier: Apache-2.0
/*
 * From facts to words: the one-line summary, and a guess at the cause.
 *
 * The summary only states what was observed.  The guess says what such a
 * difference usually means and what to do about it; it is worded as a guess.
 * Works on a struct report alone.
 */
#include "report.h"
#include "text.h"
#include "trace.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

const char *div_kind_name(enum div_kind k)
{
	static const char *const name[DIV_KIND_MAX] = {
		[DIV_CALL] = "call", [DIV_ARGUMENT] = "argument",
		[DIV_PAYLOAD] = "payload", [DIV_CRASH] = "crash",
		[DIV_EXIT] = "exit", [DIV_STALL] = "stall",
		[DIV_KILLED] = "killed", [DIV_RESULT] = "result",
	};

	return k > 0 && k < DIV_KIND_MAX ? name[k] : "unknown";
}

const char *report_who(unsigned int v)
{
	static char name[4][24];
	static unsigned int next;
	char *p = name[next++ % 4];

	if (v == LEADER)
		return "the leader";
	snprintf(p, sizeof(name[0]), "variant %u", v);
	return p;
}

/* ---- summary ---- */

/* name(first, ...) */
static void short_call(struct text *t, const struct report_variant *v)
{
	text_puts(t, v->call_name);
	text_putc(t, '(');
	if (v->nargs && strlen(v->arg[0]) <= 40) {
		text_puts(t, v->arg[0]);
		if (v->nargs > 1)
			text_puts(t, ", ...");
	} else if (v->nargs) {
		text_puts(t, "...");
	}
	text_putc(t, ')');
}

static void result_text(struct text *t, int64_t ret)
{
	const char *name = ret < 0 && ret >= -4095 ?
		strerrorname_np((int)-ret) : NULL;

	if (name)
		text_printf(t, "-1 %s", name);
	else if (ret > 65536 || ret < 0)
		text_printf(t, "%#lx", (unsigned long)ret);
	else
		text_printf(t, "%ld", (long)ret);
}

static void status_or_alive(struct text *t, int status)
{
	if (status < 0)
		text_puts(t, "still runs");
	else
		format_status(t, status);
}

static void which_argument(struct text *t, const struct report *r)
{
	if (r->arg >= 0)
		text_printf(t, "argument %d", r->arg + 1);
	else
		text_puts(t, "the arguments");
	if (r->label[0])
		text_printf(t, " (%s)", r->label);
}

static void crash_text(struct text *t, const struct report *r, unsigned int i)
{
	const struct report_variant *v = &r->v[i ? r->variant : LEADER];

	text_puts(t, "got ");
	format_signal(t, r->sig[i]);
	if (r->sig[i] == SIGSEGV || r->sig[i] == SIGBUS)
		text_printf(t, " at address 0x%lx", r->fault_addr[i]);
	if (v->n_frames && v->frame[0].symbol[0])
		text_printf(t, " in %s", v->frame[0].symbol);
}

void report_summarise(struct report *r)
{
	const struct report_variant *a = &r->v[LEADER], *b = &r->v[r->variant];
	struct text t;

	text_init(&t, r->summary, sizeof(r->summary));
	text_puts(&t, div_kind_name(r->kind));
	text_puts(&t, ": ");
	if (a->has_call && r->kind != DIV_CALL && r->kind != DIV_CRASH) {
		short_call(&t, a);
		text_putc(&t, ' ');
	}
	text_printf(&t, "in thread %d: ", r->vtid);

	switch (r->kind) {
	case DIV_CALL:
		text_printf(&t, "%s calls ", report_who(r->variant));
		short_call(&t, b);
		text_puts(&t, ", the leader ");
		short_call(&t, a);
		break;
	case DIV_ARGUMENT:
		which_argument(&t, r);
		if (r->value[0] != r->value[1])
			text_printf(&t, " is %#lx in the leader, %#lx in %s",
				    r->value[0], r->value[1],
				    report_who(r->variant));
		else
			text_printf(&t, " differs between the leader and %s",
				    report_who(r->variant));
		break;
	case DIV_PAYLOAD:
		text_printf(&t, "%s differs from the leader at byte %lu of ",
			    report_who(r->variant), r->offset);
		which_argument(&t, r);
		break;
	case DIV_CRASH:
		if (r->sig[0] && r->sig[1]) {
			text_puts(&t, "the leader ");
			crash_text(&t, r, 0);
			text_printf(&t, ", %s ", report_who(r->variant));
			crash_text(&t, r, 1);
		} else {
			unsigned int i = r->sig[0] ? 0 : 1;

			text_printf(&t, "%s ", report_who(i ? r->variant : 0));
			crash_text(&t, r, i);
			text_printf(&t, ", %s did not",
				    report_who(i ? 0 : r->variant));
		}
		break;
	case DIV_EXIT:
		text_puts(&t, "the leader ");
		status_or_alive(&t, r->status[0]);
		text_printf(&t, ", %s ", report_who(r->variant));
		status_or_alive(&t, r->status[1]);
		break;
	case DIV_STALL:
		text_puts(&t, r->note[0] ? r->note :
			  "a variant does not arrive where the others wait");
		break;
	case DIV_KILLED:
		text_printf(&t, "%s was ended from outside (",
			    report_who(r->variant));
		format_status(&t, r->status[1]);
		text_putc(&t, ')');
		break;
	case DIV_RESULT:
		text_puts(&t, "the call gave ");
		result_text(&t, r->ret[0]);
		text_puts(&t, " in the leader, ");
		result_text(&t, r->ret[1]);
		text_printf(&t, " in %s", report_who(r->variant));
		break;
	default:
		text_puts(&t, "variants differ");
	}
}

/* ---- guess ---- */

static void layout_hint(struct text *t, const struct report *r)
{
	if (strcmp(r->layout, "same"))
		text_puts(t, "If the program does so on purpose, --layout same "
			  "gives all variants the same addresses.\n");
}

static void guess_address(struct text *t, const struct report *r)
{
	const struct report_variant *a = &r->v[LEADER];
	const struct report_map *m = a->n_maps ? &a->map[a->n_maps - 1] : NULL;
	const char *where = m && m->path[0] ? m->path : "anonymous memory";

	if (!strcmp(r->pointer, "argument"))
		text_puts(t, "The value is an address");
	else if (!strcmp(r->pointer, "shifted text"))
		text_puts(t, "The differing number is an address without its "
			  "lowest bits, as text");
	else
		text_printf(t, "The differing bytes are an address, as %s",
			    r->pointer);
	text_printf(t, " (the leader's points into %s).\n", where);
	text_puts(t, "Either the program prints or sends addresses (%p, hash "
		  "order, uninitialised padding), or this is an information "
		  "leak that would have told an attacker the layout.\n");
	layout_hint(t, r);
}

/* Has the follower the leader's bytes in another order?  From the difference on,
 * as far as they are known. */
static bool permuted(const struct report *r)
{
	const struct report_variant *a = &r->v[LEADER], *b = &r->v[r->variant];
	uint64_t from = r->offset - r->window_at;
	int count[256] = { 0 };

	if (r->kind != DIV_PAYLOAD || r->len[0] != r->len[1] ||
	    a->window_len != b->window_len || a->window_len > REPORT_WINDOW ||
	    r->offset < r->window_at || from >= a->window_len ||
	    !memcmp(a->window, b->window, a->window_len))
		return false;
	for (uint64_t i = from; i < a->window_len; i++) {
		count[a->window[i]]++;
		count[b->window[i]]--;
	}
	for (unsigned int c = 0; c < 256; c++)
		if (count[c])
			return false;
	return true;
}

/*
 * What is in the order of addresses, or of a hash of them, is no address itself
 * and cannot be told from other causes; so this is said with an if.  Where the
 * variants were made different on purpose that is the more likely cause.
 */
static void order_hint(struct text *t, const struct report *r)
{
	if (permuted(r))
		text_puts(t, "The bytes are the same in another order.\n");
	if (strcmp(r->layout, "same") && !r->configured)
		text_puts(t, "If the program orders by address (pointers as "
			  "keys of a hash table, a sort by address) or takes "
			  "numbers from one (Lua and Ruby seed their random "
			  "numbers with one), --layout same gives all variants "
			  "the same addresses, and the same order.\n");
}

static void guess_data(struct text *t, const struct report *r)
{
	if (r->kind == DIV_PAYLOAD && r->len[0] != r->len[1])
		text_puts(t, "The lengths differ too: the variants produced "
			  "different data, not one stray value.\n");
	text_puts(t, "Usual causes: uninitialised memory, a value derived from "
		  "an address, a source of randomness the monitor does not "
		  "control (RDRAND), a race between threads, or a "
		  "configuration that differs (--env, --variant).\n");
	order_hint(t, r);
}

static void guess_crash(struct text *t, const struct report *r)
{
	unsigned int i = r->sig[1] ? 1 : 0;
	const char *who = report_who(i ? r->variant : 0);

	if (r->sig[0] && r->sig[1]) {
		text_puts(t, "All variants fail here, in different ways: "
			  "memory is corrupted.\n");
		return;
	}
	if (r->fault_is_foreign) {
		text_printf(t, "The address is valid in the other variant but "
			    "not in %s: a pointer made for one layout was used "
			    "in another. This is what a memory-corruption "
			    "attack looks like; a pointer received through a "
			    "pipe, file or shared memory looks the same.\n",
			    who);
		return;
	}
	if ((r->sig[i] == SIGSEGV || r->sig[i] == SIGBUS) &&
	    r->fault_addr[i] < 4096)
		text_printf(t, "%c%s dereferenced a null pointer. ",
			    who[0] - 'a' + 'A', who + 1);
	text_printf(t, "Only one side fails: %s took another path or holds "
		    "another value before this point (uninitialised memory, "
		    "an overflow that hits something else in each layout, or "
		    "a configuration that differs).\n", who);
	text_puts(t, "The backtraces show where they parted.\n");
}

static void guess_vote(struct text *t, const struct report *r)
{
	unsigned int live = 0, others = 0;

	for (unsigned int v = 0; v < r->n && v < MAX_VARIANTS; v++) {
		live += r->v[v].present;
		others += r->v[v].present && v != LEADER &&
			!(r->deviating & 1u << v);
	}
	if (live < 3 || r->kind == DIV_STALL)
		return;
	if (r->leader_alone)
		text_puts(t, "The leader alone differs; the followers agree "
			  "with one another. Suspect the leader.\n");
	else if (!(r->deviating & (r->deviating - 1)) && r->deviating)
		text_printf(t, "Variant %u alone differs; %u other%s with the "
			    "leader.\n", (unsigned int)__builtin_ctz(r->deviating),
			    others, others == 1 ? " agrees" : "s agree");
	else if (r->deviating)
		text_puts(t, "More than one variant differs: the value is "
			  "probably different in every layout.\n");
}

void report_guess(struct report *r)
{
	struct text t;

	text_init(&t, r->guess, sizeof(r->guess));
	guess_vote(&t, r);
	switch (r->kind) {
	case DIV_CALL:
		text_puts(&t, "The variants took different paths before this "
			  "call: a branch on a value that differs between "
			  "them. The backtraces show where they parted.\n");
		guess_data(&t, r);
		break;
	case DIV_ARGUMENT:
	case DIV_PAYLOAD:
		if (r->pointer[0])
			guess_address(&t, r);
		else
			guess_data(&t, r);
		break;
	case DIV_CRASH:
		guess_crash(&t, r);
		break;
	case DIV_EXIT:
		text_puts(&t, "One variant ended in another way than its "
			  "peers, without a system call that could have been "
			  "compared.\n");
		break;
	case DIV_STALL:
		text_puts(&t, "One variant computes, loops or sleeps where the "
			  "others went on. Possible: an endless loop on "
			  "corrupted data, waiting on memory that only the "
			  "leader sees change, a race between threads. If it "
			  "is only slow, raise --timeout.\n");
		break;
	case DIV_KILLED:
		text_puts(&t, "Nothing in the program caused this: somebody, "
			  "or the kernel's out-of-memory killer, ended a "
			  "variant.\n");
		break;
	case DIV_RESULT:
		text_puts(&t, "A call that every variant executes for itself "
			  "succeeded in one and failed in another: its own "
			  "state differs (memory limits, address space, "
			  "credentials).\n");
		break;
	default:
		break;
	}
	if (r->visible)
		text_printf(&t, "From this call on the leader has made %lu call%s "
			    "that others can see: policy relaxed lets it run "
			    "ahead. Under verified and strict they wait for "
			    "all variants.\n", r->visible,
			    r->visible == 1 ? "" : "s");
}
