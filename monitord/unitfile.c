// SPDX-License-Identifier: Apache-2.0
/*
 * Unit files, as far as `monitord service` has to understand them.
 *
 * Theory of operation
 * -------------------
 * `systemctl cat` finds the files of a unit: its own, drop-ins of all kinds,
 * generated ones; it prints each after a line "# PATH", in the order in which
 * they count.  Read in that order they are one file in the syntax of
 * systemd.syntax(7): sections, KEY=VALUE, comments, lines continued by a
 * backslash with comments in between.
 *
 * Where there is no systemd to ask, unit_find() looks into the directories of
 * systemd.unit(5), the first having the last word.  It knows the unit's own
 * drop-ins and its template's, which is what packages and administrators use.
 *
 * A command line (systemd.service(5), "Command lines") is taken apart only as
 * far as needed to put something in front of it: white space, quotes and
 * backslashes separate and protect words, a word ";" separates commands.
 * Words are moved, never unquoted and quoted again.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unitfile.h"

#define BLANK " \t"

/* ---- files ---- */

static int add_item(struct unit *u, const char *key, size_t key_len,
		    const char *value)
{
	struct unit_item *it = reallocarray(u->item, u->n + 1, sizeof(*it));

	if (!it)
		return -ENOMEM;
	u->item = it;
	it += u->n;
	it->key = strndup(key, key_len);
	it->value = strdup(value);
	if (!it->key || !it->value) {
		free(it->key);
		free(it->value);
		return -ENOMEM;
	}
	u->n++;
	return 0;
}

static void strip_end(char *s)
{
	size_t n = strlen(s);

	while (n && strchr(" \t\r\n", s[n - 1]))
		s[--n] = 0;
}

/* Does the line end in a backslash that is not itself escaped? */
static bool goes_on(const char *line)
{
	bool escaped = false;

	for (; *line; line++)
		escaped = !escaped && *line == '\\';
	return escaped;
}

/* One line without comment and continuation. */
static int logical_line(struct unit *u, char *line, bool *in_service)
{
	char *eq;
	size_t n;

	line += strspn(line, BLANK);
	strip_end(line);
	if (*line == '[') {
		*in_service = !strcmp(line, "[Service]");
		return 0;
	}
	eq = strchr(line, '=');
	if (!eq || !*in_service)
		return 0;
	n = (size_t)(eq - line);
	while (n && strchr(BLANK, line[n - 1]))
		n--;
	eq++;
	return add_item(u, line, n, eq + strspn(eq, BLANK));
}

/* "# /path": what systemctl prints before each file. */
static const char *header(const char *line)
{
	const char *dot = strrchr(line, '.');

	return !strncmp(line, "# /", 3) && dot &&
		(!strcmp(dot, ".service") || !strcmp(dot, ".conf")) ?
		line + 2 : NULL;
}

int unit_parse(struct unit *u, const char *text, const char *own)
{
	char *copy = strdup(text), *rest = copy, *held = NULL, *line;
	bool skip = false, in_service = false;
	int r = 0;

	memset(u, 0, sizeof(*u));
	if (!copy)
		return -ENOMEM;
	while (!r && (line = strsep(&rest, "\n"))) {
		const char *path = header(line);
		char *joined;

		if (path) {
			skip = own && !strcmp(path, own);
			in_service = false;
			if (!u->fragment)
				u->fragment = strdup(path);
			continue;
		}
		if (strstr(line, " is masked.") && *line == '#')
			u->masked = true;
		line += strspn(line, BLANK);
		if (skip || *line == '#' || *line == ';')
			continue;
		if (held) {
			if (asprintf(&joined, "%s%s", held, line) < 0)
				joined = NULL;
			free(held);
			held = NULL;
		} else {
			joined = strdup(line);
		}
		if (!joined) {
			r = -ENOMEM;
		} else if (goes_on(joined)) {
			joined[strlen(joined) - 1] = ' ';
			held = joined;
		} else {
			r = logical_line(u, joined, &in_service);
			free(joined);
		}
	}
	if (held && !r)
		r = logical_line(u, held, &in_service);
	free(held);
	free(copy);
	if (r)
		unit_free(u);
	return r;
}

void unit_free(struct unit *u)
{
	for (size_t i = 0; i < u->n; i++) {
		free(u->item[i].key);
		free(u->item[i].value);
	}
	free(u->item);
	free(u->fragment);
	memset(u, 0, sizeof(*u));
}

/* ---- finding them without systemd ---- */

static const char *const places[] = {
	"/etc/systemd/system", "/run/systemd/system",
	"/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
	"/lib/systemd/system",
};
#define N_PLACES (sizeof(places) / sizeof(places[0]))

