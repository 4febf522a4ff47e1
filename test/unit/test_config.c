// SPDX-License-Identifier: Apache-2.0
/*
 * Configuration files: what they mean, and what is said of those that are wrong.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "nearest.h"

void say(const char *fmt, ...)
{
}

void die(const char *fmt, ...)
{
	abort();
}

static struct config c;
static struct options opt;

static void setup(void)
{
	memset(&c, 0, sizeof(c));
	settings_init(&opt);
}

static void teardown(void)
{
	settings_free(&opt);
	config_free(&c);
}

TestSuite(config, .init = setup, .fini = teardown);

static void read_text(const char *text)
{
	config_parse(&c, "x.conf", text, strlen(text));
	config_apply(&c, &opt);
}

/* Nothing is wrong. */
static void good(const char *text)
{
	read_text(text);
	cr_expect_eq(c.n_errors, 0, "%s", c.n_errors ? c.errors[0].text : "");
}

/* Just this is, in that line. */
static void bad(const char *text, unsigned int line, const char *what)
{
	teardown();
	setup();
	read_text(text);
	cr_assert_eq(c.n_errors, 1, "%zu errors in %s", c.n_errors, text);
	cr_expect_eq(c.errors[0].line, line, "line %u: %s", c.errors[0].line,
		     c.errors[0].text);
	cr_expect(strstr(c.errors[0].text, what), "'%s' is not in '%s'", what,
		  c.errors[0].text);
}

Test(config, nothing_is_the_defaults)
{
	good("");
	cr_expect_eq(opt.n, 2);
	cr_expect_eq(opt.policy, POLICY_VERIFIED);
	cr_expect_eq(opt.timeout, 30);
	cr_expect_eq(opt.lag_ms, 1000);
	cr_expect_not(opt.any_calls);
}

Test(config, all_keys)
{
	good("\xef\xbb\xbf# comment\n; another\n\n[Run]\r\n"
	     "Variants = 3 ; of eight\nPolicy=Relaxed\nLevel=nonsocket_rw\n"
	     "MaxLag=5,,7\nLayout=same\nOnDivergence: continue\nTimeout=2min\n"
	     "CPUs=0,2-3\nPlacement=one\nReport=r\nReportDirectory=d\nStats=s\n"
	     "Trace=t\nVerbose=on\n"
	     "[Variant 2]\nPath=/p\nEnvironment=A=b \"C=d e\"\n  'F=g' H=\\ i\n"
	     "Preload=/a.so:/b.so\n /c.so\nCPU=1\n"
	     "[Calls]\nTrap=openat, connect\nVerify=write\nRelax=read\n"
	     "Deny=ptrace mkdir:EACCES\n");
	cr_expect_eq(opt.n, 3);
	cr_expect_eq(opt.policy, POLICY_RELAXED);
	cr_expect_eq(opt.level, LEVEL_NONSOCKET_RW);
	cr_expect_eq(opt.lag_records, 5);
	cr_expect_eq(opt.lag_bytes, IPMON_RING_BYTES);
	cr_expect_eq(opt.lag_ms, 7);
	cr_expect_eq(opt.layout, LAYOUT_SAME);
	cr_expect_eq(opt.on_divergence, DIV_CONTINUE);
	cr_expect_eq(opt.timeout, 120);
	cr_expect_str_eq(opt.cpus, "0,2-3");
	cr_expect_eq(opt.placement, PLACE_ONE);
	cr_expect_str_eq(opt.report_file, "r");
	cr_expect_str_eq(opt.report_dir, "d");
	cr_expect_str_eq(opt.stats_file, "s");
	cr_expect_str_eq(opt.trace_file, "t");
	cr_expect_eq(opt.verbose, 1);
	cr_expect_str_eq(opt.variant_path[2], "/p");
	cr_expect_str_eq(opt.preload[2], "/a.so:/b.so:/c.so");
	cr_expect_str_eq(opt.cpu[2], "1");
	cr_expect_null(opt.variant_path[1]);
	cr_assert_eq(opt.n_env, 4);
	cr_expect_str_eq(opt.env[1].assignment, "C=d e");
	cr_expect_str_eq(opt.env[3].assignment, "H= i");
	cr_expect_eq(opt.env[3].variant, 2);
	cr_expect_eq(opt.calls[257].action, CALL_TRAP);
	cr_expect_eq(opt.calls[42].action, CALL_TRAP);
	cr_expect_eq(opt.calls[1].action, CALL_VERIFY);
	cr_expect_eq(opt.calls[0].action, CALL_RELAX);
	cr_expect_eq(opt.calls[101].action, CALL_DENY);
	cr_expect_eq(opt.calls[101].error, EPERM);
	cr_expect_eq(opt.calls[83].error, EACCES);
	cr_expect(settings_diverse(&opt));
}

