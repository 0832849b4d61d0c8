/* SPDX-License-Identifier: MIT */
/*
 * coherence-test.c - the directory's ranges, brackets, costs and joins, case by case
 *
 * coherence-spec-test has the protocol on one line, coherence-random-test its sum.
 */
#include <linux/bitops.h>
#include <linux/dma-cost.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "core/event.h"
#include "core/test-coherence.h"
#include "host/port.h"
#include "tests/ktap.h"

/* --- ranges ----------------------------------------------------------------------------------- */

static void small_write_in_a_large_frame(struct ktap *t)
{
	struct setup s;

	set_up(&s, 12 * SZ_1M, "M");
	uses(&s, 0, COHERENCE_WRITE);
	test_hardware_forget(&s.hw);

	cpu_uses(&s, SZ_1M, 64, READ_WRITE);
	KT_CHECK(t, did(&s, 0, 'i', SZ_1M, 64));
	KT_EQ(t, whole(&s, SZ_1M), C);
	KT_EQ(t, whole(&s, SZ_1M + 64), M);
	KT_EQ(t, s.c.nr_ranges, 3);

	test_device_begin(&s.dev[0], COHERENCE_READ);
	KT_CHECK(t, did(&s, 1, 'c', SZ_1M, 64));
	KT_EQ(t, s.hw.nr_operations, 2);
	test_device_end(&s.dev[0], COHERENCE_READ);
	uses(&s, 0, COHERENCE_WRITE);
	KT_EQ(t, s.c.nr_ranges, 1);
	tear_down(&s);
}

static void brackets_round_out_to_lines(struct ktap *t)
{
	struct setup s;

	set_up(&s, 4 * 64 + 10, "M");
	uses(&s, 0, COHERENCE_WRITE);
	test_hardware_forget(&s.hw);
	cpu_uses(&s, 70, 3, COHERENCE_READ);
	KT_CHECK(t, did(&s, 0, 'i', 64, 64));
	cpu_uses(&s, 4 * 64 + 9, 1, COHERENCE_READ);
	KT_CHECK(t, did(&s, 1, 'i', 4 * 64, 10));
	cpu_uses(&s, 63, 2, COHERENCE_READ);
	KT_CHECK(t, did(&s, 2, 'i', 0, 64));
	KT_EQ(t, s.hw.nr_operations, 3);
	tear_down(&s);
}

static void neighbours_are_passed_together(struct ktap *t)
{
	struct setup s;

	set_up(&s, SZ_4K, "M");
	uses(&s, 0, COHERENCE_WRITE);
	cpu_uses(&s, 512, 64, COHERENCE_WRITE);
	coherence_cpu_begin(&s.c, 576, 64, COHERENCE_READ); /* stays a range of its own */
	cpu_uses(&s, 576, 64, COHERENCE_WRITE);
	cpu_uses(&s, 1024, 64, COHERENCE_WRITE);
	test_hardware_forget(&s.hw);

	test_device_begin(&s.dev[0], COHERENCE_READ);
	KT_EQ(t, s.hw.nr_operations, 2);
	KT_CHECK(t, did(&s, 0, 'c', 512, 128));
	KT_CHECK(t, did(&s, 1, 'c', 1024, 64));
	test_device_end(&s.dev[0], COHERENCE_READ);
	coherence_cpu_end(&s.c, 576, 64, COHERENCE_READ);
	tear_down(&s);
}

static void scattered_writes_merge_again(struct ktap *t)
{
	struct setup s;
	size_t at;

	set_up(&s, SZ_64K, "M");
	uses(&s, 0, COHERENCE_WRITE);
	for (at = 0; at < SZ_64K; at += 256)
		cpu_uses(&s, at, 64, COHERENCE_WRITE);
	KT_EQ(t, s.c.nr_ranges, 512);
	test_hardware_forget(&s.hw);
	uses(&s, 0, COHERENCE_WRITE);
	KT_EQ(t, s.hw.nr_operations, 256);
	KT_EQ(t, s.hw.cleaned, SZ_64K / 4);
	KT_EQ(t, s.c.nr_ranges, 1);
	tear_down(&s);
}

/* --- brackets --------------------------------------------------------------------------------- */

