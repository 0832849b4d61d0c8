/* SPDX-License-Identifier: MIT */
/* atomic-test.c - what atomics return, reference counts that saturate, bits, and lists */
#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/overflow.h>
#include <linux/rcupdate.h>
#include <linux/string.h>
#include "tests/ktap.h"
#include "tests/threads.h"

static void returns_before_and_after(struct ktap *t)
{
	atomic_t v = ATOMIC_INIT(5);
	int old = 7;

	KT_EQ(t, atomic_add_return(2, &v), 7);
	KT_EQ(t, atomic_fetch_sub_release(3, &v), 7);
	KT_EQ(t, atomic_fetch_or(8, &v), 4);
	KT_EQ(t, atomic_fetch_andnot(4, &v), 12);
	KT_EQ(t, atomic_cmpxchg(&v, 8, 9), 8);
	KT_EQ(t, atomic_cmpxchg(&v, 8, 1), 9);
	KT_CHECK(t, !atomic_try_cmpxchg(&v, &old, 1));
	KT_EQ(t, old, 9);
	KT_EQ(t, atomic_xchg(&v, 1), 9);
	KT_CHECK(t, atomic_dec_and_test(&v));
	KT_CHECK(t, !atomic_inc_not_zero(&v));
	KT_EQ(t, atomic_dec_if_positive(&v), -1);
	KT_EQ(t, atomic_read(&v), 0);
}

static void wraps_without_harm(struct ktap *t)
{
	atomic_t v = ATOMIC_INIT(INT_MAX);
	atomic64_t w = ATOMIC64_INIT(S64_MAX);

	KT_EQ(t, atomic_inc_return(&v), INT_MIN);
	KT_EQ(t, atomic64_inc_return(&w), S64_MIN);
}

static void exchanges_pointers(struct ktap *t)
{
	int a, b, *p = &a;

	KT_CHECK(t, cmpxchg(&p, &b, NULL) == &a);
	KT_CHECK(t, cmpxchg(&p, &a, &b) == &a);
	KT_CHECK(t, xchg(&p, NULL) == &b);
	smp_store_mb(p, &a);
	KT_CHECK(t, smp_load_acquire(&p) == &a);
}

/* Linux's dma-resv.c fills a table with RCU_INIT_POINTER(table[--i], fence). */
static void arguments_are_evaluated_once(struct ktap *t)
{
	int numbers[] = { 1, 2, 3 }, next = 3, *pointers[3] = {}, i = 0;
	int *p = numbers;

	WRITE_ONCE(numbers[--next], 30);
	KT_EQ(t, next, 2);
	KT_EQ(t, numbers[2], 30);
	KT_EQ(t, READ_ONCE(*p++), 1);
	KT_CHECK(t, p == numbers + 1);
	KT_EQ(t, smp_load_acquire(p++), 2);
	KT_CHECK(t, p == numbers + 2);
	smp_store_release(--p, 20);
	smp_store_mb(*--p, 10);
	KT_CHECK(t, p == numbers);
	KT_EQ(t, numbers[0] + numbers[1], 30);
	RCU_INIT_POINTER(pointers[i++], &numbers[0]);
	rcu_assign_pointer(pointers[i++], &numbers[1]);
	KT_EQ(t, i, 2);
	KT_CHECK(t, rcu_dereference_raw(pointers[--i]) == &numbers[1]);
	KT_CHECK(t, rcu_dereference_raw(pointers[--i]) == &numbers[0]);
	KT_EQ(t, i, 0);
}

#define COUNTS 20000

static atomic_t counter;

static int count_up(void *data)
{
	for (int i = 0; i < COUNTS; i++)
		atomic_inc(&counter);
	return 0;
}

static void loses_no_count(struct ktap *t)
{
	struct task_struct *threads[3];

	atomic_set(&counter, 0);
	for (int i = 0; i < 3; i++)
		threads[i] = test_thread_start(count_up, NULL);
	for (int i = 0; i < 3; i++) {
		/* A thread stopped before it ran counts nothing. */
		if (test_thread_end(threads[i]) == -EINTR)
			atomic_add(COUNTS, &counter);
	}
	KT_EQ(t, atomic_read(&counter), 3 * COUNTS);
}

static void refcount_frees_once(struct ktap *t)
{
	refcount_t r = REFCOUNT_INIT(1);

	refcount_inc(&r);
	KT_CHECK(t, !refcount_dec_and_test(&r));
	KT_CHECK(t, refcount_dec_and_test(&r));
	KT_CHECK(t, !refcount_inc_not_zero(&r));
	KT_EQ(t, refcount_read(&r), 0);
}

static void refcount_from_zero_warns(struct ktap *t)
{
	refcount_t r = REFCOUNT_INIT(0);

	ktap_expect_warn(t, "addition on 0");
	refcount_inc(&r);
	ktap_expect_warn(t, "underflow"); /* saturated: never freed */
	KT_CHECK(t, !refcount_dec_and_test(&r));
}

static void refcount_underflow_warns(struct ktap *t)
{
	refcount_t r = REFCOUNT_INIT(0);

	ktap_expect_warn(t, "underflow");
	KT_CHECK(t, !refcount_dec_and_test(&r));
}

