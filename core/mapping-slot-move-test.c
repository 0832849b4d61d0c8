/* SPDX-License-Identifier: MIT */
/*
 * mapping-slot-move-test.c - freeze, thaw, reclaim and kill of a slot, and who waits for whom
 */
#include "core/test-mapping-slot.h"
#include "tests/ktap.h"

#define WIDE &rig_wide_ops

struct fleet {
	struct rig rig[3];
	struct mapping_slot *slots[3];
};

/* Three slots of one buffer: one reservation for all. */
static void fleet_init(struct fleet *fleet)
{
	for (int i = 0; i < 3; i++) {
		struct rig *rig = &fleet->rig[i];

		rig_init(rig, WIDE, COHERENCE_CACHES, false);
		rig->slot.resv = &fleet->rig[0].resv;
		rig_unmap(rig, rig_map(rig, DMA_TO_DEVICE));
		fleet->slots[i] = &rig->slot;
	}
}

static void fleet_fini(struct fleet *fleet)
{
	for (int i = 2; i >= 0; i--) {
		fleet->rig[i].slot.resv = &fleet->rig[i].resv;
		rig_fini(&fleet->rig[i]);
	}
}

static void freeze_is_all_or_nothing(struct ktap *t)
{
	struct fleet fleet;
	struct sg_table *sgt;

	fleet_init(&fleet);
	sgt = rig_map(&fleet.rig[1], DMA_TO_DEVICE);
	rig_lock(&fleet.rig[0]);
	KT_EQ(t, mapping_slots_freeze(fleet.slots, 3, 0), -EBUSY);
	for (int i = 0; i < 3; i++)
		KT_EQ(t, rig_word(&fleet.rig[i]) & (SLOT_FROZEN | SLOT_WANT), 0);
	rig_unlock(&fleet.rig[0]);
	rig_unmap(&fleet.rig[1], sgt);

	rig_lock(&fleet.rig[0]);
	KT_EQ(t, mapping_slots_freeze(fleet.slots, 3, 0), 0);
	for (int i = 0; i < 3; i++)
		KT_EQ(t, rig_word(&fleet.rig[i]), SLOT_READ | SLOT_FROZEN);
	mapping_slots_thaw(fleet.slots, 3);
	for (int i = 0; i < 3; i++) {
		KT_EQ(t, rig_word(&fleet.rig[i]), SLOT_READ);
		KT_EQ(t, fleet.rig[i].destroys, 0);
	}
	rig_unlock(&fleet.rig[0]);
	fleet_fini(&fleet);
}

static void empty_and_dead_slots_are_passed_over(struct ktap *t)
{
	struct fleet fleet;
	struct sg_table *sgt;

	fleet_init(&fleet);
	sgt = rig_map(&fleet.rig[2], DMA_TO_DEVICE);
	rig_lock(&fleet.rig[0]);
	KT_CHECK(t, mapping_slot_reclaim(fleet.slots[0]));
	KT_CHECK(t, !mapping_slot_kill(fleet.slots[2]));
	KT_EQ(t, mapping_slots_freeze(fleet.slots, 3, 0), 0);
	KT_EQ(t, rig_word(&fleet.rig[0]), 0);
	KT_EQ(t, rig_word(&fleet.rig[1]), SLOT_READ | SLOT_FROZEN);
	KT_EQ(t, rig_word(&fleet.rig[2]) & SLOT_FROZEN, 0);
	mapping_slots_teardown(fleet.slots, 3);
	KT_EQ(t, fleet.rig[1].destroys, 1);
	KT_EQ(t, fleet.rig[2].destroys, 0);
	mapping_slots_rebuild(fleet.slots, 3);
	KT_EQ(t, rig_word(&fleet.rig[0]), 0);
	KT_EQ(t, rig_word(&fleet.rig[1]), SLOT_READ);
	rig_unlock(&fleet.rig[0]);
	KT_CHECK(t, rig_use(&fleet.rig[2], sgt, DMA_TO_DEVICE));
	rig_unmap(&fleet.rig[2], sgt);
	wait_for_completion(&fleet.rig[2].reaped);
	fleet_fini(&fleet);
}

