/* SPDX-License-Identifier: MIT */
/*
 * rbtree.h - balanced binary trees of nodes inside the caller's objects
 *
 * The caller searches and finds the place for a new node himself, by his own order:
 *
 *	while (*link) {
 *		parent = *link;
 *		link = before(new, parent) ? &parent->rb_left : &parent->rb_right;
 *	}
 *	rb_link_node(&new->node, parent, link);
 *	rb_insert_color(&new->node, &root);
 *
 * Invariants, between calls
 *   RB1  The caller's order from left to right is kept by every call.
 *   RB2  No red node has a red child, the root is black, and every way from the root to an empty
 *        link passes equally many black nodes: so no way is longer than twice another.
 *   RB3  rb_root_cached.rb_leftmost is the first node.
 *
 * Context: any; the caller excludes others.  Nothing is allocated, nothing fails.
 * Semantics: Linux 6.12.  DIFFERS: no reader without a lock (latched trees, rb_find_rcu()), and the
 * colour has a field of its own.  Not here: augmented trees.
 */
#ifndef _LINUX_RBTREE_H
#define _LINUX_RBTREE_H

#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/stddef.h>

struct rb_node {
	struct rb_node *rb_parent_; /* NULL at the root; itself: in no tree */
	struct rb_node *rb_right;
	struct rb_node *rb_left;
	bool rb_red;
};

struct rb_root {
	struct rb_node *rb_node;
};

struct rb_root_cached {
	struct rb_root rb_root;
	struct rb_node *rb_leftmost;
};

#define RB_ROOT          \
	(struct rb_root) \
	{                \
		NULL,    \
	}
#define RB_ROOT_CACHED          \
	(struct rb_root_cached) \
	{                       \
		{               \
			NULL,   \
		},              \
			NULL    \
	}

#define rb_entry(ptr, type, member) container_of(ptr, type, member)
#define rb_entry_safe(ptr, type, member)                                  \
	({                                                                \
		typeof(ptr) rb_ptr_ = (ptr);                              \
		rb_ptr_ ? rb_entry(rb_ptr_, type, member) : (type *)NULL; \
	})
#define rb_parent(node) ((node)->rb_parent_)

#define RB_EMPTY_ROOT(root) (READ_ONCE((root)->rb_node) == NULL)
#define RB_EMPTY_NODE(node) ((node)->rb_parent_ == (node))
#define RB_CLEAR_NODE(node) ((void)((node)->rb_parent_ = (node)))

/** rb_first, rb_last - the ends; rb_next, rb_prev - the neighbours; NULL when there is none */
struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *node);
struct rb_node *rb_prev(const struct rb_node *node);

/** rb_first_postorder, rb_next_postorder - children before their parents: to free a whole tree */
struct rb_node *rb_first_postorder(const struct rb_root *root);
struct rb_node *rb_next_postorder(const struct rb_node *node);

/** rb_link_node - put @node below @parent at @link, which is empty; rb_insert_color() must follow */
static inline void rb_link_node(struct rb_node *node, struct rb_node *parent, struct rb_node **link)
{
	*node = (struct rb_node){ .rb_parent_ = parent, .rb_red = true };
	*link = node;
}

/** rb_insert_color - balance @root again after rb_link_node() */
void rb_insert_color(struct rb_node *node, struct rb_root *root);

/** rb_erase - take @node out of @root; its fields are stale then */
void rb_erase(struct rb_node *node, struct rb_root *root);

/** rb_replace_node - @new, equal in order, takes the place of @victim */
void rb_replace_node(struct rb_node *victim, struct rb_node *new, struct rb_root *root);

/* The same for trees that know their first node. */
#define rb_first_cached(root) ((root)->rb_leftmost)

static inline void rb_insert_color_cached(struct rb_node *node, struct rb_root_cached *root,
					  bool leftmost)
{
	if (leftmost)
		root->rb_leftmost = node;
	rb_insert_color(node, &root->rb_root);
}

/* Returns the new first node if @node was it, else NULL. */
static inline struct rb_node *rb_erase_cached(struct rb_node *node, struct rb_root_cached *root)
{
	struct rb_node *leftmost = NULL;

	if (root->rb_leftmost == node)
		leftmost = root->rb_leftmost = rb_next(node);
	rb_erase(node, &root->rb_root);
	return leftmost;
}

static inline void rb_replace_node_cached(struct rb_node *victim, struct rb_node *new,
					  struct rb_root_cached *root)
{
	if (root->rb_leftmost == victim)
		root->rb_leftmost = new;
	rb_replace_node(victim, new, &root->rb_root);
}

/* --- search and insertion by a function ------------------------------------------------------- */

/** rb_add - insert @node behind its equals; @less: is the first before the second? */
static __always_inline void rb_add(struct rb_node *node, struct rb_root *root,
				   bool (*less)(struct rb_node *, const struct rb_node *))
{
	struct rb_node **link = &root->rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = less(node, parent) ? &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(node, parent, link);
	rb_insert_color(node, root);
}

/** rb_add_cached - the same; returns @node if it is the first now, else NULL */
static __always_inline struct rb_node *
rb_add_cached(struct rb_node *node, struct rb_root_cached *root,
	      bool (*less)(struct rb_node *, const struct rb_node *))
{
	bool leftmost = !root->rb_leftmost || less(node, root->rb_leftmost);

	rb_add(node, &root->rb_root, less);
	if (leftmost)
		root->rb_leftmost = node;
	return leftmost ? node : NULL;
}

/** rb_find - a node for which @cmp(@key, node) is 0, or NULL; < 0: the key is before the node */
static __always_inline struct rb_node *rb_find(const void *key, const struct rb_root *root,
					       int (*cmp)(const void *key, const struct rb_node *))
{
	struct rb_node *node = root->rb_node;

	while (node) {
		int order = cmp(key, node);

		if (!order)
			return node;
		node = order < 0 ? node->rb_left : node->rb_right;
	}
	return NULL;
}

/** rb_find_first - the first of them */
static __always_inline struct rb_node *rb_find_first(const void *key, const struct rb_root *root,
						     int (*cmp)(const void *key,
								const struct rb_node *))
{
	struct rb_node *node = root->rb_node, *found = NULL;

	while (node) {
		int order = cmp(key, node);

		if (!order)
			found = node;
		node = order <= 0 ? node->rb_left : node->rb_right;
	}
	return found;
}

/** rb_find_add - the node equal to @node, or NULL after inserting @node */
static __always_inline struct rb_node *rb_find_add(struct rb_node *node, struct rb_root *root,
						   int (*cmp)(struct rb_node *,
							      const struct rb_node *))
{
	struct rb_node **link = &root->rb_node, *parent = NULL;

	while (*link) {
		int order = cmp(node, *link);

		parent = *link;
		if (!order)
			return parent;
		link = order < 0 ? &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(node, parent, link);
	rb_insert_color(node, root);
	return NULL;
}

/* The body may free @pos, but not take nodes out of the tree with rb_erase(). */
#define rbtree_postorder_for_each_entry_safe(pos, n, root, field)                                  \
	for (pos = rb_entry_safe(rb_first_postorder(root), typeof(*pos), field);                   \
	     pos && ((n = rb_entry_safe(rb_next_postorder(&pos->field), typeof(*pos), field)), 1); \
	     pos = n)

#endif
