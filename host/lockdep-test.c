/* SPDX-License-Identifier: MIT */
/*
 * lockdep-test.c - the validator: what it must find though nothing deadlocked, and what it must not say
 */
#include <linux/completion.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/slab.h>
#include <linux/ww_mutex.h>
#include "host/warn.h"
#include "tests/ktap.h"
#include "tests/threads.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static DEFINE_WW_CLASS(test_class);

/* --- what was said ---------------------------------------------------------------------------- */

static char said[4096];
static unsigned int nr_said;

static void hear(const char *file, int line, const char *text)
{
	nr_said++;
	strscpy(said, text, sizeof(said));
}

/* Listens from here on; what is not about the order of locks counts, too. */
#define LISTEN(t)                                                               \
	if (!IS_ENABLED(HOST_LOCKDEP)) {                                        \
		ktap_skip(t, "this build does not look at the order of locks"); \
		return;                                                         \
	}                                                                       \
	nr_said = 0;                                                            \
	said[0] = '\0';                                                         \
	host_warn_hook_t before_ = host_set_warn_hook(hear)

#define HEARD(t, number)                                                                       \
	do {                                                                                   \
		host_set_warn_hook(before_);                                                   \
		ktap_check(t, nr_said == (number), __FILE__, __LINE__, "%u said: %s", nr_said, \
			   said);                                                              \
	} while (0)

#define SAYS(t, part) ktap_check(t, strstr(said, part), __FILE__, __LINE__, "said: %s", said)

/* Without a sanitizer a stack has no names of static functions. */
static bool names_functions(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return true;
#else
	return false;
#endif
}

/* --- order ------------------------------------------------------------------------------------ */

static noinline void outer_then_inner(struct mutex *outer, struct mutex *inner)
{
	mutex_lock(outer);
	mutex_lock(inner);
	mutex_unlock(inner);
	mutex_unlock(outer);
	barrier(); /* no tail call: the stack has this function */
}

static noinline void inner_then_outer(struct mutex *outer, struct mutex *inner)
{
	mutex_lock(inner);
	mutex_lock(outer);
	mutex_unlock(outer);
	mutex_unlock(inner);
	barrier();
}

static void an_order_that_is_kept_is_none_of_its_business(struct ktap *t)
{
	static DEFINE_MUTEX(outer);
	static DEFINE_MUTEX(inner);

	LISTEN(t);
	for (int i = 0; i < 3; i++)
		outer_then_inner(&outer, &inner);
	HEARD(t, 0);
}

static void an_inversion_has_both_stacks(struct ktap *t)
{
	static DEFINE_MUTEX(left);
	static DEFINE_MUTEX(right);

	LISTEN(t);
	outer_then_inner(&left, &right);
	inner_then_outer(&left, &right);
	inner_then_outer(&left, &right);
	HEARD(t, 1); /* once */
	SAYS(t, "lock order: left is taken with right held");
	if (names_functions()) {
		SAYS(t, "outer_then_inner");
		SAYS(t, "inner_then_outer");
	}
	KT_ASSERT(t, host_lock_inversion());
	KT_CHECK(t, strstr(host_lock_inversion(), "lock order: "));
}

static void an_inversion_over_three_is_found(struct ktap *t)
{
	static DEFINE_MUTEX(one);
	static DEFINE_MUTEX(two);
	static DEFINE_MUTEX(three);

	LISTEN(t);
	outer_then_inner(&one, &two);
	outer_then_inner(&two, &three);
	outer_then_inner(&three, &one);
	HEARD(t, 1);
}

static DECLARE_COMPLETION(thread_done);

static int inner_then_outer_thread(void *data)
{
	struct mutex **locks = data;

	inner_then_outer(locks[0], locks[1]);
	complete(&thread_done);
	return 0;
}

