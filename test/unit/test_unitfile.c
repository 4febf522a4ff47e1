// SPDX-License-Identifier: Apache-2.0
/*
 * Unit files as systemctl shows them, and command lines with something put in
 * front.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unitfile.h"

static void is(const char *line, const char *want)
{
	const char *error;
	char *got = unit_prefixed(line, "M run", &error);

	cr_assert(got, "%s: %s", line, error);
	cr_expect_str_eq(got, want);
	free(got);
}

Test(unitfile, commands)
{
	is("/bin/a", "M run -- /bin/a");
	is("  /bin/a  -b   c", "M run -- /bin/a -b c");
	is("-/bin/a", "-M run -- /bin/a");
	is("!!/bin/a", "!!M run -- /bin/a");
	is("+:-/bin/a x", "+:-M run -- /bin/a x");
	is("/bin/a 'b  c' \"d \\\" e\" f\\ g", "M run -- /bin/a 'b  c' \"d \\\" e\" f\\ g");
	is("/bin/a %i $X ${Y} $$", "M run -- /bin/a %i $X ${Y} $$");
	is("\"/opt/a b/c\" d", "M run -- \"/opt/a b/c\" d");
}

Test(unitfile, dollar_in_path)
{
	/* literal in the path, a variable's beginning in an argument */
	is("/opt/$x $x", "M run -- /opt/$$x $x");
	is(":/opt/$x $x", ":M run -- /opt/$x $x");
}

Test(unitfile, own_name)
{
	is("@/bin/a name b", "M run --name name -- /bin/a b");
	is("-@/bin/a 'na me'", "-M run --name 'na me' -- /bin/a");
}

Test(unitfile, several)
{
	is("/bin/a x ; /bin/b y", "M run -- /bin/a x ; M run -- /bin/b y");
	is("/bin/a ; -@/bin/b n", "M run -- /bin/a ; -M run --name n -- /bin/b");
	is("/bin/a x;y \\; ';' z", "M run -- /bin/a x;y \\; ';' z");
	is("/bin/a ;", "M run -- /bin/a ;");
}

Test(unitfile, wrong)
{
	static const char *const lines[] = {
		"", "  ", "-", "/bin/a 'b", "\"/bin/a", "@/bin/a", "@/bin/a \"b",
		"/bin/a ; 'b",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *error = NULL;

		cr_expect_null(unit_prefixed(lines[i], "M", &error), "%s",
			       lines[i]);
		cr_expect(error && *error, "%s", lines[i]);
	}
}

Test(unitfile, program)
{
	char *p = unit_program("-@\"/opt/a b\"/c\\ d name");

	cr_expect_str_eq(p, "/opt/a b/c d");
	free(p);
	cr_expect_null(unit_program("'x"));
}

static void count(void *ctx, const char *value)
{
	char *all = ctx;

	strcat(all, value);
	strcat(all, "|");
}

Test(unitfile, files)
{
	struct unit u;
	char all[256] = "";

	cr_assert_eq(unit_parse(&u,
		"# /lib/systemd/system/a.service\n"
		"[Unit]\nExecStart=/no\n"
		"[Service]\n Type = notify \nUser=x\nUser=\n"
		"ExecStart=/bin/a b \\\n# between\n; this too\n  c \\\n\n"
		"ExecStart=/bin/d\\\\\nPrivateTmp=Yes\n\n"
		"# /etc/systemd/system/a.service.d/10-x.conf\n"
		"[Service]\nExecStart=\nExecStart=/bin/e\nExecStart=/bin/f\n\n"
		"# /etc/systemd/system/a.service.d/50-ipmon.conf\n"
		"# /etc/other\n[Service]\nExecStart=\nExecStart=/ours\n\n"
		"# /etc/systemd/system/a.service.d/60-y.conf\n"
		"Type=simple\n[Service]\nSystemCallFilter=@x\n",
		"/etc/systemd/system/a.service.d/50-ipmon.conf"), 0);
	cr_expect_str_eq(u.fragment, "/lib/systemd/system/a.service");
	cr_expect_str_eq(unit_value(&u, "Type"), "notify");
	cr_expect_null(unit_value(&u, "User"));
	cr_expect(unit_true(&u, "PrivateTmp"));
	cr_expect_eq(unit_list(&u, "ExecStart", count, all), 2u);
	cr_expect_str_eq(all, "/bin/e|/bin/f|");
	cr_expect_eq(unit_list(&u, "SystemCallFilter", NULL, NULL), 1u);
	cr_expect_eq(unit_list(&u, "CapabilityBoundingSet", NULL, NULL), 0u);
	cr_expect_not(u.masked);
	unit_free(&u);

	cr_assert_eq(unit_parse(&u, "[Service]\nExecStart=/bin/a b \\\n"
				"# between\n  c \\\n\nExecStart=/bin/d\\\\\n",
				NULL), 0);
	all[0] = 0;
	cr_expect_eq(unit_list(&u, "ExecStart", count, all), 2u);
	cr_expect_str_eq(all, "/bin/a b  c|/bin/d\\\\|");
	unit_free(&u);
}