static void a_move_keeps_permission_and_changes_the_table(struct ktap *t)
{
	struct mapping_slot *slot;
	struct sg_table *sgt;
	struct rig rig;

	rig_init(&rig, WIDE, COHERENCE_MEMORY, false);
	slot = &rig.slot;
	rig_unmap(&rig, rig_map(&rig, DMA_TO_DEVICE));
	rig_unmap(&rig, rig_map(&rig, DMA_FROM_DEVICE));
	rig_lock(&rig);
	KT_EQ(t, mapping_slots_freeze(&slot, 1, 0), 0);
	mapping_slots_teardown(&slot, 1);
	KT_EQ(t, rig.destroyed_dir, DMA_BIDIRECTIONAL);
	mapping_slots_rebuild(&slot, 1);
	rig_unlock(&rig);
	KT_EQ(t, rig_word(&rig), SLOT_READ | SLOT_WRITE);
	KT_EQ(t, rig.allowed, SLOT_READ | SLOT_WRITE);
	sgt = rig_map(&rig, DMA_BIDIRECTIONAL);
	KT_EQ(t, sg_dma_address(sgt->sgl), 2ULL << 32);
	KT_CHECK(t, rig_use(&rig, sgt, DMA_BIDIRECTIONAL));
	rig_unmap(&rig, sgt);
	KT_EQ(t, rig.builds, 2);
	rig_fini(&rig);
}

static void what_cannot_be_rebuilt_is_a_miss(struct ktap *t)
{
	struct mapping_slot *slot;
	struct rig rig;

	rig_init(&rig, WIDE, COHERENCE_CACHES, false);
	slot = &rig.slot;
	for (int i = 0; i < 2; i++) {
		rig_unmap(&rig, rig_map(&rig, DMA_TO_DEVICE));
		rig_lock(&rig);
		KT_EQ(t, mapping_slots_freeze(&slot, 1, 0), 0);
		mapping_slots_teardown(&slot, 1);
		if (i) {
			mapping_slots_thaw(&slot, 1);
		} else {
			rig.build_error = -ENOMEM;
			mapping_slots_rebuild(&slot, 1);
			rig.build_error = 0;
		}
		rig_unlock(&rig);
		KT_EQ(t, rig_word(&rig), 0);
	}
	rig_unmap(&rig, rig_map(&rig, DMA_FROM_DEVICE));
	KT_EQ(t, rig_word(&rig), SLOT_WRITE);
	rig_fini(&rig);
}

static void the_mover_cannot_map_what_it_moves(struct ktap *t)
{
	struct mapping_slot *slot;
	struct rig rig;

	rig_init(&rig, WIDE, COHERENCE_CACHES, false);
	slot = &rig.slot;
	rig_unmap(&rig, rig_map(&rig, DMA_TO_DEVICE));
	rig_lock(&rig);
	KT_EQ(t, mapping_slots_freeze(&slot, 1, 0), 0);
	ktap_expect_warn(t, "mapped by who moves it");
	KT_EQ(t, PTR_ERR(mapping_slot_map_locked(slot, DMA_TO_DEVICE)), -EBUSY);
	KT_EQ(t, slot->held, 0);
	mapping_slots_thaw(&slot, 1);
	rig_unlock(&rig);
	rig_fini(&rig);
}

/* --- who waits for whom ----------------------------------------------------------------------- */

