/* SPDX-License-Identifier: MIT */
/*
 * dma-fence-test.c - fences: F1-F6 of linux/dma-fence.h, each kept and broken
 *
 * Where threads race, both orders are right and what is checked holds in either; nothing is timed.
 */
#include "tests/ktap.h"
#include "host/port.h"
#include "host/task.h"

#include <linux/atomic.h>
#include <linux/dma-fence.h>
#include <linux/slab.h>
#include <linux/sched/signal.h>

/* --- a driver --------------------------------------------------------------------------------- */

struct test_fence {
	struct dma_fence base;
	spinlock_t lock;

	/* What the driver does when asked. */
	bool finished;       /* ops->signaled says */
	bool enable_refuses; /* ops->enable_signaling says "finished already" */

	/* What it was asked. */
	unsigned int enabled, waited, deadlines;
	ktime_t deadline;
	unsigned int *released;

	/* What the work made. */
	int payload;
};

static struct test_fence *to_test(struct dma_fence *fence)
{
	return container_of(fence, struct test_fence, base);
}

static const char *test_name(struct dma_fence *fence)
{
	return "test";
}

static bool test_enable(struct dma_fence *fence)
{
	to_test(fence)->enabled++;
	return !to_test(fence)->enable_refuses;
}

static bool test_signaled(struct dma_fence *fence)
{
	return READ_ONCE(to_test(fence)->finished);
}

static signed long test_wait(struct dma_fence *fence, bool intr, signed long timeout)
{
	to_test(fence)->waited++;
	return 42;
}

static void test_deadline(struct dma_fence *fence, ktime_t deadline)
{
	to_test(fence)->deadlines++;
	to_test(fence)->deadline = deadline;
}

static void test_release(struct dma_fence *fence)
{
	if (to_test(fence)->released)
		++*to_test(fence)->released;
	dma_fence_free(fence);
}

static const struct dma_fence_ops plain_ops = {
	.get_driver_name = test_name,
	.get_timeline_name = test_name,
};

static const struct dma_fence_ops test_ops = {
	.get_driver_name = test_name,
	.get_timeline_name = test_name,
	.enable_signaling = test_enable,
	.signaled = test_signaled,
	.release = test_release,
	.set_deadline = test_deadline,
};

static const struct dma_fence_ops wait_ops = {
	.get_driver_name = test_name,
	.get_timeline_name = test_name,
	.wait = test_wait,
};

static const struct dma_fence_ops seqno64_ops = {
	.use_64bit_seqno = true,
	.get_driver_name = test_name,
	.get_timeline_name = test_name,
};

static const struct dma_fence_ops array_ops = {
	.container = DMA_FENCE_ARRAY,
	.get_driver_name = test_name,
	.get_timeline_name = test_name,
};

static const struct dma_fence_ops chain_ops = {
	.container = DMA_FENCE_CHAIN,
	.get_driver_name = test_name,
	.get_timeline_name = test_name,
};

static struct test_fence *new_fence(const struct dma_fence_ops *ops, u64 context, u64 seqno)
{
	struct test_fence *f = kzalloc(sizeof(*f), GFP_KERNEL);

	BUG_ON(!f);
	spin_lock_init(&f->lock);
	dma_fence_init(&f->base, ops, &f->lock, context, seqno);
	return f;
}

struct test_cb {
	struct dma_fence_cb base;
	atomic_t ran;
	int order;           /* the how-many-th callback of its fence it was */
	int error;           /* the fence's error when it ran */
	bool lock_held;      /* fence->lock was held */
	bool node_was_empty; /* the core had let go of it */
};

static atomic_t callback_order;

static void test_callback(struct dma_fence *fence, struct dma_fence_cb *base)
{
	struct test_cb *cb = container_of(base, struct test_cb, base);

	cb->order = atomic_inc_return(&callback_order);
	cb->error = fence->error;
	cb->lock_held = lockdep_is_held(fence->lock);
	cb->node_was_empty = list_empty(&base->node);
	atomic_inc(&cb->ran);
}

