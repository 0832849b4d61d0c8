/* SPDX-License-Identifier: MIT */
/*
 * slot-scenarios.c - users of one mapping slot beside those who take its table away
 *
 * Everything around the slot is core/test-mapping-slot.h's: a table that was torn down is poisoned by
 * plain stores, so a use of it is a wrong value or a race.
 */
#include "checker/schedules/schedules.h"
#include "core/test-mapping-slot.h"

static struct rig rig;

static void setup_empty(void)
{
	rig_init(&rig, &rig_wide_ops, COHERENCE_CACHES, false);
}

static void setup_built(void)
{
	setup_empty();
	rig_unmap(&rig, rig_map(&rig, DMA_TO_DEVICE));
}

/* The worker that reaps stands ready, so that starting it is no step. */
static void setup_worker(void)
{
	setup_built();
	schedule_work(&rig.slot.reap);
	flush_work(&rig.slot.reap);
	atomic_set(&rig.reaps, 0);
	reinit_completion(&rig.reaped);
	rig_unmap(&rig, rig_map(&rig, DMA_TO_DEVICE));
}

static void finish(void)
{
	schedule_check(rig_quiet(&rig), "somebody is still counted");
	rig_fini(&rig);
}

static void use(struct sg_table *sgt, enum dma_data_direction dir)
{
	schedule_check(!IS_ERR(sgt), "a map of a living slot fails");
	schedule_check(rig_use(&rig, sgt, dir), "a mapped table is torn down");
	schedule_check(!(slot_permission(dir) & ~READ_ONCE(rig.allowed)),
		       "a mapped table allows too little");
	rig_unmap(&rig, sgt);
}

static void map_to_read(void)
{
	use(rig_map(&rig, DMA_TO_DEVICE), DMA_TO_DEVICE);
}

static void map_to_write(void)
{
	use(rig_map(&rig, DMA_FROM_DEVICE), DMA_FROM_DEVICE);
}

static void map_held(void)
{
	use(rig_map_held(&rig, DMA_TO_DEVICE), DMA_TO_DEVICE);
}

static bool move(long timeout)
{
	struct mapping_slot *slot = &rig.slot;
	bool moved;

	rig_lock(&rig);
	moved = !mapping_slots_freeze(&slot, 1, timeout);
	if (moved) {
		mapping_slots_teardown(&slot, 1);
		mapping_slots_rebuild(&slot, 1);
	}
	rig_unlock(&rig);
	return moved;
}

static void move_once(void)
{
	move(0);
}

static void move_patiently(void)
{
	schedule_check(move(MAX_SCHEDULE_TIMEOUT), "a mover with all the time gives up");
}

static void reclaim(void)
{
	if (!dma_resv_trylock(&rig.resv))
		return;
	mapping_slot_reclaim(&rig.slot);
	rig_unlock(&rig);
}

/* --- detach ----------------------------------------------------------------------------------- */

static bool killed_idle;

static void map_or_not(void)
{
	struct sg_table *sgt = rig_map(&rig, DMA_TO_DEVICE);

	if (IS_ERR(sgt)) {
		schedule_check(PTR_ERR(sgt) == -ENODEV, "a dead slot answers something else");
		return;
	}
	schedule_check(rig_use(&rig, sgt, DMA_TO_DEVICE), "a mapped table is torn down");
	rig_unmap(&rig, sgt);
}

static void map_or_not_held(void)
{
	struct sg_table *sgt = rig_map_held(&rig, DMA_TO_DEVICE);

	if (IS_ERR(sgt))
		return;
	schedule_check(rig_use(&rig, sgt, DMA_TO_DEVICE), "a mapped table is torn down");
	rig_unmap(&rig, sgt);
}

static void detach(void)
{
	killed_idle = rig_kill(&rig);
}

static void finish_detached(void)
{
	if (!killed_idle)
		wait_for_completion(&rig.reaped);
	flush_work(&rig.slot.reap);
	schedule_check(atomic_read(&rig.reaps) == !killed_idle, "not reaped once");
	finish();
}

const struct scenario map_freeze = {
	.name = "map-freeze",
	.what = "map and unmap beside a move that does not wait",
	.setup = setup_built,
	.threads = { { "map", map_to_read }, { "freeze", move_once } },
	.finish = finish,
};

const struct scenario map_move = {
	.name = "map-move",
	.what = "map and unmap beside a mover that sleeps until the slot is handed over",
	.setup = setup_built,
	.threads = { { "map", map_to_read }, { "move", move_patiently } },
	.finish = finish,
};

const struct scenario map_move_reclaim = {
	.name = "map-move-reclaim",
	.what = "map and unmap beside a mover and a reclaimer",
	.setup = setup_built,
	.threads = { { "map", map_to_read }, { "move", move_patiently }, { "reclaim", reclaim } },
	.finish = finish,
};

const struct scenario map_freeze_move = {
	.name = "map-freeze-move",
	.what = "map and unmap beside one who moves if nobody has it, and one who waits until then",
	.setup = setup_built,
	.threads = { { "map", map_to_read }, { "freeze", move_once }, { "move", move_patiently } },
	.finish = finish,
};

const struct scenario map_map = {
	.name = "map-map",
	.what = "two who find no table",
	.setup = setup_empty,
	.threads = { { "map", map_to_read }, { "another", map_to_read } },
	.finish = finish,
};

const struct scenario map_held_map = {
	.name = "map-held-map",
	.what = "two who find no table, one of them under the reservation",
	.setup = setup_empty,
	.threads = { { "held", map_held }, { "map", map_to_read } },
	.finish = finish,
};

const struct scenario map_widen = {
	.name = "map-widen",
	.what = "two who find no table, one to read and one to write",
	.setup = setup_empty,
	.threads = { { "read", map_to_read }, { "write", map_to_write } },
	.finish = finish,
};

const struct scenario map_held_move = {
	.name = "map-held-move",
	.what = "a map under the reservation, given back without it, beside a move",
	.setup = setup_built,
	.threads = { { "held", map_held }, { "move", move_once } },
	.finish = finish,
};

const struct scenario map_detach = {
	.name = "map-detach",
	.what = "two who map beside a detach; the last one out has the slot reaped",
	.setup = setup_worker,
	.threads = { { "map", map_or_not }, { "again", map_or_not }, { "detach", detach } },
	.finish = finish_detached,
};

const struct scenario map_reclaim_detach = {
	.name = "map-reclaim-detach",
	.what = "a map beside a reclaimer and a detach",
	.setup = setup_worker,
	.threads = { { "map", map_or_not }, { "reclaim", reclaim }, { "detach", detach } },
	.finish = finish_detached,
};

const struct scenario map_held_detach = {
	.name = "map-held-detach",
	.what = "a map under the reservation and one without beside a detach",
	.setup = setup_worker,
	.threads = { { "held", map_or_not_held }, { "map", map_or_not }, { "detach", detach } },
	.finish = finish_detached,
};
