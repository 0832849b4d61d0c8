/* SPDX-License-Identifier: MIT */
/* ww_mutex-test.c - several locks in any order: who backs off, who waits, and nobody for ever */
#include <linux/completion.h>
#include <linux/kernel.h>
#include <linux/random.h>
#include <linux/ww_mutex.h>
#include "host/task.h"
#include "tests/ktap.h"
#include "tests/threads.h"

#define THREADS 4
#define LOCKS 3

static DEFINE_WD_CLASS(die_class);
static DEFINE_WW_CLASS(wound_class);

struct table {
	struct ww_class *class;
	struct ww_mutex locks[LOCKS];
	long guarded[LOCKS]; /* each under its lock */
	struct completion done;
	atomic_t back_offs;
	bool all_or_nothing; /* never seen one lock without the others */
};

static void table_init(struct table *table, struct ww_class *class)
{
	*table = (struct table){ .class = class, .all_or_nothing = true };
	for (int i = 0; i < LOCKS; i++)
		ww_mutex_init(&table->locks[i], class);
	init_completion(&table->done);
}

/* Take all locks in an order of chance, backing off as the contract says. */
static void lock_all(struct table *table, struct ww_acquire_ctx *ctx)
{
	int first = (int)get_random_u32_below(LOCKS), step = 1 + (int)get_random_u32_below(2);
	int slow = -1;

	ww_acquire_init(ctx, table->class);
	for (int n = 0; n < LOCKS;) {
		int i = (first + n * step) % LOCKS, err;

		err = i == slow ? 0 : ww_mutex_lock(&table->locks[i], ctx);
		if (!err) {
			n++;
			continue;
		}
		/* -EDEADLK: let go of everything, wait for the contended one, begin again. */
		for (int k = 0; k < n; k++)
			if ((first + k * step) % LOCKS != slow)
				ww_mutex_unlock(&table->locks[(first + k * step) % LOCKS]);
		if (slow >= 0)
			ww_mutex_unlock(&table->locks[slow]);
		atomic_inc(&table->back_offs);
		ww_mutex_lock_slow(&table->locks[i], ctx);
		slow = i;
		n = 0;
	}
	ww_acquire_done(ctx);
}

static void unlock_all(struct table *table, struct ww_acquire_ctx *ctx)
{
	for (int i = 0; i < LOCKS; i++)
		ww_mutex_unlock(&table->locks[i]);
	ww_acquire_fini(ctx);
}

static int take_all_often(void *data)
{
	struct table *table = data;
	struct ww_acquire_ctx ctx;

	for (int round = 0; round < (ktap_long ? 50000 : 2000); round++) {
		lock_all(table, &ctx);
		for (int i = 0; i < LOCKS; i++)
			table->guarded[i]++;
		if (table->guarded[0] != table->guarded[LOCKS - 1])
			WRITE_ONCE(table->all_or_nothing, false);
		if (round % 16 == 0)
			yield(); /* with the locks held, so that others meet them */
		unlock_all(table, &ctx);
	}
	complete(&table->done);
	return 0;
}

static void threads_take_all(struct ktap *t, struct ww_class *class)
{
	struct task_struct *threads[THREADS];
	struct table table;

	table_init(&table, class);
	for (int i = 0; i < THREADS; i++)
		threads[i] = test_thread_start(take_all_often, &table);
	for (int i = 0; i < THREADS; i++)
		wait_for_completion(&table.done);
	for (int i = 0; i < THREADS; i++)
		test_thread_end(threads[i]);
	KT_CHECK(t, table.all_or_nothing);
	KT_CHECK(t, atomic_read(&table.back_offs) > 0);
	for (int i = 0; i < LOCKS; i++) {
		KT_EQ(t, table.guarded[i], THREADS * (ktap_long ? 50000 : 2000));
		ww_mutex_destroy(&table.locks[i]);
	}
}

static void wait_die_always_ends(struct ktap *t)
{
	threads_take_all(t, &die_class);
}

static void wound_wait_always_ends(struct ktap *t)
{
	threads_take_all(t, &wound_class);
}

