/* SPDX-License-Identifier: MIT */
/*
 * dma-fence-array-test.c - arrays of fences: A1-A5 of linux/dma-fence-array.h, each kept and broken
 */
#include "core/dma-resv-test.h"
#include "host/port.h"

#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/kthread.h>

#define MEMBERS 3

static struct dma_fence_array *new_array(struct dma_fence **members, int count, bool any)
{
	struct dma_fence **fences = kmalloc_array(count, sizeof(*fences), GFP_KERNEL);
	struct dma_fence_array *array;
	int i;

	BUG_ON(!fences);
	for (i = 0; i < count; i++)
		fences[i] = dma_fence_get(members[i]);
	array = dma_fence_array_create(count, fences, dma_fence_context_alloc(1), 7, any);
	BUG_ON(!array);
	return array;
}

static void new_members(struct dma_fence **members)
{
	int i;

	for (i = 0; i < MEMBERS; i++)
		members[i] = new_fence(10 + i, 1);
}

static void finish_members(struct dma_fence **members)
{
	int i;

	for (i = 0; i < MEMBERS; i++)
		finish(members[i]);
}

struct counter {
	struct dma_fence_cb cb;
	atomic_t calls;
	int error;
	struct dma_fence *array; /* to ask */
};

static void count_call(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct counter *c = container_of(cb, struct counter, cb);

	c->error = fence->error;
	atomic_inc(&c->calls);
}

/* --- signalling ------------------------------------------------------------------------------- */

static void signals_with_the_last(struct ktap *t)
{
	struct dma_fence *members[MEMBERS];
	struct counter c = { .calls = ATOMIC_INIT(0) };
	struct dma_fence_array *array;
	int i;

	new_members(members);
	array = new_array(members, MEMBERS, false);
	KT_EQ(t, array->base.seqno, 7);
	KT_EQ(t, dma_fence_add_callback(&array->base, &c.cb, count_call), 0);
	for (i = 0; i < MEMBERS; i++) {
		KT_EQ(t, atomic_read(&c.calls), 0);
		KT_CHECK(t, !dma_fence_is_signaled(&array->base));
		dma_fence_signal(members[i]);
	}
	/* A3: nothing was held, so it has happened. */
	KT_EQ(t, atomic_read(&c.calls), 1);
	KT_CHECK(t, dma_fence_test_signaled_flag(&array->base));
	KT_EQ(t, kref_read(&array->base.refcount), 1);
	KT_EQ(t, dma_fence_get_status(&array->base), 1);
	dma_fence_put(&array->base);
	finish_members(members);
}

static void signals_with_any(struct ktap *t)
{
	struct dma_fence *members[MEMBERS];
	struct counter c = { .calls = ATOMIC_INIT(0) };
	struct dma_fence_array *array;

	new_members(members);
	array = new_array(members, MEMBERS, true);
	KT_EQ(t, dma_fence_add_callback(&array->base, &c.cb, count_call), 0);
	dma_fence_signal(members[1]);
	KT_EQ(t, atomic_read(&c.calls), 1);
	KT_CHECK(t, dma_fence_is_signaled(&array->base));
	/* Late ones change nothing. */
	dma_fence_signal(members[0]);
	dma_fence_signal(members[2]);
	KT_EQ(t, atomic_read(&c.calls), 1);
	KT_EQ(t, kref_read(&array->base.refcount), 1);
	dma_fence_put(&array->base);
	finish_members(members);
}

static void unasked_says_nothing_asked_says_so(struct ktap *t)
{
	struct dma_fence *members[MEMBERS];
	struct dma_fence_array *all, *any;
	int i;

	new_members(members);
	all = new_array(members, MEMBERS, false);
	any = new_array(members, MEMBERS, true);
	KT_CHECK(t, !dma_fence_is_signaled(&all->base));
	KT_CHECK(t, !dma_fence_is_signaled(&any->base));
	for (i = 0; i < MEMBERS; i++) {
		KT_CHECK(t, !dma_fence_is_signaled(&all->base));
		dma_fence_signal(members[i]);
		KT_CHECK(t, dma_fence_is_signaled(&any->base));
	}
	/* A4: nobody waits, so nothing hangs on the members. */
	KT_CHECK(t, !dma_fence_test_signaled_flag(&all->base));
	KT_CHECK(t, dma_fence_is_signaled(&all->base));
	KT_CHECK(t, dma_fence_test_signaled_flag(&all->base));
	dma_fence_put(&all->base);
	dma_fence_put(&any->base);
	finish_members(members);
}