static void two_threads_need_not_meet(struct ktap *t)
{
	static DEFINE_MUTEX(mine);
	static DEFINE_MUTEX(yours);
	struct mutex *locks[] = { &mine, &yours };
	struct task_struct *thread;

	LISTEN(t);
	outer_then_inner(&mine, &yours);
	thread = test_thread_start(inner_then_outer_thread, locks);
	wait_for_completion(&thread_done);
	test_thread_end(thread);
	HEARD(t, 1);
}

static void what_is_tried_waits_for_nobody(struct ktap *t)
{
	static DEFINE_MUTEX(outer);
	static DEFINE_MUTEX(tried);
	static DEFINE_MUTEX(within);

	LISTEN(t);
	outer_then_inner(&outer, &tried);
	mutex_lock(&tried);
	KT_CHECK(t, mutex_trylock(&outer));
	mutex_unlock(&outer);
	mutex_unlock(&tried);
	HEARD(t, 0);

	/* But others wait for it. */
	host_set_warn_hook(hear);
	KT_CHECK(t, mutex_trylock(&tried));
	mutex_lock(&within);
	mutex_unlock(&within);
	mutex_unlock(&tried);
	outer_then_inner(&within, &tried);
	HEARD(t, 1);
}

static void a_reader_counts_as_a_writer(struct ktap *t)
{
	static DECLARE_RWSEM(sem);
	static DEFINE_MUTEX(mutex);

	LISTEN(t);
	down_read(&sem);
	mutex_lock(&mutex);
	mutex_unlock(&mutex);
	up_read(&sem);
	mutex_lock(&mutex);
	down_read(&sem);
	up_read(&sem);
	mutex_unlock(&mutex);
	HEARD(t, 1);
}

static void spinlocks_have_an_order(struct ktap *t)
{
	static DEFINE_SPINLOCK(a);
	static DEFINE_SPINLOCK(b);

	LISTEN(t);
	spin_lock(&a);
	spin_lock(&b);
	spin_unlock(&a); /* in any order */
	spin_unlock(&b);
	spin_lock(&b);
	spin_lock(&a);
	spin_unlock(&a);
	spin_unlock(&b);
	HEARD(t, 1);
}

/* --- classes ---------------------------------------------------------------------------------- */

struct object {
	struct mutex lock;
};

static struct object *object_create(void)
{
	struct object *object = kzalloc(sizeof(*object), GFP_KERNEL);

	mutex_init(&object->lock);
	return object;
}

static void locks_of_one_structure_are_one_class(struct ktap *t)
{
	static DEFINE_MUTEX(list_lock);
	struct object *a = object_create(), *b = object_create();

	LISTEN(t);
	outer_then_inner(&list_lock, &a->lock);
	inner_then_outer(&list_lock, &b->lock);
	HEARD(t, 1);
	kfree(a);
	kfree(b);
}

static void two_of_a_class_need_a_word(struct ktap *t)
{
	struct object *a = object_create(), *b = object_create();
	struct mutex other;

	LISTEN(t);
	mutex_init(&other);
	mutex_lock(&a->lock);
	mutex_lock_nested(&b->lock, 1);
	mutex_unlock(&b->lock);
	mutex_lock(&other);
	mutex_unlock(&other);
	mutex_unlock(&a->lock);
	HEARD(t, 0);

	host_set_warn_hook(hear);
	outer_then_inner(&a->lock, &b->lock);
	HEARD(t, 1);
	SAYS(t, "another one held");
	kfree(a);
	kfree(b);
}

static void a_class_can_be_given(struct ktap *t)
{
	struct object *parent = object_create(), *child = object_create();

	LISTEN(t);
	lockdep_set_class_and_name(&parent->lock, NULL, "parent");
	outer_then_inner(&parent->lock, &child->lock);
	HEARD(t, 0);
	host_set_warn_hook(hear);
	inner_then_outer(&parent->lock, &child->lock);
	HEARD(t, 1);
	SAYS(t, "parent is taken");
	kfree(parent);
	kfree(child);
}

/* --- wound-wait ------------------------------------------------------------------------------- */

