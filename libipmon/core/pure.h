/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few primitives pure code needs.
 *
 * core/ is linked into libipmon, which has no libc: nothing here or in the
 * files that include this may call one, not even implicitly.  Sizes are
 * bounded by the callers.
 */
#ifndef IPMON_CORE_PURE_H
#define IPMON_CORE_PURE_H

#include <stddef.h>
#include <stdint.h>

#define FNV1A_INIT 0xcbf29ce484222325ull

static inline uint64_t pure_fnv1a(uint64_t h, const void *data, size_t n)
{
	const unsigned char *p = data;

	while (n--) {
		h ^= *p++;
		h *= 0x100000001b3ull;
	}
	return h;
}

/* Little-endian loads from a byte buffer of any alignment. */
static inline uint16_t pure_u16(const unsigned char *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t pure_u32(const unsigned char *p)
{
	return (uint32_t)pure_u16(p) | (uint32_t)pure_u16(p + 2) << 16;
}

static inline uint64_t pure_u64(const unsigned char *p)
{
	return (uint64_t)pure_u32(p) | (uint64_t)pure_u32(p + 4) << 32;
}

static inline uint64_t pure_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Bytes before the first NUL, at most max. */
static inline size_t pure_strnlen(const unsigned char *s, size_t max)
{
	size_t n;

	for (n = 0; n < max && s[n]; n++)
		;
	return n;
}

#endif
