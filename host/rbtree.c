/* SPDX-License-Identifier: MIT */
/*
 * rbtree.c - balance: colours and rotations
 *
 * Both sides are one text: `left` says which child is meant.  An empty link counts as black.
 */
#include <linux/rbtree.h>

static struct rb_node *child(const struct rb_node *node, bool left)
{
	return left ? node->rb_left : node->rb_right;
}

static void set_child(struct rb_node *node, bool left, struct rb_node *to)
{
	if (left)
		node->rb_left = to;
	else
		node->rb_right = to;
	if (to)
		to->rb_parent_ = node;
}

static bool is_red(const struct rb_node *node)
{
	return node && node->rb_red;
}

/* @to takes the place of @from below @parent, the parent of @from, NULL at the root. */
static void put_in_place(struct rb_root *root, struct rb_node *parent, struct rb_node *from,
			 struct rb_node *to)
{
	if (parent)
		set_child(parent, parent->rb_left == from, to);
	else
		root->rb_node = to;
	if (to)
		to->rb_parent_ = parent;
}

/* The child of @node on the side that is not @left comes up, @node goes down to @left. */
static void rotate(struct rb_root *root, struct rb_node *node, bool left)
{
	struct rb_node *up = child(node, !left);

	put_in_place(root, node->rb_parent_, node, up);
	set_child(node, !left, child(up, left));
	set_child(up, left, node);
}

void rb_insert_color(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *parent, *grand, *uncle;
	bool left;

	/* RB2 holds but for @node and its parent, which may both be red. */
	while (is_red(parent = node->rb_parent_)) {
		grand = parent->rb_parent_; /* there is one: the root is black */
		left = grand->rb_left == parent;
		uncle = child(grand, !left);
		if (is_red(uncle)) {
			parent->rb_red = uncle->rb_red = false;
			grand->rb_red = true;
			node = grand;
			continue;
		}
		if (node == child(parent, !left)) {
			rotate(root, parent, left);
			parent = node;
		}
		parent->rb_red = false;
		grand->rb_red = true;
		rotate(root, grand, !left);
		break;
	}
	root->rb_node->rb_red = false;
}

/* The ways through @node, a child of @parent or an empty link on that side, lack a black node. */
static void add_black(struct rb_root *root, struct rb_node *node, struct rb_node *parent)
{
	while (parent && !is_red(node)) {
		bool left = parent->rb_left == node;
		struct rb_node *sibling =
			child(parent, !left); /* there is one: its ways are longer */

		if (sibling->rb_red) {
			sibling->rb_red = false;
			parent->rb_red = true;
			rotate(root, parent, left);
			sibling = child(parent, !left);
		}
		if (!is_red(sibling->rb_left) && !is_red(sibling->rb_right)) {
			sibling->rb_red = true;
			node = parent;
			parent = node->rb_parent_;
			continue;
		}
		if (!is_red(child(sibling, !left))) {
			child(sibling, left)->rb_red = false;
			sibling->rb_red = true;
			rotate(root, sibling, !left);
			sibling = child(parent, !left);
		}
		sibling->rb_red = parent->rb_red;
		parent->rb_red = false;
		child(sibling, !left)->rb_red = false;
		rotate(root, parent, left);
		return;
	}
	if (node)
		node->rb_red = false;
}

void rb_erase(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *parent = node->rb_parent_, *up, *next;
	bool black = !node->rb_red;

	if (node->rb_left && node->rb_right) {
		/* The next one, which has no left child, leaves its place and takes @node's. */
		next = rb_next(node);
		up = next->rb_right;
		parent = next->rb_parent_;
		black = !next->rb_red;
		if (parent == node)
			parent = next;
		else {
			set_child(parent, true, up);
			set_child(next, false, node->rb_right);
		}
		put_in_place(root, node->rb_parent_, node, next);
		set_child(next, true, node->rb_left);
		next->rb_red = node->rb_red;
	} else {
		up = node->rb_left ?: node->rb_right;
		put_in_place(root, parent, node, up);
	}
	if (black)
		add_black(root, up, parent);
}

void rb_replace_node(struct rb_node *victim, struct rb_node *new, struct rb_root *root)
{
	*new = *victim;
	put_in_place(root, victim->rb_parent_, victim, new);
	set_child(new, true, victim->rb_left);
	set_child(new, false, victim->rb_right);
}

/* --- walking ---------------------------------------------------------------------------------- */

static struct rb_node *outermost(struct rb_node *node, bool left)
{
	while (node && child(node, left))
		node = child(node, left);
	return node;
}

/* The neighbour on that side. */
static struct rb_node *neighbour(const struct rb_node *node, bool left)
{
	struct rb_node *parent;

	if (RB_EMPTY_NODE(node))
		return NULL;
	if (child(node, left))
		return outermost(child(node, left), !left);
	while ((parent = node->rb_parent_) && child(parent, left) == node)
		node = parent;
	return parent;
}

struct rb_node *rb_first(const struct rb_root *root)
{
	return outermost(root->rb_node, true);
}

struct rb_node *rb_last(const struct rb_root *root)
{
	return outermost(root->rb_node, false);
}

struct rb_node *rb_next(const struct rb_node *node)
{
	return neighbour(node, false);
}

struct rb_node *rb_prev(const struct rb_node *node)
{
	return neighbour(node, true);
}

/* The first of the subtree in postorder: a leaf. */
static struct rb_node *deepest_left(struct rb_node *node)
{
	while (node && (node->rb_left || node->rb_right))
		node = node->rb_left ?: node->rb_right;
	return node;
}

struct rb_node *rb_first_postorder(const struct rb_root *root)
{
	return deepest_left(root->rb_node);
}

struct rb_node *rb_next_postorder(const struct rb_node *node)
{
	struct rb_node *parent = node ? node->rb_parent_ : NULL;

	if (parent && parent->rb_left == node && parent->rb_right)
		return deepest_left(parent->rb_right);
	return parent;
}