/* --- signalling ------------------------------------------------------------------------------- */

static void signals_once(struct ktap *t)
{
	struct test_fence *f = new_fence(&plain_ops, 1, 1);

	KT_CHECK(t, !dma_fence_is_signaled(&f->base));
	KT_EQ(t, dma_fence_get_status(&f->base), 0);
	KT_EQ(t, dma_fence_signal(&f->base), 0);
	KT_EQ(t, dma_fence_signal(&f->base), -EINVAL);
	KT_CHECK(t, dma_fence_is_signaled(&f->base));
	KT_EQ(t, dma_fence_get_status(&f->base), 1);
	dma_fence_put(&f->base);
}

static void signaling_nothing_warns(struct ktap *t)
{
	ktap_expect_warn(t, "no fence to signal");
	KT_EQ(t, dma_fence_signal(NULL), -EINVAL);
}

static void locked_forms_need_the_lock(struct ktap *t)
{
	struct test_fence *f = new_fence(&test_ops, 1, 1);
	unsigned long flags;

	spin_lock_irqsave(&f->lock, flags);
	KT_CHECK(t, !dma_fence_is_signaled_locked(&f->base));
	KT_EQ(t, dma_fence_get_status_locked(&f->base), 0);
	f->finished = true;
	KT_CHECK(t, dma_fence_is_signaled_locked(&f->base));
	KT_EQ(t, dma_fence_signal_locked(&f->base), -EINVAL);
	KT_EQ(t, dma_fence_get_status_locked(&f->base), 1);
	spin_unlock_irqrestore(&f->lock, flags);
	dma_fence_put(&f->base);

	f = new_fence(&test_ops, 1, 2);
	ktap_expect_warn(t, "lockdep_assert_held(fence->lock)");
	KT_EQ(t, dma_fence_signal_locked(&f->base), 0);
	dma_fence_put(&f->base);
}

static void error_is_the_status(struct ktap *t)
{
	struct test_fence *f = new_fence(&plain_ops, 1, 1);

	dma_fence_set_error(&f->base, -EIO);
	KT_EQ(t, dma_fence_get_status(&f->base), 0);
	dma_fence_signal(&f->base);
	KT_EQ(t, dma_fence_get_status(&f->base), -EIO);

	ktap_expect_warn(t, "before the fence is signaled");
	dma_fence_set_error(&f->base, -ENOMEM);
	dma_fence_put(&f->base);

	f = new_fence(&plain_ops, 1, 2);
	ktap_expect_warn(t, "is no error");
	dma_fence_set_error(&f->base, 0);
	dma_fence_put(&f->base);
}

static void driver_says_finished(struct ktap *t)
{
	struct test_fence *f = new_fence(&test_ops, 1, 1);
	struct test_cb cb = {};

	KT_EQ(t, dma_fence_add_callback(&f->base, &cb.base, test_callback), 0);
	KT_CHECK(t, !dma_fence_is_signaled(&f->base));
	f->finished = true;
	KT_CHECK(t, !dma_fence_test_signaled_flag(&f->base));
	KT_CHECK(t, dma_fence_is_signaled(&f->base));
	KT_CHECK(t, dma_fence_test_signaled_flag(&f->base));
	KT_EQ(t, atomic_read(&cb.ran), 1);
	dma_fence_put(&f->base);
}