static void two_of_a_context_have_no_order(struct ktap *t)
{
	struct ww_mutex a, b;
	struct ww_acquire_ctx ctx;

	LISTEN(t);
	ww_mutex_init(&a, &test_class);
	ww_mutex_init(&b, &test_class);
	for (int i = 0; i < 2; i++) {
		ww_acquire_init(&ctx, &test_class);
		KT_EQ(t, ww_mutex_lock(i ? &a : &b, &ctx), 0);
		KT_EQ(t, ww_mutex_lock(i ? &b : &a, &ctx), 0);
		ww_mutex_unlock(&a);
		ww_mutex_unlock(&b);
		ww_acquire_fini(&ctx);
	}
	KT_EQ(t, ww_mutex_lock(&a, NULL), 0);
	KT_EQ(t, ww_mutex_trylock(&b, NULL), 1);
	ww_mutex_unlock(&b);
	ww_mutex_unlock(&a);
	HEARD(t, 0);
}

static void one_without_the_context_can_deadlock(struct ktap *t)
{
	static DEFINE_WW_CLASS(class);
	struct ww_mutex a, b;
	struct ww_acquire_ctx ctx;

	LISTEN(t);
	ww_mutex_init(&a, &class);
	ww_mutex_init(&b, &class);
	KT_EQ(t, ww_mutex_lock(&a, NULL), 0);
	ww_acquire_init(&ctx, &class);
	KT_EQ(t, ww_mutex_lock(&b, &ctx), 0);
	ww_mutex_unlock(&b);
	ww_acquire_fini(&ctx);
	ww_mutex_unlock(&a);
	HEARD(t, 2); /* the context's begin, and the lock */
}

static void two_without_a_context_can_deadlock(struct ktap *t)
{
	static DEFINE_WW_CLASS(alone_class);
	struct ww_mutex a, b;

	LISTEN(t);
	ww_mutex_init(&a, &alone_class);
	ww_mutex_init(&b, &alone_class);
	KT_EQ(t, ww_mutex_lock(&a, NULL), 0);
	KT_EQ(t, ww_mutex_lock(&b, NULL), 0);
	ww_mutex_unlock(&b);
	ww_mutex_unlock(&a);
	HEARD(t, 1);
	SAYS(t, "not both by one context");
}

static void an_attempt_is_inside_what_was_taken_before(struct ktap *t)
{
	static DEFINE_WW_CLASS(attempt_class);
	static DEFINE_MUTEX(outer);
	struct ww_acquire_ctx ctx;

	LISTEN(t);
	mutex_lock(&outer);
	ww_acquire_init(&ctx, &attempt_class);
	ww_acquire_fini(&ctx);
	mutex_unlock(&outer);
	ww_acquire_init(&ctx, &attempt_class);
	mutex_lock(&outer);
	mutex_unlock(&outer);
	ww_acquire_fini(&ctx);
	HEARD(t, 1);
}

/* --- fences and memory ------------------------------------------------------------------------ */

static const char *name(struct dma_fence *fence)
{
	return "lockdep-test";
}

static const struct dma_fence_ops fence_ops = { .get_driver_name = name,
						.get_timeline_name = name };
static DEFINE_SPINLOCK(fence_lock);

static void wait_for_one(void)
{
	struct dma_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	dma_fence_init(fence, &fence_ops, &fence_lock, dma_fence_context_alloc(1), 1);
	dma_fence_signal(fence);
	dma_fence_wait(fence, false);
	dma_fence_put(fence);
}

static void what_waiters_hold_no_signaler_takes(struct ktap *t)
{
	static DEFINE_MUTEX(held);
	static DEFINE_MUTEX(free);
	bool cookie;

	LISTEN(t);
	mutex_lock(&held);
	wait_for_one();
	mutex_unlock(&held);
	cookie = dma_fence_begin_signalling();
	mutex_lock(&free);
	mutex_unlock(&free);
	dma_fence_end_signalling(cookie);
	HEARD(t, 0);

	host_set_warn_hook(hear);
	cookie = dma_fence_begin_signalling();
	mutex_lock(&held);
	mutex_unlock(&held);
	dma_fence_end_signalling(cookie);
	HEARD(t, 1);
	SAYS(t, "held is taken with dma_fence_map held");
}

