// SPDX-License-Identifier: Apache-2.0
/*
 * A ring as a leader that has been taken over may leave it, read for a report:
 * the first 16 bytes are where to begin and how far to go, the rest is what
 * lies in the ring from there on.
 */
#include <stdlib.h>
#include <string.h>

#include "ringcall.h"
#include "../../libipmon/core/ring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ipmon_ring ring;
	static unsigned char copy[RINGCALL_COPY];
	static struct ring_call c;
	char buf[2048];
	uint64_t at[2], pos;
	bool continued = false;
	struct text t;

	if (size < 16)
		return 0;
	memcpy(at, data, 16);
	data += 16;
	size -= 16;
	if (size > IPMON_RING_BYTES)
		size = IPMON_RING_BYTES;
	pos = at[0];
	for (size_t i = 0; i < size; i++)
		ring.data[(pos + i) & RING_MASK] = data[i];
	ring.head = at[1];
	for (int n = 0; n < 200; n++) {
		if (ring_call_read(&ring, pos, pos + (at[1] & 0x7ffff),
				   continued, &c, copy))
			break;
		text_init(&t, buf, sizeof(buf));
		ring_call_text(&t, &c);
		ring_call_visible(&c);
		for (unsigned int i = 0; i < 7; i++)
			if (ring_call_has_arg(&c, i))
				ring_call_arg(&t, &c, i);
		if (c.size < RING_HEADER || c.pos < pos)
			abort();
		continued = c.flags & REC_MORE;
		pos = c.pos + c.size;
	}
	return 0;
}