static void signaling_is_enabled_once(struct ktap *t)
{
	struct test_fence *f = new_fence(&test_ops, 1, 1);
	struct test_cb a = {}, b = {};

	KT_EQ(t, f->enabled, 0);
	KT_EQ(t, dma_fence_add_callback(&f->base, &a.base, test_callback), 0);
	KT_EQ(t, f->enabled, 1);
	KT_EQ(t, dma_fence_add_callback(&f->base, &b.base, test_callback), 0);
	dma_fence_enable_sw_signaling(&f->base);
	KT_EQ(t, f->enabled, 1);
	dma_fence_signal(&f->base);
	dma_fence_put(&f->base);

	/* Finished when asked to watch out: signaled there and then. */
	f = new_fence(&test_ops, 1, 2);
	f->enable_refuses = true;
	KT_EQ(t, dma_fence_add_callback(&f->base, &a.base, test_callback), -ENOENT);
	KT_CHECK(t, dma_fence_test_signaled_flag(&f->base));
	dma_fence_put(&f->base);

	/* Not asked when signaled. */
	f = new_fence(&test_ops, 1, 3);
	dma_fence_signal(&f->base);
	dma_fence_enable_sw_signaling(&f->base);
	KT_EQ(t, f->enabled, 0);
	dma_fence_put(&f->base);
}

static void timestamp_is_that_of_the_signal(struct ktap *t)
{
	struct test_fence *f = new_fence(&plain_ops, 1, 1);
	ktime_t before = ktime_get();

	KT_EQ(t, dma_fence_signal_timestamp(&f->base, 12345), 0);
	KT_EQ(t, dma_fence_timestamp(&f->base), 12345);
	dma_fence_put(&f->base);

	f = new_fence(&plain_ops, 1, 2);
	dma_fence_signal(&f->base);
	KT_CHECK(t, dma_fence_timestamp(&f->base) >= before);
	KT_CHECK(t, dma_fence_timestamp(&f->base) <= ktime_get());
	dma_fence_put(&f->base);

	f = new_fence(&plain_ops, 1, 3);
	ktap_expect_warn(t, "only a signaled fence has a timestamp");
	KT_CHECK(t, dma_fence_timestamp(&f->base) >= before);
	dma_fence_put(&f->base);
}

static void deadline_reaches_the_driver(struct ktap *t)
{
	struct test_fence *f = new_fence(&test_ops, 1, 1);

	dma_fence_set_deadline(&f->base, 777);
	KT_EQ(t, f->deadlines, 1);
	KT_EQ(t, f->deadline, 777);
	dma_fence_signal(&f->base);
	dma_fence_set_deadline(&f->base, 778);
	KT_EQ(t, f->deadlines, 1);
	dma_fence_put(&f->base);

	f = new_fence(&plain_ops, 1, 2);
	dma_fence_set_deadline(&f->base, 1);
	dma_fence_put(&f->base);
}

static void order_within_a_context(struct ktap *t)
{
	struct test_fence *a = new_fence(&plain_ops, 7, 0xffffffff);
	struct test_fence *b = new_fence(&plain_ops, 7, 1);
	struct test_fence *c = new_fence(&plain_ops, 8, 2);

	/* 32 bits that wrap. */
	KT_CHECK(t, dma_fence_is_later(&b->base, &a->base));
	KT_CHECK(t, !dma_fence_is_later(&a->base, &b->base));
	KT_CHECK(t, !dma_fence_is_later(&a->base, &a->base));
	KT_CHECK(t, dma_fence_is_later_or_same(&a->base, &a->base));
	KT_CHECK(t, !__dma_fence_is_later(1, 0x1ffffffffull, &seqno64_ops));
	KT_CHECK(t, __dma_fence_is_later(0x200000000ull, 0x1ffffffffull, &seqno64_ops));

	KT_CHECK(t, dma_fence_later(&a->base, &b->base) == &b->base);
	KT_CHECK(t, dma_fence_later(&b->base, &a->base) == &b->base);
	dma_fence_signal(&b->base);
	KT_CHECK(t, !dma_fence_later(&a->base, &b->base));

	ktap_expect_warn(t, "two contexts");
	KT_CHECK(t, !dma_fence_is_later(&c->base, &a->base));
	ktap_expect_warn(t, "two contexts");
	KT_CHECK(t, !dma_fence_later(&c->base, &a->base));

	dma_fence_put(&a->base);
	dma_fence_put(&b->base);
	dma_fence_put(&c->base);
}