static void same_context_again(struct ktap *t)
{
	struct ww_acquire_ctx ctx;
	struct ww_mutex lock;

	ww_mutex_init(&lock, &die_class);
	ww_acquire_init(&ctx, &die_class);
	KT_EQ(t, ww_mutex_lock(&lock, &ctx), 0);
	KT_EQ(t, ww_mutex_lock(&lock, &ctx), -EALREADY);
	KT_EQ(t, ww_mutex_lock_interruptible(&lock, &ctx), -EALREADY);
	KT_CHECK(t, !ww_mutex_trylock(&lock, NULL));
	KT_CHECK(t, ww_mutex_is_locked(&lock));
	lockdep_assert_held(&lock.base);
	ww_mutex_unlock(&lock);
	KT_CHECK(t, ww_mutex_trylock(&lock, &ctx));
	KT_EQ(t, ctx.acquired, 1);
	ww_mutex_unlock(&lock);
	ww_acquire_fini(&ctx);
	KT_EQ(t, ww_mutex_lock(&lock, NULL), 0);
	ww_mutex_unlock(&lock);
}

/* A thread with an older or younger context that holds one lock and wants ours. */
struct rival {
	struct table *table;
	struct ww_acquire_ctx ctx;
	struct completion holds;
	int ret;
};

static int rival_holds_1_wants_0(void *data)
{
	struct rival *rival = data;
	struct table *table = rival->table;

	lockdep_off(); /* its context began in another thread */
	rival->ctx.task = current;
	rival->ret = ww_mutex_lock(&table->locks[1], &rival->ctx);
	complete(&rival->holds);
	if (rival->ret)
		return rival->ret;
	rival->ret = ww_mutex_lock(&table->locks[0], &rival->ctx);
	ww_mutex_unlock(&table->locks[1]);
	if (!rival->ret)
		ww_mutex_unlock(&table->locks[0]);
	ww_acquire_fini(&rival->ctx);
	complete(&table->done);
	return rival->ret;
}

static void the_younger_dies_at_an_older_holder(struct ktap *t)
{
	struct ww_acquire_ctx ctx;
	struct task_struct *thread;
	struct table table;
	struct rival rival = { .table = &table };

	lockdep_off(); /* two contexts of one thread */
	table_init(&table, &die_class);
	init_completion(&rival.holds);
	ww_acquire_init(&ctx, &die_class);
	ww_acquire_init(&rival.ctx, &die_class);
	KT_EQ(t, ww_mutex_lock(&table.locks[0], &ctx), 0);
	thread = test_thread_start(rival_holds_1_wants_0, &rival);
	wait_for_completion(&table.done);
	KT_EQ(t, rival.ret, -EDEADLK);
	ww_mutex_unlock(&table.locks[0]);
	ww_acquire_fini(&ctx);
	test_thread_end(thread);
	lockdep_on();
}

static void the_older_waits_and_the_younger_dies(struct ktap *t)
{
	struct ww_acquire_ctx ctx;
	struct task_struct *thread;
	struct table table;
	struct rival rival = { .table = &table };

	lockdep_off(); /* two contexts of one thread */
	table_init(&table, &die_class);
	init_completion(&rival.holds);
	ww_acquire_init(&rival.ctx, &die_class);
	ww_acquire_init(&ctx, &die_class);
	KT_EQ(t, ww_mutex_lock(&table.locks[0], &ctx), 0);
	thread = test_thread_start(rival_holds_1_wants_0, &rival);
	wait_for_completion(&rival.holds);
	KT_EQ(t, ww_mutex_lock(&table.locks[1], &ctx), -EDEADLK);
	ww_mutex_unlock(&table.locks[0]);
	wait_for_completion(&table.done);
	KT_EQ(t, rival.ret, 0);
	ww_mutex_lock_slow(&table.locks[1], &ctx);
	KT_EQ(t, ww_mutex_lock(&table.locks[0], &ctx), 0);
	ww_mutex_unlock(&table.locks[0]);
	ww_mutex_unlock(&table.locks[1]);
	ww_acquire_fini(&ctx);
	test_thread_end(thread);
	lockdep_on();
}

