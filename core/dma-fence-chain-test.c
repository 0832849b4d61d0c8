/* SPDX-License-Identifier: MIT */
/*
 * dma-fence-chain-test.c - timelines of fences: C1-C7 of linux/dma-fence-chain.h
 */
#include "core/dma-resv-test.h"
#include "host/port.h"

#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/kthread.h>

#define LINKS 5

/* Takes over the reference of @prev, not that of @fence. */
static struct dma_fence *new_link(struct dma_fence *prev, struct dma_fence *fence, u64 seqno)
{
	struct dma_fence_chain *chain = dma_fence_chain_alloc();

	BUG_ON(!chain);
	dma_fence_chain_init(chain, prev, dma_fence_get(fence), seqno);
	return &chain->base;
}

struct timeline {
	struct dma_fence *fences[LINKS];
	struct dma_fence *links[LINKS]; /* number of link i: 10 * (i + 1) */
};

static void timeline_init(struct timeline *line)
{
	int i;

	for (i = 0; i < LINKS; i++) {
		line->fences[i] = new_fence(20 + i, 1);
		line->links[i] = new_link(i ? dma_fence_get(line->links[i - 1]) : NULL,
					  line->fences[i], 10 * (i + 1));
	}
}

static void timeline_fini(struct timeline *line)
{
	int i;

	for (i = 0; i < LINKS; i++) {
		dma_fence_put(line->links[i]);
		finish(line->fences[i]);
	}
}

static struct dma_fence *prev_of(struct dma_fence *link)
{
	return rcu_dereference_protected(container_of(link, struct dma_fence_chain, base)->prev,
					 true);
}

static int count_links(struct dma_fence *head)
{
	struct dma_fence *iter;
	int count = 0;

	dma_fence_chain_for_each(iter, head)
		count++;
	return count;
}

/* --- numbers ---------------------------------------------------------------------------------- */

static void links_of_a_timeline_share_a_context(struct ktap *t)
{
	struct timeline line;
	int i;

	timeline_init(&line);
	for (i = 1; i < LINKS; i++) {
		KT_EQ(t, line.links[i]->context, line.links[0]->context);
		KT_EQ(t, to_dma_fence_chain(line.links[i])->prev_seqno, 10 * i);
	}
	KT_EQ(t, to_dma_fence_chain(line.links[0])->prev_seqno, 0);
	timeline_fini(&line);
}

static void a_point_out_of_order_begins_a_context(struct ktap *t)
{
	struct timeline line;
	struct dma_fence *again, *lower, *higher;

	timeline_init(&line);
	again = new_link(dma_fence_get(line.links[1]), line.fences[2], 20);
	lower = new_link(dma_fence_get(line.links[1]), line.fences[2], 5);
	/* 64 bits count. */
	higher = new_link(dma_fence_get(line.links[1]), line.fences[2], 1ull << 40);
	KT_CHECK(t, again->context != line.links[0]->context);
	KT_CHECK(t, lower->context != line.links[0]->context);
	KT_EQ(t, higher->context, line.links[0]->context);
	KT_EQ(t, again->seqno, 20);
	KT_EQ(t, lower->seqno, 20);
	KT_EQ(t, higher->seqno, 1ull << 40);
	KT_EQ(t, to_dma_fence_chain(lower)->prev_seqno, 0);
	dma_fence_put(again);
	dma_fence_put(lower);
	dma_fence_put(higher);
	timeline_fini(&line);
}

static void finds_the_oldest_link_that_covers(struct ktap *t)
{
	struct timeline line;
	u64 seqno;

	timeline_init(&line);
	for (seqno = 1; seqno <= 10 * LINKS; seqno++) {
		struct dma_fence *found = dma_fence_get(line.links[LINKS - 1]);

		KT_EQ(t, dma_fence_chain_find_seqno(&found, seqno), 0);
		KT_CHECK(t, found == line.links[(seqno - 1) / 10]);
		dma_fence_put(found);
	}
	timeline_fini(&line);
}