static void containers_say_so(struct ktap *t)
{
	struct test_fence *plain = new_fence(&plain_ops, 1, 1);
	struct test_fence *array = new_fence(&array_ops, 1, 1);
	struct test_fence *chain = new_fence(&chain_ops, 1, 1);

	KT_CHECK(t, !dma_fence_is_container(&plain->base));
	KT_CHECK(t, !dma_fence_is_array(&plain->base) && !dma_fence_is_chain(&plain->base));
	KT_CHECK(t, dma_fence_is_array(&array->base) && !dma_fence_is_chain(&array->base));
	KT_CHECK(t, dma_fence_is_chain(&chain->base) && !dma_fence_is_array(&chain->base));
	KT_CHECK(t, dma_fence_is_container(&array->base) && dma_fence_is_container(&chain->base));

	dma_fence_put(&plain->base);
	dma_fence_put(&array->base);
	dma_fence_put(&chain->base);
}

/* --- life ------------------------------------------------------------------------------------- */

static void contexts_are_new(struct ktap *t)
{
	u64 a = dma_fence_context_alloc(3), b = dma_fence_context_alloc(1);

	KT_CHECK(t, a != 0);
	KT_EQ(t, b, a + 3);
	ktap_expect_warn(t, "at least one context");
	dma_fence_context_alloc(0);
}

static void last_put_releases(struct ktap *t)
{
	struct test_fence *f = new_fence(&test_ops, 1, 1);
	unsigned int released = 0;

	f->released = &released;
	KT_CHECK(t, dma_fence_get(&f->base) == &f->base);
	dma_fence_put(&f->base);
	KT_EQ(t, released, 0);
	rcu_read_lock();
	dma_fence_put(&f->base);
	KT_EQ(t, released, 1);
	/* The memory is still there, but nobody gets a reference any more. */
	KT_CHECK(t, !dma_fence_get_rcu(&f->base));
	rcu_read_unlock();

	KT_CHECK(t, !dma_fence_get(NULL));
	dma_fence_put(NULL);
}

static void released_with_waiters_warns(struct ktap *t)
{
	struct test_fence *f = new_fence(&plain_ops, 1, 1);
	struct test_cb cb = {};

	KT_EQ(t, dma_fence_add_callback(&f->base, &cb.base, test_callback), 0);
	ktap_expect_warn(t, "released unsignaled while somebody waits");
	dma_fence_put(&f->base);
	KT_EQ(t, atomic_read(&cb.ran), 1);
	KT_EQ(t, cb.error, -EDEADLK);

	/* Nobody waits: nobody is told. */
	f = new_fence(&plain_ops, 1, 2);
	dma_fence_put(&f->base);
}

static void stubs_are_signaled(struct ktap *t)
{
	struct dma_fence *stub = dma_fence_get_stub(), *again = dma_fence_get_stub(), *own;

	KT_CHECK(t, stub == again);
	KT_CHECK(t, dma_fence_is_signaled(stub));
	KT_EQ(t, dma_fence_get_status(stub), 1);
	KT_EQ(t, dma_fence_wait(stub, false), 0);
	dma_fence_put(stub);
	dma_fence_put(again);

	own = dma_fence_allocate_private_stub(4711);
	KT_ASSERT(t, own);
	KT_CHECK(t, own != stub);
	KT_CHECK(t, dma_fence_is_signaled(own));
	KT_EQ(t, dma_fence_timestamp(own), 4711);
	dma_fence_put(own);

	port_fail_nth(PORT_FAULT_ALLOC, 1);
	KT_CHECK(t, !dma_fence_allocate_private_stub(0));
	port_fail_nth(PORT_FAULT_ALLOC, 0);
}

/* --- callbacks -------------------------------------------------------------------------------- */

