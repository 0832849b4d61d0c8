/* SPDX-License-Identifier: MIT */
/*
 * mapping-slot-test.c - each rule of the mapping slot, kept and broken
 *
 * One thread, or two that wait for each other; races are mapping-slot-race-test, every reachable
 * state is mapping-slot-spec-test.
 */
#include <linux/dma-fence.h>
#include <linux/spinlock.h>

#include "core/event.h"
#include "core/test-mapping-slot.h"
#include "tests/ktap.h"

#define WIDE &rig_wide_ops
#define NARROW &rig_narrow_ops

/* --- hit and miss ----------------------------------------------------------------------------- */

static void built_once_hit_for_ever(struct ktap *t)
{
	struct rig rig;

	rig_init(&rig, WIDE, COHERENCE_CACHES, false);
	KT_EQ(t, rig.builds, 0);
	for (int i = 0; i < 10; i++) {
		struct sg_table *sgt = rig_map(&rig, DMA_TO_DEVICE);

		KT_ASSERT(t, !IS_ERR(sgt));
		KT_CHECK(t, rig_use(&rig, sgt, DMA_TO_DEVICE));
		KT_EQ(t, rig_word(&rig), SLOT_READ | SLOT_READER);
		rig_unmap(&rig, sgt);
		KT_EQ(t, rig_word(&rig), SLOT_READ);
	}
	KT_EQ(t, rig.builds, 1);
	KT_EQ(t, rig.destroys, 0);
	rig_fini(&rig);
}

static void head_says_how_it_was_mapped(struct ktap *t)
{
	struct rig rig;
	struct sg_table *sgt[SLOT_HEADS], foreign;

	rig_init(&rig, WIDE, COHERENCE_CACHES, false);
	sgt[SLOT_HEAD_READ] = rig_map(&rig, DMA_TO_DEVICE);
	sgt[SLOT_HEAD_WRITE] = rig_map(&rig, DMA_BIDIRECTIONAL);
	sgt[SLOT_HEAD_HELD_READ] = rig_map_held(&rig, DMA_TO_DEVICE);
	sgt[SLOT_HEAD_HELD_WRITE] = rig_map_held(&rig, DMA_FROM_DEVICE);
	for (int i = 0; i < SLOT_HEADS; i++) {
		KT_EQ(t, mapping_slot_head(&rig.slot, sgt[i]), i);
		KT_CHECK(t, sgt[i]->sgl == sgt[0]->sgl);
	}
	KT_EQ(t, mapping_slot_head(&rig.slot, rig.slot.table), SLOT_HEADS);
	KT_EQ(t, mapping_slot_head(&rig.slot, &foreign), SLOT_HEADS);
	KT_EQ(t, rig_word(&rig), SLOT_READ | SLOT_WRITE | SLOT_READER | SLOT_WRITER);
	KT_EQ(t, rig.slot.held, SLOT_HELD_READER | SLOT_HELD_WRITER);

	/* Each is given back the other way round than it was made. */
	rig_unmap(&rig, sgt[SLOT_HEAD_HELD_READ]);
	KT_EQ(t, rig.slot.held, SLOT_HELD_WRITER);
	rig_unmap(&rig, sgt[SLOT_HEAD_HELD_WRITE]);
	KT_EQ(t, rig.slot.held, 0);
	rig_lock(&rig);
	rig_unmap_locked(&rig, sgt[SLOT_HEAD_READ]);
	rig_unmap_locked(&rig, sgt[SLOT_HEAD_WRITE]);
	rig_unlock(&rig);
	KT_CHECK(t, rig_quiet(&rig));
	rig_fini(&rig);
}

static void trimming_the_copy_leaves_the_exporters_table(struct ktap *t)
{
	struct rig rig;
	struct sg_table *sgt;
	struct scatterlist *sg, *own;
	unsigned int i;

	rig_init(&rig, WIDE, COHERENCE_CACHES, false);
	sgt = rig_map(&rig, DMA_TO_DEVICE);
	KT_ASSERT(t, !IS_ERR(sgt));
	KT_EQ(t, sgt->nents, RIG_PIECES);
	KT_EQ(t, sgt->orig_nents, RIG_PIECES);
	own = rig.slot.table->sgl;
	for_each_sgtable_sg(sgt, sg, i) {
		KT_CHECK(t, sg != own);
		KT_CHECK(t, sg_page(sg) == sg_page(own));
		KT_EQ(t, sg->length, own->length);
		KT_EQ(t, sg_dma_address(sg), sg_dma_address(own));
		KT_EQ(t, sg_dma_len(sg), sg_dma_len(own));
		own = sg_next(own);
	}
	sg_dma_address(sgt->sgl) += 512;
	sg_dma_len(sgt->sgl) -= 512;
	KT_EQ(t, sg_dma_len(rig.slot.table->sgl), RIG_PIECE_BYTES);
	KT_EQ(t, sg_dma_address(rig.slot.table->sgl), 1ULL << 32);
	rig_unmap(&rig, sgt);
	rig_fini(&rig);
}

