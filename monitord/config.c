// SPDX-License-Identifier: Apache-2.0
/*
 * Configuration files.
 *
 * Theory of operation
 * -------------------
 * inih takes a file apart; what it says is collected first and applied then, so
 * that the order of sections in a file does not matter and all that is wrong is
 * reported at once.  inih tells neither line numbers nor more than one line that
 * it cannot understand, and cuts lines that are longer than its buffer; so it is
 * given its lines by a reader of ours, which counts them, notes what kind each
 * is, and sees which of them have led to nothing.
 *
 * Sections are applied in the order [Run], [Variant], [Variant N], [Calls]:
 * what is said of one variant wins over what is said of all.  Within these, and
 * from one file to the next, what comes later wins.
 *
 * A monitor that runs as root does what its configuration says as root: files
 * that somebody else could have written are refused, and so are those in
 * directories where somebody else could have put them.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "nearest.h"
#include "rootdir.h"

#define FILE_MAX (1u << 20)

static void *grown(void *v, size_t n, size_t size)
{
	v = reallocarray(v, n + 1, size);
	if (!v)
		die("out of memory");
	return v;
}

static char *copied(const char *s)
{
	char *c = strdup(s);

	if (!c)
		die("out of memory");
	return c;
}

void config_error(struct config *c, const char *file, unsigned int line,
		  const char *fmt, ...)
{
	struct config_error *e;
	va_list ap;

	c->errors = grown(c->errors, c->n_errors, sizeof(*c->errors));
	e = &c->errors[c->n_errors++];
	e->file = file;
	e->line = line;
	va_start(ap, fmt);
	if (vasprintf(&e->text, fmt, ap) < 0)
		die("out of memory");
	va_end(ap);
}

/* ---- sections ---- */

#define ALL_VARIANTS (-1)

/*
 * Run, Variant, "Variant 1", Calls.  False: none of them, or a variant that
 * cannot be; *why says so.
 */
static bool section_known(const char *name, enum setting_section *s,
			  int *variant, char *why, size_t size)
{
	struct nearest near = { NULL, 0 };
	const char *digits;
	char word[32];
	size_t n;

	*variant = ALL_VARIANTS;
	for (unsigned int i = IN_RUN; i <= IN_CALLS; i++) {
		*s = (enum setting_section)i;
		if (!strcmp(name, setting_section_name(*s)))
			return true;
	}
	n = strcspn(name, " 0123456789");
	snprintf(word, sizeof(word), "%.*s", (int)n, name);
	digits = name + n + strspn(name + n, " ");
	*s = IN_VARIANT;
	if (!strcmp(word, setting_section_name(IN_VARIANT))) {
		if (isdigit((unsigned char)digits[0]) && !digits[1] &&
		    digits[0] < '0' + MAX_VARIANTS) {
			*variant = digits[0] - '0';
			return true;
		}
		snprintf(why, size, "a variant's number is one from 0, the leader, to %u",
			 MAX_VARIANTS - 1);
		return false;
	}
	for (unsigned int i = IN_RUN; i <= IN_CALLS; i++)
		nearest_try(&near, word,
			    setting_section_name((enum setting_section)i));
	if (near.word)
		snprintf(why, size, "there is no such section; did you mean [%s%s%s]?",
			 near.word, *digits ? " " : "",
			 isdigit((unsigned char)*digits) ? digits : "");
	else
		snprintf(why, size, "there is no such section; there are [Run], [Variant], [Variant N] and [Calls]");
	return false;
}

/* ---- one file ---- */

enum line_kind { LINE_NOTHING, LINE_SECTION, LINE_VALUE, LINE_BAD };

struct reader {
	struct config *c;
	const char *file;
	const char *at, *end;
	unsigned int line;		/* of what inih has now */
	enum line_kind kind;
	bool understood;
	bool in_value;			/* a line that begins with a blank goes
					 * on with the one before */
	bool goes_on;			/* ... and this is one */
};