static void a_signaler_waits_for_no_memory(struct ktap *t)
{
	bool cookie;

	LISTEN(t);
	cookie = dma_fence_begin_signalling();
	kfree(kmalloc(8, GFP_ATOMIC));
	kfree(kmalloc(8, GFP_NOWAIT));
	dma_fence_end_signalling(cookie);
	kfree(kmalloc(8, GFP_KERNEL));
	HEARD(t, 0);

	host_set_warn_hook(hear);
	cookie = dma_fence_begin_signalling();
	kfree(kmalloc(8, GFP_KERNEL));
	dma_fence_end_signalling(cookie);
	HEARD(t, 1);
	SAYS(t, "fs_reclaim is taken with dma_fence_map held");
}

/* Though nobody has waited with one held. */
static void a_signaler_takes_no_reservation(struct ktap *t)
{
	struct dma_resv resv;
	bool cookie;

	LISTEN(t);
	dma_resv_init(&resv);
	cookie = dma_fence_begin_signalling();
	dma_resv_lock(&resv, NULL);
	dma_resv_unlock(&resv);
	dma_fence_end_signalling(cookie);
	dma_resv_fini(&resv);
	HEARD(t, 1);
	SAYS(t, "reservation_ww_class_mutex is taken with dma_fence_map held");
	SAYS(t, "as core/locking.def says");
}

static void signalling_nests(struct ktap *t)
{
	static DEFINE_MUTEX(outer);
	bool one, two;

	LISTEN(t);
	one = dma_fence_begin_signalling();
	two = dma_fence_begin_signalling();
	dma_fence_end_signalling(two);
	wait_for_one(); /* of an earlier job */
	KT_EQ(t, one, false);
	KT_EQ(t, two, true);
	dma_fence_end_signalling(one);
	mutex_lock(&outer);
	mutex_unlock(&outer);
	nr_said = 0; /* its allocation */
	HEARD(t, 0);
}

/* --- the rest --------------------------------------------------------------------------------- */

static void a_child_goes_on(struct ktap *t)
{
	static DEFINE_MUTEX(parents);
	static DEFINE_MUTEX(childs);
	int status;
	pid_t pid;

	LISTEN(t);
	outer_then_inner(&parents, &childs);
	pid = fork();
	if (!pid) {
		inner_then_outer(&parents, &childs);
		_exit(nr_said == 1 ? 0 : 1);
	}
	KT_EQ(t, waitpid(pid, &status, 0), pid);
	KT_EQ(t, WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
	HEARD(t, 0);
}

KTAP_MAIN(KTAP_CASE(an_order_that_is_kept_is_none_of_its_business),
	  KTAP_CASE(an_inversion_has_both_stacks), KTAP_CASE(an_inversion_over_three_is_found),
	  KTAP_CASE(two_threads_need_not_meet), KTAP_CASE(what_is_tried_waits_for_nobody),
	  KTAP_CASE(a_reader_counts_as_a_writer), KTAP_CASE(spinlocks_have_an_order),
	  KTAP_CASE(locks_of_one_structure_are_one_class), KTAP_CASE(two_of_a_class_need_a_word),
	  KTAP_CASE(a_class_can_be_given), KTAP_CASE(two_of_a_context_have_no_order),
	  KTAP_CASE(one_without_the_context_can_deadlock),
	  KTAP_CASE(two_without_a_context_can_deadlock),
	  KTAP_CASE(an_attempt_is_inside_what_was_taken_before),
	  KTAP_CASE(what_waiters_hold_no_signaler_takes), KTAP_CASE(a_signaler_waits_for_no_memory),
	  KTAP_CASE(a_signaler_takes_no_reservation), KTAP_CASE(signalling_nests),
	  KTAP_CASE(a_child_goes_on))
