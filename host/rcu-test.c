/* SPDX-License-Identifier: MIT */
/*
 * rcu-test.c - what a reader holds is not freed under it; callbacks come, in order, after the
 * readers
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/kref.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include "host/rcu.h"
#include "host/task.h"
#include "tests/ktap.h"
#include "tests/threads.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define ALIVE 0x600d
#define DEAD 0xdead

struct object {
	struct kref ref;
	int state;
	struct list_head link;
	struct rcu_head rcu;
};

static struct object __rcu *shared;
static bool stop;
static struct completion started;

static struct object *object_new(void)
{
	struct object *object = kzalloc(sizeof(*object), GFP_KERNEL);

	if (!object)
		abort();
	kref_init(&object->ref);
	object->state = ALIVE;
	return object;
}

/* The state is what a stale reference would find even where the sanitizer does not look. */
static void object_release(struct kref *ref)
{
	struct object *object = container_of(ref, struct object, ref);

	WRITE_ONCE(object->state, DEAD);
	kfree_rcu(object, rcu);
}

/*
 * A reference to what @shared points to now, taken without a lock: the pattern of
 * dma_fence_get_rcu_safe().
 */
static struct object *object_get_rcu(void)
{
	struct object *object;

	rcu_read_lock();
	do {
		object = rcu_dereference(shared);
		if (object && !kref_get_unless_zero(&object->ref))
			object = NULL;
		else
			break;
	} while (1);
	rcu_read_unlock();
	return object;
}

static int read_shared(void *data)
{
	int bad = 0;

	complete(&started);
	while (!READ_ONCE(stop)) {
		struct object *object = object_get_rcu();

		if (!object)
			continue;
		bad += READ_ONCE(object->state) != ALIVE;
		kref_put(&object->ref, object_release);
	}
	return bad;
}

static void get_rcu_meets_replace(struct ktap *t)
{
	struct task_struct *readers[2];

	WRITE_ONCE(stop, false);
	init_completion(&started);
	rcu_assign_pointer(shared, object_new());
	for (int i = 0; i < 2; i++)
		readers[i] = test_thread_start(read_shared, NULL);
	for (int i = 0; i < 2; i++)
		wait_for_completion(&started);
	for (int i = 0; i < (ktap_long ? 200000 : 5000); i++) {
		struct object *old = rcu_replace_pointer(shared, object_new(), true);

		kref_put(&old->ref, object_release);
		if (i % 64 == 0)
			yield();
	}
	WRITE_ONCE(stop, true);
	for (int i = 0; i < 2; i++)
		KT_EQ(t, test_thread_end(readers[i]), 0);
	kref_put(&rcu_replace_pointer(shared, NULL, true)->ref, object_release);
	rcu_barrier();
}

static int look_at_shared(void *data)
{
	int bad = 0;

	complete(&started);
	while (!READ_ONCE(stop)) {
		struct object *object;

		rcu_read_lock();
		object = rcu_dereference(shared);
		for (int i = 0; i < 20; i++)
			bad += READ_ONCE(object->state) != ALIVE;
		rcu_read_unlock();
	}
	return bad;
}

static void synchronize_waits_for_readers(struct ktap *t)
{
	struct task_struct *readers[2];

	WRITE_ONCE(stop, false);
	init_completion(&started);
	rcu_assign_pointer(shared, object_new());
	for (int i = 0; i < 2; i++)
		readers[i] = test_thread_start(look_at_shared, NULL);
	for (int i = 0; i < 2; i++)
		wait_for_completion(&started);
	for (int i = 0; i < (ktap_long ? 20000 : 500); i++) {
		struct object *old = rcu_replace_pointer(shared, object_new(), true);

		synchronize_rcu();
		WRITE_ONCE(old->state, DEAD);
		kfree(old);
	}
	WRITE_ONCE(stop, true);
	for (int i = 0; i < 2; i++)
		KT_EQ(t, test_thread_end(readers[i]), 0);
	kfree_rcu_mightsleep(rcu_replace_pointer(shared, NULL, true));
}

