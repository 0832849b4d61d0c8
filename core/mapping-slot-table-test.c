/* SPDX-License-Identifier: MIT */
/*
 * mapping-slot-table-test.c - what a slot keeps of the table it is given, what it tells the
 * directory that its device does, and what it asks of its callers
 */
#include <linux/sched.h>

#include "core/event.h"
#include "core/test-mapping-slot.h"
#include "tests/ktap.h"

#define OPEN_BITS (COHERENCE_OTHER_READS | COHERENCE_OTHER_WRITES)

/* --- the table -------------------------------------------------------------------------------- */

static unsigned int merged; /* entries of the next table that its device does not see */

static struct sg_table *build_merged(struct mapping_slot *slot, enum dma_data_direction dir)
{
	struct sg_table *sgt = rig_build(slot, dir);

	if (!IS_ERR(sgt))
		sgt->nents = RIG_PIECES - merged;
	return sgt;
}

/* An IOMMU merges pieces, so the device's part of the list is shorter than the memory's. */
static void the_copy_has_both_lengths(struct ktap *t)
{
	struct mapping_slot_ops ops = rig_narrow_ops;
	struct rig rig;

	ops.build = build_merged;
	rig_init(&rig, &ops, COHERENCE_CACHES, false);
	for (merged = 0; merged < RIG_PIECES; merged++) {
		struct sg_table *sgt = rig_map(&rig, DMA_BIDIRECTIONAL);

		KT_ASSERT(t, !IS_ERR(sgt));
		KT_EQ(t, sgt->nents, RIG_PIECES - merged);
		KT_EQ(t, sgt->orig_nents, RIG_PIECES);
		KT_EQ(t, rig.slot.entries, RIG_PIECES);
		rig_unmap(&rig, sgt);
		KT_CHECK(t, rig_reclaim(&rig));
		KT_EQ(t, rig.slot.table_dir, DMA_NONE);
		for (int head = 0; head < SLOT_HEADS; head++)
			KT_CHECK(t, !rig.slot.head[head].sgl);
	}
	rig_fini(&rig);
}

#define MANY 300 /* more entries than one allocation holds */

static struct sg_table *build_many(struct mapping_slot *slot, enum dma_data_direction dir)
{
	struct sg_table *sgt = rig_build(slot, dir);

	sg_free_table(sgt);
	if (sg_alloc_table(sgt, MANY, GFP_KERNEL))
		return ERR_PTR(-ENOMEM);
	return sgt;
}

/* An importer that looks at its part only has set the counts to it, and is not asked about them. */
static void all_of_the_copy_is_freed(struct ktap *t)
{
	struct mapping_slot_ops ops = rig_narrow_ops;
	struct sg_table *sgt;
	struct rig rig;

	ops.build = build_many;
	rig_init(&rig, &ops, COHERENCE_CACHES, false);
	sgt = rig_map(&rig, DMA_TO_DEVICE);
	KT_ASSERT(t, !IS_ERR(sgt));
	KT_EQ(t, sgt->nents, MANY);
	sgt->orig_nents = sgt->nents = 1;
	rig_unmap(&rig, sgt);
	KT_CHECK(t, rig_reclaim(&rig));
	rig_fini(&rig);
}

static void a_slot_needs_no_zeroed_memory(struct ktap *t)
{
	struct sg_table *sgt;
	struct rig rig;

	rig_init(&rig, &rig_wide_ops, COHERENCE_MEMORY, false);
	memset(&rig.slot, 0xa5, sizeof(rig.slot));
	mapping_slot_init(&rig.slot, &rig_wide_ops, &rig.resv, &rig.coherence, COHERENCE_MEMORY,
			  false, &rig);
	KT_EQ(t, rig_word(&rig), 0);
	KT_EQ(t, rig.slot.table_dir, DMA_NONE);
	KT_CHECK(t, rig.slot.dir == &coherence_unshared);
	KT_CHECK(t, !mapping_slot_active(&rig.slot));
	mapping_slot_fini(&rig.slot); /* no table, no users */
	sgt = rig_map(&rig, DMA_TO_DEVICE);
	KT_ASSERT(t, !IS_ERR(sgt));
	KT_CHECK(t, rig_use(&rig, sgt, DMA_TO_DEVICE));
	rig_unmap(&rig, sgt);
	rig_fini(&rig);
}

static bool in_the_device;

static bool is_device_memory(struct mapping_slot *slot, const struct sg_table *table)
{
	return in_the_device;
}

static struct event joined;

static void note_join(const struct event *event)
{
	if (event->kind == EVENT_JOIN)
		joined = *event;
}