static void signaled_before_anybody_waits(struct ktap *t)
{
	struct dma_fence *members[MEMBERS];
	struct counter c = { .calls = ATOMIC_INIT(0) };
	struct dma_fence_array *array;
	int i;

	new_members(members);
	array = new_array(members, MEMBERS, false);
	for (i = 0; i < MEMBERS; i++)
		dma_fence_signal(members[i]);
	KT_EQ(t, dma_fence_add_callback(&array->base, &c.cb, count_call), -ENOENT);
	KT_CHECK(t, dma_fence_test_signaled_flag(&array->base));
	KT_EQ(t, dma_fence_wait(&array->base, false), 0);
	KT_EQ(t, kref_read(&array->base.refcount), 1);
	dma_fence_put(&array->base);
	finish_members(members);
}

/* A member's signal under a lock of the signaler takes no lock of the array. */
static void waits_for_the_signaler_to_let_go(struct ktap *t)
{
	static DEFINE_SPINLOCK(outer);
	struct dma_fence *member = new_fence(1, 1);
	struct dma_fence_array *array = new_array(&member, 1, false);
	unsigned long flags;

	dma_fence_enable_sw_signaling(&array->base);
	spin_lock_irqsave(&outer, flags);
	dma_fence_signal(member);
	KT_CHECK(t, dma_fence_test_signaled_flag(member));
	KT_CHECK(t, !dma_fence_test_signaled_flag(&array->base));
	spin_unlock_irqrestore(&outer, flags);
	KT_CHECK(t, dma_fence_test_signaled_flag(&array->base));
	dma_fence_put(&array->base);
	finish(member);
}

/* --- errors, deadlines ------------------------------------------------------------------------ */

static void the_first_failure_is_the_arrays(struct ktap *t)
{
	struct dma_fence *members[MEMBERS];
	struct counter c = { .calls = ATOMIC_INIT(0) };
	struct dma_fence_array *array;

	new_members(members);
	dma_fence_set_error(members[1], -EIO);
	dma_fence_set_error(members[2], -ENODEV);
	array = new_array(members, MEMBERS, false);
	KT_EQ(t, dma_fence_get_status(&array->base), 0);
	KT_EQ(t, dma_fence_add_callback(&array->base, &c.cb, count_call), 0);
	dma_fence_signal(members[2]);
	dma_fence_signal(members[1]);
	dma_fence_signal(members[0]);
	KT_EQ(t, c.error, -ENODEV);
	KT_EQ(t, dma_fence_get_status(&array->base), -ENODEV);
	dma_fence_put(&array->base);
	finish_members(members);
}

static void a_failure_before_the_wait_counts(struct ktap *t)
{
	struct dma_fence *members[MEMBERS];
	struct dma_fence_array *array;
	int i;

	new_members(members);
	dma_fence_set_error(members[1], -EIO);
	array = new_array(members, MEMBERS, false);
	for (i = 0; i < MEMBERS; i++)
		dma_fence_signal(members[i]);
	dma_fence_enable_sw_signaling(&array->base);
	KT_EQ(t, dma_fence_get_status(&array->base), -EIO);
	dma_fence_put(&array->base);
	finish_members(members);
}

static void who_only_asks_learns_no_error(struct ktap *t)
{
	struct dma_fence *members[MEMBERS];
	struct dma_fence_array *array;
	int i;

	new_members(members);
	dma_fence_set_error(members[0], -EIO);
	array = new_array(members, MEMBERS, false);
	for (i = 0; i < MEMBERS; i++)
		dma_fence_signal(members[i]);
	KT_EQ(t, dma_fence_get_status(&array->base), 1);
	dma_fence_put(&array->base);
	finish_members(members);
}