static void callbacks_run_in_order_under_the_lock(struct ktap *t)
{
	struct test_fence *f = new_fence(&plain_ops, 1, 1);
	struct test_cb cb[3] = {}, late = {};
	int i, first;

	for (i = 0; i < 3; i++)
		KT_EQ(t, dma_fence_add_callback(&f->base, &cb[i].base, test_callback), 0);
	first = atomic_read(&callback_order) + 1;
	dma_fence_signal(&f->base);
	for (i = 0; i < 3; i++) {
		KT_EQ(t, atomic_read(&cb[i].ran), 1);
		KT_EQ(t, cb[i].order, first + i);
		KT_CHECK(t, cb[i].lock_held);
		KT_CHECK(t, cb[i].node_was_empty);
		KT_CHECK(t, !dma_fence_remove_callback(&f->base, &cb[i].base));
	}

	KT_EQ(t, dma_fence_add_callback(&f->base, &late.base, test_callback), -ENOENT);
	KT_CHECK(t, list_empty(&late.base.node));
	KT_EQ(t, atomic_read(&late.ran), 0);
	dma_fence_put(&f->base);
}

static void removed_callback_never_runs(struct ktap *t)
{
	struct test_fence *f = new_fence(&plain_ops, 1, 1);
	struct test_cb kept = {}, removed = {};

	dma_fence_add_callback(&f->base, &removed.base, test_callback);
	dma_fence_add_callback(&f->base, &kept.base, test_callback);
	KT_CHECK(t, dma_fence_remove_callback(&f->base, &removed.base));
	KT_CHECK(t, !dma_fence_remove_callback(&f->base, &removed.base));
	dma_fence_signal(&f->base);
	KT_EQ(t, atomic_read(&removed.ran), 0);
	KT_EQ(t, atomic_read(&kept.ran), 1);
	dma_fence_put(&f->base);
}

static void callback_needs_fence_and_function(struct ktap *t)
{
	struct test_fence *f = new_fence(&plain_ops, 1, 1);
	struct test_cb cb = {};

	ktap_expect_warn(t, "a callback needs");
	KT_EQ(t, dma_fence_add_callback(NULL, &cb.base, test_callback), -EINVAL);
	ktap_expect_warn(t, "a callback needs");
	KT_EQ(t, dma_fence_add_callback(&f->base, &cb.base, NULL), -EINVAL);
	dma_fence_put(&f->base);
}

/* --- waiting ---------------------------------------------------------------------------------- */

static void signal_later(void *arg)
{
	struct test_fence *f = arg;

	f->payload = 99;
	dma_fence_signal(&f->base);
}

static void wait_ends_with_the_signal(struct ktap *t)
{
	int i;

	for (i = 0; i < (ktap_long ? 5000 : 200); i++) {
		struct test_fence *f = new_fence(&plain_ops, 1, 1);
		struct port_thread *thread = port_thread_create(signal_later, f, "signal");

		KT_ASSERT(t, thread);
		KT_EQ(t, dma_fence_wait(&f->base, i & 1), 0);
		KT_EQ(t, f->payload, 99);
		port_thread_join(thread);
		dma_fence_put(&f->base);
	}
}

/* F2 for who only looks. */
static void signal_carries_the_work(struct ktap *t)
{
	int i;

	for (i = 0; i < (ktap_long ? 5000 : 200); i++) {
		struct test_fence *f = new_fence(&plain_ops, 1, 1);
		struct port_thread *thread = port_thread_create(signal_later, f, "signal");

		KT_ASSERT(t, thread);
		while (!dma_fence_is_signaled(&f->base))
			port_yield();
		KT_EQ(t, f->payload, 99);
		KT_CHECK(t, dma_fence_timestamp(&f->base) <= ktime_get());
		port_thread_join(thread);
		dma_fence_put(&f->base);
	}
}

