// SPDX-License-Identifier: Apache-2.0
/*
 * libFuzzer harness: what clients send to a running monitor's sockets, and the
 * argument of --metrics.
 *
 * Input: one byte that selects the parser, the rest is its bytes, in memory of
 * exactly that size.  Checked besides: an HTTP request that comes in pieces gets
 * the verdict of its shortest prefix that has one, whatever follows; what is no
 * request has a status that is one; only loopback addresses are let through.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../monitord/see_parse.h"

#define CHECK(cond) do { if (!(cond)) __builtin_trap(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *copy_of(const uint8_t *data, size_t size)
{
	char *bytes = malloc(size ? size : 1);

	if (size)
		memcpy(bytes, data, size);
	return bytes;
}

static enum http_verdict verdict(const uint8_t *data, size_t size, int *status)
{
	char *bytes = copy_of(data, size);
	enum http_verdict v;

	*status = 0;
	v = http_request(bytes, size, status);
	CHECK((v == HTTP_ERROR) == (*status != 0));
	CHECK(v != HTTP_ERROR || (*status >= 400 && *status < 600 &&
				  strcmp(http_reason(*status), "Error")));
	free(bytes);
	return v;
}

static void http(const uint8_t *data, size_t size)
{
	enum http_verdict whole, v = HTTP_MORE;
	int status, first = 0;
	size_t n = 0;

	if (size > HTTP_REQUEST_MAX)
		size = HTTP_REQUEST_MAX;
	whole = verdict(data, size, &status);
	/* as it comes in: in a few pieces, their sizes from the data */
	while (v == HTTP_MORE && n < size) {
		n += 1 + data[n] % 64;
		if (n > size)
			n = size;
		v = verdict(data, n, &first);
	}
	CHECK(v == whole && (v != HTTP_ERROR || first == status));
	/* the buffer is full: there has to be an answer */
	CHECK(size < HTTP_REQUEST_MAX || whole != HTTP_MORE);
}

static void control(const uint8_t *data, size_t size)
{
	const struct see_request good = {
		SEE_MAGIC, SEE_VERSION, SEE_STATUS, 0
	};
	char *bytes = copy_of(data, size);
	const char *why = see_request_check(bytes, size);

	CHECK(!why == (size == sizeof(good) && !memcmp(bytes, &good, size)));
	free(bytes);
}

static void metrics(const uint8_t *data, size_t size)
{
	struct metrics_at at;
	char *text = malloc(size + 1);
	const char *why;

	memcpy(text, data, size);
	text[size] = 0;
	why = metrics_parse(text, &at);
	if (!why && at.path)
		CHECK(at.path == text + 5 && *at.path);
	else if (!why)
		CHECK(at.six ? at.addr[15] == 1 && !at.addr[0] :
		      at.addr[0] == 127);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	switch (data[0] % 4) {
	case 0:
		control(data + 1, size - 1);
		break;
	case 1:
		metrics(data + 1, size - 1);
		break;
	default:
		http(data + 1, size - 1);
		break;
	}
	return 0;
}