static void build_fails_cleanly(struct ktap *t)
{
	struct rig rig;

	rig_init(&rig, WIDE, COHERENCE_CACHES, false);
	rig.build_error = -ENXIO;
	KT_EQ(t, PTR_ERR(rig_map(&rig, DMA_TO_DEVICE)), -ENXIO);
	KT_EQ(t, PTR_ERR(rig_map_held(&rig, DMA_TO_DEVICE)), -ENXIO);
	KT_EQ(t, rig_word(&rig), 0);
	KT_EQ(t, rig.slot.held, 0);
	rig.build_error = 0;
	rig_unmap(&rig, rig_map(&rig, DMA_TO_DEVICE));
	KT_EQ(t, rig_word(&rig), SLOT_READ);
	rig_fini(&rig);
}

static void every_allocation_of_a_miss_may_fail(struct ktap *t)
{
	static const enum coherence_domain domains[] = { COHERENCE_CACHES, COHERENCE_MEMORY,
							 COHERENCE_BOUNCE };
	unsigned int failed = 0;

	for (int d = 0; d < 3; d++) {
		for (u64 nth = 1; nth < 50; nth++) {
			struct rig rig;
			struct sg_table *sgt;

			rig_init(&rig, WIDE, domains[d], false);
			port_fail_nth(PORT_FAULT_ALLOC, nth);
			sgt = rig_map(&rig, DMA_BIDIRECTIONAL);
			port_fail_nth(PORT_FAULT_ALLOC, 0);
			if (!IS_ERR(sgt)) {
				rig_unmap(&rig, sgt);
				rig_fini(&rig);
				break;
			}
			failed++;
			KT_EQ(t, PTR_ERR(sgt), -ENOMEM);
			KT_EQ(t, rig_word(&rig), 0);
			KT_CHECK(t, !rig.slot.table);
			KT_EQ(t, rig.builds, rig.destroys);
			sgt = rig_map(&rig, DMA_BIDIRECTIONAL);
			KT_CHECK(t, !IS_ERR(sgt) && rig_use(&rig, sgt, DMA_BIDIRECTIONAL));
			rig_unmap(&rig, sgt);
			rig_fini(&rig);
		}
	}
	/* The exporter's two and the copy's, in each domain; a twin in the last. */
	KT_CHECK(t, failed >= 10);
}

static void too_many_users(struct ktap *t)
{
	struct rig rig;

	rig_init(&rig, WIDE, COHERENCE_CACHES, false);
	for (int i = 0; i < 4096; i++)
		KT_ASSERT(t, !IS_ERR(rig_map(&rig, DMA_TO_DEVICE)));
	KT_EQ(t, PTR_ERR(rig_map(&rig, DMA_TO_DEVICE)), -EBUSY);
	KT_EQ(t, PTR_ERR(rig_map(&rig, DMA_FROM_DEVICE)), -EBUSY);
	KT_EQ(t, rig_word(&rig), SLOT_READ | 4096 * SLOT_READER);
	for (int i = 0; i < 4096; i++)
		rig_unmap(&rig, &rig.slot.head[SLOT_HEAD_READ]);
	for (int i = 0; i < 4096; i++)
		KT_ASSERT(t, !IS_ERR(rig_map(&rig, DMA_FROM_DEVICE)));
	KT_EQ(t, PTR_ERR(rig_map(&rig, DMA_BIDIRECTIONAL)), -EBUSY);
	for (int i = 0; i < 4096; i++)
		rig_unmap(&rig, &rig.slot.head[SLOT_HEAD_WRITE]);

	rig_lock(&rig);
	for (int i = 0; i < 4096; i++)
		KT_ASSERT(t, !IS_ERR(mapping_slot_map_locked(&rig.slot, DMA_FROM_DEVICE)));
	KT_EQ(t, PTR_ERR(mapping_slot_map_locked(&rig.slot, DMA_TO_DEVICE)), -EBUSY);
	KT_EQ(t, rig.slot.held, 4096 * SLOT_HELD_WRITER);
	for (int i = 0; i < 4096; i++)
		rig_unmap_locked(&rig, &rig.slot.head[SLOT_HEAD_HELD_WRITE]);
	rig_unlock(&rig);
	KT_CHECK(t, rig_quiet(&rig));
	rig_fini(&rig);
}

