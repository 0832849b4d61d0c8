/* SPDX-License-Identifier: MIT */
/*
 * keyed.h - a set of nodes found by a 64-bit number
 *
 * A hash with chains that doubles when they grow long.  Several nodes may have the same key.
 *
 * Invariants
 *   KE1  Adding never fails: where there is no memory to grow, chains get longer.
 *   KE2  The set owns its buckets, never the nodes.
 *
 * Context: the caller excludes all other users.
 */
#ifndef DMA_KEYED_H
#define DMA_KEYED_H

#include <linux/types.h>

struct keyed_node {
	struct keyed_node *next;
	u64 key;
};

struct keyed {
	struct keyed_node **buckets;
	unsigned int bits; /* 1 << bits buckets */
	size_t count;
};

/** keyed_init - an empty set; 0 or -ENOMEM */
int keyed_init(struct keyed *set);

/** keyed_fini - the buckets go; the nodes that are left are the caller's */
void keyed_fini(struct keyed *set);

/** keyed_add - @node with @key, before others of that key */
void keyed_add(struct keyed *set, struct keyed_node *node, u64 key);

/** keyed_del - @node is in the set */
void keyed_del(struct keyed *set, struct keyed_node *node);

/** keyed_first - a node with @key, or NULL; keyed_same - another one of the same key after @node */
struct keyed_node *keyed_first(const struct keyed *set, u64 key);
struct keyed_node *keyed_same(const struct keyed_node *node);

/** keyed_pop - take any node out, NULL when empty */
struct keyed_node *keyed_pop(struct keyed *set);

#endif
