/* SPDX-License-Identifier: MIT */
/*
 * record-test.c - a record holds what was told, in order, with what it took, and counts the rest
 */
#include <linux/bug.h>
#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "checker/report/record.h"
#include "core/event.h"
#include "dma/cost.h"
#include "dma/machine.h"
#include "drivers/exporters/system-heap.h"
#include "host/port.h"
#include "host/warn.h"
#include "tests/ktap.h"

static void a_call_finds_what_it_took(struct ktap *t)
{
	struct machine *machine = machine_create(machine_type_find("arm"), 0);
	struct device *dev = machine_add_device(machine, "lens", false);
	struct record *record = record_start(100);
	struct dma_buf *dmabuf = system_heap_allocate(PAGE_SIZE);
	struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, dev);
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);
	const struct record_entry *entry;
	u64 cleaned = 0, writes = 0;

	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_FROM_DEVICE);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
	record_stop(record);
	machine_remove_device(dev);
	machine_destroy(machine);

	KT_CHECK(t, !record_dropped(record));
	for (unsigned int i = 0; i < record_events(record); i++) {
		entry = record_entry(record, i);
		KT_CHECK(t, entry->filled && entry->thread == 0);
		KT_CHECK(t, !i || entry->ns >= record_entry(record, i - 1)->ns);
		if (entry->event.kind == EVENT_CLEAN)
			cleaned = entry->cost[DMA_COST_BYTES_CLEANED];
		if (entry->event.kind == EVENT_BUILD)
			writes = entry->cost[DMA_COST_IOMMU_WRITES];
		if (entry->event.kind == EVENT_ATTACH)
			KT_CHECK(t, entry->dev == dev && !strcmp(entry->text, "lens"));
		if (entry->event.kind == EVENT_EXPORT)
			KT_CHECK(t, !strcmp(entry->text, "system"));
		if (entry->event.kind == EVENT_MAP || entry->event.kind == EVENT_UNMAP)
			KT_CHECK(t, entry->dev == dev);
	}
	KT_EQ(t, cleaned, PAGE_SIZE);
	KT_EQ(t, writes, 1);
	entry = record_entry(record, record_events(record) - 1);
	KT_EQ(t, entry->event.kind, EVENT_RELEASE);
	KT_CHECK(t, !record_entry(record, record_events(record)));
	record_free(record);
}

static const char *fence_name(struct dma_fence *fence)
{
	return "pump";
}

static const struct dma_fence_ops fence_ops = { .get_driver_name = fence_name,
						.get_timeline_name = fence_name };

static void fences_have_their_timeline(struct ktap *t)
{
	static DEFINE_SPINLOCK(lock);
	struct record *record = record_start(8);
	struct dma_resv resv;

	dma_resv_init(&resv);
	for (u64 i = 0; i < 2; i++) {
		struct dma_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

		dma_fence_init(fence, &fence_ops, &lock, 7, i + 1);
		dma_resv_lock(&resv, NULL);
		KT_EQ(t, dma_resv_reserve_fences(&resv, 1), 0);
		if (i)
			dma_fence_signal(fence);
		dma_resv_add_fence(&resv, fence, DMA_RESV_USAGE_READ);
		dma_resv_unlock(&resv);
		if (!i) {
			dma_fence_set_error(fence, -EIO);
			dma_fence_signal(fence);
		}
		dma_fence_put(fence);
	}
	record_stop(record);
	dma_resv_fini(&resv);
	KT_EQ(t, record_events(record), 4);
	KT_EQ(t, record_entry(record, 0)->event.a, DMA_RESV_USAGE_READ);
	KT_CHECK(t, !strcmp(record_entry(record, 0)->text, "pump"));
	KT_EQ(t, record_entry(record, 1)->event.kind, EVENT_FENCE_SIGNAL);
	KT_EQ(t, (s64)record_entry(record, 1)->event.a, -EIO);
	KT_CHECK(t, record_entry(record, 1)->event.b == 7 && record_entry(record, 1)->event.c == 1);
	KT_EQ(t, record_entry(record, 3)->event.a, DMA_RESV_USAGE_READ | RECORD_SIGNALED);
	record_free(record);
}

static void what_finds_no_room_is_counted(struct ktap *t)
{
	struct record *record = record_start(3);

	for (u64 i = 0; i < 10; i++)
		event_tell(EVENT_CONTENT, NULL, NULL, i, 0, 0);
	record_stop(record);
	event_tell(EVENT_CONTENT, NULL, NULL, 10, 0, 0);
	KT_EQ(t, record_events(record), 3);
	KT_EQ(t, record_dropped(record), 7);
	for (unsigned int i = 0; i < 3; i++)
		KT_EQ(t, record_entry(record, i)->event.a, i);
	record_free(record);
}