/* Was the line before understood? */
static void account(struct reader *r)
{
	if (r->kind == LINE_VALUE && !r->understood)
		config_error(r->c, r->file, r->line,
			     "neither a [Section] nor Key=Value; comments begin with # or ;");
	r->kind = LINE_NOTHING;
	r->understood = false;
}

static void section_line(struct reader *r, const char *name, const char *end)
{
	enum setting_section s;
	char text[64], why[256];
	int variant;

	r->in_value = false;
	snprintf(text, sizeof(text), "%.*s", (int)(end - name), name);
	if (!section_known(text, &s, &variant, why, sizeof(why)))
		config_error(r->c, r->file, r->line, "[%s]: %s", text, why);
}

static enum line_kind kind_of(struct reader *r, const char *s, size_t n)
{
	const char *start = s, *bracket;

	/* a byte order mark */
	if (r->line == 1 && n >= 3 && !memcmp(s, "\xef\xbb\xbf", 3))
		start = s += 3, n -= 3;
	while (n && isspace((unsigned char)*s))
		s++, n--;
	if (!n || *s == ';' || *s == '#')
		return LINE_NOTHING;
	r->goes_on = r->in_value && s > start;
	if (*s != '[' || r->goes_on)
		return LINE_VALUE;
	bracket = memchr(s, ']', n);
	if (!bracket) {
		config_error(r->c, r->file, r->line, "']' is missing");
		return LINE_BAD;
	}
	section_line(r, s + 1, bracket);
	return LINE_SECTION;
}

/* inih asks for the next line: into buf, of `size` bytes. */
static char *next_line(char *buf, int size, void *stream)
{
	struct reader *r = stream;
	const char *nl;
	size_t n;

	account(r);
	while (r->at < r->end) {
		const char *at = r->at;

		nl = memchr(at, '\n', (size_t)(r->end - at));
		n = (size_t)((nl ? nl : r->end) - at);
		r->at = nl ? nl + 1 : r->end;
		r->line++;
		if (n >= (size_t)size) {
			config_error(r->c, r->file, r->line,
				     "longer than %d bytes; break the line, the next one beginning with a blank",
				     size - 1);
			r->in_value = false;
		} else if (memchr(at, 0, n)) {
			config_error(r->c, r->file, r->line,
				     "has a zero byte in it: this is no text file");
		} else {
			r->kind = kind_of(r, at, n);
			memcpy(buf, at, n);
			buf[n] = 0;
			return buf;
		}
	}
	return NULL;
}

/* inih has understood a line. */
static int found(void *user, const char *section, const char *name,
		 const char *value)
{
	struct reader *r = user;
	struct config *c = r->c;
	struct config_item *it;

	r->understood = true;
	if (r->goes_on && c->n_items) {
		char *joined;

		it = &c->items[c->n_items - 1];
		if (asprintf(&joined, "%s%s%s", it->value,
			     *it->value ? " " : "", value) < 0)
			die("out of memory");
		free(it->value);
		it->value = joined;
		return 1;
	}
	r->in_value = true;
	c->items = grown(c->items, c->n_items, sizeof(*c->items));
	it = &c->items[c->n_items++];
	*it = (struct config_item){
		.file = r->file, .line = r->line, .section = copied(section),
		.key = copied(name), .value = copied(value),
	};
	return 1;
}

static const char *file_name(struct config *c, const char *name)
{
	if (c->n_files && !strcmp(c->files[c->n_files - 1], name))
		return c->files[c->n_files - 1];
	c->files = grown(c->files, c->n_files, sizeof(*c->files));
	c->files[c->n_files] = copied(name);
	return c->files[c->n_files++];
}

void config_parse(struct config *c, const char *name, const char *text,
		  size_t size)
{
	struct reader r = {
		.c = c, .file = file_name(c, name), .at = text,
		.end = text + size,
	};

	/* what it returns is the first of the lines account() has seen */
	if (ini_parse_stream(next_line, &r, found, &r) < 0)
		die("out of memory");
	account(&r);
}

/* ---- from the file system ---- */