static void brackets_that_find_no_memory(struct ktap *t)
{
	struct setup s;
	unsigned int k, failures = 0, i;
	bool done = false;

	for (k = 1; !done; k++) {
		set_up(&s, SZ_4K, "M");
		uses(&s, 0, COHERENCE_WRITE);
		for (i = 0; i < 4; i++)
			coherence_cpu_begin(&s.c, 256 + i * 256, 64, COHERENCE_READ);
		test_hardware_forget(&s.hw);

		port_fail_nth(PORT_FAULT_ALLOC, k);
		done = !coherence_cpu_begin(&s.c, 2048, 64, COHERENCE_WRITE);
		port_fail_nth(PORT_FAULT_ALLOC, 0);
		if (!done) {
			failures++;
			KT_EQ(t, s.hw.nr_operations, 0);
			KT_EQ(t, open(&s, 2048, READ_WRITE), 0);
			KT_EQ(t, whole(&s, 2048), M);
		} else {
			KT_EQ(t, open(&s, 2048, READ_WRITE), C);
			KT_CHECK(t, coherence_cpu_end(&s.c, 2048, 64, COHERENCE_WRITE));
		}
		for (i = 0; i < 4; i++)
			KT_CHECK(t, coherence_cpu_end(&s.c, 256 + i * 256, 64, COHERENCE_READ));
		tear_down(&s);
	}
	KT_EQ(t, failures, 2); /* the record and the ranges */
}

/*
 * Even where what surrounded the bracket has become one range meanwhile, and nothing can be
 * allocated.
 */
static void end_needs_no_memory(struct ktap *t)
{
	struct setup s;
	unsigned int i;

	set_up(&s, SZ_4K, "M");
	for (i = 0; i < 8; i++)
		coherence_cpu_begin(&s.c, i * 512, 128, COHERENCE_WRITE);
	uses(&s, 0, COHERENCE_READ); /* all ranges are alike now */

	port_fail_nth(PORT_FAULT_ALLOC, 1);
	for (i = 0; i < 8; i++)
		KT_CHECK(t, coherence_cpu_end(&s.c, i * 512, 128, COHERENCE_WRITE));
	KT_EQ(t, port_fault_count(PORT_FAULT_ALLOC), 0);
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	for (i = 0; i < 8; i++) {
		KT_EQ(t, whole(&s, i * 512), C);
		KT_EQ(t, whole(&s, i * 512 + 128), C | M);
	}
	tear_down(&s);
}

/* The device wrote byte 0; the CPU stored beside it without a begin. Nothing of either is lost. */
static void end_without_begin(struct ktap *t)
{
	struct setup s;

	set_up(&s, SZ_4K, "M");
	test_device_begin(&s.dev[0], COHERENCE_WRITE);
	test_store(&s.hw, &s.dev[0], 64, 11);
	test_device_end(&s.dev[0], COHERENCE_WRITE);
	test_store(&s.hw, NULL, 128, 22);
	KT_CHECK(t, !coherence_cpu_end(&s.c, 64, 128, COHERENCE_WRITE));
	KT_EQ(t, whole(&s, 64), C);
	KT_EQ(t, test_load(&s.hw, NULL, 64), 11);
	KT_EQ(t, test_load(&s.hw, NULL, 128), 22);
	test_device_begin(&s.dev[0], COHERENCE_READ);
	KT_EQ(t, test_load(&s.hw, &s.dev[0], 64), 11);
	KT_EQ(t, test_load(&s.hw, &s.dev[0], 128), 22);
	test_device_end(&s.dev[0], COHERENCE_READ);
	tear_down(&s);
}

/*
 * Without room for its boundaries the whole ranges it touches are treated so: dearer, and as right.
 */
static void end_without_begin_or_memory(struct ktap *t)
{
	struct setup s;
	unsigned int i;

	set_up(&s, SZ_4K, "M");
	uses(&s, 0, COHERENCE_WRITE);
	for (i = 0; i < 2; i++)
		coherence_cpu_begin(&s.c, 1024 + i * 1024, 64, COHERENCE_READ);
	KT_EQ(t, s.c.nr_ranges, s.c.capacity);
	test_store(&s.hw, NULL, 3200, 33);
	port_fail_nth(PORT_FAULT_ALLOC, 1);
	KT_CHECK(t, !coherence_cpu_end(&s.c, 3200, 1, COHERENCE_WRITE));
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	KT_EQ(t, whole(&s, 3200), C);
	KT_EQ(t, whole(&s, SZ_4K - 1), C);
	KT_EQ(t, whole(&s, 1024 + 64), M);
	test_device_begin(&s.dev[0], COHERENCE_READ);
	KT_EQ(t, test_load(&s.hw, &s.dev[0], 3200), 33);
	test_device_end(&s.dev[0], COHERENCE_READ);
	for (i = 0; i < 2; i++)
		coherence_cpu_end(&s.c, 1024 + i * 1024, 64, COHERENCE_READ);
	tear_down(&s);
}