static void long_texts_are_cut_and_many_left_out(struct ktap *t)
{
	struct record *record = record_start(64);
	char name[2 * RECORD_TEXT_BYTES];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (int i = 0; i < 64; i++)
		event_tell(EVENT_NAME, record, name, 0, 0, 0);
	record_stop(record);
	KT_EQ(t, strlen(record_entry(record, 0)->text), RECORD_TEXT_BYTES - 1);
	KT_EQ(t, strlen(record_entry(record, 63)->text), 0);
	record_free(record);
}

/* --- threads ---------------------------------------------------------------------------------- */

#define THREADS 3

static struct {
	unsigned int events;
	struct completion go, told;
} work;

static int tell_many(void *data)
{
	wait_for_completion(&work.go);
	for (u64 i = 0; i < work.events; i++) {
		dma_cost_add(DMA_COST_BYTES_BOUNCED, i);
		event_tell(EVENT_CONTENT, data, NULL, i, 0, 0);
	}
	complete(&work.told);
	while (!kthread_should_stop())
		schedule_timeout_uninterruptible(1);
	return 0;
}

/* RC2, RC3: each thread's entries are in its order and have its costs. */
static void threads_keep_their_order(struct ktap *t)
{
	struct task_struct *thread[THREADS];
	u64 next[THREADS] = {}, numbers[THREADS];
	struct record *record;

	work.events = ktap_long ? 100000 : 5000;
	record = record_start(THREADS * work.events);
	init_completion(&work.go);
	init_completion(&work.told);
	for (long i = 0; i < THREADS; i++)
		thread[i] = kthread_run(tell_many, (void *)(i + 1), "teller");
	complete_all(&work.go);
	for (int i = 0; i < THREADS; i++)
		wait_for_completion(
			&work.told); /* one that is stopped before it first ran never does */
	for (int i = 0; i < THREADS; i++)
		kthread_stop(thread[i]);
	record_stop(record);

	KT_EQ(t, record_events(record), THREADS * work.events);
	KT_CHECK(t, !record_dropped(record));
	for (unsigned int i = 0; i < record_events(record); i++) {
		const struct record_entry *entry = record_entry(record, i);
		long who = (long)entry->event.subject - 1;

		KT_ASSERT(t, entry->filled && who >= 0 && who < THREADS);
		KT_ASSERT(t, entry->event.a == next[who]++);
		KT_ASSERT(t, entry->cost[DMA_COST_BYTES_BOUNCED] == entry->event.a);
		if (!entry->event.a)
			numbers[who] = entry->thread;
		KT_ASSERT(t, entry->thread == numbers[who]);
	}
	KT_CHECK(t,
		 numbers[0] != numbers[1] && numbers[1] != numbers[2] && numbers[0] != numbers[2]);
	record_free(record);
}

/* --- what surrounds it ------------------------------------------------------------------------ */

static void one_record_at_a_time(struct ktap *t)
{
	struct record *record = record_start(1);

	KT_EQ(t, PTR_ERR(record_start(1)), -EBUSY);
	record_free(record);
	KT_CHECK(t, !event_listener && !dma_cost_listener);
	record = record_start(1);
	KT_CHECK(t, !IS_ERR(record));
	record_stop(record);
	record_stop(record);
	record_free(record);
	record_free(NULL);
}

/* RC4, RC5: each of the last has its own text, and no driver is asked for one. */
static void the_last_are_kept(struct ktap *t)
{
	static const char *const names[] = { "a", "b", "c", "d", "e" };
	struct record *record = record_start_last(3);
	char number[RECORD_NAME_BYTES * 2];

	memset(number, 'x', sizeof(number) - 1);
	number[sizeof(number) - 1] = '\0';
	KT_EQ(t, record_events(record), 0);
	for (u64 i = 0; i < ARRAY_SIZE(names); i++) {
		event_tell(EVENT_NAME, NULL, names[i], i, 0, 0);
		dma_cost_add(DMA_COST_BYTES_CLEANED, i);
	}
	KT_EQ(t, record_events(record), 3);
	KT_EQ(t, record_dropped(record), 2);
	for (unsigned int i = 0; i < 3; i++) {
		const struct record_entry *entry = record_entry(record, i);

		KT_EQ(t, entry->event.a, i + 2);
		KT_EQ(t, entry->cost[DMA_COST_BYTES_CLEANED], i + 1);
		KT_CHECK(t, !strcmp(entry->text, names[i + 2]));
	}
	KT_CHECK(t, !record_entry(record, 3));
	event_tell(EVENT_NAME, NULL, number, 0, 0, 0);
	KT_EQ(t, strlen(record_entry(record, 2)->text), RECORD_NAME_BYTES - 1);
	event_tell(EVENT_CONTENT, NULL, NULL, 0, 0, 0);
	KT_CHECK(t, !record_entry(record, 2)->text);
	record_free(record);
	KT_CHECK(t, !event_listener && !dma_cost_listener);
}