/* A buffer moves into a device's memory and out again: the slot's domain is its table's. */
static void a_table_of_device_memory_moves_nothing(struct ktap *t)
{
	struct mapping_slot_ops ops = rig_narrow_ops;
	struct rig rig;

	ops.device_memory = is_device_memory;
	rig_init(&rig, &ops, COHERENCE_MEMORY, false);
	event_listener = note_join;
	for (int round = 0; round < 4; round++) {
		in_the_device = round & 1;
		rig.cleans = rig.invalidates = 0;
		coherence_cpu_begin(&rig.coherence, 0, RIG_BYTES, COHERENCE_WRITE);
		coherence_cpu_end(&rig.coherence, 0, RIG_BYTES, COHERENCE_WRITE);
		rig_unmap(&rig, rig_map(&rig, DMA_BIDIRECTIONAL));
		KT_EQ(t, rig.slot.member.device_memory, in_the_device);
		KT_EQ(t, rig.slot.member.domain,
		      in_the_device ? COHERENCE_CACHES : COHERENCE_MEMORY);
		KT_EQ(t, rig.cleans, !in_the_device);
		KT_CHECK(t, joined.subject == &rig.slot);
		KT_EQ(t, joined.a, in_the_device ? COHERENCE_SET_C : COHERENCE_SET_M);
		KT_EQ(t, joined.b, in_the_device);

		/* What an end that only reads may pass depends on the domain alone. */
		KT_EQ(t, rig.slot.end_mask[0], in_the_device ? COHERENCE_UNSHARED : 0);
		KT_EQ(t, rig.slot.end_want[0], in_the_device ? COHERENCE_UNSHARED : 0);
		KT_CHECK(t, rig_reclaim(&rig));
		joined = (struct event){};
	}
	event_listener = NULL;
	rig_fini(&rig);
}

/* --- what the device does --------------------------------------------------------------------- */

static unsigned int told;

static void *memory_and_look(struct mapping_slot *slot, size_t offset, size_t *len)
{
	struct rig *rig = slot->owner;

	told = atomic_read(&rig->coherence.dir) & OPEN_BITS;
	return rig_memory(slot, offset, len);
}

/* A bounced device's, whose begins look at the word. */
static void look_init(struct rig *rig, struct mapping_slot_ops *ops)
{
	*ops = rig_wide_ops;
	ops->memory = memory_and_look;
	rig_init(rig, ops, COHERENCE_BOUNCE, false);
}

/* The CPU writes, so that the next begin moves bytes. */
static void outdate(struct rig *rig)
{
	coherence_cpu_begin(&rig->coherence, 0, RIG_BYTES, COHERENCE_WRITE);
	coherence_cpu_end(&rig->coherence, 0, RIG_BYTES, COHERENCE_WRITE);
	told = 0;
}

static unsigned int told_at_map(struct rig *rig, enum dma_data_direction dir)
{
	outdate(rig);
	rig_unmap(rig, rig_map(rig, dir));
	return told;
}

/* Who writes may read as well, if that is what the slot allows. */
static void a_map_announces_what_its_device_may_do(struct ktap *t)
{
	struct mapping_slot_ops ops;
	struct rig rig;

	look_init(&rig, &ops);
	KT_EQ(t, told_at_map(&rig, DMA_FROM_DEVICE), COHERENCE_OTHER_WRITES);
	KT_EQ(t, told_at_map(&rig, DMA_TO_DEVICE), COHERENCE_OTHER_READS);
	KT_EQ(t, told_at_map(&rig, DMA_FROM_DEVICE), OPEN_BITS);
	rig_fini(&rig);
}

static void a_direction_is_what_the_device_does(struct ktap *t)
{
	KT_EQ(t, coherence_device_mode(DMA_TO_DEVICE), COHERENCE_READ);
	KT_EQ(t, coherence_device_mode(DMA_FROM_DEVICE), COHERENCE_WRITE);
	KT_EQ(t, coherence_device_mode(DMA_BIDIRECTIONAL), COHERENCE_READ | COHERENCE_WRITE);
}

/*
 * Who keeps his mapping is open all the time, and is brought up to date by other's ends.  While
 * others are open, too, it is his own begin and end that do it.
 */