static void overlapping_brackets(struct ktap *t)
{
	struct setup s;

	set_up(&s, SZ_4K, "M");
	uses(&s, 0, COHERENCE_WRITE);
	KT_EQ(t, coherence_cpu_begin(&s.c, 0, 256, COHERENCE_WRITE), 0);
	KT_EQ(t, coherence_cpu_begin(&s.c, 128, 256, COHERENCE_READ), 0);
	KT_EQ(t, s.c.nr_ranges, 4);
	KT_EQ(t, open(&s, 0, COHERENCE_READ), 0);
	KT_EQ(t, open(&s, 0, COHERENCE_WRITE), C);
	KT_EQ(t, open(&s, 128, READ_WRITE), C);
	KT_EQ(t, open(&s, 256, COHERENCE_WRITE), 0);
	KT_CHECK(t, coherence_cpu_end(&s.c, 0, 256, COHERENCE_WRITE));
	KT_EQ(t, open(&s, 128, COHERENCE_WRITE), 0);
	KT_EQ(t, open(&s, 128, COHERENCE_READ), C);
	KT_EQ(t, whole(&s, 128), C);
	KT_EQ(t, whole(&s, 256), C | M);
	/* Not as it was begun, but there is only one it can mean. */
	KT_CHECK(t, coherence_cpu_end(&s.c, 128, 64, COHERENCE_READ));
	KT_EQ(t, open(&s, 128, READ_WRITE), 0);
	KT_CHECK(t, !coherence_cpu_end(&s.c, 128, 256, COHERENCE_READ));
	tear_down(&s);
}

static void bracket_past_the_end(struct ktap *t)
{
	struct setup s;

	set_up(&s, SZ_4K, "M");
	ktap_expect_warn(t, "past the end");
	KT_EQ(t, coherence_cpu_begin(&s.c, 4000, 200, COHERENCE_WRITE), 0);
	KT_EQ(t, open(&s, SZ_4K - 1, COHERENCE_WRITE), C);
	ktap_expect_warn(t, "past the end");
	KT_CHECK(t, coherence_cpu_end(&s.c, 4000, 200, COHERENCE_WRITE));
	ktap_expect_warn(t, "past the end");
	KT_CHECK(t, !coherence_cpu_end(&s.c, SZ_4K + 1, 1, COHERENCE_WRITE));
	tear_down(&s);

	/* Not even where the last line would have more, or where the sum runs over. */
	set_up(&s, SZ_4K + 10, "M");
	ktap_expect_warn(t, "past the end");
	KT_EQ(t, coherence_cpu_begin(&s.c, SZ_4K + 12, 4, COHERENCE_WRITE), 0);
	KT_EQ(t, open(&s, SZ_4K, COHERENCE_WRITE), 0);
	ktap_expect_warn(t, "past the end");
	KT_EQ(t, coherence_cpu_begin(&s.c, 128, SIZE_MAX - 64, COHERENCE_READ), 0);
	KT_EQ(t, open(&s, SZ_4K, READ_WRITE), C);
	KT_EQ(t, s.c.nr_ranges, 2);
	ktap_expect_warn(t, "past the end");
	KT_CHECK(t, coherence_cpu_end(&s.c, 128, SIZE_MAX - 64, COHERENCE_READ));
	ktap_expect_warn(t, "past the end");
	KT_CHECK(t, coherence_cpu_end(&s.c, SZ_4K + 12, 4, COHERENCE_WRITE));
	tear_down(&s);
}

/* What an end says beside what the begin said. */
static void ends_that_say_something_else(struct ktap *t)
{
	struct setup s;

	set_up(&s, SZ_4K, "M");
	uses(&s, 0, COHERENCE_WRITE);
	test_hardware_forget(&s.hw);

	/* As it was begun: a reader leaves everything as it is, and costs nothing. */
	cpu_uses(&s, 0, SZ_4K, COHERENCE_READ);
	KT_EQ(t, whole(&s, 0), C | M);
	KT_EQ(t, s.hw.nr_operations, 1);

	/* Of another mapping: it is not that one that is open. */
	coherence_cpu_begin(&s.c, 0, SZ_4K, COHERENCE_READ);
	KT_CHECK(t, !coherence_cpu_end(&s.c, 0, SZ_4K, COHERENCE_READ | COHERENCE_KEPT));
	KT_CHECK(t, !coherence_cpu_end(&s.c, 0, SZ_4K, COHERENCE_READ | COHERENCE_UNCACHED));
	KT_EQ(t, open(&s, 0, READ_WRITE), C);
	KT_CHECK(t, coherence_cpu_end(&s.c, 0, SZ_4K, COHERENCE_READ));

	/* He says at the end that he has written after all. */
	uses(&s, 0, COHERENCE_WRITE);
	coherence_cpu_begin(&s.c, 0, SZ_4K, COHERENCE_READ);
	test_store(&s.hw, NULL, 9, 99);
	KT_CHECK(t, coherence_cpu_end(&s.c, 0, SZ_4K, READ_WRITE));
	KT_EQ(t, whole(&s, 0), C);
	test_device_begin(&s.dev[0], COHERENCE_READ);
	KT_EQ(t, test_load(&s.hw, &s.dev[0], 9), 99);
	test_device_end(&s.dev[0], COHERENCE_READ);

	/* And a writer whose end says less has written. */
	coherence_cpu_begin(&s.c, 0, SZ_4K, READ_WRITE);
	test_hardware_forget(&s.hw);
	KT_CHECK(t, coherence_cpu_end(&s.c, 0, SZ_4K, COHERENCE_READ));
	KT_EQ(t, whole(&s, 0), C);
	KT_EQ(t, s.hw.nr_operations, 0);
	tear_down(&s);
}