static void put_file(const char *root, const char *dir, const char *name,
		     const char *text)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "mkdir -p %s%s", root, dir);
	cr_assert_eq(system(path), 0);
	snprintf(path, sizeof(path), "%s%s/%s", root, dir, name);
	f = fopen(path, "w");
	cr_assert(f);
	fputs(text, f);
	fclose(f);
}

Test(unitfile, find)
{
	char root[] = "/tmp/unitfile.XXXXXX", name[64], path[256], *text;
	struct unit u;

	cr_assert(mkdtemp(root));
	put_file(root, "/usr/lib/systemd/system", "a.service",
		 "[Service]\nExecStart=/bin/a\nNice=1\n");
	put_file(root, "/usr/lib/systemd/system/a.service.d", "20-x.conf",
		 "[Service]\nNice=3\n");
	put_file(root, "/usr/lib/systemd/system/a.service.d", "10-x.conf",
		 "[Service]\nNice=2\n");
	/* the administrator's of the same name counts instead */
	put_file(root, "/etc/systemd/system/a.service.d", "20-x.conf",
		 "[Service]\nNice=4\n");
	put_file(root, "/usr/lib/systemd/system", "t@.service",
		 "[Service]\nExecStart=/bin/t %i\n");
	snprintf(path, sizeof(path), "%s/etc/systemd/system/alias.service", root);
	cr_assert_eq(symlink("/usr/lib/systemd/system/a.service", path), 0);
	snprintf(path, sizeof(path), "%s/etc/systemd/system/m.service", root);
	cr_assert_eq(symlink("/dev/null", path), 0);

	strcpy(name, "alias.service");
	text = unit_find(root, name, sizeof(name));
	cr_assert(text);
	cr_expect_str_eq(name, "a.service");
	cr_assert_eq(unit_parse(&u, text, NULL), 0);
	cr_expect_str_eq(unit_value(&u, "Nice"), "4");
	cr_expect_str_eq(u.fragment, "/usr/lib/systemd/system/a.service");
	unit_free(&u);
	free(text);

	strcpy(name, "t@x.service");
	text = unit_find(root, name, sizeof(name));
	cr_assert(text);
	cr_expect_str_eq(name, "t@x.service");
	cr_assert_eq(unit_parse(&u, text, NULL), 0);
	cr_expect_str_eq(unit_value(&u, "ExecStart"), "/bin/t %i");
	unit_free(&u);
	free(text);

	strcpy(name, "m.service");
	text = unit_find(root, name, sizeof(name));
	cr_assert(text);
	cr_assert_eq(unit_parse(&u, text, NULL), 0);
	cr_expect(u.masked);
	unit_free(&u);
	free(text);

	strcpy(name, "none.service");
	cr_expect_null(unit_find(root, name, sizeof(name)));
	snprintf(path, sizeof(path), "rm -r %s", root);
	cr_expect_eq(system(path), 0);
}