/* Could somebody else than root have put it there? */
static bool others_may_write(const struct stat *st)
{
	bool open_dir = S_ISDIR(st->st_mode) && st->st_mode & S_ISVTX;

	return st->st_uid != 0 || (st->st_mode & S_IWOTH && !open_dir) ||
		(st->st_mode & S_IWGRP && st->st_gid != 0 && !open_dir);
}

/* Where an open file lies, links having been followed. */
static bool real_path(int fd, char real[PATH_MAX])
{
	char name[32];
	ssize_t n;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	n = readlink(name, real, PATH_MAX - 1);
	if (n <= 0 || *real != '/')
		return false;
	real[n] = 0;
	return true;
}

/* As root: the file and every directory on the way to it are root's alone. */
static bool trusted(struct config *c, const char *name, int fd)
{
	char dir[PATH_MAX], real[PATH_MAX];
	struct stat st;

	if (geteuid() != 0)
		return true;
	if (!real_path(fd, real)) {
		config_error(c, name, 0, "is refused, because where it lies cannot be told; /proc is needed");
		return false;
	}
	if (fstat(fd, &st) < 0 || others_may_write(&st)) {
		config_error(c, name, 0, "is refused, because others than root may write it; chown root and chmod go-w it");
		return false;
	}
	for (snprintf(dir, sizeof(dir), "%s", dirname(strdupa(real)));;
	     snprintf(dir, sizeof(dir), "%s", dirname(strdupa(dir)))) {
		if (stat(dir, &st) < 0 || others_may_write(&st)) {
			config_error(c, name, 0, "is refused, because others than root may write the directory %s; chown root and chmod go-w it",
				     dir);
			return false;
		}
		if (!strcmp(dir, "/") || !strcmp(dir, root_dir))
			return true;
	}
}

/* The names in a directory, as scandir(3). */
static int names_in(const char *dir, int (*filter)(const struct dirent *),
		    struct dirent ***list)
{
	int fd = root_open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC), n;
	char name[32];

	*list = NULL;
	if (fd < 0)
		return -1;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	n = scandir(name, list, filter, alphasort);
	close(fd);
	return n;
}

/* Names in IPMON_CONFDIR that are nearly this one. */
static void not_found(struct config *c, const char *name, const char *path)
{
	struct nearest near = { NULL, 0 };
	struct dirent **list = NULL;
	char base[NAME_MAX + 1] = "";
	int n = -1;

	if (!strchr(name, '/'))
		n = names_in(IPMON_CONFDIR, NULL, &list);
	for (int i = 0; i < n; i++) {
		char *dot = strrchr(list[i]->d_name, '.');

		if (dot && !strcmp(dot, ".conf")) {
			*dot = 0;
			nearest_try(&near, name, list[i]->d_name);
		}
	}
	if (near.word)
		snprintf(base, sizeof(base), "%s", near.word);
	for (int i = 0; i < n; i++)
		free(list[i]);
	free(list);
	if (*base)
		config_error(c, path, 0, "does not exist; did you mean %s?",
			     base);
	else if (strchr(name, '/'))
		config_error(c, path, 0, "does not exist; is the path right?");
	else
		config_error(c, path, 0, "does not exist; make it (monitord.conf(5)), or name a file with a slash in its path");
}