/* --- who is open ------------------------------------------------------------------------------ */

static void writer_in_memory_beside_brackets(struct ktap *t)
{
	struct setup s;

	set_up(&s, SZ_4K, "M");
	test_device_begin(&s.dev[0], COHERENCE_WRITE);
	test_store(&s.hw, &s.dev[0], 1, 1);
	coherence_cpu_begin(&s.c, 0, 64, COHERENCE_READ);
	KT_EQ(t, test_load(&s.hw, NULL, 1), 1);

	/* What it writes meanwhile a further begin finds; what the CPU writes is pushed to it. */
	test_store(&s.hw, &s.dev[0], 1, 2);
	coherence_cpu_begin(&s.c, 0, 64, READ_WRITE);
	KT_EQ(t, test_load(&s.hw, NULL, 1), 2);
	test_store(&s.hw, NULL, 2, 3);
	coherence_cpu_end(&s.c, 0, 64, READ_WRITE);
	KT_EQ(t, test_load(&s.hw, &s.dev[0], 2), 3);
	KT_EQ(t, whole(&s, 0), C | M);

	/* And its end is pushed to the reader. */
	test_store(&s.hw, &s.dev[0], 3, 4);
	test_device_end(&s.dev[0], COHERENCE_WRITE);
	KT_EQ(t, test_load(&s.hw, NULL, 3), 4);
	KT_EQ(t, whole(&s, 0), C | M);
	KT_EQ(t, whole(&s, 64), M);
	coherence_cpu_end(&s.c, 0, 64, COHERENCE_READ);
	tear_down(&s);
}

/*
 * A mapper that has counted in and waits for the lock has not begun. If it were taken as open, its
 * domain would be called whole without having been gathered into (CO3).
 */
static void counted_is_not_open(struct ktap *t)
{
	static const char *const mixes[] = { "MC", "MB" };
	struct setup s;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mixes); i++) {
		set_up(&s, SZ_4K, mixes[i]);
		test_device_begin(&s.dev[0], COHERENCE_WRITE);
		test_store(&s.hw, &s.dev[0], 0, 5);
		test_device_end(&s.dev[0], COHERENCE_WRITE);
		KT_EQ(t, whole(&s, 0), M);

		atomic_fetch_add(SLOT_WRITER, &s.dev[1].slot.word);
		KT_EQ(t, open(&s, 0, READ_WRITE), 0);
		coherence_lock(&s.c);
		coherence_begin(&s.c, &s.dev[0].slot, COHERENCE_WRITE);
		coherence_end(&s.c, &s.dev[0].slot, COHERENCE_WRITE);
		coherence_unlock(&s.c);
		KT_EQ(t, whole(&s, 0), M);

		/* The word tells of it all the same, or its own begin would race with hits. */
		KT_CHECK(t, atomic_read(&s.c.dir) & COHERENCE_OTHER_WRITES);
		coherence_lock(&s.c);
		coherence_begin(&s.c, &s.dev[1].slot, COHERENCE_WRITE);
		coherence_unlock(&s.c);
		KT_EQ(t, test_load(&s.hw, &s.dev[1], 0), 5);
		test_device_end(&s.dev[1], COHERENCE_WRITE);
		tear_down(&s);
	}
}

static unsigned int hits_meanwhile;

/* Would a mapper that counts in now pass without the lock? */
static void hit_meanwhile(struct test_hardware *hw)
{
	struct setup *s = container_of(hw, struct setup, hw);
	const struct mapping_slot *slot = &s->dev[0].slot;

	hits_meanwhile += (slot_look(slot) & slot->begin_mask) == slot->begin_want;
}

/*
 * Who counts in after the scan must find the bit: the word tells of an access of C or B before it
 * looks.
 */
