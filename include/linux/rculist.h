/* SPDX-License-Identifier: MIT */
/*
 * rculist.h - lists that readers walk without the writers' lock
 *
 * Context: the _rcu modifiers need the writers' lock; the _rcu walkers need rcu_read_lock() or that
 * lock. Ordering: a node becomes visible with a release store, so a walker sees it built. A removed
 * node stays readable, and leads back to the list, until a grace period has passed: its memory may
 * be freed or linked again only then.
 */
#ifndef _LINUX_RCULIST_H
#define _LINUX_RCULIST_H

#include <linux/list.h>
#include <linux/rcupdate.h>

static inline void INIT_LIST_HEAD_RCU(struct list_head *list)
{
	WRITE_ONCE(list->next, list);
	WRITE_ONCE(list->prev, list);
}

static inline void __list_add_rcu(struct list_head *node, struct list_head *prev,
				  struct list_head *next)
{
	node->next = next;
	node->prev = prev;
	rcu_assign_pointer(prev->next, node);
	next->prev = node;
}

static inline void list_add_rcu(struct list_head *node, struct list_head *head)
{
	__list_add_rcu(node, head, head->next);
}

static inline void list_add_tail_rcu(struct list_head *node, struct list_head *head)
{
	__list_add_rcu(node, head->prev, head);
}

/* list_del_rcu - readers may still stand on @node: next keeps leading on, only prev is poisoned */
static inline void list_del_rcu(struct list_head *node)
{
	node->next->prev = node->prev;
	rcu_assign_pointer(node->prev->next, node->next);
	node->prev = LIST_POISON2;
}

static inline void list_replace_rcu(struct list_head *old, struct list_head *node)
{
	node->next = old->next;
	node->prev = old->prev;
	rcu_assign_pointer(node->prev->next, node);
	node->next->prev = node;
	old->prev = LIST_POISON2;
}

#define list_entry_rcu(ptr, type, member) container_of(rcu_dereference_raw(ptr), type, member)
#define list_next_rcu(list) ((list)->next)

#define list_first_or_null_rcu(head, type, member)                                       \
	({                                                                               \
		struct list_head *rcu_head_ = (head);                                    \
		struct list_head *rcu_first_ = rcu_dereference_raw(rcu_head_->next);     \
		rcu_first_ != rcu_head_ ? container_of(rcu_first_, type, member) : NULL; \
	})

/* list_for_each_entry_rcu - a third argument, if given, says why the walk is legal without RCU */
#define list_for_each_entry_rcu(pos, head, member, cond...)                                    \
	for (pos = list_entry_rcu((head)->next, typeof(*pos), member); &pos->member != (head); \
	     pos = list_entry_rcu(pos->member.next, typeof(*pos), member))

static inline void hlist_add_head_rcu(struct hlist_node *node, struct hlist_head *head)
{
	struct hlist_node *first = head->first;

	node->next = first;
	node->pprev = &head->first;
	rcu_assign_pointer(head->first, node);
	if (first)
		first->pprev = &node->next;
}

static inline void hlist_del_rcu(struct hlist_node *node)
{
	rcu_assign_pointer(*node->pprev, node->next);
	if (node->next)
		node->next->pprev = node->pprev;
	node->pprev = LIST_POISON2;
}

#define hlist_for_each_entry_rcu(pos, head, member, cond...)                                      \
	for (pos = hlist_entry_safe(rcu_dereference_raw((head)->first), typeof(*(pos)), member);  \
	     pos; pos = hlist_entry_safe(rcu_dereference_raw((pos)->member.next), typeof(*(pos)), \
					 member))

#endif
