/* SPDX-License-Identifier: MIT */
/* xarray-test.c - arrays, ids and their limits against a plain model; readers beside a writer */
#include <linux/completion.h>
#include <linux/idr.h>
#include <linux/kernel.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/xarray.h>
#include "tests/ktap.h"
#include "tests/threads.h"

static int things[8];

static void stored_is_loaded(struct ktap *t)
{
	static const unsigned long indexes[] = {
		0,         1,         63,        64,        4095,           4096,
		1UL << 31, 1UL << 60, 1UL << 63, ULONG_MAX, ULONG_MAX - 64, 7777777
	};
	DEFINE_XARRAY(xa);

	KT_CHECK(t, xa_empty(&xa) && !xa_load(&xa, 0) && !xa_load(&xa, ULONG_MAX));
	for (size_t i = 0; i < ARRAY_SIZE(indexes); i++)
		KT_CHECK(t, !xa_store(&xa, indexes[i], xa_mk_value(i), GFP_KERNEL));
	for (size_t i = 0; i < ARRAY_SIZE(indexes); i++)
		KT_EQ(t, xa_to_value(xa_load(&xa, indexes[i])), i);
	KT_CHECK(t, !xa_load(&xa, 2) && !xa_load(&xa, ULONG_MAX - 1));
	KT_EQ(t, xa_to_value(xa_store(&xa, 64, &things[0], GFP_KERNEL)), 3);
	KT_CHECK(t, xa_load(&xa, 64) == &things[0]);
	for (size_t i = 0; i < ARRAY_SIZE(indexes); i++)
		KT_CHECK(t, xa_erase(&xa, indexes[i]));
	KT_CHECK(t, !xa_erase(&xa, 64) && xa_empty(&xa));
}

static void insert_and_exchange(struct ktap *t)
{
	DEFINE_XARRAY(xa);

	KT_EQ(t, xa_insert(&xa, 5, &things[0], GFP_KERNEL), 0);
	KT_EQ(t, xa_insert(&xa, 5, &things[1], GFP_KERNEL), -EBUSY);
	KT_CHECK(t, xa_cmpxchg(&xa, 5, &things[1], &things[2], GFP_KERNEL) == &things[0]);
	KT_CHECK(t, xa_load(&xa, 5) == &things[0]);
	KT_CHECK(t, xa_cmpxchg(&xa, 5, &things[0], NULL, GFP_KERNEL) == &things[0]);
	KT_CHECK(t, xa_empty(&xa));
	/* A reservation: reads as nothing, and is not free. */
	KT_EQ(t, xa_insert(&xa, 6, NULL, GFP_KERNEL), 0);
	KT_CHECK(t, !xa_load(&xa, 6) && !xa_empty(&xa));
	KT_EQ(t, xa_insert(&xa, 6, &things[0], GFP_KERNEL), -EBUSY);
	xa_destroy(&xa);
	KT_CHECK(t, xa_empty(&xa));
}

static void no_entry_is_refused(struct ktap *t)
{
	DEFINE_XARRAY(xa);
	u32 id = 77;

	ktap_expect_warn(t, "is no entry");
	KT_EQ(t, xa_err(xa_store(&xa, 0, (void *)2, GFP_KERNEL)), -EINVAL);
	ktap_expect_warn(t, "not an XA_FLAGS_ALLOC array");
	KT_EQ(t, xa_alloc(&xa, &id, NULL, xa_limit_32b, GFP_KERNEL), -EINVAL);
	ktap_expect_warn(t, "lockdep_assert_held");
	__xa_erase(&xa, 0);
	KT_EQ(t, id, 77);
	KT_CHECK(t, xa_empty(&xa));
}

#define MODEL 300

static void as_a_plain_array_does(struct ktap *t)
{
	/* Far apart in places, so that paths come and go. */
	static const unsigned long scale[] = { 1, 61, 1UL << 20, ULONG_MAX / MODEL };
	void *model[MODEL], *entry;
	unsigned long index, want;

	for (size_t s = 0; s < ARRAY_SIZE(scale); s++) {
		DEFINE_XARRAY(xa);

		memset(model, 0, sizeof(model));
		for (int i = 0; i < (ktap_long ? 100000 : 5000); i++) {
			unsigned long r = (unsigned long)port_random();
			unsigned int at = r % MODEL;

			entry = (r >> 20) % 3 ? xa_mk_value(i) : NULL;
			KT_CHECK(t, xa_store(&xa, at * scale[s], entry, GFP_KERNEL) == model[at]);
			model[at] = entry;
		}
		want = 0;
		xa_for_each(&xa, index, entry)
		{
			while (want < MODEL && !model[want])
				want++;
			KT_ASSERT(t, want < MODEL);
			KT_EQ(t, index, want * scale[s]);
			KT_CHECK(t, entry == model[want++]);
		}
		while (want < MODEL)
			KT_CHECK(t, !model[want++]);
		xa_for_each(&xa, index, entry) xa_erase(&xa, index);
		KT_CHECK(t, xa_empty(&xa));
	}
}