Test(config, what_is_said_of_one_variant_wins)
{
	good("[Variant 1]\nPath=/one\nPreload=\n[Variant]\nPath=/all\n"
	     "Preload=/x.so\nEnvironment=A=b\n[Run]\nVariants=3\n");
	cr_expect_str_eq(opt.variant_path[0], "/all");
	cr_expect_str_eq(opt.variant_path[1], "/one");
	cr_expect_str_eq(opt.variant_path[2], "/all");
	cr_expect_str_eq(opt.preload[0], "/x.so");
	cr_expect_null(opt.preload[1]);
	cr_expect_eq(opt.n_env, MAX_VARIANTS);
}

Test(config, later_files_and_empty_values)
{
	static const char later[] = "[Run]\nTimeout=6\nTrace=\n[Variant 0]\n"
		"Environment=\n[Calls]\nDeny=\nVerify=read";

	good("[Run]\nTimeout=5\nTrace=t\n[Variant 0]\nEnvironment=A=b\n"
	     "[Calls]\nDeny=ptrace\nTrap=read\n");
	config_parse(&c, "y.conf", later, sizeof(later) - 1);
	settings_free(&opt);
	settings_init(&opt);
	config_apply(&c, &opt);
	cr_expect_eq(c.n_errors, 0);
	cr_expect_eq(opt.timeout, 6);
	cr_expect_null(opt.trace_file);
	cr_expect_eq(opt.n_env, 0);
	cr_expect_eq(opt.calls[101].action, CALL_DEFAULT);
	cr_expect_eq(opt.calls[0].action, CALL_VERIFY);
	cr_expect_eq(config_where(&c, -1, "Timeout")->line, 2);
	cr_expect_str_eq(config_where(&c, -1, "Timeout")->file, "y.conf");
	cr_expect_null(config_where(&c, 0, "Path"));
	cr_expect(config_names(&c, 0) && !config_names(&c, 1));
}