static void kept_mappings_beside_open_brackets(struct ktap *t)
{
	struct sg_table *sgt;
	struct rig rig;

	rig_init(&rig, &rig_wide_ops, COHERENCE_BOUNCE, false);
	sgt = rig_map(&rig, DMA_BIDIRECTIONAL);
	coherence_cpu_begin(&rig.coherence, 0, RIG_BYTES, COHERENCE_READ | COHERENCE_WRITE);
	rig.memory[7] = 70;
	mapping_slot_begin_access(&rig.slot, DMA_TO_DEVICE);
	KT_EQ(t, rig.bounced[7], 70);
	rig.bounced[8] = 80;
	mapping_slot_end_access(&rig.slot, DMA_FROM_DEVICE);
	KT_EQ(t, rig.memory[8], 80);
	rig.bounced[8] = 81;
	mapping_slot_end_access(&rig.slot, DMA_TO_DEVICE);
	KT_EQ(t, rig.memory[8], 80);
	coherence_cpu_end(&rig.coherence, 0, RIG_BYTES, COHERENCE_READ | COHERENCE_WRITE);
	rig_unmap(&rig, sgt);
	rig_fini(&rig);
}

/* --- what callers owe ------------------------------------------------------------------------- */

/* A count of the other kind is not his. */
static void a_held_unmap_of_the_other_kind_is_told(struct ktap *t)
{
	struct sg_table *sgt;
	struct rig rig;

	rig_init(&rig, &rig_wide_ops, COHERENCE_CACHES, false);
	for (int head = SLOT_HEAD_HELD_READ; head <= SLOT_HEAD_HELD_WRITE; head++) {
		sgt = rig_map_held(&rig,
				   head == SLOT_HEAD_HELD_READ ? DMA_FROM_DEVICE : DMA_TO_DEVICE);
		ktap_expect_warn(t, "unmapped more often than mapped");
		rig_unmap(&rig, &rig.slot.head[head]);
		KT_CHECK(t, rig.slot.held);
		rig_unmap(&rig, sgt);
		KT_EQ(t, rig.slot.held, 0);
	}
	rig_fini(&rig);
}

/* Once the last one out has frozen a dead slot, only the reaper that he queued touches it. */
static void a_dead_slot_is_its_reapers(struct ktap *t)
{
	struct mapping_slot *slot;
	struct sg_table *sgt;
	struct rig rig;

	rig_init(&rig, &rig_wide_ops, COHERENCE_CACHES, false);
	slot = &rig.slot;
	sgt = rig_map(&rig, DMA_TO_DEVICE);
	rig_lock(&rig);
	KT_CHECK(t, !mapping_slot_kill(slot));
	rig_unmap(&rig, sgt);
	KT_EQ(t, rig_word(&rig), SLOT_READ | SLOT_DEAD | SLOT_FROZEN);
	KT_CHECK(t, !mapping_slot_kill(slot));
	KT_CHECK(t, !mapping_slot_reclaim(slot));
	KT_EQ(t, mapping_slots_freeze(&slot, 1, 0), 0);
	mapping_slots_teardown(&slot, 1);
	mapping_slots_thaw(&slot, 1);
	KT_EQ(t, rig_word(&rig), SLOT_READ | SLOT_DEAD | SLOT_FROZEN);
	KT_EQ(t, rig.destroys, 0);
	rig_unlock(&rig);
	wait_for_completion(&rig.reaped);
	flush_work(&slot->reap);
	KT_EQ(t, rig.destroys, 1);
	rig_fini(&rig);
}

/* Who moves a slot tears it down himself; a kill meanwhile is a mistake, and takes nothing away. */
static void a_frozen_slot_is_not_killed(struct ktap *t)
{
	struct mapping_slot *slot;
	struct rig rig;

	rig_init(&rig, &rig_wide_ops, COHERENCE_CACHES, false);
	slot = &rig.slot;
	rig_unmap(&rig, rig_map(&rig, DMA_TO_DEVICE));
	rig_lock(&rig);
	KT_EQ(t, mapping_slots_freeze(&slot, 1, 0), 0);
	ktap_expect_warn(t, "killed by who moves it");
	KT_CHECK(t, !mapping_slot_kill(slot));
	KT_EQ(t, rig.destroys, 0);
	atomic_andnot(SLOT_FROZEN, &slot->word);
	KT_CHECK(t, mapping_slot_kill(slot));
	rig_unlock(&rig);
	rig_fini(&rig);
}

static void a_miss_under_the_reservation_holds_it(struct ktap *t)
{
	struct sg_table *sgt;
	struct rig rig;

	if (!IS_ENABLED(LIBDMABUF_CHECKS)) {
		ktap_skip(t, "only checking builds assert");
		return;
	}
	rig_init(&rig, &rig_wide_ops, COHERENCE_MEMORY, false);
	ktap_expect_warn(t, "slot_provide");
	ktap_expect_warn(t, "slot_update_kernel");
	sgt = mapping_slot_map_locked(&rig.slot, DMA_FROM_DEVICE);
	coherence_cpu_begin(&rig.coherence, 0, RIG_BYTES, COHERENCE_READ);
	ktap_expect_warn(t, "mapping_slot_end_slow");
	rig_unmap_locked(&rig, sgt);
	coherence_cpu_end(&rig.coherence, 0, RIG_BYTES, COHERENCE_READ);
	ktap_expect_warn(t, "mapping_slot_kill");
	KT_CHECK(t, mapping_slot_kill(&rig.slot));
	rig_fini(&rig);
}