static void who_meets_frozen_sleeps_until_the_thaw(struct ktap *t)
{
	struct mapping_slot *slot;
	struct mapper m[3];
	struct rig rig;

	rig_init(&rig, WIDE, COHERENCE_CACHES, false);
	slot = &rig.slot;
	rig_unmap(&rig, rig_map(&rig, DMA_TO_DEVICE));
	rig_lock(&rig);
	KT_EQ(t, mapping_slots_freeze(&slot, 1, 0), 0);
	for (int i = 0; i < 3; i++) {
		mapper_start(&m[i], &rig, false);
		while (rig_sleepers(&rig) <= i && !atomic_read_acquire(&m[i].done))
			port_yield();
		KT_CHECK(t, !atomic_read(&m[i].done));
	}
	KT_EQ(t, rig_word(&rig), SLOT_READ | SLOT_FROZEN); /* asleep, not counted */
	mapping_slots_teardown(&slot, 1);
	mapping_slots_rebuild(&slot, 1);
	/* Woken they hit: none of them needs the reservation, which is ours. */
	for (int i = 0; i < 3; i++)
		KT_CHECK(t, rig_use(&rig, mapper_join(&m[i]), DMA_TO_DEVICE));
	rig_unlock(&rig);
	for (int i = 0; i < 3; i++)
		rig_unmap(&rig, m[i].sgt);
	KT_CHECK(t, rig_quiet(&rig));
	rig_fini(&rig);
}

struct mover {
	struct rig *rig;
	struct mapping_slot **slots;
	unsigned int n;
	long timeout;
	int ret;
	u32 frozen; /* how many, with the lock still held */
	struct port_thread *thread;
};

static void mover_run(void *arg)
{
	struct mover *m = arg;

	rig_lock(m->rig);
	m->ret = mapping_slots_freeze(m->slots, m->n, m->timeout);
	for (unsigned int i = 0; i < m->n; i++)
		m->frozen += !!(atomic_read(&m->slots[i]->word) & SLOT_FROZEN);
	mapping_slots_thaw(m->slots, m->n);
	rig_unlock(m->rig);
}

static void mover_start(struct mover *m, struct rig *rig, struct mapping_slot **slots,
			unsigned int n, long timeout)
{
	*m = (struct mover){ .rig = rig, .slots = slots, .n = n, .timeout = timeout };
	m->thread = port_thread_create(mover_run, m, "mover");
}

static void await_want(struct rig *rig)
{
	while (!(rig_word(rig) & SLOT_WANT))
		port_yield();
}

static void the_last_one_out_hands_over(struct ktap *t)
{
	struct fleet fleet;
	struct sg_table *first, *second, *other;
	struct mover m;

	fleet_init(&fleet);
	first = rig_map(&fleet.rig[1], DMA_TO_DEVICE);
	second = rig_map(&fleet.rig[1], DMA_FROM_DEVICE);
	other = rig_map(&fleet.rig[2], DMA_TO_DEVICE);
	mover_start(&m, &fleet.rig[0], fleet.slots, 3, MAX_SCHEDULE_TIMEOUT);

	/* It waits with nothing frozen, and others hit meanwhile. */
	await_want(&fleet.rig[1]);
	for (int i = 0; i < 3; i++)
		KT_EQ(t, rig_word(&fleet.rig[i]) & SLOT_FROZEN, 0);
	rig_unmap(&fleet.rig[0], rig_map(&fleet.rig[0], DMA_TO_DEVICE));
	rig_unmap(&fleet.rig[1], rig_map(&fleet.rig[1], DMA_TO_DEVICE));
	rig_unmap(&fleet.rig[1], first);
	KT_CHECK(t, rig_word(&fleet.rig[1]) & SLOT_WANT);
	rig_unmap(&fleet.rig[1], second);
	await_want(&fleet.rig[2]);
	KT_EQ(t, rig_word(&fleet.rig[1]) & (SLOT_FROZEN | SLOT_WANT), 0);
	rig_unmap(&fleet.rig[2], other);

	port_thread_join(m.thread);
	KT_EQ(t, m.ret, 0);
	KT_EQ(t, m.frozen, 3);
	for (int i = 0; i < 3; i++)
		KT_CHECK(t, rig_quiet(&fleet.rig[i]));
	fleet_fini(&fleet);
}