static void ranges_end_where_they_say(struct ktap *t)
{
	DEFINE_XARRAY(xa);
	unsigned long index;
	void *entry;
	int met = 0;

	for (index = 0; index < 200; index++)
		xa_store(&xa, index * 10, xa_mk_value(index), GFP_KERNEL);
	xa_for_each_range(&xa, index, entry, 15, 100)
	{
		KT_CHECK(t, index >= 20 && index <= 100);
		met++;
	}
	KT_EQ(t, met, 9);
	index = 1991;
	KT_CHECK(t, !xa_find(&xa, &index, ULONG_MAX, XA_PRESENT));
	KT_EQ(t, index, 1991);
	index = 1990;
	KT_CHECK(t, !xa_find_after(&xa, &index, ULONG_MAX, XA_PRESENT));
	xa_destroy(&xa);
}

static void ids_are_the_lowest_free(struct ktap *t)
{
	DEFINE_XARRAY_ALLOC1(xa);
	u32 id = 0, next = 0;

	for (u32 i = 1; i <= 5000; i++) {
		KT_EQ(t,
		      xa_alloc(&xa, &id, i % 2 ? xa_mk_value(i) : NULL, xa_limit_32b, GFP_KERNEL),
		      0);
		KT_EQ(t, id, i);
	}
	xa_erase(&xa, 4097);
	xa_erase(&xa, 70);
	KT_EQ(t, xa_alloc(&xa, &id, &things[0], xa_limit_32b, GFP_KERNEL), 0);
	KT_EQ(t, id, 70);
	KT_EQ(t, xa_alloc(&xa, &id, &things[0], XA_LIMIT(1, 4000), GFP_KERNEL), -EBUSY);
	KT_EQ(t, xa_alloc(&xa, &id, &things[0], XA_LIMIT(100, 6000), GFP_KERNEL), 0);
	KT_EQ(t, id, 4097);
	/* A stored NULL keeps the id. */
	xa_store(&xa, 70, NULL, GFP_KERNEL);
	KT_EQ(t, xa_alloc(&xa, &id, &things[0], XA_LIMIT(1, 100), GFP_KERNEL), -EBUSY);
	xa_destroy(&xa);

	for (u32 i = 0; i < 3; i++)
		KT_EQ(t, xa_alloc_cyclic(&xa, &id, NULL, XA_LIMIT(10, 12), &next, GFP_KERNEL), 0);
	xa_erase(&xa, 11);
	next = 12;
	KT_EQ(t, xa_alloc_cyclic(&xa, &id, NULL, XA_LIMIT(10, 12), &next, GFP_KERNEL), 1);
	KT_EQ(t, id, 11);
	KT_EQ(t, xa_alloc_cyclic(&xa, &id, NULL, XA_LIMIT(10, 12), &next, GFP_KERNEL), -EBUSY);
	xa_destroy(&xa);
}

/* Each allocation fails once; nothing has changed then. */
static void failures_change_nothing(struct ktap *t)
{
	for (int k = 1;; k++) {
		DEFINE_XARRAY(xa);
		void *ret;

		xa_store(&xa, 3, &things[0], GFP_KERNEL);
		port_fail_nth(PORT_FAULT_ALLOC, k);
		ret = xa_store(&xa, 1UL << 40, &things[1], k % 2 ? GFP_KERNEL : GFP_ATOMIC);
		port_fail_nth(PORT_FAULT_ALLOC, 0);
		KT_CHECK(t, xa_load(&xa, 3) == &things[0]);
		KT_CHECK(t, xa_load(&xa, 1UL << 40) == (xa_is_err(ret) ? NULL : &things[1]));
		xa_destroy(&xa);
		if (!ret) {
			KT_EQ(t, k, 13);
			break;
		}
		KT_EQ(t, xa_err(ret), -ENOMEM);
		KT_ASSERT(t, k < 100);
	}
}

