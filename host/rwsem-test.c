/* SPDX-License-Identifier: MIT */
/* rwsem-test.c - readers together, writers alone, in the order they came, and who holds it is known */
#include <linux/completion.h>
#include <linux/kernel.h>
#include <linux/rwsem.h>
#include "host/task.h"
#include "tests/ktap.h"
#include "tests/threads.h"

#define THREADS 4

static DECLARE_RWSEM(sem);
static struct completion done;
static long guarded, copy;

static long rounds(void)
{
	return ktap_long ? 50000 : 3000;
}

static int read_and_write(void *data)
{
	struct ktap *t = data;

	for (long i = 0; i < rounds(); i++) {
		if (i % 4) {
			down_read(&sem);
			if (guarded != copy)
				KT_EQ(t, guarded, copy);
			up_read(&sem);
			continue;
		}
		down_write(&sem);
		guarded++;
		copy++;
		if (i % 8)
			downgrade_write(&sem);
		if (guarded != copy)
			KT_EQ(t, guarded, copy);
		if (i % 8)
			up_read(&sem);
		else
			up_write(&sem);
	}
	complete(&done);
	return 0;
}

static void writers_are_alone(struct ktap *t)
{
	struct task_struct *threads[THREADS];

	guarded = copy = 0;
	init_completion(&done);
	for (int i = 0; i < THREADS; i++)
		threads[i] = test_thread_start(read_and_write, t);
	for (int i = 0; i < THREADS; i++)
		wait_for_completion(&done);
	for (int i = 0; i < THREADS; i++)
		test_thread_end(threads[i]);
	KT_EQ(t, guarded, THREADS * DIV_ROUND_UP(rounds(), 4));
	KT_CHECK(t, !rwsem_is_locked(&sem) && !rwsem_is_contended(&sem));
}

static void holder_is_known(struct ktap *t)
{
	down_read(&sem);
	rwsem_assert_held(&sem);
	lockdep_assert_held_read(&sem);
	KT_CHECK(t, rwsem_is_locked(&sem) && !lockdep_is_held(&sem));
	up_read(&sem);
	KT_CHECK(t, down_write_trylock(&sem));
	rwsem_assert_held(&sem);
	rwsem_assert_held_write(&sem);
	lockdep_assert_held_write(&sem);
	downgrade_write(&sem);
	lockdep_assert_held_read(&sem);
	up_read(&sem);
	KT_CHECK(t, !rwsem_is_locked(&sem) && !rwsem_is_held(&sem));
}

static void wrong_assertions_warn(struct ktap *t)
{
	ktap_expect_warn(t, "rwsem_assert_held(&sem)");
	rwsem_assert_held(&sem);
	down_read(&sem);
	ktap_expect_warn(t, "rwsem_assert_held_write(&sem)");
	rwsem_assert_held_write(&sem);
	ktap_expect_warn(t, "lockdep_assert_held_write(&sem)");
	lockdep_assert_held_write(&sem);
	up_read(&sem);
	down_write(&sem);
	ktap_expect_warn(t, "lockdep_assert_held_read(&sem)");
	lockdep_assert_held_read(&sem);
	up_write(&sem);
}

static void taking_it_twice_warns(struct ktap *t)
{
	down_read(&sem);
	ktap_expect_warn(t, "down_read(sem): held by this thread");
	down_read(&sem);
	ktap_expect_warn(t, "down_write_killable(sem): held by this thread");
	KT_EQ(t, down_write_killable(&sem), -EDEADLK);
	ktap_expect_warn(t, "down_read_trylock(sem): held by this thread");
	KT_CHECK(t, !down_read_trylock(&sem));
	KT_CHECK(t, !down_write_trylock(&sem));
	up_read(&sem);
	down_write(&sem);
	ktap_expect_warn(t, "down_write(sem): held by this thread");
	down_write(&sem);
	KT_CHECK(t, !down_read_trylock(&sem));
	up_write(&sem);
	KT_CHECK(t, !rwsem_is_locked(&sem));
}

static int drop_it(void *data)
{
	up_read(&sem);
	up_write(&sem);
	downgrade_write(&sem);
	complete(&done);
	return 0;
}

static void only_the_holder_drops_it(struct ktap *t)
{
	struct task_struct *thread;

	init_completion(&done);
	down_read(&sem);
	ktap_expect_warn(t, "up_read(sem): not read");
	ktap_expect_warn(t, "up_write(sem): not written");
	ktap_expect_warn(t, "downgrade_write(sem): not written");
	thread = test_thread_start(drop_it, NULL);
	wait_for_completion(&done);
	test_thread_end(thread);
	KT_CHECK(t, rwsem_is_locked(&sem));
	up_read(&sem);
}

static void too_many_warn(struct ktap *t)
{
	static struct rw_semaphore many[HOST_READS_MAX + 1];

	for (int i = 0; i < HOST_READS_MAX; i++) {
		init_rwsem(&many[i]);
		down_read(&many[i]);
	}
	init_rwsem(&many[HOST_READS_MAX]);
	ktap_expect_warn(t, "rwsem: more than");
	down_read(&many[HOST_READS_MAX]);
	for (int i = 0; i < HOST_READS_MAX; i++)
		up_read(&many[i]);
}