static void a_bounded_wait_ends(struct ktap *t)
{
	struct mapping_slot *slot;
	struct sg_table *sgt;
	struct rig rig;

	rig_init(&rig, WIDE, COHERENCE_CACHES, false);
	slot = &rig.slot;
	sgt = rig_map(&rig, DMA_TO_DEVICE);
	rig_lock(&rig);
	KT_EQ(t, mapping_slots_freeze(&slot, 1, 1), -EBUSY);
	KT_EQ(t, rig_word(&rig), SLOT_READ | SLOT_READER); /* neither frozen nor wanted */
	rig_unlock(&rig);
	rig_unmap(&rig, sgt);
	rig_fini(&rig);
}

/* They end under the lock we hold: for ever would be for ever. */
static void maps_made_under_the_lock_are_not_waited_for(struct ktap *t)
{
	struct mapping_slot *slot;
	struct sg_table *sgt;
	struct rig rig;

	rig_init(&rig, WIDE, COHERENCE_CACHES, false);
	slot = &rig.slot;
	sgt = rig_map_held(&rig, DMA_TO_DEVICE);
	rig_lock(&rig);
	KT_EQ(t, mapping_slots_freeze(&slot, 1, MAX_SCHEDULE_TIMEOUT), -EBUSY);
	KT_CHECK(t, !mapping_slot_reclaim(slot));
	rig_unmap_locked(&rig, sgt);
	KT_EQ(t, mapping_slots_freeze(&slot, 1, MAX_SCHEDULE_TIMEOUT), 0);
	mapping_slots_thaw(&slot, 1);
	rig_unlock(&rig);
	rig_fini(&rig);
}

/* --- reclaim ---------------------------------------------------------------------------------- */

static void only_idle_slots_are_reclaimed(struct ktap *t)
{
	struct sg_table *sgt;
	struct rig rig;

	rig_init(&rig, WIDE, COHERENCE_BOUNCE, false);
	KT_CHECK(t, rig_reclaim(&rig));
	sgt = rig_map(&rig, DMA_FROM_DEVICE);
	KT_CHECK(t, !rig_reclaim(&rig));
	KT_CHECK(t, rig_use(&rig, sgt, DMA_FROM_DEVICE));
	rig.bounced[100] = 42;
	rig_unmap(&rig, sgt);
	KT_CHECK(t, rig_reclaim(&rig));
	KT_EQ(t, rig.memory[100], 42); /* its bytes were saved first */
	KT_EQ(t, rig_word(&rig), 0);
	KT_EQ(t, rig.destroys, 1);
	KT_CHECK(t, rig_reclaim(&rig));
	KT_EQ(t, rig.destroys, 1);
	rig_fini(&rig);
}

/* --- kill ------------------------------------------------------------------------------------- */

static void a_dead_slot_serves_nobody(struct ktap *t)
{
	struct rig rig;

	rig_init(&rig, WIDE, COHERENCE_CACHES, false);
	rig_unmap(&rig, rig_map(&rig, DMA_TO_DEVICE));
	KT_CHECK(t, rig_kill(&rig));
	KT_EQ(t, rig.destroys, 1);
	KT_EQ(t, PTR_ERR(rig_map(&rig, DMA_TO_DEVICE)), -ENODEV);
	KT_EQ(t, PTR_ERR(rig_map_held(&rig, DMA_TO_DEVICE)), -ENODEV);
	KT_EQ(t, rig_word(&rig), SLOT_DEAD);
	KT_CHECK(t, rig_kill(&rig));
	flush_work(&rig.slot.reap);
	KT_EQ(t, atomic_read(&rig.reaps), 0);
	rig_fini(&rig);
}