static void one_unmap_too_many(struct ktap *t)
{
	struct rig rig;

	rig_init(&rig, WIDE, COHERENCE_CACHES, false);
	rig_map(&rig, DMA_TO_DEVICE);
	ktap_expect_warn(t, "unmapped more often than mapped");
	rig_unmap(&rig, &rig.slot.head[SLOT_HEAD_WRITE]);
	ktap_expect_warn(t, "unmapped more often than mapped");
	rig_unmap(&rig, &rig.slot.head[SLOT_HEAD_HELD_READ]);
	KT_EQ(t, rig_word(&rig), SLOT_READ | SLOT_READER);
	KT_EQ(t, rig.slot.held, 0);
	KT_CHECK(t, !rig_reclaim(&rig));
	rig_unmap(&rig, &rig.slot.head[SLOT_HEAD_READ]);
	ktap_expect_warn(t, "unmapped more often than mapped");
	rig_unmap(&rig, &rig.slot.head[SLOT_HEAD_READ]);
	KT_CHECK(t, rig_quiet(&rig));
	rig_fini(&rig);
}

/* --- permission ------------------------------------------------------------------------------- */

static void widens_in_place(struct ktap *t)
{
	struct rig rig;
	struct sg_table *reader, *writer;

	rig_init(&rig, WIDE, COHERENCE_CACHES, false);
	reader = rig_map(&rig, DMA_TO_DEVICE);
	KT_EQ(t, rig.allowed, SLOT_READ);
	writer = rig_map(&rig, DMA_FROM_DEVICE);
	KT_EQ(t, rig.allowed, SLOT_READ | SLOT_WRITE);
	KT_CHECK(t, rig_use(&rig, reader, DMA_TO_DEVICE));
	KT_CHECK(t, rig_use(&rig, writer, DMA_FROM_DEVICE));
	KT_EQ(t, rig.builds, 1);
	KT_EQ(t, rig.widens, 1);
	rig_unmap(&rig, reader);
	rig_unmap(&rig, writer);
	rig_unmap(&rig, rig_map(&rig, DMA_BIDIRECTIONAL));
	KT_EQ(t, rig.widens, 1);

	/* The exporter's unmap gets the union, and the next build only what is asked for then. */
	KT_CHECK(t, rig_reclaim(&rig));
	KT_EQ(t, rig.destroyed_dir, DMA_BIDIRECTIONAL);
	rig_unmap(&rig, rig_map(&rig, DMA_FROM_DEVICE));
	KT_EQ(t, rig.allowed, SLOT_WRITE);
	rig_fini(&rig);
	KT_EQ(t, rig.destroyed_dir, DMA_FROM_DEVICE);
}

static void bidirectional_needs_both(struct ktap *t)
{
	struct rig rig;
	struct sg_table *sgt;

	rig_init(&rig, WIDE, COHERENCE_CACHES, false);
	rig_unmap(&rig, rig_map(&rig, DMA_FROM_DEVICE));
	sgt = rig_map(&rig, DMA_BIDIRECTIONAL);
	KT_EQ(t, rig.allowed, SLOT_READ | SLOT_WRITE);
	KT_EQ(t, rig_word(&rig), SLOT_READ | SLOT_WRITE | SLOT_WRITER);
	rig_unmap(&rig, sgt);
	rig_fini(&rig);
}

static void refused_widening_changes_nothing(struct ktap *t)
{
	struct rig rig;
	struct sg_table *sgt;

	rig_init(&rig, WIDE, COHERENCE_CACHES, false);
	sgt = rig_map(&rig, DMA_TO_DEVICE);
	rig.widen_error = -EACCES;
	KT_EQ(t, PTR_ERR(rig_map(&rig, DMA_FROM_DEVICE)), -EACCES);
	KT_EQ(t, PTR_ERR(rig_map_held(&rig, DMA_BIDIRECTIONAL)), -EACCES);
	KT_EQ(t, rig_word(&rig), SLOT_READ | SLOT_READER);
	KT_EQ(t, rig.slot.table_dir, DMA_TO_DEVICE);
	rig_unmap(&rig, sgt);
	rig_fini(&rig);
	KT_EQ(t, rig.destroyed_dir, DMA_TO_DEVICE);
}

