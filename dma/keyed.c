/* SPDX-License-Identifier: MIT */
/*
 * keyed.c - see keyed.h
 *
 * Fibonacci hashing: keys are addresses, which differ in their middle bits.
 */
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/slab.h>
#include "dma/keyed.h"

#define KEYED_FIRST_BITS 4

static struct keyed_node **keyed_bucket(struct keyed_node **buckets, unsigned int bits, u64 key)
{
	return &buckets[(key * 0x9e3779b97f4a7c15ULL) >> (64 - bits)];
}

int keyed_init(struct keyed *set)
{
	set->bits = KEYED_FIRST_BITS;
	set->count = 0;
	set->buckets = kcalloc(1UL << set->bits, sizeof(*set->buckets), GFP_KERNEL);
	return set->buckets ? 0 : -ENOMEM;
}

void keyed_fini(struct keyed *set)
{
	kfree(set->buckets);
	set->buckets = NULL;
	set->count = 0;
}

static void keyed_grow(struct keyed *set)
{
	unsigned int bits = set->bits + 1;
	struct keyed_node **buckets, **to, *node;
	size_t i;

	buckets = kcalloc(1UL << bits, sizeof(*buckets), GFP_NOWAIT);
	if (!buckets)
		return;
	for (i = 0; i < 1UL << set->bits; i++) {
		while ((node = set->buckets[i])) {
			set->buckets[i] = node->next;
			to = keyed_bucket(buckets, bits, node->key);
			node->next = *to;
			*to = node;
		}
	}
	kfree(set->buckets);
	set->buckets = buckets;
	set->bits = bits;
}

void keyed_add(struct keyed *set, struct keyed_node *node, u64 key)
{
	struct keyed_node **to;

	if (set->count >= 2UL << set->bits)
		keyed_grow(set);
	to = keyed_bucket(set->buckets, set->bits, key);
	node->key = key;
	node->next = *to;
	*to = node;
	set->count++;
}

void keyed_del(struct keyed *set, struct keyed_node *node)
{
	struct keyed_node **at = keyed_bucket(set->buckets, set->bits, node->key);

	while (*at && *at != node)
		at = &(*at)->next;
	if (WARN_ON(!*at))
		return;
	*at = node->next;
	set->count--;
}

static struct keyed_node *keyed_find(struct keyed_node *node, u64 key)
{
	while (node && node->key != key)
		node = node->next;
	return node;
}

struct keyed_node *keyed_first(const struct keyed *set, u64 key)
{
	return keyed_find(*keyed_bucket(set->buckets, set->bits, key), key);
}

struct keyed_node *keyed_same(const struct keyed_node *node)
{
	return keyed_find(node->next, node->key);
}

struct keyed_node *keyed_pop(struct keyed *set)
{
	struct keyed_node *node;
	size_t i;

	for (i = 0; i < 1UL << set->bits; i++) {
		node = set->buckets[i];
		if (!node)
			continue;
		set->buckets[i] = node->next;
		set->count--;
		return node;
	}
	return NULL;
}
