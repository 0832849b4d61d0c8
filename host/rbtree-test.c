/* SPDX-License-Identifier: MIT */
/* Trees against a model: a sorted array. */
#include <linux/kernel.h>
#include <linux/rbtree.h>
#include <linux/slab.h>
#include "host/port.h"
#include "tests/ktap.h"

struct item {
	struct rb_node node;
	int key;
};

static struct item *item_of(const struct rb_node *node)
{
	return container_of(node, struct item, node);
}

static bool item_less(struct rb_node *a, const struct rb_node *b)
{
	return item_of(a)->key < item_of(b)->key;
}

static int item_cmp(struct rb_node *a, const struct rb_node *b)
{
	return item_of(a)->key - item_of(b)->key;
}

static int key_cmp(const void *key, const struct rb_node *b)
{
	return *(const int *)key - item_of(b)->key;
}

/* Black nodes on each way, or -1 when RB2 or a parent is broken. */
static int black_height(const struct rb_node *node, const struct rb_node *parent)
{
	int left, right;

	if (!node)
		return 0;
	if (node->rb_parent_ != parent || (node->rb_red && (!parent || parent->rb_red)))
		return -1;
	left = black_height(node->rb_left, node);
	right = black_height(node->rb_right, node);
	return left < 0 || left != right ? -1 : left + !node->rb_red;
}

static bool tree_is_sound(const struct rb_root *root, int count)
{
	const struct rb_node *node, *before = NULL;
	int n = 0;

	for (node = rb_first(root); node; before = node, node = rb_next(node), n++)
		if (rb_prev(node) != before ||
		    (before && item_of(before)->key > item_of(node)->key))
			return false;
	return n == count && rb_last(root) == before && black_height(root->rb_node, NULL) >= 0;
}

static void empty(struct ktap *t)
{
	struct rb_root root = RB_ROOT;
	struct rb_node node;

	KT_CHECK(t, RB_EMPTY_ROOT(&root));
	KT_CHECK(t, !rb_first(&root) && !rb_last(&root) && !rb_first_postorder(&root));
	RB_CLEAR_NODE(&node);
	KT_CHECK(t, RB_EMPTY_NODE(&node) && !rb_next(&node) && !rb_prev(&node));
}

static void every_order_of_six(struct ktap *t)
{
	int bad = 0;

	/* All ways to insert six, and then to take them out from each end. */
	for (int code = 0; code < 720; code++) {
		struct item items[6];
		struct rb_root root = RB_ROOT;
		int rest = code, order[6] = { 0, 1, 2, 3, 4, 5 };

		for (int i = 0; i < 6; i++) {
			int pick = i + rest % (6 - i);

			rest /= 6 - i;
			swap(order[i], order[pick]);
			items[i].key = order[i];
			rb_add(&items[i].node, &root, item_less);
			bad += !tree_is_sound(&root, i + 1);
		}
		for (int i = 0; i < 6; i++) {
			rb_erase(&items[code & 1 ? i : 5 - i].node, &root);
			bad += !tree_is_sound(&root, 5 - i);
		}
		bad += !RB_EMPTY_ROOT(&root);
	}
	KT_EQ(t, bad, 0);
}

static void random_changes(struct ktap *t)
{
	enum { N = 300 };
	static struct item items[N];
	bool in[N] = {};
	struct rb_root_cached root = RB_ROOT_CACHED;
	int count = 0, bad = 0, steps = ktap_long ? 200000 : 4000;

	for (int step = 0; step < steps; step++) {
		int i = port_random() % N;

		if (in[i]) {
			rb_erase_cached(&items[i].node, &root);
			count--;
		} else {
			items[i].key = port_random() % 100;
			rb_add_cached(&items[i].node, &root, item_less);
			count++;
		}
		in[i] = !in[i];
		bad += !tree_is_sound(&root.rb_root, count);
		bad += rb_first_cached(&root) != rb_first(&root.rb_root);
	}
	KT_EQ(t, bad, 0);
}

static void equals_keep_their_order(struct ktap *t)
{
	struct item items[9] = {};
	struct rb_root root = RB_ROOT;
	struct rb_node *node;
	int key = 0, i = 0;

	for (i = 0; i < 9; i++)
		rb_add(&items[i].node, &root, item_less);
	for (i = 0, node = rb_first(&root); node; node = rb_next(node))
		KT_CHECK(t, node == &items[i++].node);
	KT_CHECK(t, rb_find_first(&key, &root, key_cmp) == &items[0].node);
}

static void found_or_added(struct ktap *t)
{
	struct item items[] = { { .key = 3 }, { .key = 1 }, { .key = 2 } }, same = { .key = 1 };
	struct rb_root root = RB_ROOT;
	int key = 2;

	for (int i = 0; i < ARRAY_SIZE(items); i++)
		KT_CHECK(t, !rb_find_add(&items[i].node, &root, item_cmp));
	KT_CHECK(t, rb_find_add(&same.node, &root, item_cmp) == &items[1].node);
	KT_CHECK(t, rb_find(&key, &root, key_cmp) == &items[2].node);
	key = 4;
	KT_CHECK(t, !rb_find(&key, &root, key_cmp));
	rb_replace_node(&items[1].node, &same.node, &root);
	KT_CHECK(t, tree_is_sound(&root, 3) && rb_first(&root) == &same.node);
}

static void a_tree_is_freed_from_below(struct ktap *t)
{
	struct rb_root root = RB_ROOT;
	struct item *item, *next;
	int freed = 0;

	for (int i = 0; i < 50; i++) {
		item = kzalloc(sizeof(*item), GFP_KERNEL);
		KT_ASSERT(t, item);
		item->key = i * 7 % 50;
		rb_add(&item->node, &root, item_less);
	}
	rbtree_postorder_for_each_entry_safe(item, next, &root, node) {
		kfree(item);
		freed++;
	}
	KT_EQ(t, freed, 50);
}

KTAP_MAIN(KTAP_CASE(empty), KTAP_CASE(every_order_of_six), KTAP_CASE(random_changes),
	  KTAP_CASE(equals_keep_their_order), KTAP_CASE(found_or_added),
	  KTAP_CASE(a_tree_is_freed_from_below))