/* The other shape, stock Linux: a slot for each direction. */
static void without_widen_a_slot_serves_one_direction(struct ktap *t)
{
	static const enum dma_data_direction dirs[] = { DMA_BIDIRECTIONAL, DMA_TO_DEVICE,
							DMA_FROM_DEVICE };
	struct sg_table *sgt;
	struct rig rig[3];

	for (int i = 0; i < 3; i++) {
		rig_init(&rig[i], NARROW, COHERENCE_CACHES, false);
		sgt = rig_map(&rig[i], dirs[i]);
		KT_CHECK(t, rig_use(&rig[i], sgt, dirs[i]));
		KT_EQ(t, rig[i].allowed, slot_permission(dirs[i]));
		rig_unmap(&rig[i], sgt);
	}
	KT_EQ(t, PTR_ERR(rig_map(&rig[1], DMA_FROM_DEVICE)), -EOPNOTSUPP);
	KT_EQ(t, PTR_ERR(rig_map_held(&rig[1], DMA_BIDIRECTIONAL)), -EOPNOTSUPP);
	KT_EQ(t, PTR_ERR(rig_map(&rig[2], DMA_TO_DEVICE)), -EOPNOTSUPP);
	for (int i = 0; i < 3; i++) {
		KT_CHECK(t, rig_quiet(&rig[i]));
		KT_EQ(t, rig[i].builds, 1);
		rig_fini(&rig[i]);
		KT_EQ(t, rig[i].destroyed_dir, dirs[i]);
	}
}

/* --- the look --------------------------------------------------------------------------------- */

/* With the directory's lock taken by us, whoever comes here needs no lock or hangs. */
static void hits_take_no_lock(struct ktap *t)
{
	struct rig rig;

	rig_init(&rig, WIDE, COHERENCE_MEMORY, false);
	rig_unmap(&rig, rig_map(&rig, DMA_BIDIRECTIONAL));
	rig_lock(&rig);
	coherence_lock(&rig.coherence);
	for (int i = 0; i < 3; i++) {
		rig_unmap(&rig, rig_map(&rig, DMA_BIDIRECTIONAL));
		rig_unmap_locked(&rig, mapping_slot_map_locked(&rig.slot, DMA_TO_DEVICE));
	}
	coherence_unlock(&rig.coherence);
	rig_unlock(&rig);
	rig_fini(&rig);
}

static void unshared_slots_never_come_to_the_directory(struct ktap *t)
{
	struct rig rig;

	rig_init(&rig, WIDE, COHERENCE_CACHES, false);
	rig_unmap(&rig, rig_map(&rig, DMA_BIDIRECTIONAL));
	KT_EQ(t, coherence_cpu_begin(&rig.coherence, 0, RIG_BYTES, COHERENCE_WRITE), 0);
	coherence_lock(&rig.coherence);
	rig_unmap(&rig, rig_map(&rig, DMA_BIDIRECTIONAL));
	coherence_unlock(&rig.coherence);
	KT_CHECK(t, coherence_cpu_end(&rig.coherence, 0, RIG_BYTES, COHERENCE_WRITE));
	KT_EQ(t, rig.cleans + rig.invalidates, 0);
	rig_fini(&rig);
}

typedef struct sg_table *(*map_fn)(struct rig *, enum dma_data_direction);
typedef void (*unmap_fn)(struct rig *, struct sg_table *);

