// SPDX-License-Identifier: Apache-2.0
/*
 * Divergences in the journal.
 *
 * Theory of operation
 * -------------------
 * The text of a report goes to stderr, which for a service is the journal
 * already, line by line.  This is one record more, for machines: what happened
 * as fields (`journalctl MESSAGE_ID=... -o json`), the report's JSON among
 * them.
 *
 * libsystemd speaks the journal's protocol.  It is loaded when there is
 * something to say, so that programs that do not diverge start no slower for
 * it and a machine without it runs them all the same.  Nothing is sent outside
 * of services: stderr is enough for people at a terminal.
 */
#include "journal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "manager.h"
#include "monitor.h"

#ifdef HAVE_SYSTEMD
#include <dlfcn.h>
#include <sys/uio.h>
#include <syslog.h>

#define FIELDS_MAX 32

struct record {
	struct iovec field[FIELDS_MAX];
	int n;
};

static void __attribute__((format(printf, 2, 3)))
add(struct record *rec, const char *fmt, ...)
{
	char *text;
	va_list ap;
	int n;

	if (rec->n == FIELDS_MAX)
		return;
	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	rec->field[rec->n].iov_base = text;
	rec->field[rec->n++].iov_len = (size_t)n;
}

static void send_record(const struct record *rec)
{
	int (*sendv)(const struct iovec *iov, int n) = NULL;
	void *lib = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
	void *symbol = lib ? dlsym(lib, "sd_journal_sendv") : NULL;
	int r;

	if (!symbol) {
		verbose("no record in the journal: %s", dlerror());
		return;
	}
	/* ISO C has no conversion from one to the other */
	memcpy(&sendv, &symbol, sizeof(sendv));
	r = sendv(rec->field, rec->n);
	if (r < 0)
		say("no record in the journal: %s", strerror(-r));
}

void journal_divergence(const struct report *r, const char *report_file,
			bool kept)
{
	struct record rec = { .n = 0 };
	struct json_object *json;

	if (!manager_journal())
		return;
	add(&rec, "MESSAGE=divergence: %s", r->summary);
	add(&rec, "MESSAGE_ID=" JOURNAL_DIVERGENCE);
	add(&rec, "PRIORITY=%d", kept ? LOG_ERR : LOG_CRIT);
	add(&rec, "SYSLOG_IDENTIFIER=monitord");
	add(&rec, "IPMON_KIND=%s", div_kind_name(r->kind));
	if (r->syscall[0])
		add(&rec, "IPMON_SYSCALL=%s", r->syscall);
	if (r->arg >= 0)
		add(&rec, "IPMON_ARGUMENT=%d", r->arg + 1);
	if (r->label[0])
		add(&rec, "IPMON_ARGUMENT_NAME=%s", r->label);
	add(&rec, "IPMON_VARIANT=%u", r->variant);
	add(&rec, "IPMON_VARIANTS=%u", r->n);
	add(&rec, "IPMON_POLICY=%s", r->policy);
	add(&rec, "IPMON_LAYOUT=%s", r->layout);
	add(&rec, "IPMON_PROGRAM=%s", r->program);
	add(&rec, "IPMON_PID=%d", (int)r->vpid);
	add(&rec, "IPMON_TID=%d", (int)r->vtid);
	add(&rec, "IPMON_ACTION=%s", kept ? "continue" : "kill");
	add(&rec, "IPMON_AHEAD=%lu", r->ahead);
	add(&rec, "IPMON_GUESS=%s", r->guess);
	if (report_file)
		add(&rec, "IPMON_REPORT=%s", report_file);
	json = report_to_json(r);
	if (json)
		add(&rec, "IPMON_REPORT_JSON=%s",
		    json_object_to_json_string_ext(json,
						   JSON_C_TO_STRING_PLAIN));
	json_object_put(json);
	send_record(&rec);
	while (rec.n)
		free(rec.field[--rec.n].iov_base);
}

#else

void journal_divergence(const struct report *r, const char *report_file,
			bool kept)
{
	(void)r;
	(void)report_file;
	(void)kept;
}

#endif