static void the_older_wounds_the_younger(struct ktap *t)
{
	struct ww_acquire_ctx ctx;
	struct task_struct *thread;
	struct table table;
	struct rival rival = { .table = &table };

	lockdep_off(); /* two contexts of one thread */
	table_init(&table, &wound_class);
	init_completion(&rival.holds);
	ww_acquire_init(&ctx, &wound_class);
	ww_acquire_init(&rival.ctx, &wound_class);
	KT_EQ(t, ww_mutex_lock(&table.locks[0], &ctx), 0);
	thread = test_thread_start(rival_holds_1_wants_0, &rival);
	wait_for_completion(&rival.holds);
	/* The rival waits for lock 0, or will; I am older and get its lock 1. */
	KT_EQ(t, ww_mutex_lock(&table.locks[1], &ctx), 0);
	wait_for_completion(&table.done);
	KT_EQ(t, rival.ret, -EDEADLK);
	ww_mutex_unlock(&table.locks[1]);
	ww_mutex_unlock(&table.locks[0]);
	ww_acquire_fini(&ctx);
	test_thread_end(thread);
	lockdep_on();
}

static int want_interruptibly(void *data)
{
	struct table *table = data;
	struct ww_acquire_ctx ctx;
	int err;

	ww_acquire_init(&ctx, table->class);
	err = ww_mutex_lock_interruptible(&table->locks[0], &ctx);
	if (!err)
		ww_mutex_unlock(&table->locks[0]);
	ww_acquire_fini(&ctx);
	return err;
}

static void a_signal_ends_the_wait(struct ktap *t)
{
	struct task_struct *thread;
	struct table table;

	table_init(&table, &die_class);
	KT_EQ(t, ww_mutex_lock(&table.locks[0], NULL), 0);
	thread = test_thread_start(want_interruptibly, &table);
	test_thread_asleep(thread);
	host_signal_task(thread);
	KT_EQ(t, test_thread_end(thread), -EINTR);
	ww_mutex_unlock(&table.locks[0]);

	port_fail_nth(PORT_FAULT_WAIT, 1);
	KT_EQ(t, ww_mutex_lock_interruptible(&table.locks[0], NULL), -EINTR);
	port_fail_nth(PORT_FAULT_WAIT, 0);
	KT_CHECK(t, !ww_mutex_is_locked(&table.locks[0]));
}

static void misuse_warns(struct ktap *t)
{
	struct ww_acquire_ctx ctx, other;
	struct ww_mutex a, b;

	lockdep_off();
	ww_mutex_init(&a, &die_class);
	ww_mutex_init(&b, &die_class);
	ktap_expect_warn(t, "ww_mutex_unlock(die_class_mutex): not held");
	ww_mutex_unlock(&a);

	ww_acquire_init(&ctx, &die_class);
	KT_EQ(t, ww_mutex_lock(&a, &ctx), 0);
	ww_acquire_init(&other, &die_class);
	ktap_expect_warn(t, "ww_mutex_lock(die_class_mutex): held by this thread already");
	KT_EQ(t, ww_mutex_lock(&a, &other), -EDEADLK);
	ww_acquire_fini(&other);
	ww_acquire_done(&ctx);
	ktap_expect_warn(t, "after ww_acquire_done()");
	KT_EQ(t, ww_mutex_lock(&b, &ctx), 0);
	ktap_expect_warn(t, "ww_acquire_fini(): 2 locks still held");
	ww_acquire_fini(&ctx);
	ww_mutex_unlock(&b);
	ww_mutex_unlock(&a);

	ww_acquire_init(&ctx, &wound_class);
	ktap_expect_warn(t, "context of another class");
	KT_EQ(t, ww_mutex_lock(&a, &ctx), 0);
	ktap_expect_warn(t, "ww_mutex_lock_slow(die_class_mutex): 1 locks held");
	ktap_expect_warn(t, "context of another class");
	ww_mutex_lock_slow(&b, &ctx);
	ww_mutex_unlock(&b);
	ww_mutex_unlock(&a);
	ww_acquire_fini(&ctx);
	lockdep_on();
}

KTAP_MAIN(KTAP_CASE(wait_die_always_ends), KTAP_CASE(wound_wait_always_ends),
	  KTAP_CASE(same_context_again), KTAP_CASE(the_younger_dies_at_an_older_holder),
	  KTAP_CASE(the_older_waits_and_the_younger_dies), KTAP_CASE(the_older_wounds_the_younger),
	  KTAP_CASE(a_signal_ends_the_wait), KTAP_CASE(misuse_warns))