static void a_failure_after_any_is_too_late(struct ktap *t)
{
	struct dma_fence *members[MEMBERS];
	struct dma_fence_array *array;

	new_members(members);
	dma_fence_set_error(members[2], -EIO);
	array = new_array(members, MEMBERS, true);
	dma_fence_enable_sw_signaling(&array->base);
	dma_fence_signal(members[0]);
	dma_fence_signal(members[2]);
	KT_EQ(t, dma_fence_get_status(&array->base), 1);
	dma_fence_put(&array->base);
	finish_members(members);
}

static void a_deadline_reaches_every_member(struct ktap *t)
{
	struct dma_fence *members[MEMBERS];
	struct dma_fence_array *array;
	int i;

	new_members(members);
	array = new_array(members, MEMBERS, false);
	dma_fence_set_deadline(&array->base, 123);
	for (i = 0; i < MEMBERS; i++)
		KT_EQ(t, container_of(members[i], struct test_fence, base)->deadline, 123);
	dma_fence_put(&array->base);
	finish_members(members);
}

/* --- members ---------------------------------------------------------------------------------- */

static void owns_its_members(struct ktap *t)
{
	struct dma_fence *members[MEMBERS];
	struct dma_fence_array *array;
	int i;

	new_members(members);
	array = new_array(members, MEMBERS, false);
	for (i = 0; i < MEMBERS; i++)
		KT_EQ(t, kref_read(&members[i]->refcount), 2);
	dma_fence_put(&array->base);
	for (i = 0; i < MEMBERS; i++)
		KT_EQ(t, kref_read(&members[i]->refcount), 1);
	finish_members(members);
}

static void walks_its_members(struct ktap *t)
{
	struct dma_fence *members[MEMBERS], *fence;
	struct dma_fence_array *array;
	unsigned int i, count = 0;

	new_members(members);
	array = new_array(members, MEMBERS, false);
	dma_fence_array_for_each(fence, i, &array->base) {
		KT_CHECK(t, fence == members[i]);
		count++;
	}
	KT_EQ(t, count, MEMBERS);
	dma_fence_array_for_each(fence, i, members[0]) {
		KT_CHECK(t, fence == members[0]);
		count++;
	}
	KT_EQ(t, count, MEMBERS + 1);
	dma_fence_array_for_each(fence, i, NULL)
		KT_CHECK(t, !"a fence in nothing");
	KT_CHECK(t, !to_dma_fence_array(NULL));
	KT_CHECK(t, !to_dma_fence_array(members[0]));
	KT_CHECK(t, to_dma_fence_array(&array->base) == array);
	KT_CHECK(t, dma_fence_is_container(&array->base));
	dma_fence_put(&array->base);
	finish_members(members);
}

static void matches_a_context_shared_by_all(struct ktap *t)
{
	struct dma_fence *same[] = { new_fence(5, 1), new_fence(5, 2), new_fence(6, 1) };
	struct dma_fence_array *one = new_array(same, 2, false);
	struct dma_fence_array *two = new_array(same, 3, false);

	KT_CHECK(t, dma_fence_match_context(same[0], 5));
	KT_CHECK(t, !dma_fence_match_context(same[0], 6));
	KT_CHECK(t, dma_fence_match_context(&one->base, 5));
	KT_CHECK(t, !dma_fence_match_context(&one->base, one->base.context));
	KT_CHECK(t, !dma_fence_match_context(&two->base, 5));
	dma_fence_put(&one->base);
	dma_fence_put(&two->base);
	finish_members(same);
}

static void contains_no_container(struct ktap *t)
{
	struct dma_fence *member = new_fence(1, 1);
	struct dma_fence_array *inner = new_array(&member, 1, false);
	struct dma_fence *inside = &inner->base;
	struct dma_fence_array *outer;

	ktap_expect_warn(t, "a container may not be a member");
	outer = new_array(&inside, 1, false);
	dma_fence_put(&outer->base);
	dma_fence_put(&inner->base);
	finish(member);
}

static void is_not_empty(struct ktap *t)
{
	struct dma_fence_array *array;

	ktap_expect_warn(t, "an array has members");
	array = dma_fence_array_create(0, NULL, 1, 1, false);
	KT_ASSERT(t, array);
	KT_CHECK(t, !dma_fence_array_first(&array->base));
	dma_fence_put(&array->base);
}