static void begin_is_announced_before_it_scans(struct ktap *t)
{
	struct setup s;

	set_up(&s, SZ_4K, "MMC");
	s.hw.meanwhile = hit_meanwhile;
	hits_meanwhile = 0;
	uses(&s, 1, COHERENCE_WRITE);
	coherence_cpu_begin(&s.c, 0, SZ_4K, COHERENCE_WRITE);
	KT_CHECK(t, s.hw.nr_operations == 2);
	coherence_cpu_end(&s.c, 0, SZ_4K, COHERENCE_WRITE);
	uses(&s, 1, COHERENCE_WRITE);
	uses(&s, 2, READ_WRITE);
	KT_CHECK(t, s.hw.nr_operations == 4);
	KT_EQ(t, hits_meanwhile, 0);
	tear_down(&s);
}

/* Would a writer of M that is open end without the lock now? */
static void end_meanwhile(struct test_hardware *hw)
{
	struct setup *s = container_of(hw, struct setup, hw);
	const struct mapping_slot *slot = &s->dev[1].slot;

	hits_meanwhile += (slot_look(slot) & slot->end_mask[1]) == slot->end_want[1];
}

/*
 * A writer of M may store after its line was gathered and end before the word tells that C is whole:
 * it must find out, or what it wrote is lost.  Seen by three threads that attach and detach.
 */
static void who_ends_beside_a_gather_finds_out(struct ktap *t)
{
	struct setup s;

	set_up(&s, SZ_4K, "MM");
	uses(&s, 0, COHERENCE_WRITE);
	test_device_begin(&s.dev[1], COHERENCE_WRITE);
	s.hw.meanwhile = end_meanwhile;
	hits_meanwhile = 0;
	test_hardware_forget(&s.hw);
	test_device_leave(&s.dev[0]);
	KT_EQ(t, s.hw.nr_operations, 1);
	KT_EQ(t, hits_meanwhile, 0);
	s.hw.meanwhile = NULL;
	test_store(&s.hw, &s.dev[1], 64, 1);
	test_device_end(&s.dev[1], COHERENCE_WRITE);
	KT_EQ(t, whole(&s, 64), M);

	test_device_begin(&s.dev[1], COHERENCE_WRITE);
	s.hw.meanwhile = end_meanwhile;
	KT_CHECK(t, !coherence_cpu_end(&s.c, 128, 64, COHERENCE_WRITE));
	KT_CHECK(t, s.hw.nr_operations > 1);
	KT_EQ(t, hits_meanwhile, 0);
	s.hw.meanwhile = NULL;
	test_device_end(&s.dev[1], COHERENCE_WRITE);
	tear_down(&s);
}

static void end_of_what_was_not_begun(struct ktap *t)
{
	struct setup s;

	set_up(&s, SZ_4K, "M");
	test_store(&s.hw, NULL, 0, 9);
	coherence_lock(&s.c);
	ktap_expect_warn(t, "not begun");
	coherence_end(&s.c, &s.dev[0].slot, COHERENCE_WRITE);
	coherence_unlock(&s.c);
	KT_EQ(t, test_load(&s.hw, &s.dev[0], 0), 9);
	tear_down(&s);
}

static void several_bounced_slots(struct ktap *t)
{
	struct setup s;

	set_up(&s, SZ_4K, "BBM");
	test_store(&s.hw, NULL, 7, 70);
	test_device_begin(&s.dev[0], COHERENCE_READ);
	test_device_begin(&s.dev[1], READ_WRITE);
	KT_EQ(t, test_load(&s.hw, &s.dev[0], 7), 70);
	test_store(&s.hw, &s.dev[1], 8, 80);
	/* A byte that nobody may touch meanwhile: only changed ones are delivered. */
	s.dev[0].bounced[9] = 0xee;
	test_device_end(&s.dev[1], READ_WRITE);
	KT_EQ(t, test_load(&s.hw, &s.dev[0], 8), 80);
	KT_EQ(t, test_load(&s.hw, &s.dev[0], 9), 0xee);
	s.dev[0].bounced[9] = s.dev[0].slot.member.twin[9];
	test_device_begin(&s.dev[2], COHERENCE_READ);
	KT_EQ(t, test_load(&s.hw, &s.dev[2], 8), 80);
	test_device_end(&s.dev[2], COHERENCE_READ);
	test_device_end(&s.dev[0], COHERENCE_READ);
	KT_EQ(t, hweight64(whole(&s, 0)), 4);
	tear_down(&s);
}

static struct event last_bounced;

static void note_bounced(const struct event *event)
{
	if (event->kind == EVENT_BOUNCED)
		last_bounced = *event;
}