static void copy_file(FILE *to, const char *root, const char *file)
{
	char name[PATH_MAX], line[4096];
	FILE *f;

	snprintf(name, sizeof(name), "%s%s", root, file);
	f = fopen(name, "re");
	if (!f)
		return;
	fprintf(to, "# %s\n", file);
	while (fgets(line, sizeof(line), f))
		fputs(line, to);
	fputs("\n\n", to);
	fclose(f);
}

/* The template of an instance, "foo@.service" of "foo@bar.service". */
static bool template_of(const char *name, char *out, size_t size)
{
	const char *at = strchr(name, '@'), *dot = strrchr(name, '.');

	return at && dot > at + 1 &&
		(size_t)snprintf(out, size, "%.*s%s", (int)(at - name + 1),
				 name, dot) < size;
}

/* The unit's own file; an alias is a link to it. */
static bool find_fragment(const char *root, char *name, size_t size, char *file,
			  bool *masked)
{
	char full[PATH_MAX], target[PATH_MAX], *base;
	struct stat st;

	for (unsigned int links = 0; links < 8; links++) {
		size_t i;
		ssize_t n;

		for (i = 0; i < N_PLACES; i++) {
			snprintf(file, PATH_MAX, "%s/%s", places[i], name);
			snprintf(full, sizeof(full), "%s%s", root, file);
			if (!lstat(full, &st))
				break;
		}
		if (i == N_PLACES)
			return false;
		if (!S_ISLNK(st.st_mode))
			return true;
		n = readlink(full, target, sizeof(target) - 1);
		if (n <= 0)
			return false;
		target[n] = 0;
		base = strrchr(target, '/');
		base = base ? base + 1 : target;
		*masked = !strcmp(target, "/dev/null");
		if (*masked || !strcmp(base, name) || strlen(base) >= size)
			return true;
		strcpy(name, base);
	}
	return false;
}

struct dropin {
	char file[2 * PATH_MAX];
	struct dropin *next;
};

static const char *base_of(const struct dropin *d)
{
	return strrchr(d->file, '/') + 1;
}

/* By name; one that is there already was found in a place that counts more. */
static void add_dropin(struct dropin **list, const char *file)
{
	struct dropin *d = calloc(1, sizeof(*d));
	int c = 1;

	if (!d)
		return;
	snprintf(d->file, sizeof(d->file), "%s", file);
	while (*list && (c = strcmp(base_of(*list), base_of(d))) < 0)
		list = &(*list)->next;
	if (*list && !c) {
		free(d);
		return;
	}
	d->next = *list;
	*list = d;
}

static void find_dropins(const char *root, const char *name,
			 struct dropin **list)
{
	for (size_t i = 0; i < N_PLACES; i++) {
		char dir[PATH_MAX], full[2 * PATH_MAX];
		struct dirent *e;
		DIR *d;

		snprintf(dir, sizeof(dir), "%s/%s.d", places[i], name);
		snprintf(full, sizeof(full), "%s%s", root, dir);
		d = opendir(full);
		while (d && (e = readdir(d))) {
			const char *dot = strrchr(e->d_name, '.');

			if (!dot || strcmp(dot, ".conf"))
				continue;
			snprintf(full, sizeof(full), "%s/%s", dir, e->d_name);
			add_dropin(list, full);
		}
		if (d)
			closedir(d);
	}
}

void unit_each(const char *root, void (*fn)(void *ctx, const char *name),
	       void *ctx)
{
	for (size_t i = 0; i < N_PLACES; i++) {
		char dir[PATH_MAX];
		struct dirent *e;
		DIR *d;

		snprintf(dir, sizeof(dir), "%s%s", root, places[i]);
		d = opendir(dir);
		while (d && (e = readdir(d)))
			fn(ctx, e->d_name);
		if (d)
			closedir(d);
	}
}

char *unit_find(const char *root, char *name, size_t size)
{
	char file[PATH_MAX], generic[NAME_MAX + 1], *text = NULL;
	struct dropin *list = NULL;
	bool instance = template_of(name, generic, sizeof(generic));
	bool masked = false;
	size_t n;
	FILE *f;

	if (!find_fragment(root, name, size, file, &masked) &&
	    !(instance && find_fragment(root, generic, sizeof(generic), file,
					&masked)))
		return NULL;
	f = open_memstream(&text, &n);
	if (!f)
		return NULL;
	find_dropins(root, name, &list);
	if (instance)
		find_dropins(root, generic, &list);
	if (masked)
		fprintf(f, "# Unit %s is masked.\n", name);
	else
		copy_file(f, root, file);
	while (list) {
		struct dropin *d = list;

		copy_file(f, root, d->file);
		list = d->next;
		free(d);
	}
	fclose(f);
	return text;
}

/* ---- settings ---- */

const char *unit_value(const struct unit *u, const char *key)
{
	for (size_t i = u->n; i-- > 0;)
		if (!strcmp(u->item[i].key, key))
			return *u->item[i].value ? u->item[i].value : NULL;
	return NULL;
}

