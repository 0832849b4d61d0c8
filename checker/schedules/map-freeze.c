/* SPDX-License-Identifier: MIT */
/*
 * map-freeze.c - a mapper and a mover at one slot
 *
 * The slot has a live table.  One thread maps, goes over the table and unmaps; the other moves: it
 * freezes, tears down, builds anew and thaws.
 */
#include "checker/schedules/schedules.h"
#include "core/test-mapping-slot.h"

static struct rig rig;

static void setup(void)
{
	struct sg_table *sgt;

	rig_init(&rig, &rig_wide_ops, COHERENCE_CACHES, false);
	sgt = rig_map(&rig, DMA_TO_DEVICE);
	rig_unmap(&rig, sgt);
}

static void map(void)
{
	struct sg_table *sgt = rig_map(&rig, DMA_TO_DEVICE);

	schedule_check(!IS_ERR(sgt), "a map of a living slot fails");
	schedule_check(rig_use(&rig, sgt, DMA_TO_DEVICE), "a mapped table is torn down");
	rig_unmap(&rig, sgt);
}

static void freeze(void)
{
	struct mapping_slot *slot = &rig.slot;

	rig_lock(&rig);
	if (!mapping_slots_freeze(&slot, 1, 0)) {
		mapping_slots_teardown(&slot, 1);
		mapping_slots_rebuild(&slot, 1);
	}
	rig_unlock(&rig);
}

static void finish(void)
{
	schedule_check(rig_quiet(&rig), "somebody is still counted");
	rig_fini(&rig);
}

const struct scenario map_freeze = {
	.name = "map-freeze",
	.what = "map and unmap beside one move",
	.setup = setup,
	.threads = { { "map", map }, { "freeze", freeze } },
	.finish = finish,
};