static int sum(int id, void *ptr, void *data)
{
	*(int *)data += id;
	return id == 9 ? -EIO : 0;
}

static void idrs(struct ktap *t)
{
	DEFINE_IDR(idr);
	int id, total = 0;
	void *ptr;

	KT_EQ(t, idr_alloc(&idr, &things[0], 1, 0, GFP_KERNEL), 1);
	KT_EQ(t, idr_alloc(&idr, NULL, 1, 3, GFP_KERNEL), 2);
	KT_EQ(t, idr_alloc(&idr, &things[1], 1, 3, GFP_KERNEL), -ENOSPC);
	KT_CHECK(t, idr_find(&idr, 1) == &things[0] && !idr_find(&idr, 2));
	KT_CHECK(t, !idr_replace(&idr, &things[2], 2));
	KT_CHECK(t, idr_find(&idr, 2) == &things[2]);
	KT_EQ(t, PTR_ERR(idr_replace(&idr, &things[2], 3)), -ENOENT);
	KT_CHECK(t, !idr_find(&idr, 3));
	idr_for_each_entry(&idr, ptr, id) total += id;
	KT_EQ(t, total, 3);
	KT_EQ(t, idr_for_each(&idr, sum, &total), 0);
	KT_EQ(t, total, 6);
	KT_EQ(t, idr_alloc(&idr, &things[3], 9, 10, GFP_KERNEL), 9);
	KT_EQ(t, idr_for_each(&idr, sum, &total), -EIO);
	ktap_expect_warn(t, "idr_alloc(): from -1");
	KT_EQ(t, idr_alloc(&idr, NULL, -1, 0, GFP_KERNEL), -EINVAL);
	KT_CHECK(t, idr_remove(&idr, 1) == &things[0] && !idr_remove(&idr, 1));
	KT_EQ(t, idr_alloc_cyclic(&idr, &things[0], 1, 0, GFP_KERNEL), 1);
	idr_remove(&idr, 1);
	KT_EQ(t, idr_alloc_cyclic(&idr, &things[0], 1, 0, GFP_KERNEL), 3);
	idr_destroy(&idr);
	KT_CHECK(t, idr_is_empty(&idr));
	idr_init_base(&idr, 1);
	KT_EQ(t, idr_alloc(&idr, &things[0], 0, 0, GFP_KERNEL), 1);
	idr_destroy(&idr);
}

static void idas(struct ktap *t)
{
	DEFINE_IDA(ida);

	KT_EQ(t, ida_alloc(&ida, GFP_KERNEL), 0);
	KT_EQ(t, ida_alloc_max(&ida, 1, GFP_KERNEL), 1);
	KT_EQ(t, ida_alloc_max(&ida, 1, GFP_KERNEL), -ENOSPC);
	KT_EQ(t, ida_alloc_min(&ida, INT_MAX, GFP_KERNEL), INT_MAX);
	KT_EQ(t, ida_alloc_min(&ida, INT_MAX, GFP_KERNEL), -ENOSPC);
	KT_EQ(t, ida_alloc_min(&ida, UINT_MAX, GFP_KERNEL), -ENOSPC);
	port_fail_nth(PORT_FAULT_ALLOC, 1);
	KT_EQ(t, ida_alloc_min(&ida, 1000, GFP_KERNEL), -ENOMEM);
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	ida_free(&ida, 0);
	KT_EQ(t, ida_alloc(&ida, GFP_KERNEL), 0);
	ktap_expect_warn(t, "ida_free(5): not allocated");
	ida_free(&ida, 5);
	KT_CHECK(t, !ida_is_empty(&ida));
	ida_destroy(&ida);
	KT_CHECK(t, ida_is_empty(&ida));
}

static DEFINE_XARRAY(shared);
static u32 end_readers;

static int read_shared(void *data)
{
	struct ktap *t = data;
	unsigned long index;
	void *entry;

	while (!READ_ONCE(end_readers))
		xa_for_each(&shared, index, entry) if (xa_to_value(entry) != index % 1000)
			KT_EQ(t, xa_to_value(entry), index % 1000);
	return 0;
}

static void readers_beside_a_writer(struct ktap *t)
{
	struct task_struct *threads[2];

	WRITE_ONCE(end_readers, 0);
	for (int i = 0; i < 2; i++)
		threads[i] = test_thread_start(read_shared, t);
	for (int i = 0; i < (ktap_long ? 100000 : 4000); i++) {
		unsigned long index = (unsigned long)port_random() % 200 * 977;

		if (i % 2)
			xa_erase(&shared, index);
		else
			xa_store(&shared, index, xa_mk_value(index % 1000), GFP_KERNEL);
	}
	WRITE_ONCE(end_readers, 1);
	for (int i = 0; i < 2; i++)
		test_thread_end(threads[i]);
	xa_destroy(&shared);
}