bool unit_true(const struct unit *u, const char *key)
{
	static const char *const yes[] = { "1", "yes", "y", "true", "t", "on" };
	const char *v = unit_value(u, key);

	for (size_t i = 0; v && i < sizeof(yes) / sizeof(yes[0]); i++)
		if (!strcasecmp(v, yes[i]))
			return true;
	return false;
}

size_t unit_list(const struct unit *u, const char *key,
		 void (*each)(void *ctx, const char *value), void *ctx)
{
	size_t first = 0, n = 0;

	for (size_t i = 0; i < u->n; i++)
		if (!strcmp(u->item[i].key, key) && !*u->item[i].value)
			first = i;
	for (size_t i = first; i < u->n; i++)
		if (!strcmp(u->item[i].key, key) && *u->item[i].value) {
			if (each)
				each(ctx, u->item[i].value);
			n++;
		}
	return n;
}

/* ---- command lines ---- */

/* A growing string; stays NULL once memory has run out. */
struct string {
	char *s;
	size_t n;
	bool failed;
};

static void put(struct string *o, const char *s, size_t n)
{
	char *p = o->failed ? NULL : realloc(o->s, o->n + n + 1);

	if (!p) {
		o->failed = true;
		return;
	}
	o->s = p;
	memcpy(p + o->n, s, n);
	o->n += n;
	p[o->n] = 0;
}

static void puts_to(struct string *o, const char *s)
{
	put(o, s, strlen(s));
}

/* The end of the word that begins at s, NULL: a quote is not closed. */
static const char *word_end(const char *s)
{
	char quote = 0;

	for (; *s && (quote || !strchr(BLANK, *s)); s++) {
		if (*s == '\\' && s[1])
			s++;
		else if (quote && *s == quote)
			quote = 0;
		else if (!quote && (*s == '"' || *s == '\''))
			quote = *s;
	}
	return quote ? NULL : s;
}

/* The signs a command line may begin with. */
static size_t signs(const char *s, bool *argv0, bool *literal)
{
	size_t n = strspn(s, "-@:+!|");

	*argv0 = memchr(s, '@', n);
	*literal = memchr(s, ':', n);
	return n;
}

/* The program, as an argument: there "$" would begin a variable. */
static void put_program(struct string *o, const char *s, const char *end,
			bool literal)
{
	for (; s < end; s++) {
		if (*s == '$' && !literal)
			put(o, "$", 1);
		put(o, s, 1);
	}
}

/* One command; *line moves behind it and its ";". */
static const char *one_command(struct string *o, const char **line,
			       const char *prefix)
{
	const char *p = *line, *end, *name;
	bool argv0, literal;
	size_t n = signs(p, &argv0, &literal);

	/* "@" is replaced by --name */
	for (size_t i = 0; i < n; i++)
		if (p[i] != '@')
			put(o, p + i, 1);
	p += n;
	p += strspn(p, BLANK);
	end = word_end(p);
	if (!end)
		return "a quote is not closed";
	if (end == p)
		return "there is no program";
	puts_to(o, prefix);
	name = end + strspn(end, BLANK);
	if (argv0) {
		const char *name_end = word_end(name);

		if (!name_end || name_end == name)
			return "there is no name after the program with \"@\"";
		puts_to(o, " --name ");
		put(o, name, (size_t)(name_end - name));
		name = name_end + strspn(name_end, BLANK);
	}
	puts_to(o, " -- ");
	put_program(o, p, end, literal);
	/* the arguments, up to the end or a word ";" */
	for (p = name; *p; p = end + strspn(end, BLANK)) {
		end = word_end(p);
		if (!end)
			return "a quote is not closed";
		if (end == p + 1 && *p == ';') {
			puts_to(o, " ;");
			*line = end + strspn(end, BLANK);
			if (**line)
				put(o, " ", 1);
			return NULL;
		}
		put(o, " ", 1);
		put(o, p, (size_t)(end - p));
	}
	*line = p;
	return NULL;
}

char *unit_prefixed(const char *line, const char *prefix, const char **error)
{
	struct string o = { NULL, 0, false };

	*error = NULL;
	line += strspn(line, BLANK);
	do
		*error = one_command(&o, &line, prefix);
	while (!*error && *line);
	if (*error || o.failed) {
		free(o.s);
		return NULL;
	}
	return o.s;
}

char *unit_program(const char *line)
{
	bool argv0, literal;
	const char *end;
	char *out, *to;

	line += strspn(line, BLANK);
	line += signs(line, &argv0, &literal);
	line += strspn(line, BLANK);
	end = word_end(line);
	if (!end || end == line)
		return NULL;
	out = to = malloc((size_t)(end - line) + 1);
	if (!out)
		return NULL;
	for (; line < end; line++) {
		if (*line == '"' || *line == '\'')
			continue;
		if (*line == '\\' && line + 1 < end)
			line++;
		*to++ = *line;
	}
	*to = 0;
	return out;
}