/* In every order of the users of both kinds, the reaper comes once, and not before the last. */
static void a_slot_killed_in_use_is_reaped_once(struct ktap *t)
{
	static const u8 orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
					 { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };

	for (int i = 0; i < 12; i++) {
		struct sg_table *sgt[3];
		struct rig rig;

		rig_init(&rig, WIDE, i & 1 ? COHERENCE_BOUNCE : COHERENCE_CACHES, false);
		sgt[0] = rig_map(&rig, DMA_FROM_DEVICE);
		sgt[1] = rig_map_held(&rig, DMA_FROM_DEVICE);
		sgt[2] = rig_map_held(&rig, DMA_FROM_DEVICE);
		KT_CHECK(t, !rig_kill(&rig));
		KT_CHECK(t, !rig_kill(&rig));
		KT_CHECK(t, !rig_reclaim(&rig));
		for (int k = 0; k < 3; k++) {
			struct sg_table *mine = sgt[orders[i / 2][k]];

			KT_EQ(t, PTR_ERR(rig_map(&rig, DMA_FROM_DEVICE)), -ENODEV);
			KT_EQ(t, atomic_read(&rig.reaps), 0);
			KT_EQ(t, rig.destroys, 0);
			KT_CHECK(t, rig_use(&rig, mine, DMA_FROM_DEVICE));
			rig_unmap(&rig, mine);
		}
		wait_for_completion(&rig.reaped);
		KT_EQ(t, PTR_ERR(rig_map(&rig, DMA_FROM_DEVICE)), -ENODEV);
		flush_work(&rig.slot.reap);
		KT_EQ(t, atomic_read(&rig.reaps), 1);
		KT_EQ(t, rig.destroys, 1);
		KT_EQ(t, rig_word(&rig), SLOT_DEAD);
		KT_CHECK(t, rig_kill(&rig));
		rig_fini(&rig);
	}
}

/* Between his count-out and his queueing the reaper nobody else takes the table away. */
static void what_the_reaper_will_take_is_not_reclaimed(struct ktap *t)
{
	struct sg_table *sgt;
	struct rig rig;

	rig_init(&rig, WIDE, COHERENCE_CACHES, false);
	sgt = rig_map(&rig, DMA_TO_DEVICE);
	KT_CHECK(t, !rig_kill(&rig));
	atomic_sub(SLOT_READER, &rig.slot.word);
	KT_CHECK(t, !rig_reclaim(&rig));
	KT_EQ(t, rig.destroys, 0);
	atomic_add(SLOT_READER, &rig.slot.word);
	rig_unmap(&rig, sgt);
	wait_for_completion(&rig.reaped);
	flush_work(&rig.slot.reap);
	rig_fini(&rig);
}

static void freed_in_use_is_told(struct ktap *t)
{
	struct sg_table *sgt;
	struct rig rig;

	rig_init(&rig, WIDE, COHERENCE_CACHES, false);
	sgt = rig_map(&rig, DMA_TO_DEVICE);
	ktap_expect_warn(t, "freed with a table");
	ktap_expect_warn(t, "freed in use");
	mapping_slot_fini(&rig.slot);
	rig_unmap(&rig, sgt);
	rig_fini(&rig);
}

KTAP_MAIN(KTAP_CASE(freeze_is_all_or_nothing), KTAP_CASE(empty_and_dead_slots_are_passed_over),
	  KTAP_CASE(a_move_keeps_permission_and_changes_the_table),
	  KTAP_CASE(what_cannot_be_rebuilt_is_a_miss),
	  KTAP_CASE(the_mover_cannot_map_what_it_moves),
	  KTAP_CASE(who_meets_frozen_sleeps_until_the_thaw), KTAP_CASE(the_last_one_out_hands_over),
	  KTAP_CASE(a_bounded_wait_ends), KTAP_CASE(maps_made_under_the_lock_are_not_waited_for),
	  KTAP_CASE(only_idle_slots_are_reclaimed), KTAP_CASE(a_dead_slot_serves_nobody),
	  KTAP_CASE(a_slot_killed_in_use_is_reaped_once),
	  KTAP_CASE(what_the_reaper_will_take_is_not_reclaimed), KTAP_CASE(freed_in_use_is_told))
