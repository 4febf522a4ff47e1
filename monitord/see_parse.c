// SPDX-License-Identifier: Apache-2.0
/*
 * Requests as they come in on the control socket and the metrics socket.
 *
 * Pure: bytes in, a verdict out; no system calls, no allocation, no globals.
 * The bytes are anybody's.  test/fuzz/fuzz_see.c runs all of it.
 *
 * Of HTTP as much as a scraper needs (RFC 9112): a request line, header fields
 * that are looked at for form only, no body.  The answer always closes the
 * connection, so what follows a request is of no interest.
 */
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "see_parse.h"

const char *see_request_check(const void *packet, size_t n)
{
	struct see_request r;

	if (n != sizeof(r))
		return "of the wrong length";
	memcpy(&r, packet, sizeof(r));
	if (r.magic != SEE_MAGIC)
		return "that is none of ours";
	if (r.version != SEE_VERSION)
		return "of another version";
	if (r.what != SEE_STATUS || r.reserved)
		return "that asks for nothing we know";
	return NULL;
}

/* ---- HTTP ---- */

/* RFC 9110, 5.6.2 */
static bool is_token(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* Visible characters; blanks are separators. */
static bool is_target(char c)
{
	return c > ' ' && c < 127;
}

static bool eat(const char **p, const char *end, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(end - *p) < n || memcmp(*p, word, n))
		return false;
	*p += n;
	return true;
}

/* One header field, without its end of line. */
static bool field_ok(const char *p, const char *end)
{
	const char *start = p;

	while (p < end && is_token(*p))
		p++;
	if (p == start || p == end || *p != ':')
		return false;
	for (; p < end; p++)
		if ((*p >= 0 && *p < ' ' && *p != '\t') || *p == 127)
			return false;
	return true;
}

/* The line at p: its end, and where the next begins; NULL: not there yet. */
static const char *line_end(const char *p, const char *end, const char **next)
{
	const char *nl = memchr(p, '\n', (size_t)(end - p));

	if (!nl)
		return NULL;
	*next = nl + 1;
	return nl > p && nl[-1] == '\r' ? nl - 1 : nl;
}

static enum http_verdict refuse_http(int *status, int with)
{
	*status = with;
	return HTTP_ERROR;
}

/* METHOD SP TARGET SP VERSION */
static enum http_verdict request_line(const char *p, const char *end,
				      int *status)
{
	const char *method = p, *target;
	size_t n_method, n_target;

	while (p < end && is_token(*p))
		p++;
	n_method = (size_t)(p - method);
	if (!n_method || !eat(&p, end, " "))
		return refuse_http(status, 400);
	target = p;
	while (p < end && is_target(*p))
		p++;
	n_target = (size_t)(p - target);
	if (!n_target || !eat(&p, end, " HTTP/"))
		return refuse_http(status, 400);
	if (end - p != 3 || p[1] != '.' || p[0] < '0' || p[0] > '9' ||
	    p[2] < '0' || p[2] > '9')
		return refuse_http(status, 400);
	if (p[0] != '1')
		return refuse_http(status, 505);
	/* the absolute form: every server has to take it */
	if (n_target > 7 && !strncasecmp(target, "http://", 7)) {
		const char *path = memchr(target + 7, '/', n_target - 7);

		n_target = path ? (size_t)(target + n_target - path) : 0;
		target = path;
	}
	if (target) {
		const char *query = memchr(target, '?', n_target);

		if (query)
			n_target = (size_t)(query - target);
	}
	if (n_target != 8 || memcmp(target, "/metrics", 8))
		return refuse_http(status, 404);
	if (n_method == 3 && !memcmp(method, "GET", 3))
		return HTTP_METRICS;
	if (n_method == 4 && !memcmp(method, "HEAD", 4))
		return HTTP_METRICS_HEAD;
	return refuse_http(status, 405);
}

enum http_verdict http_request(const char *bytes, size_t n, int *status)
{
	const char *end = bytes + n, *p = bytes, *stop, *next;
	enum http_verdict v;
	int bad = 0;			/* the line's status */

	if (n > HTTP_REQUEST_MAX)
		return refuse_http(status, 431);
	/* empty lines in front are to be ignored (RFC 9112, 2.2) */
	while (p < end && (*p == '\r' || *p == '\n'))
		p++;
	stop = line_end(p, end, &next);
	if (!stop) {
		/* say so at once to what will never be a request */
		if (p < end && !is_token(*p))
			return refuse_http(status, 400);
		return n == HTTP_REQUEST_MAX ? refuse_http(status, 414) :
			HTTP_MORE;
	}
	v = request_line(p, stop, &bad);
	/* there is no need to wait for the rest of a bad one */
	if (bad && bad != 404 && bad != 405)
		return refuse_http(status, bad);
	for (;;) {
		p = next;
		stop = line_end(p, end, &next);
		if (!stop)
			return n == HTTP_REQUEST_MAX ?
				refuse_http(status, 431) : HTTP_MORE;
		if (stop == p)
			return bad ? refuse_http(status, bad) : v;
		if (!field_ok(p, stop))
			return refuse_http(status, 400);
	}
}

const char *http_reason(int status)
{
	switch (status) {
	case 200: return "OK";
	case 400: return "Bad Request";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 414: return "URI Too Long";
	case 431: return "Request Header Fields Too Large";
	case 503: return "Service Unavailable";
	case 505: return "HTTP Version Not Supported";
	default: return "Error";
	}
}

/* ---- --metrics ---- */

static bool port_number(const char *s, uint16_t *port)
{
	unsigned int n = 0;

	if (!*s || strlen(s) > 5)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return false;
		n = n * 10 + (unsigned int)(*s - '0');
	}
	*port = (uint16_t)n;
	return n < 65536;
}

const char *metrics_parse(const char *text, struct metrics_at *at)
{
	static const uint8_t loopback6[16] = { [15] = 1 };
	const char *colon = strrchr(text, ':');
	char host[64];
	size_t n;

	memset(at, 0, sizeof(*at));
	if (!strncmp(text, "unix:", 5)) {
		at->path = text + 5;
		return text[5] ? NULL : "the path is empty";
	}
	if (!colon || !port_number(colon + 1, &at->port))
		return "must be unix:PATH or ADDRESS:PORT";
	n = (size_t)(colon - text);
	if (n > 2 && text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
		at->six = true;
	}
	if (!n || n >= sizeof(host))
		return "must be unix:PATH or ADDRESS:PORT";
	memcpy(host, text, n);
	host[n] = 0;
	if (!at->six && !strcmp(host, "localhost"))
		strcpy(host, "127.0.0.1");
	if (inet_pton(at->six ? AF_INET6 : AF_INET, host, at->addr) != 1)
		return "no such address";
	if (at->six ? memcmp(at->addr, loopback6, 16) != 0 :
	    at->addr[0] != 127)
		return "only the loopback interface can be used (127.0.0.1 or [::1])";
	return NULL;
}