/* Whatever it then does: who cannot wait must not have called it. */
static void misses_may_sleep(struct ktap *t)
{
	struct sg_table *sgt;
	struct rig rig;

	rig_init(&rig, &rig_wide_ops, COHERENCE_CACHES, false);
	rig.build_error = -EIO;
	preempt_disable();
	ktap_expect_warn(t, "might_sleep"); /* its own, and the reservation's */
	ktap_expect_warn(t, "might_sleep");
	KT_EQ(t, PTR_ERR(rig_map(&rig, DMA_TO_DEVICE)), -EIO);
	preempt_enable();
	rig_lock(&rig);
	preempt_disable();
	ktap_expect_warn(t, "might_sleep");
	KT_EQ(t, PTR_ERR(mapping_slot_map_locked(&rig.slot, DMA_TO_DEVICE)), -EIO);
	preempt_enable();
	rig_unlock(&rig);
	rig.build_error = 0;
	sgt = rig_map_held(&rig, DMA_TO_DEVICE);
	preempt_disable();
	ktap_expect_warn(t, "might_sleep");
	ktap_expect_warn(t, "might_sleep");
	rig_unmap(&rig, sgt);
	preempt_enable();
	rig_fini(&rig);
}

/* --- room ------------------------------------------------------------------------------------- */

static unsigned int builds_that_fail, asked;
static int failing_with;
static bool room_comes;

static struct sg_table *build_with_room(struct mapping_slot *slot, enum dma_data_direction dir)
{
	if (!builds_that_fail)
		return rig_build(slot, dir);
	builds_that_fail--;
	return ERR_PTR(failing_with);
}

static bool ask_for_room(struct mapping_slot *slot)
{
	asked++;
	WARN(dma_resv_is_locked(slot->resv), "asked for room under the reservation\n");
	return room_comes;
}

/* Without the reservation, and once: who is told to try again and fails again has failed. */
static void a_miss_without_room_asks_for_it_once(struct ktap *t)
{
	static const int errors[] = { -ENOMEM, -ENOSPC, -EIO };
	struct mapping_slot_ops ops = rig_narrow_ops;
	struct sg_table *sgt;
	struct rig rig;

	ops.build = build_with_room;
	ops.starved = ask_for_room;
	for (unsigned int way = 0; way < 3 * 3 * 4; way++) {
		unsigned int fails = way % 3;
		bool held = way / 9 & 1, asks;

		failing_with = errors[way / 3 % 3];
		room_comes = way / 18;
		builds_that_fail = fails;
		asked = 0;
		asks = fails && !held && failing_with != -EIO;
		rig_init(&rig, &ops, COHERENCE_CACHES, false);
		sgt = held ? rig_map_held(&rig, DMA_TO_DEVICE) : rig_map(&rig, DMA_TO_DEVICE);
		KT_EQ(t, asked, asks);
		if (!fails || (fails == 1 && asks && room_comes)) {
			KT_ASSERT(t, !IS_ERR(sgt));
			rig_unmap(&rig, sgt);
		} else {
			KT_EQ(t, PTR_ERR(sgt), failing_with);
		}
		KT_EQ(t, builds_that_fail, fails == 2 && !(asks && room_comes) ? 1 : 0);
		KT_EQ(t, rig_word(&rig) & SLOT_WRITER, 0);
		rig_fini(&rig);
	}
}

KTAP_MAIN(KTAP_CASE(the_copy_has_both_lengths), KTAP_CASE(all_of_the_copy_is_freed),
	  KTAP_CASE(a_slot_needs_no_zeroed_memory),
	  KTAP_CASE(a_table_of_device_memory_moves_nothing),
	  KTAP_CASE(a_map_announces_what_its_device_may_do),
	  KTAP_CASE(a_direction_is_what_the_device_does),
	  KTAP_CASE(kept_mappings_beside_open_brackets),
	  KTAP_CASE(a_held_unmap_of_the_other_kind_is_told), KTAP_CASE(a_dead_slot_is_its_reapers),
	  KTAP_CASE(a_frozen_slot_is_not_killed), KTAP_CASE(a_miss_under_the_reservation_holds_it),
	  KTAP_CASE(misses_may_sleep), KTAP_CASE(a_miss_without_room_asks_for_it_once))