/* False: it is not there, which is said only if it must be. */
static bool read_file(struct config *c, const char *path, const char *name)
{
	char *text = NULL, *file;
	struct stat st;
	ssize_t n = 0;
	size_t have = 0;
	int fd = root_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int error = errno;

	/* as it is called here */
	if (asprintf(&file, "%s%s", root_dir, path) < 0)
		die("out of memory");
	if (fd < 0 && (error == ENOENT || error == ENOTDIR)) {
		not_found(c, name, file_name(c, file));
		free(file);
		return false;
	}
	if (fd < 0 || fstat(fd, &st) < 0) {
		config_error(c, file_name(c, file), 0, "cannot be read: %s; may this user read it?",
			     strerror(fd < 0 ? error : errno));
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		config_error(c, file_name(c, file), 0, "is no file; name one whose lines are Key=Value");
		goto out;
	}
	if (!trusted(c, file_name(c, file), fd))
		goto out;
	text = malloc(FILE_MAX + 1);
	if (!text)
		die("out of memory");
	while (have <= FILE_MAX &&
	       (n = read(fd, text + have, FILE_MAX + 1 - have)) > 0)
		have += (size_t)n;
	if (n < 0)
		config_error(c, file_name(c, file), 0, "cannot be read: %s; may this user read it?",
			     strerror(errno));
	else if (have > FILE_MAX)
		config_error(c, file_name(c, file), 0, "is larger than %u bytes",
			     FILE_MAX);
	else
		config_parse(c, file, text, have);
out:
	free(file);
	free(text);
	if (fd >= 0)
		close(fd);
	return true;
}

static int is_conf(const struct dirent *e)
{
	const char *dot = strrchr(e->d_name, '.');

	return e->d_name[0] != '.' && dot && !strcmp(dot, ".conf");
}

/* The path that a name stands for; malloc'd. */
static char *path_of(const char *name)
{
	size_t n = strlen(name);
	bool conf = n > 5 && !strcmp(name + n - 5, ".conf");
	bool file = strchr(name, '/');
	char *path;

	if (asprintf(&path, "%s%s%s", file ? "" : IPMON_CONFDIR "/", name,
		     file || conf ? "" : ".conf") < 0)
		die("out of memory");
	return path;
}

bool config_exists(const char *name)
{
	char *path = path_of(name);
	int fd = root_open(path, O_PATH | O_CLOEXEC);
	bool there = fd >= 0 || (errno != ENOENT && errno != ENOTDIR);

	if (fd >= 0)
		close(fd);
	free(path);
	return there;
}

void config_read(struct config *c, const char *name)
{
	struct dirent **list = NULL;
	char *path, *dir, *part;
	int parts;

	if (!*name) {
		config_error(c, file_name(c, name), 0, "a name is missing");
		return;
	}
	path = path_of(name);
	if (asprintf(&dir, "%s.d", path) < 0)
		die("out of memory");
	if (read_file(c, path, name)) {
		parts = names_in(dir, is_conf, &list);
		for (int i = 0; i < parts; i++) {
			if (asprintf(&part, "%s/%s", dir,
				     list[i]->d_name) < 0)
				die("out of memory");
			read_file(c, part, part);
			free(part);
			free(list[i]);
		}
		free(list);
	}
	free(dir);
	free(path);
}

/* ---- what it means ---- */

static const struct setting *setting_by_key(const char *key)
{
	for (size_t i = 0; i < n_settings; i++)
		if (settings[i].key && !strcmp(settings[i].key, key))
			return &settings[i];
	return NULL;
}

static void unknown_key(struct config *c, const struct config_item *it,
			enum setting_section section)
{
	const struct setting *s = setting_by_key(it->key);
	struct nearest near = { NULL, 0 };
	const char *where = NULL;

	if (s) {
		config_error(c, it->file, it->line,
			     "%s belongs into section [%s]%s", it->key,
			     setting_section_name(s->section),
			     s->section == IN_VARIANT ? " or [Variant N]" : "");
		return;
	}
	/* the keys of the section first */
	for (int other = 0; other < 2 && !near.word; other++)
		for (size_t i = 0; i < n_settings; i++) {
			const char *had = near.word;

			if (!settings[i].key ||
			    (settings[i].section == section) == other)
				continue;
			nearest_try(&near, it->key, settings[i].key);
			if (near.word != had)
				where = other ? setting_section_name(
					settings[i].section) : NULL;
		}
	config_error(c, it->file, it->line,
		     "%.60s: there is no such key in [%s]%s%s%s%s%s%s",
		     it->key, it->section, near.word ? "; did you mean " :
		     "; monitord.conf(5) lists them",
		     near.word ? near.word : "", where ? " of [" : "",
		     where ? where : "", where ? "]" : "", near.word ? "?" : "");
}