static void check_cpu_accesses(struct ktap *t, map_fn map, unmap_fn unmap)
{
	struct coherence *c;
	struct rig rig;
	struct sg_table *sgt;

	rig_init(&rig, WIDE, COHERENCE_MEMORY, false);
	c = &rig.coherence;
	unmap(&rig, map(&rig, DMA_BIDIRECTIONAL));
	KT_EQ(t, rig.cleans, 1); /* the exporter's */

	/* M not whole: a reader's begin cleans. */
	KT_EQ(t, coherence_cpu_begin(c, 0, RIG_BYTES, COHERENCE_WRITE), 0);
	coherence_cpu_end(c, 0, RIG_BYTES, COHERENCE_WRITE);
	rig.cleans = 0;
	unmap(&rig, map(&rig, DMA_TO_DEVICE));
	KT_EQ(t, rig.cleans, 1);
	unmap(&rig, map(&rig, DMA_TO_DEVICE));
	KT_EQ(t, rig.cleans, 1);

	/* A reader open in C: a writer's end pushes to it. */
	KT_EQ(t, coherence_cpu_begin(c, 0, RIG_BYTES, COHERENCE_READ), 0);
	rig.invalidates = 0;
	unmap(&rig, map(&rig, DMA_TO_DEVICE));
	KT_EQ(t, rig.invalidates, 0);
	unmap(&rig, map(&rig, DMA_FROM_DEVICE));
	KT_EQ(t, rig.invalidates, 1);
	coherence_cpu_end(c, 0, RIG_BYTES, COHERENCE_READ);

	/* A writer open in C: every begin pulls, and what is open in M the CPU's end pushes to. */
	KT_EQ(t, coherence_cpu_begin(c, 0, RIG_BYTES, COHERENCE_WRITE), 0);
	rig.cleans = 0;
	sgt = map(&rig, DMA_TO_DEVICE);
	KT_EQ(t, rig.cleans, 1);
	coherence_cpu_end(c, 0, RIG_BYTES, COHERENCE_WRITE);
	KT_EQ(t, rig.cleans, 2);
	unmap(&rig, sgt);
	rig_fini(&rig);
}

static void unmap_under_the_lock(struct rig *rig, struct sg_table *sgt)
{
	rig_lock(rig);
	rig_unmap_locked(rig, sgt);
	rig_unlock(rig);
}

static void cpu_accesses_make_hits_move_bytes(struct ktap *t)
{
	check_cpu_accesses(t, rig_map, rig_unmap);
	check_cpu_accesses(t, rig_map, unmap_under_the_lock);
	check_cpu_accesses(t, rig_map_held, rig_unmap);
	check_cpu_accesses(t, rig_map_held, unmap_under_the_lock);
}

static void kept_mapping_brackets_each_access(struct ktap *t)
{
	struct rig rig;
	struct sg_table *sgt;

	rig_init(&rig, WIDE, COHERENCE_BOUNCE, false);
	sgt = rig_map(&rig, DMA_BIDIRECTIONAL);
	for (int i = 1; i < 4; i++) {
		coherence_cpu_begin(&rig.coherence, 0, RIG_BYTES, COHERENCE_WRITE);
		rig.memory[7] = 10 * i;
		coherence_cpu_end(&rig.coherence, 0, RIG_BYTES, COHERENCE_WRITE);
		mapping_slot_begin_access(&rig.slot, DMA_BIDIRECTIONAL);
		KT_EQ(t, rig.bounced[7], 10 * i);
		rig.bounced[8] = i;
		mapping_slot_end_access(&rig.slot, DMA_BIDIRECTIONAL);
		coherence_cpu_begin(&rig.coherence, 0, RIG_BYTES, COHERENCE_READ);
		KT_EQ(t, rig.memory[8], i);
		coherence_cpu_end(&rig.coherence, 0, RIG_BYTES, COHERENCE_READ);
	}
	KT_EQ(t, rig_word(&rig) & SLOT_COUNTS, SLOT_WRITER);
	rig_unmap(&rig, sgt);
	ktap_expect_warn(t, "access without a mapping");
	mapping_slot_end_access(&rig.slot, DMA_TO_DEVICE);
	rig_fini(&rig);
}

static void open_is_told_from_the_counts(struct ktap *t)
{
	struct mapping_slot *slot;
	struct sg_table *sgt;
	struct rig rig;

	rig_init(&rig, WIDE, COHERENCE_CACHES, false);
	slot = &rig.slot;
	KT_EQ(t, mapping_slot_open(slot), 0);
	sgt = rig_map(&rig, DMA_FROM_DEVICE);
	KT_EQ(t, mapping_slot_open(slot), COHERENCE_WRITE);
	rig_unmap(&rig, sgt);
	KT_EQ(t, mapping_slot_open(slot), 0);
	atomic_add(SLOT_READER, &slot->word); /* on its way to ask for more than there is */
	KT_EQ(t, mapping_slot_open(slot), 0);
	atomic_sub(SLOT_READER, &slot->word);
	KT_CHECK(t, !mapping_slot_active(slot));
	sgt = rig_map_held(&rig, DMA_TO_DEVICE);
	KT_EQ(t, mapping_slot_open(slot), COHERENCE_READ);
	KT_CHECK(t, mapping_slot_active(slot));
	rig_unmap(&rig, sgt);
	sgt = rig_map_held(&rig, DMA_FROM_DEVICE); /* may read too, by now */
	KT_EQ(t, mapping_slot_open(slot), COHERENCE_READ | COHERENCE_WRITE);
	rig_unmap(&rig, sgt);
	rig_lock(&rig);
	KT_EQ(t, mapping_slots_freeze(&slot, 1, 0), 0);
	atomic_add(SLOT_READER, &slot->word); /* has not looked yet */
	KT_EQ(t, mapping_slot_open(slot), 0);
	atomic_sub(SLOT_READER, &slot->word);
	mapping_slots_thaw(&slot, 1);
	rig_unlock(&rig);
	rig_fini(&rig);
}

