// SPDX-License-Identifier: Apache-2.0
/*
 * libFuzzer harness: any bytes as a configuration file.
 *
 * Checked: nothing is read or written beyond what it should be (the sanitizers see
 * to it); what is accepted lies within the bounds settings have; every error has
 * a line of the file and a text without control characters of ours; reading the
 * same twice says the same.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../monitord/config.h"
#include "../../monitord/settings.h"

#define CHECK(cond) do { if (!(cond)) __builtin_trap(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void say(const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
}

void die(const char *fmt, ...)
{
	__builtin_trap();
}

static void wrong(void *ctx, int variant, const char *key,
		  const struct fault *f)
{
	CHECK(variant < (int)MAX_VARIANTS && *key && *f->text);
	CHECK(config_where(ctx, variant, key));
}

static size_t read_once(struct config *c, struct options *opt,
			const char *text, size_t size)
{
	settings_init(opt);
	config_parse(c, "fuzz.conf", text, size);
	config_apply(c, opt);
	return c->n_errors;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* a copy of exactly that size: any excess is seen */
	char *text = malloc(size ? size : 1);
	struct config c = { NULL }, again = { NULL };
	static struct options opt, other;
	unsigned int lines = 1;

	memcpy(text, data, size);
	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	read_once(&c, &opt, text, size);
	CHECK(read_once(&again, &other, text, size) == c.n_errors);
	CHECK(opt.n == other.n && opt.n_env == other.n_env &&
	      opt.timeout == other.timeout);
	for (size_t i = 0; i < c.n_errors; i++)
		CHECK(c.errors[i].line >= 1 && c.errors[i].line <= lines &&
		      *c.errors[i].text);
	CHECK(opt.n >= 1 && opt.n <= MAX_VARIANTS);
	CHECK(opt.policy <= POLICY_RELAXED && opt.layout <= LAYOUT_SAME);
	CHECK(opt.timeout >= 1 && opt.timeout <= 86400);
	CHECK(opt.level < LEVEL_MAX && opt.lag_bytes <= IPMON_RING_BYTES);
	for (size_t i = 0; i < opt.n_env; i++)
		CHECK(opt.env[i].variant < MAX_VARIANTS &&
		      strchr(opt.env[i].assignment, '='));
	for (unsigned int v = 0; v < MAX_VARIANTS; v++)
		CHECK(!opt.preload[v] || (opt.preload[v][0] == '/' &&
		      strlen(opt.preload[v]) < PRELOAD_MAX));
	for (unsigned int nr = 0; nr < IPMON_NR_MAX; nr++)
		CHECK(opt.calls[nr].action < CALL_ACTIONS &&
		      (opt.calls[nr].action != CALL_DENY ||
		       opt.calls[nr].error));
	settings_check(&opt, wrong, &c);
	settings_diverse(&opt);
	config_say(&c);
	settings_free(&opt);
	settings_free(&other);
	config_free(&c);
	config_free(&again);
	free(text);
	return 0;
}
