// SPDX-License-Identifier: Apache-2.0
/*
 * Values the kernel hands back, per variant; and the slots of the scratch
 * pages.
 *
 * Theory of operation
 * -------------------
 * One hash table for all kinds, one list per kind in order of last use.  A
 * lookup moves its entry to the young end, so what is evicted under pressure
 * is what was not asked for longest: a periodic timer survives a million
 * short-lived ones.
 *
 * The scope keeps equal keys of different owners apart: timer ids repeat in
 * every process, and two processes may well use the same address.
 */
#include <stdlib.h>
#include <string.h>
#include "valuemap.h"

#define BUCKETS 4096u

struct entry {
	enum valuemap_kind kind;
	uint64_t scope, key;
	LIST_ENTRY(entry) bucket;
	TAILQ_ENTRY(entry) age;
	uint64_t value[MAX_VARIANTS];
};

TAILQ_HEAD(age_list, entry);

static LIST_HEAD(, entry) table[BUCKETS];
static struct age_list ages[VM_KINDS] = {
	[VM_TIMER] = TAILQ_HEAD_INITIALIZER(ages[VM_TIMER]),
	[VM_SIGQUEUE] = TAILQ_HEAD_INITIALIZER(ages[VM_SIGQUEUE]),
	[VM_MQ] = TAILQ_HEAD_INITIALIZER(ages[VM_MQ]),
};
_Static_assert(VM_KINDS == 3, "a list per kind");
static unsigned int counts[VM_KINDS];

static unsigned int hash(enum valuemap_kind kind, uint64_t scope, uint64_t key)
{
	uint64_t h = key * 0x9e3779b97f4a7c15ull;

	h ^= (scope + 1) * 0xc2b2ae3d27d4eb4full + kind;
	h *= 0x9e3779b97f4a7c15ull;
	return h >> 52;
}
_Static_assert(BUCKETS == 1u << 12, "hash() yields 12 bits");

static struct entry *find(enum valuemap_kind kind, uint64_t scope, uint64_t key)
{
	struct entry *e;

	LIST_FOREACH(e, &table[hash(kind, scope, key)], bucket)
		if (e->kind == kind && e->scope == scope && e->key == key)
			return e;
	return NULL;
}

static void forget(struct entry *e)
{
	LIST_REMOVE(e, bucket);
	TAILQ_REMOVE(&ages[e->kind], e, age);
	counts[e->kind]--;
	free(e);
}

void valuemap_add(enum valuemap_kind kind, uint64_t scope, uint64_t key,
		  const uint64_t values[MAX_VARIANTS])
{
	struct entry *e = find(kind, scope, key);

	if (e)
		forget(e);
	if (counts[kind] >= VALUEMAP_MAX)
		forget(TAILQ_FIRST(&ages[kind]));
	e = calloc(1, sizeof(*e));
	if (!e)
		die("out of memory");
	e->kind = kind;
	e->scope = scope;
	e->key = key;
	memcpy(e->value, values, sizeof(e->value));
	LIST_INSERT_HEAD(&table[hash(kind, scope, key)], e, bucket);
	TAILQ_INSERT_TAIL(&ages[kind], e, age);
	counts[kind]++;
}

bool valuemap_get(enum valuemap_kind kind, uint64_t scope, uint64_t key,
		  unsigned int v, uint64_t *value)
{
	struct entry *e = find(kind, scope, key);

	if (!e)
		return false;
	TAILQ_REMOVE(&ages[kind], e, age);
	TAILQ_INSERT_TAIL(&ages[kind], e, age);
	*value = e->value[v];
	return true;
}

void valuemap_del(enum valuemap_kind kind, uint64_t scope, uint64_t key)
{
	struct entry *e = find(kind, scope, key);

	if (e)
		forget(e);
}

bool siginfo_translate(const struct taskset *s, siginfo_t *info,
		       unsigned int v)
{
	uint64_t value, shown = (uint64_t)(uintptr_t)info->si_value.sival_ptr;
	bool known = false;

	/* Only negative codes carry a value, and two of those do not */
	if (info->si_code >= 0 || info->si_code == SI_TKILL ||
	    info->si_code == SI_SIGIO)
		return false;
	if (info->si_code == SI_TIMER)
		known = valuemap_get(VM_TIMER, s->proc->id,
				     (uint32_t)info->si_timerid, v, &value);
	else if (info->si_code == SI_MESGQ)
		known = valuemap_get(VM_MQ, s->proc->id, shown, v, &value);
	if (!known)
		known = valuemap_get(VM_SIGQUEUE, (uint32_t)info->si_pid,
				     shown, v, &value);
	if (!known || value == shown)
		return false;
	info->si_value.sival_ptr = (void *)(uintptr_t)value;
	return true;
}

void siginfo_remember(const siginfo_t info[MAX_VARIANTS])
{
	uint64_t value[MAX_VARIANTS] = { 0 };
	uint64_t scope = (uint32_t)info[LEADER].si_pid;
	bool differ = false;

	for_each_variant(v) {
		value[v] = (uint64_t)(uintptr_t)info[v].si_value.sival_ptr;
		if (value[v] != value[LEADER])
			differ = true;
	}
	/* An integer is the same everywhere and needs no entry, but may not
	 * be mistaken for an earlier pointer of the same bits either */
	if (differ)
		valuemap_add(VM_SIGQUEUE, scope, value[LEADER], value);
	else
		valuemap_del(VM_SIGQUEUE, scope, value[LEADER]);
}

uint64_t scratch_slot(const struct taskset *s, unsigned int v)
{
	unsigned int slots = (SCRATCH_BIG_OFFSET - SCRATCH_SLOTS_OFFSET) /
		SCRATCH_SLOT;

	return s->proc->mm->scratch[v] + SCRATCH_SLOTS_OFFSET +
		(uint64_t)(s->id % slots) * SCRATCH_SLOT;
}

uint64_t scratch_big(const struct taskset *s, unsigned int v)
{
	return s->proc->mm->scratch[v] + SCRATCH_BIG_OFFSET;
}