/* --- KERNEL fences ---------------------------------------------------------------------------- */

struct pending {
	struct dma_fence fence;
	spinlock_t lock;
	atomic_t waited_for;
};

static const char *pending_name(struct dma_fence *fence)
{
	return "pending";
}

static bool pending_enable(struct dma_fence *fence)
{
	atomic_set(&container_of(fence, struct pending, fence)->waited_for, 1);
	return true;
}

static void pending_release(struct dma_fence *fence)
{
}

static const struct dma_fence_ops pending_ops = {
	.get_driver_name = pending_name,
	.get_timeline_name = pending_name,
	.enable_signaling = pending_enable,
	.release = pending_release,
};

static void pend(struct ktap *t, struct rig *rig, struct pending *pending)
{
	spin_lock_init(&pending->lock);
	atomic_set(&pending->waited_for, 0);
	dma_fence_init(&pending->fence, &pending_ops, &pending->lock, dma_fence_context_alloc(1),
		       1);
	rig_lock(rig);
	KT_EQ(t, dma_resv_reserve_fences(&rig->resv, 1), 0);
	dma_resv_add_fence(&rig->resv, &pending->fence, DMA_RESV_USAGE_KERNEL);
	mapping_slot_kernel_fence(&rig->slot);
	rig_unlock(rig);
}

static void static_importers_wait_for_kernel_fences(struct ktap *t)
{
	for (int variant = 0; variant < 4; variant++) {
		bool held = variant & 1, miss = variant & 2;
		struct pending pending;
		struct mapper m;
		struct rig rig;

		rig_init(&rig, WIDE, COHERENCE_CACHES, true);
		if (!miss)
			rig_unmap(&rig, rig_map(&rig, DMA_TO_DEVICE));
		pend(t, &rig, &pending);
		if (miss) /* the fence is older than the slot */
			atomic_andnot(SLOT_KERNEL, &rig.slot.word);
		mapper_start(&m, &rig, held);
		while (!atomic_read(&pending.waited_for) && !atomic_read_acquire(&m.done))
			port_yield();
		KT_CHECK(t, atomic_read(&pending.waited_for));
		KT_CHECK(t, !atomic_read(&m.done));
		dma_fence_signal(&pending.fence);
		KT_CHECK(t, !IS_ERR(mapper_join(&m)));
		KT_EQ(t, rig_word(&rig) & SLOT_KERNEL, 0);
		rig_unmap(&rig, m.sgt);

		atomic_set(&pending.waited_for, 0);
		rig_unmap(&rig, rig_map(&rig, DMA_TO_DEVICE));
		KT_EQ(t, rig.builds, 1);
		rig_fini(&rig);
		dma_fence_put(&pending.fence);
	}
}

static void interrupted_wait_counts_nobody(struct ktap *t)
{
	struct pending pending;
	struct rig rig;

	rig_init(&rig, WIDE, COHERENCE_MEMORY, true);
	pend(t, &rig, &pending);
	for (int i = 0; i < 4; i++) {
		struct sg_table *sgt;

		port_fail_nth(PORT_FAULT_WAIT, 1);
		sgt = i & 1 ? rig_map_held(&rig, DMA_FROM_DEVICE) : rig_map(&rig, DMA_FROM_DEVICE);
		port_fail_nth(PORT_FAULT_WAIT, 0);
		KT_EQ(t, PTR_ERR(sgt), -ERESTARTSYS);
		KT_CHECK(t, rig_quiet(&rig));
		KT_EQ(t, rig_word(&rig), SLOT_WRITE | SLOT_KERNEL);
		KT_EQ(t, rig.cleans, 0); /* nothing gathered while the copy runs */
	}
	dma_fence_signal(&pending.fence);
	rig_unmap(&rig, rig_map(&rig, DMA_FROM_DEVICE));
	KT_EQ(t, rig_word(&rig), SLOT_WRITE);
	rig_fini(&rig);
	dma_fence_put(&pending.fence);
}