static void bounced_bytes_are_counted(struct ktap *t)
{
	struct dma_costs before, cost;
	struct setup s;

	set_up(&s, SZ_4K, "B");
	uses(&s, 0, READ_WRITE);
	test_device_begin(&s.dev[0], COHERENCE_WRITE);
	memset(s.dev[0].bounced + 100, 0x55, 30);
	test_device_end(&s.dev[0], COHERENCE_WRITE);

	event_listener = note_bounced;
	dma_cost_read(&before);
	cpu_uses(&s, 0, SZ_4K, COHERENCE_READ);
	dma_cost_since(&before, &cost);
	event_listener = NULL;
	KT_EQ(t, cost.count[DMA_COST_BYTES_BOUNCED], 30);
	KT_EQ(t, cost.count[DMA_COST_BYTES_COMPARED], SZ_4K - 30);
	KT_CHECK(t, last_bounced.subject == &s.dev[0].slot);
	KT_EQ(t, last_bounced.a, SZ_4K);
	KT_EQ(t, last_bounced.b, 30);
	tear_down(&s);
}

/* --- joining and leaving ---------------------------------------------------------------------- */

static void one_domain_has_no_directory(struct ktap *t)
{
	struct setup s;

	set_up(&s, SZ_4K, "C");
	KT_CHECK(t, s.dev[0].slot.dir == &coherence_unshared);
	uses(&s, 0, READ_WRITE);
	cpu_uses(&s, 0, SZ_4K, READ_WRITE);
	KT_EQ(t, s.hw.nr_operations, 0);
	KT_EQ(t, whole(&s, 0), C);

	/* A device of another domain makes it, and who is open already is seen by its count. */
	test_device_begin(&s.dev[0], COHERENCE_WRITE);
	test_device_init(&s.dev[1], &s.hw, &s.c, COHERENCE_MEMORY, &test_slot_ops);
	s.devices = 2;
	KT_EQ(t, test_device_join(&s.dev[1], DMA_BIDIRECTIONAL), 0);
	KT_CHECK(t, s.dev[0].slot.dir == &s.c.dir);
	KT_CHECK(t, s.dev[1].slot.dir == &s.c.dir);
	KT_CHECK(t, atomic_read(&s.c.dir) & COHERENCE_OTHER_WRITES);
	test_device_begin(&s.dev[1], COHERENCE_READ);
	test_store(&s.hw, &s.dev[0], 0, 3);
	test_device_end(&s.dev[0], COHERENCE_WRITE);
	KT_EQ(t, test_load(&s.hw, &s.dev[1], 0), 3);
	test_device_end(&s.dev[1], COHERENCE_READ);
	tear_down(&s);
}

/* B3: an idle slot is torn down beside a CPU that is writing; neither's bytes are lost. */
static void leave_beside_an_open_writer(struct ktap *t)
{
	static const char *const mixes[] = { "M", "B" };
	struct setup s;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mixes); i++) {
		set_up(&s, SZ_4K, mixes[i]);
		test_device_begin(&s.dev[0], COHERENCE_WRITE);
		test_store(&s.hw, &s.dev[0], 1024, 1);
		test_device_end(&s.dev[0], COHERENCE_WRITE);
		coherence_cpu_begin(&s.c, 0, 64, READ_WRITE);
		test_store(&s.hw, NULL, 0, 2);
		test_device_leave(&s.dev[0]);
		KT_EQ(t, test_load(&s.hw, NULL, 0), 2);
		KT_EQ(t, test_load(&s.hw, NULL, 1024), 1);
		KT_CHECK(t, whole(&s, 0) & C && whole(&s, 1024) & C);
		coherence_cpu_end(&s.c, 0, 64, READ_WRITE);
		tear_down(&s);
	}
}

static void joins_that_fail(struct ktap *t)
{
	struct setup s;
	struct test_device *more;
	unsigned int i;

	set_up(&s, 64, "C");
	test_device_init(&s.dev[1], &s.hw, &s.c, COHERENCE_BOUNCE, &test_slot_ops);
	port_fail_nth(PORT_FAULT_ALLOC, 1);
	KT_EQ(t, test_device_join(&s.dev[1], DMA_BIDIRECTIONAL), -ENOMEM);
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	KT_CHECK(t, !s.c.shared && s.dev[0].slot.dir == &coherence_unshared);
	test_device_fini(&s.dev[1]);

	more = kcalloc(63, sizeof(*more), GFP_KERNEL);
	for (i = 0; i < 63; i++) {
		test_device_init(&more[i], &s.hw, &s.c, COHERENCE_BOUNCE, &test_slot_ops);
		KT_EQ(t, test_device_join(&more[i], DMA_BIDIRECTIONAL), i < 62 ? 0 : -ENOSPC);
	}
	test_device_leave(&more[20]);
	KT_EQ(t, test_device_join(&more[62], DMA_BIDIRECTIONAL), 0);
	for (i = 0; i < 63; i++) {
		test_device_leave(&more[i]);
		test_device_fini(&more[i]);
	}
	kfree(more);
	tear_down(&s);
}

