/* SPDX-License-Identifier: MIT */
/* Many push, one takes: none is lost, each pusher's in his order. */
#include <linux/completion.h>
#include <linux/kernel.h>
#include <linux/llist.h>
#include <linux/slab.h>
#include "tests/ktap.h"
#include "tests/threads.h"

struct item {
	struct llist_node node;
	int who, number;
};

enum { PUSHERS = 3, EACH = 3000 };

static LLIST_HEAD(list);
static struct completion begun;
static int next_who; /* under nothing: atomic */

static int pusher(void *items)
{
	int who = __atomic_fetch_add(&next_who, 1, __ATOMIC_RELAXED);
	struct item *item = items;

	complete(&begun);
	for (int i = 0; i < EACH; i++) {
		item[i].who = who;
		item[i].number = i;
		llist_add(&item[i].node, &list);
	}
	return 0;
}

static void many_push(struct ktap *t)
{
	static struct item items[PUSHERS][EACH];
	struct task_struct *threads[PUSHERS];
	int seen[PUSHERS] = {}, total = 0, bad = 0;
	struct item *item;

	init_completion(&begun);
	for (int i = 0; i < PUSHERS; i++)
		threads[i] = test_thread_start(pusher, items[i]);
	for (int i = 0; i < PUSHERS; i++)
		wait_for_completion(&begun);
	while (total < PUSHERS * EACH) {
		struct llist_node *chain = llist_reverse_order(llist_del_all(&list));

		if (!chain)
			yield();
		llist_for_each_entry(item, chain, node)
		{
			bad += item->number != seen[item->who]++;
			total++;
		}
	}
	for (int i = 0; i < PUSHERS; i++)
		KT_EQ(t, test_thread_end(threads[i]), 0);
	KT_EQ(t, bad, 0);
	KT_CHECK(t, llist_empty(&list));
}

static void one_at_a_time(struct ktap *t)
{
	struct item a = { .number = 1 }, b = { .number = 2 };

	KT_CHECK(t, llist_add(&a.node, &list));
	KT_CHECK(t, !llist_add(&b.node, &list));
	KT_CHECK(t, llist_del_first(&list) == &b.node);
	KT_CHECK(t, llist_del_first(&list) == &a.node);
	KT_CHECK(t, !llist_del_first(&list) && !llist_del_all(&list));
}

static void items_may_be_freed_on_the_way(struct ktap *t)
{
	struct item *item, *next;
	int freed = 0;

	for (int i = 0; i < 5; i++) {
		item = kzalloc(sizeof(*item), GFP_KERNEL);
		KT_ASSERT(t, item);
		llist_add(&item->node, &list);
	}
	llist_for_each_entry_safe(item, next, llist_del_all(&list), node)
	{
		kfree(item);
		freed++;
	}
	KT_EQ(t, freed, 5);
}

KTAP_MAIN(KTAP_CASE(many_push), KTAP_CASE(one_at_a_time), KTAP_CASE(items_may_be_freed_on_the_way))