static void dynamic_importers_do_not_wait(struct ktap *t)
{
	struct mapping_slot *slot;
	struct pending pending;
	struct rig rig;

	rig_init(&rig, WIDE, COHERENCE_CACHES, false);
	slot = &rig.slot;
	pend(t, &rig, &pending);
	rig_unmap(&rig, rig_map(&rig, DMA_TO_DEVICE));
	rig_lock(&rig);
	KT_EQ(t, mapping_slots_freeze(&slot, 1, 0), 0);
	mapping_slots_teardown(&slot, 1);
	mapping_slots_rebuild(&slot, 1);
	rig_unlock(&rig);
	rig_unmap(&rig, rig_map_held(&rig, DMA_FROM_DEVICE));
	KT_EQ(t, atomic_read(&pending.waited_for), 0);
	KT_EQ(t, rig_word(&rig) & SLOT_KERNEL, 0);
	dma_fence_signal(&pending.fence);
	rig_fini(&rig);
	dma_fence_put(&pending.fence);
}

static void a_slot_rebuilt_under_a_kernel_fence_waits(struct ktap *t)
{
	struct mapping_slot *slot;
	struct pending pending;
	struct mapper m;
	struct rig rig;

	rig_init(&rig, WIDE, COHERENCE_CACHES, true);
	slot = &rig.slot;
	rig_unmap(&rig, rig_map(&rig, DMA_TO_DEVICE));
	pend(t, &rig, &pending);
	atomic_andnot(SLOT_KERNEL, &slot->word); /* as if nobody had told this slot */
	rig_lock(&rig);
	KT_EQ(t, mapping_slots_freeze(&slot, 1, 0), 0);
	mapping_slots_teardown(&slot, 1);
	mapping_slots_rebuild(&slot, 1);
	rig_unlock(&rig);
	KT_EQ(t, rig_word(&rig), SLOT_READ | SLOT_KERNEL);
	dma_fence_signal(&pending.fence);

	/* Who cannot have the reservation leaves the bit to the next. */
	rig_lock(&rig);
	mapper_start(&m, &rig, false);
	KT_CHECK(t, !IS_ERR(mapper_join(&m)));
	KT_EQ(t, rig_word(&rig), SLOT_READ | SLOT_KERNEL | SLOT_READER);
	rig_unlock(&rig);
	rig_unmap(&rig, m.sgt);
	rig_unmap(&rig, rig_map(&rig, DMA_TO_DEVICE));
	KT_EQ(t, rig_word(&rig), SLOT_READ);
	rig_fini(&rig);
	dma_fence_put(&pending.fence);
}

/* --- events ----------------------------------------------------------------------------------- */

static char told[32];

static void listen(const struct event *event)
{
	size_t n = strlen(told);

	if (n + 4 > sizeof(told) || event->kind < EVENT_BUILD || event->kind > EVENT_WIDEN)
		return;
	told[n] = "BTW"[event->kind - EVENT_BUILD];
	told[n + 1] = '0' + event->a;
	told[n + 2] = event->kind == EVENT_WIDEN ? '0' + event->b : '.';
}

static void events_tell_builds_widenings_and_teardowns(struct ktap *t)
{
	struct rig rig;

	rig_init(&rig, WIDE, COHERENCE_CACHES, false);
	event_listener = listen;
	rig_unmap(&rig, rig_map(&rig, DMA_TO_DEVICE));
	rig_unmap(&rig, rig_map(&rig, DMA_FROM_DEVICE));
	rig_reclaim(&rig);
	event_listener = NULL;
	KT_CHECK(t, !strcmp(told, "B1.W10T0."));
	rig_fini(&rig);
}