static void finds_nothing_that_is_not_there(struct ktap *t)
{
	struct timeline line;
	struct dma_fence *found, *none = NULL;

	timeline_init(&line);
	found = line.links[LINKS - 1];
	KT_EQ(t, dma_fence_chain_find_seqno(&found, 10 * LINKS + 1), -EINVAL);
	KT_CHECK(t, found == line.links[LINKS - 1]);
	KT_EQ(t, dma_fence_chain_find_seqno(&found, 0), 0);
	KT_CHECK(t, found == line.links[LINKS - 1]);
	found = line.fences[0];
	KT_EQ(t, dma_fence_chain_find_seqno(&found, 1), -EINVAL);
	KT_CHECK(t, found == line.fences[0]);
	KT_EQ(t, dma_fence_chain_find_seqno(&none, 1), -EINVAL);
	KT_EQ(t, kref_read(&line.links[LINKS - 1]->refcount), 1);
	timeline_fini(&line);
}

static void a_point_taken_out_leads_to_what_is_left_before_it(struct ktap *t)
{
	struct timeline line;
	struct dma_fence *found;
	int i;

	timeline_init(&line);
	dma_fence_signal(line.fences[1]);
	dma_fence_signal(line.fences[2]);
	for (i = 15; i <= 25; i += 10) {
		found = dma_fence_get(line.links[LINKS - 1]);
		KT_EQ(t, dma_fence_chain_find_seqno(&found, i), 0);
		KT_CHECK(t, found == line.links[0]);
		dma_fence_put(found);
	}
	dma_fence_signal(line.fences[0]);
	found = dma_fence_get(line.links[LINKS - 1]);
	KT_EQ(t, dma_fence_chain_find_seqno(&found, 25), 0);
	KT_CHECK(t, !found);
	found = dma_fence_get(line.links[LINKS - 1]);
	KT_EQ(t, dma_fence_chain_find_seqno(&found, 35), 0);
	KT_CHECK(t, found == line.links[3]);
	dma_fence_put(found);
	timeline_fini(&line);
}

/* --- walking, collecting ---------------------------------------------------------------------- */

static void a_walk_takes_out_what_is_signaled(struct ktap *t)
{
	struct timeline line;

	timeline_init(&line);
	KT_EQ(t, count_links(line.links[4]), 5);
	dma_fence_signal(line.fences[2]);
	dma_fence_signal(line.fences[3]);
	KT_CHECK(t, prev_of(line.links[4]) == line.links[3]);
	KT_EQ(t, count_links(line.links[4]), 3);
	KT_CHECK(t, prev_of(line.links[4]) == line.links[1]);
	/* C3: the number does not follow. */
	KT_EQ(t, to_dma_fence_chain(line.links[4])->prev_seqno, 40);
	/* The timeline dropped them; link 1 is link 4's, too, now. */
	KT_EQ(t, kref_read(&line.links[3]->refcount), 1);
	KT_EQ(t, kref_read(&line.links[1]->refcount), 3);
	dma_fence_signal(line.fences[0]);
	dma_fence_signal(line.fences[1]);
	KT_EQ(t, count_links(line.links[4]), 1);
	KT_CHECK(t, !prev_of(line.links[4]));
	timeline_fini(&line);
}

static void a_timeline_may_begin_with_any_fence(struct ktap *t)
{
	struct dma_fence *first = new_fence(1, 1), *second = new_fence(2, 1), *link, *iter;
	int count = 0;

	link = new_link(dma_fence_get(first), second, 4);
	KT_EQ(t, link->seqno, 4);
	dma_fence_chain_for_each(iter, link) {
		KT_CHECK(t, iter == (count ? first : link));
		KT_CHECK(t, dma_fence_chain_contained(iter) == (count ? first : second));
		count++;
	}
	KT_EQ(t, count, 2);
	KT_CHECK(t, !dma_fence_is_signaled(link));
	dma_fence_signal(second);
	KT_CHECK(t, !dma_fence_is_signaled(link));
	dma_fence_signal(first);
	KT_EQ(t, count_links(link), 1);
	KT_CHECK(t, dma_fence_is_signaled(link));
	dma_fence_put(link);
	finish(first);
	finish(second);
}

static void no_link_walks_nowhere(struct ktap *t)
{
	struct dma_fence *fence = new_fence(1, 1);

	KT_CHECK(t, !dma_fence_chain_walk(dma_fence_get(fence)));
	KT_CHECK(t, !dma_fence_chain_walk(NULL));
	KT_CHECK(t, !dma_fence_chain_contained(NULL));
	KT_CHECK(t, !to_dma_fence_chain(fence));
	KT_EQ(t, kref_read(&fence->refcount), 1);
	dma_fence_chain_free(NULL);
	dma_fence_chain_free(dma_fence_chain_alloc());
	finish(fence);
}

