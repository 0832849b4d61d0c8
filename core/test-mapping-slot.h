/* SPDX-License-Identifier: MIT */
/*
 * test-mapping-slot.h - a slot with everything around it faked but the directory: for its tests
 *
 * The exporter's tables are never reused and never freed before rig_fini(); a destroyed one is
 * poisoned.  So rig_use() finds out that a table was torn down under its user, with or without a
 * sanitizer.
 *
 * Ownership: rig_fini() ends what rig_init() began; it kills the slot.
 */
#ifndef CORE_TEST_MAPPING_SLOT_H
#define CORE_TEST_MAPPING_SLOT_H

#include <linux/completion.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "core/coherence.h"
#include "core/mapping-slot.h"
#include "host/port.h"

#define RIG_PIECES 3
#define RIG_PIECE_BYTES 4096
#define RIG_BYTES (RIG_PIECES * RIG_PIECE_BYTES)
#define RIG_LIVE 0x600d7ab1eULL
#define RIG_POISON 0xdeadULL

struct rig_table {
	struct sg_table sgt;
	u64 state; /* plain, so that a race with its teardown is a race */
	unsigned int generation;
	struct list_head node; /* in rig.tables */
};

struct rig {
	struct dma_resv resv;
	struct coherence coherence;
	struct mapping_slot slot;

	/* the buffer, and a bounced device's copy of it */
	unsigned char memory[RIG_BYTES], bounced[RIG_BYTES];

	/* the exporter and its device; under the reservation */
	struct list_head tables;
	unsigned int builds, destroys, widens;
	enum dma_data_direction destroyed_dir;
	u32 allowed; /* what the device may do */
	int build_error, widen_error;

	/* under the directory's lock */
	unsigned int cleans, invalidates;

	atomic_t reaps;
	struct completion reaped;
};

static inline struct sg_table *rig_build(struct mapping_slot *slot, enum dma_data_direction dir)
{
	struct rig *rig = slot->owner;
	struct rig_table *table;
	struct scatterlist *sg;
	unsigned int i;
	int ret;

	if (rig->build_error)
		return ERR_PTR(rig->build_error);
	table = kzalloc(sizeof(*table), GFP_KERNEL);
	if (!table)
		return ERR_PTR(-ENOMEM);
	ret = sg_alloc_table(&table->sgt, RIG_PIECES, GFP_KERNEL);
	if (ret) {
		kfree(table);
		return ERR_PTR(ret);
	}
	table->generation = ++rig->builds;
	for_each_sgtable_sg(&table->sgt, sg, i) {
		sg_set_page(sg, (struct page *)(uintptr_t)(0x1000 * (i + 1)), RIG_PIECE_BYTES, 0);
		sg_dma_address(sg) = ((u64)table->generation << 32) + i * RIG_PIECE_BYTES;
		sg_dma_len(sg) = RIG_PIECE_BYTES;
	}
	table->state = RIG_LIVE;
	list_add(&table->node, &rig->tables);
	WRITE_ONCE(rig->allowed, slot_permission(dir));
	return &table->sgt;
}

static inline void rig_destroy(struct mapping_slot *slot, struct sg_table *sgt,
			       enum dma_data_direction dir)
{
	struct rig *rig = slot->owner;
	struct rig_table *table = container_of(sgt, struct rig_table, sgt);
	struct scatterlist *sg;
	unsigned int i;

	WARN(table->state != RIG_LIVE, "rig: destroyed twice\n");
	table->state = RIG_POISON;
	for_each_sgtable_sg(&table->sgt, sg, i) {
		sg_dma_address(sg) = RIG_POISON;
		sg_dma_len(sg) = 0;
	}
	rig->destroys++;
	rig->destroyed_dir = dir;
	WRITE_ONCE(rig->allowed, 0);
}

static inline int rig_widen(struct mapping_slot *slot, enum dma_data_direction from,
			    enum dma_data_direction to)
{
	struct rig *rig = slot->owner;

	if (rig->widen_error)
		return rig->widen_error;
	rig->widens++;
	WRITE_ONCE(rig->allowed, rig->allowed | slot_permission(to));
	return 0;
}

static inline void rig_clean(struct mapping_slot *slot, size_t offset, size_t len,
			     enum dma_data_direction dir)
{
	struct rig *rig = slot->owner;

	rig->cleans++;
}

static inline void rig_invalidate(struct mapping_slot *slot, size_t offset, size_t len,
				  enum dma_data_direction dir)
{
	struct rig *rig = slot->owner;

	rig->invalidates++;
}

static inline void *rig_bounce(struct mapping_slot *slot, size_t offset, size_t *len)
{
	struct rig *rig = slot->owner;

	*len = RIG_BYTES - offset;
	return rig->bounced + offset;
}

static inline void *rig_memory(struct mapping_slot *slot, size_t offset, size_t *len)
{
	struct rig *rig = slot->owner;

	*len = RIG_BYTES - offset;
	return rig->memory + offset;
}

static inline void rig_reaped(struct mapping_slot *slot)
{
	struct rig *rig = slot->owner;

	atomic_inc(&rig->reaps);
	complete(&rig->reaped);
}