static void wait_times_out(struct ktap *t)
{
	struct test_fence *f = new_fence(&test_ops, 1, 1);

	KT_EQ(t, dma_fence_wait_timeout(&f->base, false, 0), 0);
	KT_EQ(t, f->enabled, 1);
	KT_EQ(t, dma_fence_wait_timeout(&f->base, false, 1), 0);
	KT_CHECK(t, list_empty(&f->base.cb_list));
	dma_fence_signal(&f->base);
	KT_EQ(t, dma_fence_wait_timeout(&f->base, false, 0), 1);
	KT_EQ(t, dma_fence_wait_timeout(&f->base, false, 5), 5);
	ktap_expect_warn(t, "negative timeout");
	KT_EQ(t, dma_fence_wait_timeout(&f->base, false, -1), -EINVAL);
	dma_fence_put(&f->base);

	f = new_fence(&wait_ops, 1, 2);
	KT_EQ(t, dma_fence_wait_timeout(&f->base, false, 1), 42);
	KT_EQ(t, f->waited, 1);
	dma_fence_put(&f->base);
}

struct sleeper {
	struct test_fence *fence;
	struct task_struct *task; /* published with release */
	bool any;
	long ret;
	atomic_t may_end;
};

static void sleep_interruptibly(void *arg)
{
	struct sleeper *s = arg;
	struct dma_fence *fence = &s->fence->base;

	smp_store_release(&s->task, current);
	s->ret = s->any ? dma_fence_wait_any_timeout(&fence, 1, true, MAX_SCHEDULE_TIMEOUT, NULL)
			: dma_fence_wait(fence, true);
	flush_signals(current);
	while (!atomic_read_acquire(&s->may_end))
		port_yield();
}

static void task_signal_interrupts(struct ktap *t)
{
	int i;

	for (i = 0; i < (ktap_long ? 2000 : 100); i++) {
		struct sleeper s = { .fence = new_fence(&plain_ops, 1, 1), .any = i & 1 };
		struct port_thread *thread = port_thread_create(sleep_interruptibly, &s, "sleep");

		KT_ASSERT(t, thread);
		while (!smp_load_acquire(&s.task))
			port_yield();
		host_signal_task(s.task);
		atomic_set_release(&s.may_end, 1);
		port_thread_join(thread);
		KT_EQ(t, s.ret, -ERESTARTSYS);
		KT_CHECK(t, list_empty(&s.fence->base.cb_list));
		KT_CHECK(t, !dma_fence_test_signaled_flag(&s.fence->base));
		dma_fence_put(&s.fence->base);
	}
}

static void interrupted_wait_leaves_nothing(struct ktap *t)
{
	struct test_fence *f = new_fence(&plain_ops, 1, 1);
	struct dma_fence *fence = &f->base;

	port_fail_nth(PORT_FAULT_WAIT, 1);
	KT_EQ(t, dma_fence_wait(fence, true), -ERESTARTSYS);
	/* Who cannot be interrupted is not asked. */
	port_fail_nth(PORT_FAULT_WAIT, 1);
	KT_EQ(t, dma_fence_wait_timeout(fence, false, 1), 0);
	KT_EQ(t, port_fault_count(PORT_FAULT_WAIT), 0);
	port_fail_nth(PORT_FAULT_WAIT, 0);
	KT_CHECK(t, list_empty(&fence->cb_list));

	/* A signaled fence is no wait. */
	dma_fence_signal(fence);
	port_fail_nth(PORT_FAULT_WAIT, 1);
	KT_EQ(t, dma_fence_wait(fence, true), 0);
	port_fail_nth(PORT_FAULT_WAIT, 0);
	dma_fence_put(fence);
}