static void apply_item(struct config *c, struct options *opt,
		       const struct config_item *it,
		       enum setting_section section, int variant)
{
	const struct setting *s = setting_by_key(it->key);
	struct fault f = { "" };
	int r = 0;

	if (!s || s->section != section) {
		unknown_key(c, it, section);
		return;
	}
	if (section == IN_VARIANT && variant == ALL_VARIANTS) {
		for (unsigned int v = 0; v < MAX_VARIANTS && !r; v++)
			r = s->set(opt, s, v, it->value, &f);
	} else {
		r = s->set(opt, s, section == IN_VARIANT ?
			   (unsigned int)variant : 0, it->value, &f);
	}
	if (r < 0)
		config_error(c, it->file, it->line, "%s '%.200s': %s", it->key,
			     it->value, f.text);
}

void config_apply(struct config *c, struct options *opt)
{
	static const struct {
		enum setting_section section;
		bool all;
	} order[] = {
		{ IN_RUN, true }, { IN_VARIANT, true }, { IN_VARIANT, false },
		{ IN_CALLS, true },
	};

	for (size_t i = 0; i < c->n_items; i++)
		if (!*c->items[i].section)
			config_error(c, c->items[i].file, c->items[i].line,
				     "%s: before any [Section]; most keys belong into [Run]",
				     c->items[i].key);
	for (size_t pass = 0; pass < sizeof(order) / sizeof(order[0]); pass++)
		for (size_t i = 0; i < c->n_items; i++) {
			const struct config_item *it = &c->items[i];
			enum setting_section section;
			char why[256];
			int variant;

			/* unknown ones have been reported at their own line */
			if (!section_known(it->section, &section, &variant,
					   why, sizeof(why)) ||
			    section != order[pass].section ||
			    (variant == ALL_VARIANTS) != order[pass].all)
				continue;
			apply_item(c, opt, it, section, variant);
		}
}

const struct config_item *config_where(const struct config *c, int variant,
				       const char *key)
{
	const struct config_item *last = NULL, *own = NULL;

	for (size_t i = 0; i < c->n_items; i++) {
		const struct config_item *it = &c->items[i];
		enum setting_section section;
		char why[256];
		int v;

		if (strcmp(it->key, key) ||
		    !section_known(it->section, &section, &v, why,
				   sizeof(why)))
			continue;
		if (v == ALL_VARIANTS)
			last = it;
		else if (v == variant)
			own = it;
	}
	return own ? own : last;
}

bool config_names(const struct config *c, unsigned int variant)
{
	for (size_t i = 0; i < c->n_items; i++) {
		enum setting_section section;
		char why[256];
		int v;

		if (section_known(c->items[i].section, &section, &v, why,
				  sizeof(why)) && v == (int)variant)
			return true;
	}
	return false;
}

/* ---- what is wrong ---- */

static int by_place(const void *a, const void *b)
{
	const struct config_error *x = a, *y = b;
	int d = strcmp(x->file, y->file);

	if (d)
		return d;
	return x->line < y->line ? -1 : x->line > y->line;
}

void config_say(struct config *c)
{
	if (c->n_errors)
		qsort(c->errors, c->n_errors, sizeof(*c->errors), by_place);
	for (size_t i = 0; i < c->n_errors; i++) {
		const struct config_error *e = &c->errors[i];

		if (e->line)
			say("%s:%u: %s", e->file, e->line, e->text);
		else
			say("%s: %s", e->file, e->text);
	}
}

void config_free(struct config *c)
{
	for (size_t i = 0; i < c->n_items; i++) {
		free(c->items[i].section);
		free(c->items[i].key);
		free(c->items[i].value);
	}
	for (size_t i = 0; i < c->n_errors; i++)
		free(c->errors[i].text);
	for (size_t i = 0; i < c->n_files; i++)
		free(c->files[i]);
	free(c->items);
	free(c->errors);
	free(c->files);
	*c = (struct config){ NULL };
}
