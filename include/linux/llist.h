/* SPDX-License-Identifier: MIT */
/*
 * llist.h - a stack that many push on without a lock
 *
 * Invariants
 *   LL1  llist_add() by anybody beside llist_add() and llist_del_all() by anybody.
 *   LL2  llist_del_first() by one at a time, and not beside llist_del_all(): the first node might
 *        come back between two looks.
 *   LL3  What was written before llist_add() is seen by who takes the node.
 *
 * Context: any.  The last to come is the first.  Semantics: Linux 6.12.
 */
#ifndef _LINUX_LLIST_H
#define _LINUX_LLIST_H

#include <linux/atomic.h>
#include <linux/container_of.h>
#include <linux/stddef.h>

struct llist_node {
	struct llist_node *next;
};

struct llist_head {
	struct llist_node *first;
};

#define LLIST_HEAD_INIT(name) \
	{                     \
		NULL          \
	}
#define LLIST_HEAD(name) struct llist_head name = LLIST_HEAD_INIT(name)

static inline void init_llist_head(struct llist_head *head)
{
	head->first = NULL;
}

#define llist_entry(ptr, type, member) container_of(ptr, type, member)
#define llist_entry_safe_(ptr, type, member)                                       \
	({                                                                         \
		struct llist_node *llist_ptr_ = (ptr);                             \
		llist_ptr_ ? llist_entry(llist_ptr_, type, member) : (type *)NULL; \
	})

#define llist_for_each(pos, node) for ((pos) = (node); pos; (pos) = (pos)->next)
#define llist_for_each_safe(pos, n, node) \
	for ((pos) = (node); (pos) && ((n) = (pos)->next, true); (pos) = (n))
#define llist_for_each_entry(pos, node, member)                              \
	for ((pos) = llist_entry_safe_(node, typeof(*(pos)), member); (pos); \
	     (pos) = llist_entry_safe_((pos)->member.next, typeof(*(pos)), member))
/* The body may free @pos. */
#define llist_for_each_entry_safe(pos, n, node, member)                                          \
	for ((pos) = llist_entry_safe_(node, typeof(*(pos)), member);                            \
	     (pos) && ((n) = llist_entry_safe_((pos)->member.next, typeof(*(n)), member), true); \
	     (pos) = (n))

static inline bool llist_empty(const struct llist_head *head)
{
	return !READ_ONCE(head->first);
}

/** llist_add_batch - a chain from @first to @last; returns whether the list was empty */
static inline bool llist_add_batch(struct llist_node *first, struct llist_node *last,
				   struct llist_head *head)
{
	struct llist_node *old = READ_ONCE(head->first);

	do {
		WRITE_ONCE(last->next, old);
	} while (!try_cmpxchg(&head->first, &old, first));
	return !old;
}

static inline bool llist_add(struct llist_node *node, struct llist_head *head)
{
	return llist_add_batch(node, node, head);
}

/** llist_del_all - all of them, a chain of their own; NULL when empty */
static inline struct llist_node *llist_del_all(struct llist_head *head)
{
	return xchg(&head->first, NULL);
}

/** llist_del_first - the last to come, or NULL */
static inline struct llist_node *llist_del_first(struct llist_head *head)
{
	struct llist_node *first = smp_load_acquire(&head->first);

	while (first && !try_cmpxchg(&head->first, &first, READ_ONCE(first->next)))
		;
	return first;
}

/** llist_reverse_order - a chain turned round: the first to come first */
static inline struct llist_node *llist_reverse_order(struct llist_node *node)
{
	struct llist_node *turned = NULL, *next;

	for (; node; node = next) {
		next = node->next;
		node->next = turned;
		turned = node;
	}
	return turned;
}

#endif