static void refcount_overflow_saturates(struct ktap *t)
{
	refcount_t r = REFCOUNT_INIT(REFCOUNT_MAX);

	ktap_expect_warn(t, "saturated");
	refcount_inc(&r);
	KT_EQ(t, (int)refcount_read(&r), REFCOUNT_SATURATED);
	ktap_expect_warn(t, "underflow");
	KT_CHECK(t, !refcount_dec_and_test(&r));
}

static int released;

static void count_release(struct kref *kref)
{
	released++;
}

static void kref_releases_at_the_last_put(struct ktap *t)
{
	struct kref kref;

	released = 0;
	kref_init(&kref);
	kref_get(&kref);
	KT_EQ(t, kref_put(&kref, count_release), 0);
	KT_EQ(t, kref_put(&kref, count_release), 1);
	KT_EQ(t, released, 1);
	KT_CHECK(t, !kref_get_unless_zero(&kref));
}

static void bits_across_words(struct ktap *t)
{
	unsigned long map[3] = { 0 };
	unsigned long bit, sum = 0;

	KT_CHECK(t, !test_and_set_bit(70, map));
	KT_CHECK(t, test_and_set_bit(70, map));
	set_bit(1, map);
	set_bit(191, map);
	for_each_set_bit(bit, map, 192) sum += bit;
	KT_EQ(t, sum, 1 + 70 + 191);
	KT_EQ(t, find_next_bit(map, 191, 71), 191);
	KT_CHECK(t, test_and_clear_bit(70, map));
	KT_CHECK(t, !test_bit(70, map));
	memset(map, 0xff, sizeof(map));
	KT_EQ(t, find_first_zero_bit(map, 192), 192);
	clear_bit(130, map);
	KT_EQ(t, find_first_zero_bit(map, 192), 130);
}

struct numbered {
	int number;
	struct list_head link;
};

static int digits(struct list_head *head)
{
	struct numbered *pos;
	int value = 0;

	list_for_each_entry(pos, head, link)
		value = 10 * value + pos->number;
	return value;
}

static void lists_keep_their_order(struct ktap *t)
{
	struct numbered n[4] = { { 1 }, { 2 }, { 3 }, { 4 } };
	struct numbered *pos, *next;
	LIST_HEAD(a);
	LIST_HEAD(b);

	list_add_tail(&n[0].link, &a);
	list_add_tail(&n[1].link, &a);
	list_add(&n[2].link, &a);
	KT_EQ(t, digits(&a), 312);
	list_add(&n[3].link, &b);
	list_splice_tail_init(&a, &b);
	KT_EQ(t, digits(&b), 4312);
	KT_CHECK(t, list_empty(&a));
	list_move(&n[1].link, &b);
	KT_EQ(t, digits(&b), 2431);
	list_for_each_entry_safe(pos, next, &b, link)
		if (pos->number % 2)
			list_del_init(&pos->link);
	KT_EQ(t, digits(&b), 24);
	KT_CHECK(t, list_empty_careful(&n[0].link));
	KT_EQ(t, list_count_nodes(&b), 2);
}

static void sizes_do_not_wrap(struct ktap *t)
{
	struct flexible {
		int head;
		u64 items[];
	} *p = NULL;

	KT_EQ(t, struct_size(p, items, 2), sizeof(*p) + 16);
	KT_CHECK(t, struct_size(p, items, SIZE_MAX / 4) == SIZE_MAX);
	KT_CHECK(t, array_size(SIZE_MAX, 2) == SIZE_MAX);
	KT_CHECK(t, size_sub(1, 2) == SIZE_MAX);
	KT_EQ(t, roundup_pow_of_two(5), 8);
	KT_EQ(t, roundup_pow_of_two(8), 8);
	KT_EQ(t, DIV_ROUND_UP(9, 4), 3);
	KT_EQ(t, min3(3, 1, 2) + max3(3, 1, 2) + clamp(9, 1, 5), 1 + 3 + 5);
}

static void strscpy_always_ends(struct ktap *t)
{
	char buf[4];

	KT_EQ(t, strscpy(buf, "abc"), 3);
	KT_EQ(t, strscpy(buf, "abcd"), -E2BIG);
	KT_CHECK(t, !strcmp(buf, "abc"));
	KT_EQ(t, strscpy(buf, "x", 1), -E2BIG);
	KT_EQ(t, buf[0], 0);
	KT_CHECK(t, memchr_inv("aab", 'a', 3) && !memchr_inv("aaa", 'a', 3));
}

KTAP_MAIN(KTAP_CASE(returns_before_and_after), KTAP_CASE(wraps_without_harm),
	  KTAP_CASE(exchanges_pointers), KTAP_CASE(arguments_are_evaluated_once),
	  KTAP_CASE(loses_no_count), KTAP_CASE(refcount_frees_once),
	  KTAP_CASE(refcount_from_zero_warns), KTAP_CASE(refcount_underflow_warns),
	  KTAP_CASE(refcount_overflow_saturates), KTAP_CASE(kref_releases_at_the_last_put),
	  KTAP_CASE(bits_across_words), KTAP_CASE(lists_keep_their_order),
	  KTAP_CASE(sizes_do_not_wrap), KTAP_CASE(strscpy_always_ends))