static void sleeping_where_forbidden_warns(struct ktap *t)
{
	DEFINE_SPINLOCK(spin);

	spin_lock(&spin);
	ktap_expect_warn(t, "might_sleep()");
	down_read(&sem);
	spin_unlock(&spin);
	up_read(&sem);
}

/* --- order ------------------------------------------------------------------------------------ */

struct taker {
	bool write;
	int at;
	struct completion let_go;
	struct task_struct *thread;
};

static atomic_t order;

static int take_it(void *data)
{
	struct taker *taker = data;

	if (taker->write)
		down_write(&sem);
	else
		down_read(&sem);
	WRITE_ONCE(taker->at, atomic_inc_return(&order));
	complete(&done);
	wait_for_completion(&taker->let_go);
	if (taker->write)
		up_write(&sem);
	else
		up_read(&sem);
	complete(&done);
	return 0;
}

/* Start it; return when it waits for sem. */
static void taker_queue(struct taker *taker, bool write)
{
	taker->write = write;
	taker->at = 0;
	init_completion(&taker->let_go);
	taker->thread = test_thread_start(take_it, taker);
	test_thread_asleep(taker->thread);
}

static void taker_end(struct taker *taker)
{
	complete(&taker->let_go);
	wait_for_completion(&done);
	test_thread_end(taker->thread);
}

static void in_the_order_they_came(struct ktap *t)
{
	struct taker writer, reader_a, reader_b, last;

	atomic_set(&order, 0);
	init_completion(&done);
	down_read(&sem);
	taker_queue(&writer, true);
	taker_queue(&reader_a, false);
	taker_queue(&reader_b, false);
	taker_queue(&last, true);
	KT_CHECK(t, rwsem_is_contended(&sem));
	KT_EQ(t, atomic_read(&order), 0);

	up_read(&sem);
	wait_for_completion(&done);
	KT_EQ(t, READ_ONCE(writer.at), 1);
	KT_EQ(t, atomic_read(&order), 1);
	taker_end(&writer);
	wait_for_completion(&done);
	wait_for_completion(&done);
	KT_CHECK(t, READ_ONCE(reader_a.at) && READ_ONCE(reader_b.at));
	KT_EQ(t, READ_ONCE(last.at), 0);
	KT_CHECK(t, !down_read_trylock(&sem));
	taker_end(&reader_a);
	KT_EQ(t, READ_ONCE(last.at), 0);
	taker_end(&reader_b);
	wait_for_completion(&done);
	KT_EQ(t, READ_ONCE(last.at), 4);
	taker_end(&last);
	KT_CHECK(t, !rwsem_is_locked(&sem));
}

static int write_killable(void *data)
{
	int err = down_write_killable(&sem);

	if (!err)
		up_write(&sem);
	WRITE_ONCE(*(int *)data, err);
	complete(&done);
	return 0;
}

/* A writer that gives up lets the readers behind him pass. */
static void giving_up_lets_others_pass(struct ktap *t)
{
	struct task_struct *thread;
	struct taker reader;
	int err = 0;

	atomic_set(&order, 0);
	init_completion(&done);
	down_read(&sem);
	thread = test_thread_start(write_killable, &err);
	test_thread_asleep(thread);
	taker_queue(&reader, false);
	KT_EQ(t, READ_ONCE(reader.at), 0);
	host_kill_task(thread);
	wait_for_completion(&done);
	wait_for_completion(&done);
	KT_EQ(t, READ_ONCE(err), -EINTR);
	KT_EQ(t, READ_ONCE(reader.at), 1);
	taker_end(&reader);
	test_thread_end(thread);
	up_read(&sem);
	KT_CHECK(t, !rwsem_is_locked(&sem));
}

static void waits_fail_on_demand(struct ktap *t)
{
	port_fail_nth(PORT_FAULT_WAIT, 1);
	KT_EQ(t, down_read_interruptible(&sem), -EINTR);
	port_fail_nth(PORT_FAULT_WAIT, 1);
	KT_EQ(t, down_read_killable(&sem), -EINTR);
	port_fail_nth(PORT_FAULT_WAIT, 1);
	KT_EQ(t, down_write_killable(&sem), -EINTR);
	port_fail_nth(PORT_FAULT_WAIT, 0);
	KT_CHECK(t, !rwsem_is_locked(&sem));
	KT_EQ(t, down_read_interruptible(&sem), 0);
	up_read(&sem);
}

KTAP_MAIN(KTAP_CASE(writers_are_alone), KTAP_CASE(holder_is_known),
	  KTAP_CASE(wrong_assertions_warn), KTAP_CASE(taking_it_twice_warns),
	  KTAP_CASE(only_the_holder_drops_it), KTAP_CASE(too_many_warn),
	  KTAP_CASE(sleeping_where_forbidden_warns), KTAP_CASE(in_the_order_they_came),
	  KTAP_CASE(giving_up_lets_others_pass), KTAP_CASE(waits_fail_on_demand))