static void released_while_in_use(struct ktap *t)
{
	struct setup s;

	set_up(&s, SZ_4K, "B");
	coherence_cpu_begin(&s.c, 0, 64, COHERENCE_READ);
	ktap_expect_warn(t, "not left");
	ktap_expect_warn(t, "open CPU access");
	coherence_fini(&s.c);
	coherence_init(&s.c, SZ_4K);
	tear_down(&s);
}

/* --- tables and costs ------------------------------------------------------------------------- */

static void table_that_can(struct ktap *t)
{
	struct setup s;
	unsigned int i;

	set_up(&s, SZ_4K, "");
	for (i = 0; i < 2; i++) {
		test_device_init(&s.dev[i], &s.hw, &s.c, COHERENCE_MEMORY, &test_slot_ops_linux);
		test_device_join(&s.dev[i], i ? DMA_FROM_DEVICE : DMA_TO_DEVICE);
	}
	s.devices = 2;
	uses(&s, 1, COHERENCE_WRITE);
	KT_EQ(t, s.hw.operation[0].dir, DMA_TO_DEVICE); /* rather than by the other's own table */
	cpu_uses(&s, 0, 64, COHERENCE_READ);
	KT_CHECK(t, did(&s, 1, 'i', 0, 64));
	KT_EQ(t, s.hw.operation[1].dir, DMA_FROM_DEVICE);

	/*
	 * Only the one that can clean is left; a reader's table cannot bring what nobody can have
	 * written.
	 */
	test_device_leave(&s.dev[1]);
	cpu_uses(&s, 0, SZ_4K, READ_WRITE);
	uses(&s, 0, COHERENCE_READ);
	tear_down(&s);
}

static void bidirectional_tables_get_the_narrower_direction(struct ktap *t)
{
	struct setup s;

	set_up(&s, SZ_4K, "");
	test_device_init(&s.dev[0], &s.hw, &s.c, COHERENCE_MEMORY, &test_slot_ops_linux);
	test_device_join(&s.dev[0], DMA_BIDIRECTIONAL);
	s.devices = 1;
	test_device_begin(&s.dev[0], COHERENCE_WRITE);
	coherence_cpu_begin(&s.c, 0, 64, COHERENCE_WRITE);
	test_device_end(&s.dev[0], COHERENCE_WRITE);
	KT_EQ(t, s.hw.operation[0].dir, DMA_TO_DEVICE);
	coherence_cpu_end(&s.c, 0, 64, COHERENCE_WRITE);
	KT_EQ(t, s.hw.operation[s.hw.nr_operations - 1].dir, DMA_FROM_DEVICE);
	tear_down(&s);
}

static void flush_cleans_once(struct ktap *t)
{
	struct setup s;

	set_up(&s, SZ_4K, "M");
	uses(&s, 0, COHERENCE_WRITE);
	cpu_uses(&s, 128, 64, COHERENCE_WRITE);
	test_hardware_forget(&s.hw);
	coherence_cpu_flush(&s.c);
	KT_CHECK(t, did(&s, 0, 'c', 128, 64));
	coherence_cpu_flush(&s.c);
	KT_EQ(t, s.hw.nr_operations, 1);
	KT_EQ(t, whole(&s, 128), C);

	/* And what is clean need not be cleaned again for the device. */
	uses(&s, 0, COHERENCE_READ);
	KT_EQ(t, s.hw.nr_operations, 1);
	KT_EQ(t, whole(&s, 128), C | M);
	tear_down(&s);
}

/* camera, isp, CPU, gpu, encoder, all non-coherent: at most what the CPU touched, twice. */
static void a_frame_costs_what_the_cpu_touched(struct ktap *t)
{
	const size_t touched = 64 * 40;
	unsigned int frame;
	struct setup s;

	set_up(&s, SZ_1M, "MMM");
	uses(&s, 0, COHERENCE_WRITE);
	for (frame = 0; frame < 5; frame++) {
		test_hardware_forget(&s.hw);
		uses(&s, 0, COHERENCE_WRITE);
		uses(&s, 1, READ_WRITE);
		cpu_uses(&s, SZ_4K, touched, READ_WRITE);
		uses(&s, 2, COHERENCE_READ);
		uses(&s, 1, COHERENCE_READ);
		KT_EQ(t, s.hw.invalidated, touched);
		KT_EQ(t, s.hw.cleaned, touched);
	}
	tear_down(&s);
}

/*
 * CO2. A program is a row of steps: an agent, 0 to 2 the devices and c the CPU, and r, w, x to
 * begin or . to end. All of these are programs for which fresh mapping is right.  Fresh mapping:
 * map cleans, unmap invalidates unless it only read, a CPU bracket invalidates where it reads and
 * cleans where it writes while a mapping exists.
 */