static bool section_over;

static int stay_inside(void *data)
{
	rcu_read_lock();
	rcu_read_lock();
	complete(&started);
	rcu_read_unlock();
	/* Still inside: the outer section counts. */
	mdelay(5);
	WRITE_ONCE(section_over, true);
	rcu_read_unlock();
	return 0;
}

static void sections_nest(struct ktap *t)
{
	struct task_struct *thread;

	WRITE_ONCE(section_over, false);
	init_completion(&started);
	thread = test_thread_start(stay_inside, NULL);
	wait_for_completion(&started);
	synchronize_rcu();
	KT_CHECK(t, READ_ONCE(section_over));
	test_thread_end(thread);
}

/* --- does an engine wait for a reader? -------------------------------------------------------- */

static struct completion leave;
static void (*engine)(void);
static bool engine_returned;

static int read_until_told(void *data)
{
	rcu_read_lock();
	complete(&started);
	/* Not wait_for_completion(): inside a section nothing sleeps. */
	while (!completion_done(&leave))
		port_yield();
	rcu_read_unlock();
	return 0;
}

static int run_engine(void *data)
{
	complete(&started);
	engine();
	WRITE_ONCE(engine_returned, true);
	return 0;
}

/* Does @grace_period return while a section from before it still runs? Given time, it would. */
static bool waits_for_reader(void (*grace_period)(void))
{
	struct task_struct *reader, *waiter;
	bool early;

	engine = grace_period;
	WRITE_ONCE(engine_returned, false);
	init_completion(&started);
	init_completion(&leave);
	reader = test_thread_start(read_until_told, NULL);
	wait_for_completion(&started);
	waiter = test_thread_start(run_engine, NULL);
	wait_for_completion(&started);
	for (int i = 0; i < 200 && !READ_ONCE(engine_returned); i++)
		msleep(1);
	early = READ_ONCE(engine_returned);
	complete(&leave);
	test_thread_end(reader);
	test_thread_end(waiter);
	return !early;
}

static void returns_at_once(void)
{
}

static void the_engine_waits_for_a_reader(struct ktap *t)
{
	KT_CHECK(t, waits_for_reader(host_rcu_grace_period));
	/* The same look at an engine that does not. */
	KT_CHECK(t, !waits_for_reader(returns_at_once));
}

struct callback {
	struct rcu_head rcu;
	int number;
};

static int expected_number;
static bool in_order;

static void check_order(struct rcu_head *rcu)
{
	struct callback *callback = container_of(rcu, struct callback, rcu);

	in_order &= callback->number == expected_number++;
	kfree(callback);
}

static void callbacks_run_in_order(struct ktap *t)
{
	in_order = true;
	expected_number = 0;
	for (int i = 0; i < 1000; i++) {
		struct callback *callback = kmalloc(sizeof(*callback), GFP_KERNEL);

		KT_ASSERT(t, callback);
		callback->number = i;
		call_rcu(&callback->rcu, check_order);
	}
	rcu_barrier();
	KT_EQ(t, expected_number, 1000);
	KT_CHECK(t, in_order);
}

static void call_barrier(struct rcu_head *rcu)
{
	rcu_barrier();
}

static void barrier_in_a_callback_warns(struct ktap *t)
{
	struct rcu_head head;

	ktap_expect_warn(t, "rcu_barrier(): called from an RCU callback");
	call_rcu(&head, call_barrier);
	rcu_barrier();
}

static void misuse_warns(struct ktap *t)
{
	ktap_expect_warn(t, "rcu_read_unlock(): not inside");
	rcu_read_unlock();
	KT_CHECK(t, !rcu_read_lock_held());

	ktap_expect_warn(t, "rcu_dereference(shared) outside a reader section");
	KT_CHECK(t, !rcu_dereference(shared));
	ktap_expect_warn(t, "rcu_dereference_protected");
	KT_CHECK(t, !rcu_dereference_protected(shared, false));
	ktap_expect_warn(t, "suspicious rcu_dereference_check");
	KT_CHECK(t, !rcu_dereference_check(shared, false));
	KT_CHECK(t, !rcu_dereference_check(shared, true));

	rcu_read_lock();
	KT_CHECK(t, rcu_read_lock_held());
	KT_CHECK(t, !rcu_dereference(shared));
	ktap_expect_warn(t, "reader sections 1");
	synchronize_rcu(); /* would wait for itself */
	rcu_read_unlock();
}

