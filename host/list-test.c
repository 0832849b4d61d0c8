/* SPDX-License-Identifier: MIT */
/* Lists: what is where after each change, and walks that may begin, end and delete anywhere. */
#include <linux/list.h>
#include "tests/ktap.h"

struct item {
	struct list_head link;
	struct hlist_node node;
	int number;
};

static struct item items[5] = {
	{ .number = 0 }, { .number = 1 }, { .number = 2 }, { .number = 3 }, { .number = 4 }
};

/* The numbers on @head as one decimal number, and every back link right; -1 if not. */
static int hlist_digits(struct hlist_head *head)
{
	struct hlist_node **link = &head->first, *pos;
	int digits = 0;

	hlist_for_each(pos, head)
	{
		if (pos->pprev != link)
			return -1;
		link = &pos->next;
		digits = digits * 10 + hlist_entry(pos, struct item, node)->number;
	}
	return digits;
}

static void hlists(struct ktap *t)
{
	HLIST_HEAD(a);
	HLIST_HEAD(b);
	struct hlist_node *pos, *next;

	hlist_add_head(&items[2].node, &a);
	hlist_add_before(&items[1].node, &items[2].node);
	KT_EQ(t, hlist_digits(&a), 12);
	hlist_add_behind(&items[4].node, &items[2].node);
	hlist_add_behind(&items[3].node, &items[2].node);
	KT_EQ(t, hlist_digits(&a), 1234);
	hlist_move_list(&a, &b);
	KT_CHECK(t, hlist_empty(&a));
	KT_EQ(t, hlist_digits(&b), 1234);
	hlist_for_each_safe(pos, next, &b) if (hlist_entry(pos, struct item, node)->number % 2)
		hlist_del_init(pos);
	KT_EQ(t, hlist_digits(&b), 24);
	KT_CHECK(t, hlist_unhashed(&items[1].node));
	hlist_del(&items[2].node);
	hlist_del(&items[4].node);
	KT_CHECK(t, hlist_empty(&b));
	hlist_move_list(&b, &a);
	KT_CHECK(t, hlist_empty(&a));
}

static void walks(struct ktap *t)
{
	struct list_head *pos, *before;
	struct item *item, *next;
	int digits = 0;
	LIST_HEAD(head);

	for (int i = 0; i < 5; i++)
		list_add_tail(&items[i].link, &head);
	pos = &items[1].link;
	list_for_each_continue(pos, &head) digits =
		digits * 10 + list_entry(pos, struct item, link)->number;
	KT_EQ(t, digits, 234);
	digits = 0;
	list_for_each_prev_safe(pos, before, &head)
	{
		digits = digits * 10 + list_entry(pos, struct item, link)->number;
		if (pos == &items[3].link)
			list_del(pos);
	}
	KT_EQ(t, digits, 43210);
	digits = 0;
	item = &items[1];
	list_for_each_entry_safe_from(item, next, &head, link)
	{
		digits = digits * 10 + item->number;
		list_del(&item->link);
	}
	KT_EQ(t, digits, 124);
	KT_CHECK(t, list_is_singular(&head));
}

KTAP_MAIN(KTAP_CASE(hlists), KTAP_CASE(walks))