#define RIG_OPS                                                                     \
	.build = rig_build, .destroy = rig_destroy, .sync_for_device = rig_clean,   \
	.sync_for_cpu = rig_invalidate, .bounce = rig_bounce, .memory = rig_memory, \
	.reaped = rig_reaped

static const struct mapping_slot_ops rig_narrow_ops = { RIG_OPS };
static const struct mapping_slot_ops rig_wide_ops = { RIG_OPS, .widen = rig_widen };

static inline void rig_init(struct rig *rig, const struct mapping_slot_ops *ops,
			    enum coherence_domain domain, bool waits_kernel)
{
	memset(rig, 0, sizeof(*rig));
	INIT_LIST_HEAD(&rig->tables);
	init_completion(&rig->reaped);
	dma_resv_init(&rig->resv);
	coherence_init(&rig->coherence, RIG_BYTES);
	mapping_slot_init(&rig->slot, ops, &rig->resv, &rig->coherence, domain, waits_kernel, rig);
}

static inline void rig_lock(struct rig *rig)
{
	dma_resv_lock(&rig->resv, NULL);
}

static inline void rig_unlock(struct rig *rig)
{
	dma_resv_unlock(&rig->resv);
}

static inline void rig_fini(struct rig *rig)
{
	struct rig_table *table, *next;

	rig_lock(rig);
	mapping_slot_kill(&rig->slot);
	rig_unlock(rig);
	mapping_slot_fini(&rig->slot);
	coherence_fini(&rig->coherence);
	dma_resv_fini(&rig->resv);
	WARN(rig->builds != rig->destroys, "rig: %u tables built, %u given back\n", rig->builds,
	     rig->destroys);
	list_for_each_entry_safe(table, next, &rig->tables, node) {
		sg_free_table(&table->sgt);
		kfree(table);
	}
}

static inline u32 rig_word(struct rig *rig)
{
	return atomic_read(&rig->slot.word);
}

/* As a device and its driver do: go over the list, and over the exporter's mapping behind it. */
static inline bool rig_use(struct rig *rig, const struct sg_table *sgt, enum dma_data_direction dir)
{
	const struct rig_table *table = container_of(rig->slot.table, struct rig_table, sgt);
	u64 generation = table->generation;
	struct scatterlist *sg;
	bool good = table->state == RIG_LIVE;
	unsigned int i;

	for_each_sgtable_dma_sg(sgt, sg, i)
		good &= sg_dma_address(sg) == (generation << 32) + i * RIG_PIECE_BYTES;
	return good && i == RIG_PIECES;
}

static inline void rig_unmap(struct rig *rig, struct sg_table *sgt)
{
	mapping_slot_unmap_unlocked(&rig->slot, mapping_slot_head(&rig->slot, sgt));
}

static inline void rig_unmap_locked(struct rig *rig, struct sg_table *sgt)
{
	mapping_slot_unmap_locked(&rig->slot, mapping_slot_head(&rig->slot, sgt));
}

static inline struct sg_table *rig_map(struct rig *rig, enum dma_data_direction dir)
{
	return mapping_slot_map_unlocked(&rig->slot, dir);
}

static inline struct sg_table *rig_map_held(struct rig *rig, enum dma_data_direction dir)
{
	struct sg_table *sgt;

	rig_lock(rig);
	sgt = mapping_slot_map_locked(&rig->slot, dir);
	rig_unlock(rig);
	return sgt;
}

static inline bool rig_reclaim(struct rig *rig)
{
	bool empty;

	rig_lock(rig);
	empty = mapping_slot_reclaim(&rig->slot);
	rig_unlock(rig);
	return empty;
}

static inline bool rig_kill(struct rig *rig)
{
	bool empty;

	rig_lock(rig);
	empty = mapping_slot_kill(&rig->slot);
	rig_unlock(rig);
	return empty;
}

/* Nothing runs concurrently and nobody has it mapped. */
static inline bool rig_quiet(struct rig *rig)
{
	return !(rig_word(rig) & (SLOT_COUNTS | SLOT_FROZEN | SLOT_WANT)) && !rig->slot.held;
}

/* A thread that maps, and says when it has. */
struct mapper {
	struct rig *rig;
	bool held;
	struct sg_table *sgt;
	atomic_t done;
	struct port_thread *thread;
};

static inline void mapper_run(void *arg)
{
	struct mapper *m = arg;

	m->sgt = m->held ? rig_map_held(m->rig, DMA_TO_DEVICE) : rig_map(m->rig, DMA_TO_DEVICE);
	atomic_set_release(&m->done, 1);
}

static inline void mapper_start(struct mapper *m, struct rig *rig, bool held)
{
	*m = (struct mapper){ .rig = rig, .held = held };
	m->thread = port_thread_create(mapper_run, m, "mapper");
}

static inline struct sg_table *mapper_join(struct mapper *m)
{
	port_thread_join(m->thread);
	return m->sgt;
}

/* How many mappers have joined the queue of those that met FROZEN. */
static inline int rig_sleepers(struct rig *rig)
{
	struct wait_queue_head *wq = &rig->slot.wq;
	struct list_head *entry;
	int n = 0;

	spin_lock(&wq->lock);
	list_for_each(entry, &wq->head)
		n++;
	spin_unlock(&wq->lock);
	return n;
}

#endif