static const char *never_asked(struct dma_fence *fence)
{
	abort();
}

static void of_the_last_no_driver_is_asked(struct ktap *t)
{
	static const struct dma_fence_ops ops = { .get_driver_name = never_asked,
						  .get_timeline_name = never_asked };
	static DEFINE_SPINLOCK(lock);
	struct record *record = record_start_last(8);
	struct dma_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);
	struct dma_resv resv;

	dma_resv_init(&resv);
	dma_fence_init(fence, &ops, &lock, 7, 1);
	dma_resv_lock(&resv, NULL);
	KT_EQ(t, dma_resv_reserve_fences(&resv, 1), 0);
	dma_resv_add_fence(&resv, fence, DMA_RESV_USAGE_READ);
	dma_resv_unlock(&resv);
	dma_fence_signal(fence);
	dma_fence_put(fence);
	dma_resv_fini(&resv);
	KT_EQ(t, record_events(record), 2);
	KT_CHECK(t, !strcmp(record_entry(record, 0)->text, "fence"));
	record_free(record);
}

static void what_was_read_elsewhere_is_a_record(struct ktap *t)
{
	struct record_entry entries[2] = { { .event = { .kind = EVENT_NAME, .a = 1 },
					     .text = "one" },
					   { .event = { .kind = EVENT_CONTENT, .a = 2 } } };
	struct record *record = record_of(entries, 2);

	entries[0].text = "gone";
	entries[1].event.a = 3;
	KT_EQ(t, record_events(record), 2);
	KT_EQ(t, record_dropped(record), 0);
	KT_CHECK(t, !strcmp(record_entry(record, 0)->text, "one"));
	KT_CHECK(t, record_entry(record, 1)->event.a == 2 && !record_entry(record, 1)->text);
	record_free(record);
	record = record_of(NULL, 0);
	KT_EQ(t, record_events(record), 0);
	record_free(record);
	port_fail_nth(PORT_FAULT_ALLOC, 2);
	KT_EQ(t, PTR_ERR(record_of(entries, 2)), -ENOMEM);
	port_fail_nth(PORT_FAULT_ALLOC, 0);
}

static void without_memory_nobody_listens(struct ktap *t)
{
	struct record *record;
	unsigned int n = 0;

	do {
		port_fail_nth(PORT_FAULT_ALLOC, ++n);
		record = record_start(10);
		port_fail_nth(PORT_FAULT_ALLOC, 0);
		KT_CHECK(t, IS_ERR(record) == !event_listener);
	} while (IS_ERR(record) && n < 10);
	KT_EQ(t, n, 4);
	record_free(record);
}

static int warned;

static void count_warning(const char *file, int line, const char *text)
{
	warned++;
}

static void a_warning_is_a_finding_and_still_a_warning(struct ktap *t)
{
	host_warn_hook_t before = host_set_warn_hook(count_warning);
	struct record *record = record_start(4);

	WARN(1, "rule %d is broken\n", 7);
	record_stop(record);
	WARN(1, "nobody records this\n");
	KT_CHECK(t, host_set_warn_hook(before) == count_warning);
	KT_EQ(t, warned, 2);
	KT_EQ(t, record_events(record), 1);
	KT_EQ(t, record_entry(record, 0)->event.kind, EVENT_FINDING);
	KT_CHECK(t, !strcmp(record_entry(record, 0)->text, "rule 7 is broken"));
	record_free(record);
}

KTAP_MAIN(KTAP_CASE(a_call_finds_what_it_took), KTAP_CASE(what_finds_no_room_is_counted),
	  KTAP_CASE(fences_have_their_timeline), KTAP_CASE(long_texts_are_cut_and_many_left_out),
	  KTAP_CASE(threads_keep_their_order), KTAP_CASE(one_record_at_a_time),
	  KTAP_CASE(the_last_are_kept), KTAP_CASE(of_the_last_no_driver_is_asked),
	  KTAP_CASE(what_was_read_elsewhere_is_a_record), KTAP_CASE(without_memory_nobody_listens),
	  KTAP_CASE(a_warning_is_a_finding_and_still_a_warning))