static void a_link_contains_no_link(struct ktap *t)
{
	struct dma_fence *fence = new_fence(1, 1), *inner = new_link(NULL, fence, 1), *outer;

	ktap_expect_warn(t, "a link contains no link");
	outer = new_link(NULL, inner, 1);
	dma_fence_put(outer);
	dma_fence_put(inner);
	finish(fence);
}

/* --- signalling ------------------------------------------------------------------------------- */

static void is_signaled_when_all_up_to_it_are(struct ktap *t)
{
	struct timeline line;
	int i;

	timeline_init(&line);
	for (i = LINKS - 1; i > 0; i--) {
		dma_fence_signal(line.fences[i]);
		KT_CHECK(t, !dma_fence_is_signaled(line.links[i]));
	}
	dma_fence_signal(line.fences[0]);
	for (i = 0; i < LINKS; i++) {
		/* C6: nobody waited. */
		KT_CHECK(t, !dma_fence_test_signaled_flag(line.links[i]));
		KT_CHECK(t, dma_fence_is_signaled(line.links[i]));
	}
	timeline_fini(&line);
}

static void signals_by_itself_once_waited_for(struct ktap *t)
{
	static const int orders[][LINKS] = { { 0, 1, 2, 3, 4 },
					     { 4, 3, 2, 1, 0 },
					     { 2, 0, 4, 1, 3 } };
	int order, i;

	for (order = 0; order < ARRAY_SIZE(orders); order++) {
		struct timeline line;

		timeline_init(&line);
		dma_fence_enable_sw_signaling(line.links[4]);
		for (i = 0; i < LINKS; i++) {
			KT_CHECK(t, !dma_fence_test_signaled_flag(line.links[4]));
			dma_fence_signal(line.fences[orders[order][i]]);
		}
		KT_CHECK(t, dma_fence_test_signaled_flag(line.links[4]));
		KT_EQ(t, kref_read(&line.links[4]->refcount), 1);
		timeline_fini(&line);
	}
}

static void errors_stay_with_their_fences(struct ktap *t)
{
	struct dma_fence *fence = new_fence(1, 1), *link = new_link(NULL, fence, 1);

	dma_fence_set_error(fence, -EIO);
	dma_fence_enable_sw_signaling(link);
	dma_fence_signal(fence);
	KT_EQ(t, dma_fence_get_status(link), 1);
	KT_EQ(t, dma_fence_get_status(dma_fence_chain_contained(link)), -EIO);
	dma_fence_put(link);
	finish(fence);
}

static void a_deadline_reaches_the_whole_timeline(struct ktap *t)
{
	struct timeline line;
	int i;

	timeline_init(&line);
	dma_fence_set_deadline(line.links[2], 99);
	for (i = 0; i < LINKS; i++)
		KT_EQ(t, container_of(line.fences[i], struct test_fence, base)->deadline,
		      i <= 2 ? 99 : 0);
	timeline_fini(&line);
}

/* --- depth ------------------------------------------------------------------------------------ */

/* C4: a stack of 8 MiB would not survive a call per link. */
static struct dma_fence *deep_chain(struct dma_fence *fence, int depth)
{
	struct dma_fence *head = NULL;
	int i;

	for (i = 0; i < depth; i++)
		head = new_link(head, fence, i + 1);
	return head;
}

#define DEEP 200000

static void a_deep_chain_is_released_flat(struct ktap *t)
{
	struct dma_fence *fence = new_fence(1, 1), *head = deep_chain(fence, DEEP);

	KT_EQ(t, kref_read(&fence->refcount), DEEP + 1);
	dma_fence_put(head);
	KT_EQ(t, kref_read(&fence->refcount), 1);
	finish(fence);
}

static void a_deep_chain_signals_flat(struct ktap *t)
{
	struct dma_fence *fence = new_fence(1, 1), *head = deep_chain(fence, DEEP);

	dma_fence_enable_sw_signaling(head);
	dma_fence_signal(fence);
	KT_CHECK(t, dma_fence_test_signaled_flag(head));
	dma_fence_put(head);
	KT_EQ(t, kref_read(&fence->refcount), 1);
	finish(fence);
}

static void a_held_link_survives_its_successors(struct ktap *t)
{
	struct timeline line;
	struct dma_fence *head;

	timeline_init(&line);
	head = new_link(dma_fence_get(line.links[2]), line.fences[3], 100);
	dma_fence_put(head);
	KT_EQ(t, kref_read(&line.links[2]->refcount), 2);
	KT_CHECK(t, prev_of(line.links[2]) == line.links[1]);
	timeline_fini(&line);
}