static void wait_any_finds_the_signaled_one(struct ktap *t)
{
	struct test_fence *f[3];
	struct dma_fence *fences[3];
	struct port_thread *thread;
	u32 i, idx = 77;

	for (i = 0; i < 3; i++) {
		f[i] = new_fence(&plain_ops, 1 + i, 1);
		fences[i] = &f[i]->base;
	}

	KT_EQ(t, dma_fence_wait_any_timeout(fences, 3, false, 0, &idx), 0);
	KT_EQ(t, dma_fence_wait_any_timeout(fences, 3, false, 1, &idx), 0);
	KT_EQ(t, idx, 77);

	thread = port_thread_create(signal_later, f[1], "signal");
	KT_ASSERT(t, thread);
	KT_CHECK(t, dma_fence_wait_any_timeout(fences, 3, true, MAX_SCHEDULE_TIMEOUT, &idx) > 0);
	KT_EQ(t, idx, 1);
	port_thread_join(thread);

	idx = 77;
	KT_EQ(t, dma_fence_wait_any_timeout(fences, 3, false, 0, &idx), 1);
	KT_EQ(t, idx, 1);
	KT_EQ(t, dma_fence_wait_any_timeout(fences, 3, false, 9, NULL), 9);

	port_fail_nth(PORT_FAULT_ALLOC, 1);
	KT_EQ(t, dma_fence_wait_any_timeout(fences, 3, false, 9, NULL), -ENOMEM);
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	ktap_expect_warn(t, "waiting for any");
	KT_EQ(t, dma_fence_wait_any_timeout(fences, 0, false, 9, NULL), -EINVAL);

	/* No callback stays behind. */
	KT_CHECK(t, list_empty(&f[0]->base.cb_list) && list_empty(&f[2]->base.cb_list));
	for (i = 0; i < 3; i++)
		dma_fence_put(fences[i]);
}

/* --- races ------------------------------------------------------------------------------------ */

#define RACERS 3

struct race {
	struct test_fence *fence;
	struct test_cb cb[RACERS];
	int added[RACERS];
	bool removed[RACERS];
	bool remove; /* take the callback back at once */
	atomic_t ready;
	atomic_t next;
};

static void race_add(void *arg)
{
	struct race *race = arg;
	int i = atomic_inc_return(&race->next) - 1;

	atomic_inc(&race->ready);
	while (atomic_read(&race->ready) <= RACERS)
		port_yield();
	race->added[i] =
		dma_fence_add_callback(&race->fence->base, &race->cb[i].base, test_callback);
	if (race->remove)
		race->removed[i] = dma_fence_remove_callback(&race->fence->base, &race->cb[i].base);
}

static void race_against_signal(struct ktap *t, bool remove)
{
	int round, i;

	for (round = 0; round < (ktap_long ? 5000 : 200); round++) {
		struct port_thread *threads[RACERS];
		struct race race = { .remove = remove };

		race.fence = new_fence(&plain_ops, 1, 1);
		for (i = 0; i < RACERS; i++) {
			threads[i] = port_thread_create(race_add, &race, "add");
			KT_ASSERT(t, threads[i]);
		}
		while (atomic_read(&race.ready) < RACERS)
			port_yield();
		atomic_inc(&race.ready);
		KT_EQ(t, dma_fence_signal(&race.fence->base), 0);
		for (i = 0; i < RACERS; i++)
			port_thread_join(threads[i]);

		for (i = 0; i < RACERS; i++) {
			bool runs = !race.added[i] && !race.removed[i];

			KT_CHECK(t, !race.added[i] || race.added[i] == -ENOENT);
			KT_CHECK(t, !race.added[i] || !race.removed[i]);
			KT_EQ(t, atomic_read(&race.cb[i].ran), runs);
		}
		dma_fence_put(&race.fence->base);
	}
}

static void add_callback_races_signal(struct ktap *t)
{
	race_against_signal(t, false);
}

static void remove_callback_races_signal(struct ktap *t)
{
	race_against_signal(t, true);
}

struct place {
	struct dma_fence __rcu *fence;
	atomic_t stop;
	atomic_t wrong;
	atomic_t got;
};

static void read_place(void *arg)
{
	struct place *place = arg;

	while (!atomic_read(&place->stop)) {
		struct dma_fence *fence;

		rcu_read_lock();
		fence = dma_fence_get_rcu_safe(&place->fence);
		rcu_read_unlock();
		if (!fence)
			continue;
		/* payload was written before the fence was shown. */
		if (to_test(fence)->payload != (int)fence->seqno)
			atomic_inc(&place->wrong);
		dma_fence_is_signaled(fence);
		dma_fence_put(fence);
		atomic_inc(&place->got);
	}
}