Test(config, what_is_wrong_is_said)
{
	char text[512] = "[Run]\nTrace=";

	bad("[Run]\nPolcy=strict\n", 2, "did you mean Policy?");
	bad("[Run]\nPreload=/x.so\n", 2, "belongs into section [Variant] or");
	bad("[Run]\nXyzzy=1\n", 2, "monitord.conf(5)");
	bad("[Run]\nPolicy=strct\n", 2, "did you mean strict?");
	bad("[Run]\nVariants=9\n", 2, "from 1 to 8");
	bad("[Run]\nVariants=+2\n", 2, "from 1 to 8");
	bad("[Run]\nTimeout=0\n", 2, "1s to 24h");
	bad("[Run]\nTimeout=25h\n", 2, "1s to 24h");
	bad("[Run]\nMaxLag=1,2,3\n", 2, "BYTES from 8192");
	bad("[Run]\nCPUs=0-\n", 2, "list of processors");
	bad("[Run]\nVerbose=maybe\n", 2, "yes or no");
	bad("[Run\n", 1, "']' is missing");
	bad("[Rnu]\nPolicy=strict\n", 1, "did you mean [Run]?");
	bad("[Variant 8]\n", 1, "from 0, the leader, to 7");
	bad("[Variant x]\n", 1, "from 0, the leader, to 7");
	bad("\n\nPolicy=strict\n", 3, "before any [Section]");
	bad("[Run]\nnonsense\n", 2, "neither a [Section] nor Key=Value");
	bad("[Variant 1]\nPreload=x.so\n", 2, "absolute path");
	bad("[Variant 1]\nEnvironment=A\n", 2, "must be NAME=VALUE");
	bad("[Variant 1]\nEnvironment=\"A=b\n", 2, "a quote is not closed");
	bad("[Variant 1]\nEnvironment=LD_PRELOAD=/x\n", 2, "use Preload");
	bad("[Calls]\nTrap=opnat\n", 2, "did you mean openat?");
	bad("[Calls]\nTrap=waitpid\n", 2, "no system call 'waitpid'");
	bad("[Calls]\nTrap=read:EIO\n", 2, "only Deny takes an error");
	bad("[Calls]\nDeny=exit_group\n", 2, "cannot be denied");
	bad("[Calls]\nDeny=mkdir:EPRM\n", 2, "did you mean EPERM?");
	bad("[Calls]\nRelax=clone\n", 2, "never made without monitord");
	memset(text + strlen(text), 'x', 300);
	bad(text, 2, "longer than 199 bytes");
}

Test(config, all_that_is_wrong_is_said)
{
	read_text("[Run]\nPolcy=1\nbogus\n[Rnu]\nx=1\n[Calls]\nTrap=rd\n");
	cr_expect_eq(c.n_errors, 4);
	config_say(&c);
	for (size_t i = 1; i < c.n_errors; i++)
		cr_expect_leq(c.errors[i - 1].line, c.errors[i].line);
}

Test(config, zero_bytes)
{
	static const char text[] = "[Run]\nTra\0ce=x\nTimeout=5\n";

	config_parse(&c, "x", text, sizeof(text) - 1);
	config_apply(&c, &opt);
	cr_expect_eq(c.n_errors, 1);
	cr_expect_eq(opt.timeout, 5);
}

static void count(void *ctx, int variant, const char *key,
		  const struct fault *f)
{
	int *n = ctx;

	(*n)++;
	cr_expect_eq(variant, 3);
	cr_expect_str_eq(key, "CPU");
	cr_expect(strstr(f->text, "Variants=4"));
}

Test(config, variants_that_are_not)
{
	int n = 0;

	good("[Variant 3]\nCPU=0\n");
	cr_expect_eq(settings_check(&opt, count, &n), 1);
	cr_expect_eq(n, 1);
	settings_forget(&opt, 3);
	cr_expect_eq(settings_check(&opt, count, &n), 0);
}

Test(nearest, distances)
{
	cr_expect_eq(edit_distance("", ""), 0);
	cr_expect_eq(edit_distance("Policy", "POLICY"), 0);
	cr_expect_eq(edit_distance("Polcy", "Policy"), 1);
	cr_expect_eq(edit_distance("Plociy", "Policy"), 2);
	cr_expect_eq(edit_distance("Poilcy", "Policy"), 1);
	cr_expect_eq(edit_distance("abc", ""), 3);
	cr_expect_eq(edit_distance("kitten", "sitting"), 3);
}

Test(nearest, only_what_is_near)
{
	struct nearest n = { NULL, 0 };
	char longer[200];

	nearest_try(&n, "timout", "Policy");
	cr_expect_null(n.word);
	nearest_try(&n, "timout", "Timeouts");
	nearest_try(&n, "timout", "Timeout");
	cr_expect_str_eq(n.word, "Timeout");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	n.word = NULL;
	nearest_try(&n, longer, "x");
	nearest_try(&n, "x", longer);
	nearest_try(&n, "x", "y");
	cr_expect_null(n.word);
}