/* --- races ------------------------------------------------------------------------------------ */

static int walk_until_stopped(void *head)
{
	while (!kthread_should_stop())
		count_links(head);
	return 0;
}

/* Two walkers collect the same links while they signal and somebody waits. */
static void walkers_race(struct ktap *t)
{
	int round, i;

	for (round = 0; round < (ktap_long ? 5000 : 100); round++) {
		struct task_struct *tasks[2];
		struct timeline line;

		timeline_init(&line);
		for (i = 0; i < 2; i++) {
			tasks[i] = kthread_run(walk_until_stopped, line.links[4], "walk");
			KT_ASSERT(t, !IS_ERR(tasks[i]));
			get_task_struct(tasks[i]);
		}
		if (round & 1)
			dma_fence_enable_sw_signaling(line.links[4]);
		for (i = 0; i < LINKS; i++)
			dma_fence_signal(line.fences[(i + round) % LINKS]);
		KT_EQ(t, dma_fence_wait(line.links[4], false), 0);
		for (i = 0; i < 2; i++)
			kthread_stop_put(tasks[i]);
		KT_CHECK(t, !prev_of(line.links[4]) || count_links(line.links[4]) == 1);
		for (i = 0; i < LINKS; i++)
			dma_fence_put(line.links[i]);
		for (i = 0; i < LINKS; i++) {
			KT_EQ(t, kref_read(&line.fences[i]->refcount), 1);
			finish(line.fences[i]);
		}
	}
}

/* The link before, taken out because it is signaled, began a context: the search ends behind it. */
static void a_search_ends_at_another_context(struct ktap *t)
{
	struct dma_fence *fences[3], *old, *began, *newest, *found;
	int i;

	for (i = 0; i < 3; i++)
		fences[i] = new_fence(20 + i, 1);
	old = new_link(NULL, fences[0], 10);
	began = new_link(dma_fence_get(old), fences[1], 5);
	newest = new_link(dma_fence_get(began), fences[2], 20);
	KT_CHECK(t, began->context != old->context);
	KT_CHECK(t, newest->context == began->context);
	dma_fence_signal(fences[1]);
	dma_fence_put(began);

	found = dma_fence_get(newest);
	KT_EQ(t, dma_fence_chain_find_seqno(&found, 3), 0);
	KT_CHECK(t, found == old);
	dma_fence_put(found);
	dma_fence_put(newest);
	dma_fence_put(old);
	finish(fences[0]);
	dma_fence_put(fences[1]);
	finish(fences[2]);
}

/* Nobody walked it: what it began with is given back with the last link. */
static void a_timeline_gives_back_what_it_began_with(struct ktap *t)
{
	struct dma_fence *first = new_fence(1, 1), *second = new_fence(2, 1), *link;

	link = new_link(dma_fence_get(first), second, 1);
	KT_EQ(t, kref_read(&first->refcount), 2);
	dma_fence_put(link);
	KT_EQ(t, kref_read(&first->refcount), 1);
	KT_EQ(t, kref_read(&second->refcount), 1);
	finish(first);
	finish(second);
}

KTAP_MAIN(KTAP_CASE(links_of_a_timeline_share_a_context),
	  KTAP_CASE(a_point_out_of_order_begins_a_context),
	  KTAP_CASE(finds_the_oldest_link_that_covers), KTAP_CASE(finds_nothing_that_is_not_there),
	  KTAP_CASE(a_point_taken_out_leads_to_what_is_left_before_it),
	  KTAP_CASE(a_walk_takes_out_what_is_signaled),
	  KTAP_CASE(a_timeline_may_begin_with_any_fence), KTAP_CASE(no_link_walks_nowhere),
	  KTAP_CASE(a_link_contains_no_link), KTAP_CASE(is_signaled_when_all_up_to_it_are),
	  KTAP_CASE(signals_by_itself_once_waited_for), KTAP_CASE(errors_stay_with_their_fences),
	  KTAP_CASE(a_deadline_reaches_the_whole_timeline),
	  KTAP_CASE(a_deep_chain_is_released_flat), KTAP_CASE(a_deep_chain_signals_flat),
	  KTAP_CASE(a_held_link_survives_its_successors), KTAP_CASE(walkers_race),
	  KTAP_CASE(a_search_ends_at_another_context),
	  KTAP_CASE(a_timeline_gives_back_what_it_began_with))