static void without_memory_takes_nothing(struct ktap *t)
{
	struct dma_fence *member = new_fence(1, 1);
	struct dma_fence **fences = kmalloc(sizeof(*fences), GFP_KERNEL);

	KT_ASSERT(t, fences);
	fences[0] = member;
	port_fail_nth(PORT_FAULT_ALLOC, 1);
	KT_CHECK(t, !dma_fence_array_create(1, fences, 1, 1, false));
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	KT_EQ(t, kref_read(&member->refcount), 1);
	kfree(fences);
	finish(member);
}

/* --- races ------------------------------------------------------------------------------------ */

static int signal_one(void *fence)
{
	dma_fence_signal(fence);
	return 0;
}

/* Members signal on two threads while a third one enables, asks and waits. */
static void races_of_members_and_waiters(struct ktap *t)
{
	int round;

	for (round = 0; round < (ktap_long ? 20000 : 300); round++) {
		struct dma_fence *members[] = { new_fence(1, 1), new_fence(2, 1) };
		bool any = round & 1;
		struct dma_fence_array *array;
		struct task_struct *tasks[2];
		int i;

		dma_fence_set_error(members[0], -EIO);
		array = new_array(members, 2, any);
		for (i = 0; i < 2; i++) {
			tasks[i] = kthread_run(signal_one, members[i], "signal");
			KT_ASSERT(t, !IS_ERR(tasks[i]));
			get_task_struct(tasks[i]);
		}
		if (round & 2)
			dma_fence_is_signaled(&array->base);
		KT_EQ(t, dma_fence_wait(&array->base, false), 0);
		if (!any) {
			KT_CHECK(t, dma_fence_test_signaled_flag(members[0]));
			KT_CHECK(t, dma_fence_test_signaled_flag(members[1]));
		}
		KT_CHECK(t, dma_fence_get_status(&array->base) == 1 ||
				    dma_fence_get_status(&array->base) == -EIO);
		dma_fence_put(&array->base);
		for (i = 0; i < 2; i++) {
			kthread_stop_put(tasks[i]);
			finish(members[i]);
		}
	}
}

static void ask_the_array(struct dma_fence *member, struct dma_fence_cb *cb)
{
	struct counter *c = container_of(cb, struct counter, cb);

	/* The array's lock inside its member's: here nobody waits for the array meanwhile. */
	lockdep_off();
	c->error = dma_fence_is_signaled(c->array);
	lockdep_on();
	atomic_inc(&c->calls);
}

/* Asked between the last member's signal and its own, which another thread makes. */
static void who_asks_first_signals(struct ktap *t)
{
	struct dma_fence *members[MEMBERS];
	struct counter c = { .calls = ATOMIC_INIT(0) };
	struct dma_fence_array *array;

	new_members(members);
	array = new_array(members, MEMBERS, true);
	dma_fence_enable_sw_signaling(&array->base);
	c.array = &array->base;
	KT_EQ(t, dma_fence_add_callback(members[1], &c.cb, ask_the_array), 0);
	dma_fence_signal(members[1]);
	KT_EQ(t, atomic_read(&c.calls), 1);
	KT_EQ(t, c.error, true);
	KT_EQ(t, dma_fence_get_status(&array->base), 1);
	dma_fence_put(&array->base);
	finish_members(members);
}

KTAP_MAIN(KTAP_CASE(signals_with_the_last), KTAP_CASE(signals_with_any),
	  KTAP_CASE(unasked_says_nothing_asked_says_so), KTAP_CASE(signaled_before_anybody_waits),
	  KTAP_CASE(waits_for_the_signaler_to_let_go), KTAP_CASE(the_first_failure_is_the_arrays),
	  KTAP_CASE(a_failure_before_the_wait_counts), KTAP_CASE(who_only_asks_learns_no_error),
	  KTAP_CASE(a_failure_after_any_is_too_late), KTAP_CASE(a_deadline_reaches_every_member),
	  KTAP_CASE(owns_its_members), KTAP_CASE(walks_its_members),
	  KTAP_CASE(matches_a_context_shared_by_all), KTAP_CASE(contains_no_container),
	  KTAP_CASE(is_not_empty), KTAP_CASE(without_memory_takes_nothing),
	  KTAP_CASE(races_of_members_and_waiters), KTAP_CASE(who_asks_first_signals))
