/* SPDX-License-Identifier: MIT */
/*
 * mapping-slot-race-test.c - map against move, reclaim, kill and CPU access, in threads
 *
 * Every user goes over the table it was given and over the exporter's behind it; a torn-down table
 * is poisoned by plain stores.  So a use after teardown is a wrong value, and under the thread
 * sanitizer a race.  Each round ends with a kill, in the middle of everything, and a reaping where
 * it was needed.
 */
#include <linux/dma-fence.h>

#include "core/test-mapping-slot.h"
#include "tests/ktap.h"

struct race {
	struct rig rig;
	atomic_t wrong, maps, moves, busy, errors;
	atomic_t stop;
	bool kernel_fences;
	unsigned int rounds;
};

struct runner {
	struct race *race;
	unsigned int seed;
	struct port_thread *thread;
};

static unsigned int draw(struct runner *r, unsigned int n)
{
	r->seed = r->seed * 1103515245 + 12345;
	return (r->seed >> 16) % n;
}

/* Every kind of map and unmap; until the slot is dead. */
static void mapper(void *arg)
{
	static const enum dma_data_direction dirs[] = { DMA_TO_DEVICE, DMA_FROM_DEVICE,
							DMA_BIDIRECTIONAL };
	struct runner *r = arg;
	struct rig *rig = &r->race->rig;

	for (;;) {
		enum dma_data_direction dir = dirs[draw(r, 3)];
		unsigned int kind = draw(r, 8);
		struct sg_table *sgt = kind < 6 ? rig_map(rig, dir) : rig_map_held(rig, dir);

		if (IS_ERR(sgt)) {
			if (PTR_ERR(sgt) == -ENODEV)
				return;
			atomic_inc(&r->race->errors);
			continue;
		}
		if (!rig_use(rig, sgt, dir) ||
		    (READ_ONCE(rig->allowed) & slot_permission(dir)) != slot_permission(dir))
			atomic_inc(&r->race->wrong);
		if (!draw(r, 4))
			port_yield();
		if (!rig_use(rig, sgt, dir))
			atomic_inc(&r->race->wrong);
		if (kind & 1) {
			rig_unmap(rig, sgt);
		} else {
			rig_lock(rig);
			rig_unmap_locked(rig, sgt);
			rig_unlock(rig);
		}
		atomic_inc(&r->race->maps);
	}
}

static const char *fence_name(struct dma_fence *fence)
{
	return "copy";
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_name,
	.get_timeline_name = fence_name,
};

struct copy {
	struct dma_fence fence; /* first: freed as it */
	spinlock_t lock;
};

/* A copy runs from within the move until after it. */
static struct dma_fence *add_copy(struct rig *rig)
{
	struct copy *copy = kzalloc(sizeof(*copy), GFP_KERNEL);

	spin_lock_init(&copy->lock);
	dma_fence_init(&copy->fence, &fence_ops, &copy->lock, dma_fence_context_alloc(1), 1);
	if (dma_resv_reserve_fences(&rig->resv, 1))
		return &copy->fence;
	dma_resv_add_fence(&rig->resv, &copy->fence, DMA_RESV_USAGE_KERNEL);
	mapping_slot_kernel_fence(&rig->slot);
	return &copy->fence;
}

static void mover(void *arg)
{
	struct runner *r = arg;
	struct race *race = r->race;
	struct rig *rig = &race->rig;
	struct mapping_slot *slot = &rig->slot;

	for (unsigned int i = 0; i < race->rounds || atomic_read(&race->maps) < race->rounds; i++) {
		struct dma_fence *copy = NULL;

		rig_lock(rig);
		if (mapping_slots_freeze(&slot, 1, draw(r, 3))) {
			atomic_inc(&race->busy);
		} else {
			atomic_inc(&race->moves);
			mapping_slots_teardown(&slot, 1);
			if (race->kernel_fences)
				copy = add_copy(rig);
			WRITE_ONCE(rig->build_error, draw(r, 8) ? 0 : -ENOMEM);
			mapping_slots_rebuild(&slot, 1);
			WRITE_ONCE(rig->build_error, 0);
		}
		rig_unlock(rig);
		if (copy) {
			dma_fence_signal(copy);
			dma_fence_put(copy);
		}
		port_yield();
	}
	atomic_inc(&race->stop);
}

static void reclaimer(void *arg)
{
	struct runner *r = arg;
	struct rig *rig = &r->race->rig;

	while (!atomic_read(&r->race->stop)) {
		if (dma_resv_trylock(&rig->resv)) {
			mapping_slot_reclaim(&rig->slot);
			rig_unlock(rig);
		}
		port_yield();
	}
}

static void cpu(void *arg)
{
	struct runner *r = arg;
	struct coherence *c = &r->race->rig.coherence;

	while (!atomic_read(&r->race->stop)) {
		unsigned int mode = 1 + draw(r, 3);

		if (coherence_cpu_begin(c, 0, RIG_BYTES, mode))
			continue;
		port_yield();
		coherence_cpu_end(c, 0, RIG_BYTES, mode);
	}
}

static void race(struct ktap *t, enum coherence_domain domain, bool kernel_fences)
{
	static void (*const runs[])(void *) = { mapper, mapper, mapper, mover, reclaimer, cpu };
	unsigned int again = ktap_long ? 50 : 5;

	while (again--) {
		struct runner runner[ARRAY_SIZE(runs)];
		struct race race = { .kernel_fences = kernel_fences, .rounds = 40 };
		bool empty;

		rig_init(&race.rig, &rig_wide_ops, domain, kernel_fences);
		for (unsigned int i = 0; i < ARRAY_SIZE(runs); i++) {
			runner[i] = (struct runner){ .race = &race, .seed = 100 * again + i };
			runner[i].thread = port_thread_create(runs[i], &runner[i], "racer");
		}
		while (!atomic_read(&race.stop))
			port_yield();
		empty = rig_kill(&race.rig);
		for (unsigned int i = 0; i < ARRAY_SIZE(runs); i++)
			port_thread_join(runner[i].thread);
		if (!empty)
			wait_for_completion(&race.rig.reaped);
		flush_work(&race.rig.slot.reap);
		KT_EQ(t, atomic_read(&race.rig.reaps), !empty);
		KT_EQ(t, atomic_read(&race.wrong), 0);
		KT_EQ(t, atomic_read(&race.errors), 0);
		KT_EQ(t, rig_word(&race.rig) & ~SLOT_KERNEL, SLOT_DEAD);
		rig_fini(&race.rig);
	}
}

static void caches(struct ktap *t)
{
	race(t, COHERENCE_CACHES, false);
}

static void memory(struct ktap *t)
{
	race(t, COHERENCE_MEMORY, false);
}

static void bounce(struct ktap *t)
{
	race(t, COHERENCE_BOUNCE, false);
}

static void behind_kernel_fences(struct ktap *t)
{
	race(t, COHERENCE_MEMORY, true);
}

KTAP_MAIN(KTAP_CASE(caches), KTAP_CASE(memory), KTAP_CASE(bounce), KTAP_CASE(behind_kernel_fences))