static LIST_HEAD(objects);

static int walk_objects(void *data)
{
	int bad = 0;

	complete(&started);
	while (!READ_ONCE(stop)) {
		struct object *object;

		rcu_read_lock();
		list_for_each_entry_rcu(object, &objects, link)
			bad += READ_ONCE(object->state) != ALIVE;
		rcu_read_unlock();
	}
	return bad;
}

static void list_walk_meets_removal(struct ktap *t)
{
	struct task_struct *reader;
	struct object *object, *next;

	WRITE_ONCE(stop, false);
	init_completion(&started);
	reader = test_thread_start(walk_objects, NULL);
	wait_for_completion(&started);
	for (int i = 0; i < 2000; i++) {
		list_add_tail_rcu(&object_new()->link, &objects);
		if (i < 10)
			continue;
		object = list_first_entry(&objects, struct object, link);
		list_del_rcu(&object->link);
		kfree_rcu(object, rcu);
	}
	WRITE_ONCE(stop, true);
	KT_EQ(t, test_thread_end(reader), 0);
	list_for_each_entry_safe(object, next, &objects, link) {
		list_del(&object->link);
		kfree(object);
	}
}

static void *foreign_reader(void *arg)
{
	rcu_read_lock();
	rcu_read_unlock();
	KT_CHECK(arg, current->pid != getpid());
	return NULL;
}

static void foreign_threads_come_and_go(struct ktap *t)
{
	for (int i = 0; i < 20; i++) {
		pthread_t thread;

		KT_EQ(t, pthread_create(&thread, NULL, foreign_reader, t), 0);
		if (i % 2)
			synchronize_rcu();
		pthread_join(thread, NULL);
	}
	synchronize_rcu();
}

#if defined(__SANITIZE_THREAD__) || defined(HOST_TSAN)
#define FORK_WITH_THREADS false /* the sanitizer's own threads do not survive it */
#else
#define FORK_WITH_THREADS true
#endif

static int forked_count;

static void count_callback(struct rcu_head *rcu)
{
	forked_count++;
}

/* The child has neither the parent's worker nor its readers. */
static int in_the_child(void)
{
	struct rcu_head heads[3];

	alarm(20);
	synchronize_rcu();
	forked_count = 0;
	for (int i = 0; i < 3; i++)
		call_rcu(&heads[i], count_callback);
	rcu_barrier();
	return forked_count == 3 ? 0 : 1;
}

static void a_forked_child_has_rcu(struct ktap *t)
{
	struct task_struct *reader;
	int status;
	pid_t child;

	if (!FORK_WITH_THREADS) {
		ktap_skip(t, "the thread sanitizer cannot follow a fork with threads");
		return;
	}
	WRITE_ONCE(stop, false);
	init_completion(&started);
	reader = test_thread_start(walk_objects, NULL);
	wait_for_completion(&started);
	child = fork();
	if (child == 0)
		_exit(in_the_child());
	KT_EQ(t, waitpid(child, &status, 0), child);
	KT_EQ(t, status, 0);
	WRITE_ONCE(stop, true);
	test_thread_end(reader);
}

KTAP_MAIN(KTAP_CASE(get_rcu_meets_replace), KTAP_CASE(synchronize_waits_for_readers),
	  KTAP_CASE(sections_nest), KTAP_CASE(the_engine_waits_for_a_reader),
	  KTAP_CASE(callbacks_run_in_order), KTAP_CASE(barrier_in_a_callback_warns),
	  KTAP_CASE(misuse_warns), KTAP_CASE(list_walk_meets_removal),
	  KTAP_CASE(foreign_threads_come_and_go), KTAP_CASE(a_forked_child_has_rcu))