struct fresh {
	char open[DEVICES], cpu;
	u64 passes;
};

static unsigned int mode_of(char m)
{
	return m == 'r' ? COHERENCE_READ : m == 'w' ? COHERENCE_WRITE : READ_WRITE;
}

static void fresh_step(struct fresh *f, const char *step)
{
	unsigned int i, mapped = 0;

	for (i = 0; i < DEVICES; i++)
		mapped += f->open[i] != 0;
	if (step[0] == 'c') {
		char mode = step[1] == '.' ? f->cpu : step[1];

		if (step[1] == '.')
			f->passes += mode != 'r' ? mapped : 0;
		else
			f->passes += mode != 'w' ? mapped : 0;
		f->cpu = step[1] == '.' ? 0 : mode;
	} else {
		char *open = &f->open[step[0] - '0'];

		f->passes += step[1] != '.' || *open != 'r';
		*open = step[1] == '.' ? 0 : step[1];
	}
}

static void never_dearer_than_fresh_mapping(struct ktap *t)
{
	static const char *const programs[] = {
		"0w 0. cr c. 1r 1.",
		"0w 0. cx c. 1r 1. 0w 0. cx c. 1r 1.",
		"cw c. 0r 0. cw c. 0r 0.",
		"0w cr c. 0.",
		"0x cx c. cx c. cx c. 0.",
		"0w 0. 1x 1. 2r 2. cr c.",
		"0r 1r 2r 0. 1. 2. cw c. 0r 1r 0. 1.",
		"0w 0. 0w 0. 0w 0. cr c.",
		"cr 0r c. 0. cr c.",
		"0x cr c. cx c. 0. cr c.",
	};
	unsigned int i, d;

	for (i = 0; i < ARRAY_SIZE(programs); i++) {
		struct fresh fresh = { 0 };
		char open[DEVICES + 1] = { 0 };
		const char *step;
		struct setup s;

		set_up(&s, SZ_4K, "MMM");
		for (step = programs[i]; *step; step += step[2] ? 3 : 2) {
			bool ends = step[1] == '.';

			d = step[0] == 'c' ? DEVICES : step[0] - '0';
			fresh_step(&fresh, step);
			if (!ends)
				open[d] = step[1];
			if (d == DEVICES && ends)
				coherence_cpu_end(&s.c, 0, SZ_4K, mode_of(open[d]));
			else if (d == DEVICES)
				coherence_cpu_begin(&s.c, 0, SZ_4K, mode_of(open[d]));
			else if (ends)
				test_device_end(&s.dev[d], mode_of(open[d]));
			else
				test_device_begin(&s.dev[d], mode_of(open[d]));
			ktap_check(t, s.hw.cleaned + s.hw.invalidated <= fresh.passes * SZ_4K,
				   __FILE__, __LINE__,
				   "%s, up to %zu: %llu bytes, fresh mapping %llu", programs[i],
				   step - programs[i],
				   (unsigned long long)(s.hw.cleaned + s.hw.invalidated),
				   (unsigned long long)(fresh.passes * SZ_4K));
		}
		tear_down(&s);
	}
}

KTAP_MAIN(KTAP_CASE(small_write_in_a_large_frame), KTAP_CASE(brackets_round_out_to_lines),
	  KTAP_CASE(neighbours_are_passed_together), KTAP_CASE(scattered_writes_merge_again),
	  KTAP_CASE(brackets_that_find_no_memory), KTAP_CASE(end_needs_no_memory),
	  KTAP_CASE(end_without_begin), KTAP_CASE(end_without_begin_or_memory),
	  KTAP_CASE(overlapping_brackets), KTAP_CASE(bracket_past_the_end),
	  KTAP_CASE(ends_that_say_something_else),

	  KTAP_CASE(writer_in_memory_beside_brackets), KTAP_CASE(counted_is_not_open),
	  KTAP_CASE(begin_is_announced_before_it_scans),
	  KTAP_CASE(who_ends_beside_a_gather_finds_out), KTAP_CASE(end_of_what_was_not_begun),
	  KTAP_CASE(several_bounced_slots), KTAP_CASE(bounced_bytes_are_counted),
	  KTAP_CASE(one_domain_has_no_directory), KTAP_CASE(leave_beside_an_open_writer),
	  KTAP_CASE(joins_that_fail), KTAP_CASE(released_while_in_use), KTAP_CASE(table_that_can),
	  KTAP_CASE(bidirectional_tables_get_the_narrower_direction), KTAP_CASE(flush_cleans_once),
	  KTAP_CASE(a_frame_costs_what_the_cpu_touched), KTAP_CASE(never_dearer_than_fresh_mapping))