static void all_nodes_are_freed(struct ktap *t)
{
	rcu_barrier();
	KT_CHECK(t, xa_empty(&shared));
}

static void marks(struct ktap *t)
{
	/* Far apart, so that marks go up through several nodes, and the tree grows after the first. */
	static const unsigned long places[] = { 0, 3, 64, 70, 5000, 1UL << 40 };
	DEFINE_XARRAY(xa);
	unsigned long index, sum = 0;
	void *entry;

	xa_set_mark(&xa, 0, XA_MARK_0);
	KT_CHECK(t, !xa_marked(&xa, XA_MARK_0));
	for (int i = 0; i < ARRAY_SIZE(places); i++) {
		KT_CHECK(t, !xa_err(xa_store(&xa, places[i], xa_mk_value(i), GFP_KERNEL)));
		if (i % 2 == 0)
			xa_set_mark(&xa, places[i], XA_MARK_1);
	}
	KT_CHECK(t, xa_marked(&xa, XA_MARK_1) && !xa_marked(&xa, XA_MARK_0));
	xa_for_each_marked(&xa, index, entry, XA_MARK_1) sum = sum * 10 + xa_to_value(entry);
	KT_EQ(t, sum, 24);
	KT_CHECK(t, xa_get_mark(&xa, 64, XA_MARK_1) && !xa_get_mark(&xa, 70, XA_MARK_1));

	/* Kept when replaced; gone with the entry, and no new one has it. */
	xa_store(&xa, 64, xa_mk_value(9), GFP_KERNEL);
	KT_CHECK(t, xa_get_mark(&xa, 64, XA_MARK_1));
	xa_erase(&xa, 64);
	KT_CHECK(t, !xa_get_mark(&xa, 64, XA_MARK_1));
	xa_store(&xa, 64, xa_mk_value(9), GFP_KERNEL);
	KT_CHECK(t, !xa_get_mark(&xa, 64, XA_MARK_1));

	xa_clear_mark(&xa, 0, XA_MARK_1);
	index = 0;
	KT_CHECK(t, xa_find(&xa, &index, ULONG_MAX, XA_MARK_1) && index == 5000);
	xa_clear_mark(&xa, 5000, XA_MARK_1);
	KT_CHECK(t, !xa_marked(&xa, XA_MARK_1));
	ktap_expect_warn(t, "no mark");
	KT_CHECK(t, !xa_find(&xa, &index, ULONG_MAX, 3));
	xa_destroy(&xa);
}

static void reservations(struct ktap *t)
{
	DEFINE_XARRAY(xa);

	KT_EQ(t, xa_reserve(&xa, 7, GFP_KERNEL), 0);
	KT_CHECK(t, !xa_load(&xa, 7) && !xa_empty(&xa));
	port_fail_nth(PORT_FAULT_ALLOC, 1);
	KT_CHECK(t, !xa_err(xa_store(&xa, 7, xa_mk_value(1), GFP_KERNEL)));
	KT_EQ(t, xa_reserve(&xa, 1UL << 30, GFP_KERNEL), -ENOMEM);
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	xa_release(&xa, 7);
	KT_CHECK(t, xa_load(&xa, 7) == xa_mk_value(1));
	KT_EQ(t, xa_reserve(&xa, 7, GFP_KERNEL), 0);
	KT_EQ(t, xa_reserve(&xa, 8, GFP_KERNEL), 0);
	xa_release(&xa, 8);
	xa_erase(&xa, 7);
	KT_CHECK(t, xa_empty(&xa));
}

KTAP_MAIN(KTAP_CASE(marks), KTAP_CASE(reservations), KTAP_CASE(stored_is_loaded),
	  KTAP_CASE(insert_and_exchange), KTAP_CASE(no_entry_is_refused),
	  KTAP_CASE(as_a_plain_array_does), KTAP_CASE(ranges_end_where_they_say),
	  KTAP_CASE(ids_are_the_lowest_free), KTAP_CASE(failures_change_nothing), KTAP_CASE(idrs),
	  KTAP_CASE(idas), KTAP_CASE(readers_beside_a_writer), KTAP_CASE(all_nodes_are_freed))