/* What is done under the reservation says so when it is not. */
static void without_the_reservation_it_is_told(struct ktap *t)
{
	static const char *const functions[] = {
		"slot_update_kernel",    "mapping_slots_freeze", "mapping_slots_teardown",
		"mapping_slots_rebuild", "mapping_slots_thaw",   "mapping_slot_kernel_fence",
		"mapping_slot_reclaim"
	};
	struct mapping_slot *slots[1];
	struct rig rig;

	if (!IS_ENABLED(LIBDMABUF_CHECKS)) {
		ktap_skip(t, "only checking builds assert");
		return;
	}
	rig_init(&rig, WIDE, COHERENCE_CACHES, true);
	slots[0] = &rig.slot;
	rig_unmap(&rig, rig_map(&rig, DMA_TO_DEVICE));
	for (unsigned int i = 0; i < ARRAY_SIZE(functions); i++)
		ktap_expect_warn(t, functions[i]);
	mapping_slot_kernel_fence(&rig.slot);
	KT_EQ(t, mapping_slots_freeze(slots, 1, 0), 0);
	mapping_slots_teardown(slots, 1);
	mapping_slots_rebuild(slots, 1);
	KT_EQ(t, mapping_slots_freeze(slots, 0, 0), 0);
	mapping_slots_thaw(slots, 1);
	KT_CHECK(t, mapping_slot_reclaim(&rig.slot));
	KT_EQ(t, rig.builds, 2);
	rig_fini(&rig);
}

/* Who moves a slot neither freezes it again, nor kills it; who has no mapping begins no access. */
static void a_frozen_slot_is_its_movers(struct ktap *t)
{
	struct mapping_slot *slots[1];
	struct rig rig;

	rig_init(&rig, WIDE, COHERENCE_CACHES, false);
	slots[0] = &rig.slot;
	rig_unmap(&rig, rig_map(&rig, DMA_TO_DEVICE));
	ktap_expect_warn(t, "access without a mapping");
	mapping_slot_begin_access(&rig.slot, DMA_TO_DEVICE);
	rig_lock(&rig);
	KT_EQ(t, mapping_slots_freeze(slots, 1, 0), 0);
	ktap_expect_warn(t, "frozen twice");
	KT_EQ(t, mapping_slots_freeze(slots, 1, 0), 0);
	mapping_slots_thaw(slots, 1);
	/* a rebuild of what was not torn down leaves it */
	KT_EQ(t, mapping_slots_freeze(slots, 1, 0), 0);
	mapping_slots_rebuild(slots, 1);
	KT_EQ(t, rig.builds, 1);
	rig_unlock(&rig);
	rig_fini(&rig);
}

/* A dead slot is reaped when the last of its held maps has gone, not the first. */
static void held_maps_of_a_dead_slot_are_one_user(struct ktap *t)
{
	struct sg_table *sgt[2];
	struct rig rig;

	rig_init(&rig, WIDE, COHERENCE_CACHES, false);
	for (int i = 0; i < 2; i++)
		sgt[i] = rig_map_held(&rig, DMA_TO_DEVICE);
	KT_CHECK(t, !rig_kill(&rig));
	for (int i = 0; i < 2; i++) {
		KT_EQ(t, rig.destroys, 0);
		rig_lock(&rig);
		rig_unmap_locked(&rig, sgt[i]);
		rig_unlock(&rig);
	}
	wait_for_completion(&rig.reaped);
	KT_EQ(t, rig.destroys, 1);
	rig_fini(&rig);
}

KTAP_MAIN(KTAP_CASE(built_once_hit_for_ever), KTAP_CASE(head_says_how_it_was_mapped),
	  KTAP_CASE(trimming_the_copy_leaves_the_exporters_table), KTAP_CASE(build_fails_cleanly),
	  KTAP_CASE(every_allocation_of_a_miss_may_fail), KTAP_CASE(too_many_users),
	  KTAP_CASE(one_unmap_too_many), KTAP_CASE(widens_in_place),
	  KTAP_CASE(bidirectional_needs_both), KTAP_CASE(refused_widening_changes_nothing),
	  KTAP_CASE(without_widen_a_slot_serves_one_direction), KTAP_CASE(hits_take_no_lock),
	  KTAP_CASE(unshared_slots_never_come_to_the_directory),
	  KTAP_CASE(cpu_accesses_make_hits_move_bytes),
	  KTAP_CASE(kept_mapping_brackets_each_access), KTAP_CASE(open_is_told_from_the_counts),
	  KTAP_CASE(static_importers_wait_for_kernel_fences),
	  KTAP_CASE(interrupted_wait_counts_nobody), KTAP_CASE(dynamic_importers_do_not_wait),
	  KTAP_CASE(a_slot_rebuilt_under_a_kernel_fence_waits),
	  KTAP_CASE(events_tell_builds_widenings_and_teardowns),
	  KTAP_CASE(without_the_reservation_it_is_told), KTAP_CASE(a_frozen_slot_is_its_movers),
	  KTAP_CASE(held_maps_of_a_dead_slot_are_one_user))
