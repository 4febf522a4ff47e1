/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A variant made of a few memory regions, for tests of the walkers.
 *
 * Regions are separate heap blocks of exactly the size asked for, with unmapped
 * space between them: reading one byte too many fails the walk and, in a
 * sanitizer build, the test.
 */
#ifndef TEST_UNIT_FAKE_H
#define TEST_UNIT_FAKE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include <ipmon/items.h>

#define FAKE_REGIONS 64
#define FAKE_ITEMS 8192

struct fake {
	struct {
		uint64_t addr;
		size_t len;
		unsigned char *p;
	} region[FAKE_REGIONS];
	unsigned int regions;
	uint64_t next;		/* where the next region goes */
	struct ipmon_item item[FAKE_ITEMS];
	unsigned int items;
	long nsems;		/* answer of sem_nsems; 0: no such callback */
	int pipe_mode;		/* answer of pipe_mode */
};

/* Two variants get different bases, so no address is ever equal. */
struct fake *fake_new(uint64_t base);
void fake_free(struct fake *f);

/* A region with these bytes (NULL: 0xa5 everywhere); its address. */
uint64_t fake_put(struct fake *f, const void *data, size_t n);
uint64_t fake_str(struct fake *f, const char *s);
/* The bytes behind an address. */
void *fake_at(struct fake *f, uint64_t addr);
/* An address nothing is mapped at. */
uint64_t fake_hole(struct fake *f);

/* Walk a call by name; arguments as uint64_t. */
int fake_walk(struct fake *f, const char *name, const uint64_t args[6]);
#define WALK(f, name, ...) \
	fake_walk(f, name, (const uint64_t[6]){ __VA_ARGS__ })

/* Would the two walks be found equal? */
bool fake_equal(struct fake *a, struct fake *b);

/* The n-th item of this type on this argument, or NULL. */
const struct ipmon_item *fake_item(const struct fake *f, unsigned int type,
				   unsigned int arg, unsigned int n);
unsigned int fake_count(const struct fake *f, unsigned int type);
bool fake_scalar(const struct fake *f, unsigned int arg, uint64_t value);

/* Number of a call by its name in the table. */
uint64_t fake_nr(const char *name);

#endif