static void get_rcu_races_replacement(struct ktap *t)
{
	struct port_thread *threads[2];
	struct place place = {};
	struct dma_fence *old = NULL;
	int i;

	for (i = 0; i < 2; i++) {
		threads[i] = port_thread_create(read_place, &place, "read");
		KT_ASSERT(t, threads[i]);
	}
	for (i = 0; i < (ktap_long ? 100000 : 3000) || !atomic_read(&place.got); i++) {
		struct test_fence *f = new_fence(&plain_ops, 1, i);

		f->payload = i;
		rcu_assign_pointer(place.fence, &f->base);
		if (old) {
			dma_fence_signal(old);
			dma_fence_put(old);
		}
		old = &f->base;
	}
	atomic_set(&place.stop, 1);
	for (i = 0; i < 2; i++)
		port_thread_join(threads[i]);
	KT_EQ(t, atomic_read(&place.wrong), 0);

	rcu_assign_pointer(place.fence, NULL);
	rcu_read_lock();
	KT_CHECK(t, !dma_fence_get_rcu_safe(&place.fence));
	rcu_read_unlock();
	dma_fence_put(old);
}

/* Who does not ask which one it was. */
static void wait_any_need_not_say_which(struct ktap *t)
{
	struct test_fence *f[2] = { new_fence(&plain_ops, 1, 1), new_fence(&plain_ops, 2, 1) };
	struct dma_fence *fences[2] = { &f[0]->base, &f[1]->base };
	struct port_thread *thread;
	u32 idx = 77;

	KT_EQ(t, dma_fence_wait_any_timeout(fences, 2, false, 0, NULL), 0);
	thread = port_thread_create(signal_later, f[1], "signal");
	KT_ASSERT(t, thread);
	KT_CHECK(t, dma_fence_wait_any_timeout(fences, 2, false, MAX_SCHEDULE_TIMEOUT, NULL) > 0);
	port_thread_join(thread);
	KT_EQ(t, dma_fence_wait_any_timeout(fences, 2, false, 0, NULL), 1);
	KT_EQ(t, dma_fence_wait_any_timeout(fences, 2, false, 5, NULL), 5);
	KT_EQ(t, dma_fence_wait_any_timeout(fences, 2, false, 5, &idx), 5);
	KT_EQ(t, idx, 1);
	KT_CHECK(t, list_empty(&fences[0]->cb_list));
	KT_CHECK(t, !dma_fence_test_signaled_flag(fences[0]));
	dma_fence_put(fences[0]);
	dma_fence_put(fences[1]);
}

KTAP_MAIN(KTAP_CASE(signals_once), KTAP_CASE(signaling_nothing_warns),
	  KTAP_CASE(locked_forms_need_the_lock), KTAP_CASE(error_is_the_status),
	  KTAP_CASE(driver_says_finished), KTAP_CASE(signaling_is_enabled_once),
	  KTAP_CASE(timestamp_is_that_of_the_signal), KTAP_CASE(deadline_reaches_the_driver),
	  KTAP_CASE(order_within_a_context), KTAP_CASE(containers_say_so),
	  KTAP_CASE(contexts_are_new), KTAP_CASE(last_put_releases),
	  KTAP_CASE(released_with_waiters_warns), KTAP_CASE(stubs_are_signaled),
	  KTAP_CASE(callbacks_run_in_order_under_the_lock), KTAP_CASE(removed_callback_never_runs),
	  KTAP_CASE(callback_needs_fence_and_function), KTAP_CASE(wait_ends_with_the_signal),
	  KTAP_CASE(signal_carries_the_work), KTAP_CASE(wait_times_out),
	  KTAP_CASE(task_signal_interrupts), KTAP_CASE(interrupted_wait_leaves_nothing),
	  KTAP_CASE(wait_any_finds_the_signaled_one), KTAP_CASE(add_callback_races_signal),
	  KTAP_CASE(remove_callback_races_signal), KTAP_CASE(get_rcu_races_replacement),
	  KTAP_CASE(wait_any_need_not_say_which))
