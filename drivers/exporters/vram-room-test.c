/* SPDX-License-Identifier: MIT */
/*
 * vram-room-test.c - who leaves VRAM for whom, who may not, and what comes of it
 */
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "dma/engine.h"
#include "dma/machine.h"
#include "drivers/exporters/vram-place.h"
#include "drivers/resv-set.h"
#include "host/port.h"
#include "tests/ktap.h"
#include "tests/said.h"

#define BYTES (2 * PAGE_SIZE)
#define MOST 32

struct bed {
	struct machine *machine;
	struct device *owner, *other;
	struct vram *vram;
	struct dma_buf *buffer[MOST];
	unsigned int n;
};

static void bed_up(struct bed *bed, const char *machine, const struct vram_config *config)
{
	const struct machine_type *type = machine_type_find(machine);

	*bed = (struct bed){};
	bed->machine = machine_create(type, 0);
	bed->owner = machine_add_device(bed->machine, "gpu", type->coherent);
	bed->other = machine_add_device(bed->machine, "other", type->coherent);
	bed->vram = vram_create_with(bed->owner, config);
}

static struct dma_buf *add(struct ktap *t, struct bed *bed, enum vram_placement where)
{
	struct dma_buf *dmabuf = vram_allocate(bed->vram, BYTES, where, NULL);

	KT_CHECK(t, !IS_ERR(dmabuf));
	bed->buffer[bed->n++] = dmabuf;
	return dmabuf;
}

static void bed_down(struct bed *bed)
{
	while (bed->n)
		dma_buf_put(bed->buffer[--bed->n]);
	vram_destroy(bed->vram);
	machine_remove_device(bed->other);
	machine_remove_device(bed->owner);
	machine_destroy(bed->machine);
	rcu_barrier();
}

static int move(struct dma_buf *dmabuf, enum vram_placement where)
{
	int ret;

	dma_resv_lock(dmabuf->resv, NULL);
	ret = vram_move_async(dmabuf, where);
	dma_resv_unlock(dmabuf->resv);
	return ret;
}

static void fill(struct ktap *t, struct dma_buf *dmabuf, u8 byte)
{
	u8 bytes[BYTES];

	memset(bytes, byte, BYTES);
	KT_EQ(t, vram_begin_access(dmabuf, DMA_FROM_DEVICE), 0);
	KT_EQ(t, vram_write(dmabuf, 0, bytes, BYTES), 0);
	vram_end_access(dmabuf, DMA_FROM_DEVICE);
}

static bool holds(struct ktap *t, struct dma_buf *dmabuf, u8 byte)
{
	u8 bytes[BYTES] = {}, want[BYTES];

	memset(want, byte, BYTES);
	KT_EQ(t, vram_begin_access(dmabuf, DMA_TO_DEVICE), 0);
	KT_EQ(t, vram_read(dmabuf, 0, bytes, BYTES), 0);
	vram_end_access(dmabuf, DMA_TO_DEVICE);
	return !memcmp(bytes, want, BYTES);
}

static bool in_vram(struct bed *bed, unsigned int i)
{
	return vram_placement(bed->buffer[i]) == VRAM_PLACEMENT_VRAM;
}

/* --- eviction --------------------------------------------------------------------------------- */

static void the_one_not_used_for_longest_leaves(struct ktap *t)
{
	struct vram_stats stats;
	struct bed bed;

	bed_up(&bed, "arm", &(struct vram_config){ .bytes = 3 * BYTES });
	for (unsigned int i = 0; i < 3; i++)
		fill(t, add(t, &bed, VRAM_PLACEMENT_VRAM), 1 + i);
	/* Used now: the second is the oldest. */
	KT_EQ(t, move(bed.buffer[0], VRAM_PLACEMENT_VRAM), 0);
	fill(t, add(t, &bed, VRAM_PLACEMENT_VRAM), 4);
	KT_CHECK(t, in_vram(&bed, 0) && !in_vram(&bed, 1) && in_vram(&bed, 2) && in_vram(&bed, 3));
	KT_EQ(t, move(bed.buffer[1], VRAM_PLACEMENT_VRAM), 0);
	KT_CHECK(t, in_vram(&bed, 0) && in_vram(&bed, 1) && !in_vram(&bed, 2) && in_vram(&bed, 3));
	for (unsigned int i = 0; i < 4; i++)
		KT_CHECK(t, holds(t, bed.buffer[i], 1 + i));
	vram_read_stats(bed.vram, &stats);
	KT_EQ(t, stats.evictions, 2);
	KT_EQ(t, stats.moves, 3);
	bed_down(&bed);
}

static void who_is_pinned_or_locked_stays(struct ktap *t)
{
	struct iosys_map map;
	struct bed bed;

	bed_up(&bed, "arm", &(struct vram_config){ .bytes = 3 * BYTES });
	for (unsigned int i = 0; i < 4; i++)
		fill(t, add(t, &bed, VRAM_PLACEMENT_VRAM), 1 + i);
	KT_CHECK(t, !in_vram(&bed, 0));
	KT_EQ(t, dma_buf_vmap_unlocked(bed.buffer[1], &map), 0);
	lockdep_off(); /* several without a context: nobody else waits here */
	dma_resv_lock(bed.buffer[2]->resv, NULL);
	dma_resv_lock(bed.buffer[0]->resv, NULL);
	KT_EQ(t, vram_move_async(bed.buffer[0], VRAM_PLACEMENT_VRAM), 0);
	dma_resv_unlock(bed.buffer[0]->resv);
	KT_CHECK(t, in_vram(&bed, 0) && in_vram(&bed, 1) && in_vram(&bed, 2) && !in_vram(&bed, 3));
	/* And when all must stay there is no room, and the old place is as it was. */
	dma_resv_lock(bed.buffer[3]->resv, NULL);
	dma_resv_lock(bed.buffer[0]->resv, NULL);
	KT_EQ(t, vram_move_async(bed.buffer[3], VRAM_PLACEMENT_VRAM), -ENOSPC);
	for (unsigned int i = 0; i < 4; i++)
		if (i != 1)
			dma_resv_unlock(bed.buffer[i]->resv);
	dma_buf_vunmap_unlocked(bed.buffer[1], &map);
	for (unsigned int i = 0; i < 4; i++)
		KT_CHECK(t, holds(t, bed.buffer[i], 1 + i));
	bed_down(&bed);
	lockdep_on();
}

/* An importer that maps statically uses its mapping: the buffer cannot go to VRAM, and nobody must
 * make room for it. */
static void room_is_not_made_in_vain(struct ktap *t)
{
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	struct bed bed;

	bed_up(&bed, "arm", &(struct vram_config){ .bytes = BYTES });
	add(t, &bed, VRAM_PLACEMENT_VRAM);
	add(t, &bed, VRAM_PLACEMENT_SYSTEM);
	attach = dma_buf_attach(bed.buffer[1], bed.other);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	KT_EQ(t, move(bed.buffer[1], VRAM_PLACEMENT_VRAM), -EBUSY);
	KT_CHECK(t, in_vram(&bed, 0));
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	KT_EQ(t, move(bed.buffer[1], VRAM_PLACEMENT_VRAM), 0);
	KT_CHECK(t, !in_vram(&bed, 0));
	dma_buf_detach(bed.buffer[1], attach);
	bed_down(&bed);
}

/* Four times as much as there is: each round works on what fits, and all bytes come along. */
static void four_times_too_much(struct ktap *t)
{
	struct vram_stats stats;
	struct bed bed;

	for (const struct machine_type *type = machine_types; type->name; type++) {
		bed_up(&bed, type->name, &(struct vram_config){ .bytes = MOST / 4 * BYTES });
		for (unsigned int i = 0; i < MOST; i++)
			fill(t, add(t, &bed, VRAM_PLACEMENT_VRAM), i);
		for (unsigned int round = 0; round < 8; round++) {
			unsigned int first = round * 5;

			for (unsigned int i = first; i < first + MOST / 4; i++) {
				struct dma_buf *dmabuf = bed.buffer[i % MOST];

				KT_EQ(t, move(dmabuf, VRAM_PLACEMENT_VRAM), 0);
				KT_CHECK(t, holds(t, dmabuf, i % MOST));
			}
			/* The working set fits, so none of it made another leave. */
			for (unsigned int i = first; i < first + MOST / 4; i++)
				KT_CHECK(t, in_vram(&bed, i % MOST));
		}
		vram_read_stats(bed.vram, &stats);
		KT_CHECK(t, stats.evictions >= MOST - MOST / 4);
		bed_down(&bed);
	}
}

/* Several at once, whose locks are taken together: none of them leaves for another. */
static void a_working_set_is_locked_together(struct ktap *t)
{
	struct dma_resv *resvs[3];
	struct resv_set set;
	struct bed bed;

	bed_up(&bed, "arm", &(struct vram_config){ .bytes = 3 * BYTES });
	for (unsigned int i = 0; i < 6; i++)
		fill(t, add(t, &bed, VRAM_PLACEMENT_VRAM), i);
	for (unsigned int i = 0; i < 3; i++)
		resvs[i] = bed.buffer[i]->resv;
	resv_set_lock(&set, resvs, 3);
	for (unsigned int i = 0; i < 3; i++)
		KT_EQ(t, vram_move_async(bed.buffer[i], VRAM_PLACEMENT_VRAM), 0);
	resv_set_unlock(&set);
	for (unsigned int i = 0; i < 6; i++) {
		KT_EQ(t, in_vram(&bed, i), i < 3);
		KT_CHECK(t, holds(t, bed.buffer[i], i));
	}
	bed_down(&bed);
}

/* --- where others reach ----------------------------------------------------------------------- */

static void on_move(struct dma_buf_attachment *attach)
{
}

static const struct dma_buf_attach_ops peer_ops = { .allow_peer2peer = true,
						    .move_notify = on_move };

static void peers_reach_the_window_only(struct ktap *t)
{
	struct vram_config config = { .bytes = 4 * BYTES, .visible = BYTES };
	struct dma_buf_attachment *attach[3];
	struct sg_table *sgt[3];
	u8 bytes[BYTES];
	struct bed bed;

	bed_up(&bed, "arm", &config);
	for (unsigned int i = 0; i < 3; i++) {
		fill(t, add(t, &bed, VRAM_PLACEMENT_VRAM), 1 + i);
		attach[i] = dma_buf_dynamic_attach(bed.buffer[i], bed.other, &peer_ops, NULL);
		KT_CHECK(t, attach[i]->peer2peer);
	}
	/* The first that a peer maps comes into the window; while he has it, others find no room. */
	for (unsigned int i = 0; i < 3; i++) {
		sgt[i] = dma_buf_map_attachment_unlocked(attach[i], DMA_TO_DEVICE);
		KT_EQ(t, IS_ERR(sgt[i]), false);
		KT_EQ(t, dma_engine_read(bed.other, sgt[i], 0, bytes, BYTES), 0);
		KT_EQ(t, bytes[BYTES - 1], 1 + i);
	}
	KT_CHECK(t, in_vram(&bed, 1) + in_vram(&bed, 2) <= 1);
	for (unsigned int i = 0; i < 3; i++) {
		dma_buf_unmap_attachment_unlocked(attach[i], sgt[i], DMA_TO_DEVICE);
		dma_buf_detach(bed.buffer[i], attach[i]);
		KT_CHECK(t, holds(t, bed.buffer[i], 1 + i));
	}
	bed_down(&bed);
}

static void the_cpu_reaches_the_window_only(struct ktap *t)
{
	struct vram_config config = { .bytes = 4 * BYTES, .visible = PAGE_SIZE };
	struct iosys_map map;
	struct bed bed;
	u8 byte;

	/* No buffer fits into the window: a vmap takes it to system memory. */
	bed_up(&bed, "arm", &config);
	fill(t, add(t, &bed, VRAM_PLACEMENT_VRAM), 7);
	KT_CHECK(t, in_vram(&bed, 0));
	KT_EQ(t, dma_buf_vmap_unlocked(bed.buffer[0], &map), 0);
	KT_CHECK(t, !map.is_iomem && !in_vram(&bed, 0));
	KT_EQ(t, dma_buf_begin_cpu_access(bed.buffer[0], DMA_FROM_DEVICE), 0);
	iosys_map_memcpy_from(&byte, &map, BYTES - 1, 1);
	KT_EQ(t, dma_buf_end_cpu_access(bed.buffer[0], DMA_FROM_DEVICE), 0);
	KT_EQ(t, byte, 7);
	dma_buf_vunmap_unlocked(bed.buffer[0], &map);
	bed_down(&bed);
}

static void scanouts_have_a_limit(struct ktap *t)
{
	struct vram_config config = { .bytes = 4 * BYTES, .pinned = BYTES };
	struct bed bed;
	int ret[3];

	bed_up(&bed, "arm", &config);
	for (unsigned int i = 0; i < 2; i++)
		add(t, &bed, VRAM_PLACEMENT_VRAM);
	for (unsigned int i = 0; i < 3; i++) {
		struct dma_buf *dmabuf = bed.buffer[i == 2];

		/* Pinned again it takes no more. */
		dma_resv_lock(dmabuf->resv, NULL);
		ret[i] = vram_pin(dmabuf);
		dma_resv_unlock(dmabuf->resv);
	}
	KT_EQ(t, ret[0], 0);
	KT_EQ(t, ret[1], 0);
	KT_EQ(t, ret[2], -ENOSPC);
	KT_EQ(t, move(bed.buffer[1], VRAM_PLACEMENT_SYSTEM), 0);
	dma_resv_lock(bed.buffer[0]->resv, NULL);
	vram_unpin(bed.buffer[0]);
	vram_unpin(bed.buffer[0]);
	dma_resv_unlock(bed.buffer[0]->resv);
	dma_resv_lock(bed.buffer[1]->resv, NULL);
	KT_EQ(t, vram_pin(bed.buffer[1]), 0);
	vram_unpin(bed.buffer[1]);
	dma_resv_unlock(bed.buffer[1]->resv);
	bed_down(&bed);
}

/* --- the engine ------------------------------------------------------------------------------- */

static const char *fence_name(struct dma_fence *fence)
{
	return "test";
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_name,
	.get_timeline_name = fence_name,
};
static DEFINE_SPINLOCK(fence_lock);

/* Who moves waits for nobody; the copy does. */
static void the_copy_waits_and_the_mover_does_not(struct ktap *t)
{
	struct dma_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);
	struct dma_buf_attachment *attach;
	struct vram_access access;
	struct sg_table *sgt;
	u8 bytes[BYTES];
	struct bed bed;

	bed_up(&bed, "arm", &(struct vram_config){ .bytes = BYTES });
	fill(t, add(t, &bed, VRAM_PLACEMENT_VRAM), 1);
	dma_fence_init(fence, &fence_ops, &fence_lock, dma_fence_context_alloc(1), 1);
	dma_resv_lock(bed.buffer[0]->resv, NULL);
	vram_access_prepare(&access, bed.buffer[0], DMA_FROM_DEVICE, false);
	KT_EQ(t, dma_resv_reserve_fences(bed.buffer[0]->resv, 1), 0);
	dma_resv_add_fence(bed.buffer[0]->resv, fence, DMA_RESV_USAGE_BOOKKEEP);
	dma_resv_unlock(bed.buffer[0]->resv);

	/* Its memory goes to another, who has to wait, too; the job still writes where it was. */
	KT_EQ(t, move(bed.buffer[0], VRAM_PLACEMENT_SYSTEM), 0);
	attach = dma_buf_attach(bed.buffer[0], bed.other);
	KT_CHECK(t, !dma_resv_test_signaled(bed.buffer[0]->resv, DMA_RESV_USAGE_KERNEL));
	memset(bytes, 2, BYTES);
	KT_EQ(t, vram_access_begin(&access), 0);
	KT_EQ(t, vram_access_write(&access, 0, bytes, BYTES), 0);
	vram_access_end(&access);
	vram_access_done(&access);
	dma_fence_signal(fence);
	dma_fence_put(fence);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	KT_EQ(t, dma_engine_read(bed.other, sgt, 0, bytes, BYTES), 0);
	KT_CHECK(t, bytes[0] == 2 && bytes[BYTES - 1] == 2);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	dma_buf_detach(bed.buffer[0], attach);
	bed_down(&bed);
}

static void the_cpu_replaces_a_broken_engine(struct ktap *t)
{
	for (const struct machine_type *type = machine_types; type->name; type++) {
		struct vram_stats stats;
		struct bed bed;

		bed_up(&bed, type->name, &(struct vram_config){ .bytes = BYTES });
		fill(t, add(t, &bed, VRAM_PLACEMENT_VRAM), 9);
		vram_fail_copies(bed.vram, BYTES / 2);
		KT_EQ(t, move(bed.buffer[0], VRAM_PLACEMENT_SYSTEM), 0);
		KT_CHECK(t, holds(t, bed.buffer[0], 9));
		fill(t, bed.buffer[0], 10);
		KT_EQ(t, move(bed.buffer[0], VRAM_PLACEMENT_VRAM), 0);
		KT_CHECK(t, holds(t, bed.buffer[0], 10));
		vram_read_stats(bed.vram, &stats);
		KT_EQ(t, stats.copied_by_cpu, 2);
		vram_fail_copies(bed.vram, VRAM_COPIES_WORK);
		KT_EQ(t, move(bed.buffer[0], VRAM_PLACEMENT_SYSTEM), 0);
		KT_CHECK(t, holds(t, bed.buffer[0], 10));
		vram_read_stats(bed.vram, &stats);
		KT_EQ(t, stats.copied_by_cpu, 2);
		bed_down(&bed);
	}
}

static int move_and_wait(struct dma_buf *dmabuf, enum vram_placement where)
{
	int ret;

	dma_resv_lock(dmabuf->resv, NULL);
	ret = vram_move(dmabuf, where);
	dma_resv_unlock(dmabuf->resv);
	return ret;
}

/* The KERNEL fence that is there, a reference; NULL: none, or all have signaled. */
static struct dma_fence *copy_fence(struct dma_buf *dmabuf)
{
	struct dma_resv_iter walk;
	struct dma_fence *fence, *found = NULL;

	dma_resv_iter_begin(&walk, dmabuf->resv, DMA_RESV_USAGE_KERNEL);
	dma_resv_for_each_fence_unlocked(&walk, fence) {
		dma_fence_put(found);
		found = dma_fence_get(fence);
	}
	dma_resv_iter_end(&walk);
	return found;
}

/* One that holds back whatever waits for all fences. */
static struct dma_fence *pending_fence(struct dma_buf *dmabuf)
{
	struct dma_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	dma_fence_init(fence, &fence_ops, &fence_lock, dma_fence_context_alloc(1), 1);
	dma_resv_lock(dmabuf->resv, NULL);
	BUG_ON(dma_resv_reserve_fences(dmabuf->resv, 1));
	dma_resv_add_fence(dmabuf->resv, fence, DMA_RESV_USAGE_READ);
	dma_resv_unlock(dmabuf->resv);
	return fence;
}

static u8 importer_reads(struct ktap *t, struct bed *bed, struct dma_buf_attachment *attach)
{
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	u8 byte = 0;

	KT_EQ(t, dma_engine_read(bed->other, sgt, BYTES - 1, &byte, 1), 0);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	return byte;
}

struct failing_move {
	struct dma_buf *dmabuf;
	enum vram_placement to;
	int ret;
};

static void move_in_thread(void *arg)
{
	struct failing_move *move = arg;

	move->ret = move_and_wait(move->dmabuf, move->to);
}

/* Its fence is seen while it waits for another, which the test holds back. */
static int error_of_copy(struct ktap *t, struct dma_buf *dmabuf, struct failing_move *move)
{
	struct dma_fence *before = pending_fence(dmabuf), *copy = NULL;
	struct port_thread *thread;
	int status;

	*move = (struct failing_move){ dmabuf, !vram_placement(dmabuf), 0 };
	thread = port_thread_create(move_in_thread, move, "mover");
	while (!(copy = copy_fence(dmabuf)))
		schedule_timeout_uninterruptible(1);
	dma_fence_signal(before);
	dma_fence_put(before);
	port_thread_join(thread);
	KT_CHECK(t, dma_fence_is_signaled(copy));
	status = dma_fence_get_status(copy);
	dma_fence_put(copy);
	return status;
}

/* Somebody's fence does not signal: the mover says whose, and goes on waiting. */
static void a_move_that_waits_says_for_whom(struct ktap *t)
{
	static const char what[] = "waits for a fence of test, test";
	struct failing_move move;
	struct dma_fence *fence;
	struct port_thread *thread;
	static struct listener l;
	struct bed bed;

	bed_up(&bed, "arm", &(struct vram_config){ .bytes = BYTES });
	fill(t, add(t, &bed, VRAM_PLACEMENT_VRAM), 7);
	bed.vram->patience = 1;
	fence = pending_fence(bed.buffer[0]);
	move = (struct failing_move){ bed.buffer[0], VRAM_PLACEMENT_SYSTEM, -1 };
	listen_begin(&l);
	thread = port_thread_create(move_in_thread, &move, "mover");
	for (unsigned int i = 0; i < 3000 && !strstr(said(&l), what); i++)
		schedule_timeout_uninterruptible(1);
	dma_fence_signal(fence);
	port_thread_join(thread);
	listen_end(&l);
	dma_fence_put(fence);
	KT_CHECK(t, strstr(l.text, what));
	KT_EQ(t, move.ret, 0);
	KT_CHECK(t, !in_vram(&bed, 0) && holds(t, bed.buffer[0], 7));
	bed_down(&bed);
}

struct opener {
	struct dma_fence *fence;
	atomic_t mapped;
};

/* When the map is there; after a while also if it is not, so that nobody hangs. */
static void signal_when_mapped(void *arg)
{
	struct opener *opener = arg;

	for (unsigned int i = 0; i < 3000 && !atomic_read(&opener->mapped); i++)
		schedule_timeout_uninterruptible(1);
	dma_fence_signal(opener->fence);
}

/* One that leaves VRAM for it waits for a fence: meanwhile who has mapped it before maps it. */
static void a_map_waits_for_one_copy_only(struct ktap *t)
{
	struct dma_buf_attachment *attach;
	struct port_thread *mover, *thread;
	struct failing_move move;
	struct opener opener = {};
	struct vram_stats stats;
	struct bed bed;

	bed_up(&bed, "arm", &(struct vram_config){ .bytes = BYTES });
	fill(t, add(t, &bed, VRAM_PLACEMENT_VRAM), 3);
	fill(t, add(t, &bed, VRAM_PLACEMENT_SYSTEM), 4);
	attach = dma_buf_attach(bed.buffer[1], bed.other);
	KT_EQ(t, importer_reads(t, &bed, attach), 4);
	opener.fence = pending_fence(bed.buffer[0]);
	move = (struct failing_move){ bed.buffer[1], VRAM_PLACEMENT_VRAM, -1 };
	mover = port_thread_create(move_in_thread, &move, "mover");
	thread = port_thread_create(signal_when_mapped, &opener, "opener");
	do {
		schedule_timeout_uninterruptible(5);
		vram_read_stats(bed.vram, &stats);
	} while (!stats.evictions);
	KT_EQ(t, importer_reads(t, &bed, attach), 4);
	KT_CHECK(t, !dma_fence_is_signaled(opener.fence));
	atomic_set(&opener.mapped, 1);
	port_thread_join(mover);
	port_thread_join(thread);
	dma_fence_put(opener.fence);
	KT_EQ(t, move.ret, 0);
	KT_CHECK(t, in_vram(&bed, 1) && holds(t, bed.buffer[1], 4) && holds(t, bed.buffer[0], 3));
	KT_EQ(t, importer_reads(t, &bed, attach), 4);
	dma_buf_detach(bed.buffer[1], attach);
	bed_down(&bed);
}

/* Who waits for the move is told, and so is who waits for the copy; the bytes are where they were. */
static void a_failed_move_leaves_the_old_place(struct ktap *t)
{
	for (const struct machine_type *type = machine_types; type->name; type++) {
		struct dma_buf_attachment *attach;
		struct failing_move tried;
		struct vram_stats stats;
		struct bed bed;

		bed_up(&bed, type->name, &(struct vram_config){ .bytes = BYTES });
		fill(t, add(t, &bed, VRAM_PLACEMENT_SYSTEM), 9);
		attach = dma_buf_attach(bed.buffer[0], bed.other);
		KT_EQ(t, importer_reads(t, &bed, attach), 9);
		for (int where = 0; where < 2; where++) {
			enum vram_placement old = vram_placement(bed.buffer[0]);

			vram_fail_copies(bed.vram, BYTES / 2);
			KT_EQ(t, error_of_copy(t, bed.buffer[0], &tried), -EIO);
			KT_EQ(t, tried.ret, -EIO);
			KT_EQ(t, vram_placement(bed.buffer[0]), old);
			KT_CHECK(t, holds(t, bed.buffer[0], 9 + where));
			/* The room that it did not take is there. */
			vram_fail_copies(bed.vram, VRAM_COPIES_WORK);
			KT_EQ(t, move_and_wait(bed.buffer[0], !old), 0);
			KT_CHECK(t, holds(t, bed.buffer[0], 9 + where));
			fill(t, bed.buffer[0], 10 + where);
		}
		KT_EQ(t, importer_reads(t, &bed, attach), 11);
		vram_read_stats(bed.vram, &stats);
		KT_EQ(t, stats.copied_by_cpu, 0);
		dma_buf_detach(bed.buffer[0], attach);
		bed_down(&bed);
	}
}

/* The device goes: whoever has a buffer gets clean errors, and who does not let go harms nobody. */
static void a_lost_device_is_a_clean_error(struct ktap *t)
{
	for (int policy = 0; policy < 2; policy++) {
		struct dma_buf_attachment *fixed, *peer;
		struct sg_table *sgt, *kept;
		struct iosys_map map;
		struct bed bed;
		u8 byte = 0;

		dma_buf_set_policy(policy);
		bed_up(&bed, "arm", &(struct vram_config){ .bytes = 2 * BYTES });
		for (unsigned int i = 0; i < 3; i++)
			fill(t, add(t, &bed, VRAM_PLACEMENT_VRAM), 1 + i);
		fixed = dma_buf_attach(bed.buffer[0], bed.other);
		peer = dma_buf_dynamic_attach(bed.buffer[1], bed.other, &peer_ops, NULL);
		sgt = dma_buf_map_attachment_unlocked(fixed, DMA_TO_DEVICE);
		kept = dma_buf_map_attachment_unlocked(peer, DMA_TO_DEVICE);
		KT_EQ(t, dma_buf_map_placement(fixed, sgt), DMA_BUF_PLACEMENT_SYSTEM);
		KT_EQ(t, dma_buf_map_placement(peer, kept), DMA_BUF_PLACEMENT_DEVICE);

		KT_EQ(t, vram_lost(bed.vram, 1), 2);
		KT_EQ(t, PTR_ERR(dma_buf_map_attachment_unlocked(fixed, DMA_TO_DEVICE)), -ENODEV);
		KT_EQ(t, PTR_ERR(dma_buf_map_attachment_unlocked(peer, DMA_TO_DEVICE)), -ENODEV);
		KT_EQ(t, PTR_ERR(dma_buf_attach(bed.buffer[2], bed.other)), -ENODEV);
		KT_EQ(t, dma_buf_vmap_unlocked(bed.buffer[2], &map), -ENODEV);
		KT_EQ(t, move(bed.buffer[2], !vram_placement(bed.buffer[2])), -ENODEV);
		KT_EQ(t, PTR_ERR(vram_allocate(bed.vram, 1, VRAM_PLACEMENT_VRAM, NULL)), -ENODEV);
		/* Those who had it mapped still find what they had. */
		KT_EQ(t, dma_engine_read(bed.other, sgt, 0, &byte, 1), 0);
		KT_EQ(t, byte, 1);
		KT_EQ(t, dma_engine_read(bed.other, kept, 0, &byte, 1), 0);
		KT_EQ(t, byte, 2);
		dma_buf_unmap_attachment_unlocked(fixed, sgt, DMA_TO_DEVICE);
		dma_buf_unmap_attachment_unlocked(peer, kept, DMA_TO_DEVICE);
		flush_workqueue(system_wq);
		KT_EQ(t, vram_lost(bed.vram, 1), 0);
		dma_buf_detach(bed.buffer[0], fixed);
		dma_buf_detach(bed.buffer[1], peer);
		bed_down(&bed);
		dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
	}
}

static void without_memory_it_stays(struct ktap *t)
{
	unsigned int failed = 0;
	struct bed bed;

	bed_up(&bed, "arm", &(struct vram_config){ .bytes = BYTES });
	fill(t, add(t, &bed, VRAM_PLACEMENT_SYSTEM), 5);
	for (unsigned int k = 1; k < 30; k++) {
		enum vram_placement from = vram_placement(bed.buffer[0]);
		int ret;

		port_fail_nth(PORT_FAULT_ALLOC, k);
		ret = move(bed.buffer[0], !from);
		port_fail_nth(PORT_FAULT_ALLOC, 0);
		KT_CHECK(t, !ret || ret == -ENOMEM);
		KT_EQ(t, vram_placement(bed.buffer[0]), ret ? from : !from);
		KT_CHECK(t, holds(t, bed.buffer[0], 5));
		failed += !!ret;
	}
	KT_CHECK(t, failed >= 3);
	bed_down(&bed);
}

/* VRAM is full, and who could leave it finds no memory: there is no room anywhere. */
static void without_room_anywhere_all_stay(struct ktap *t)
{
	unsigned int failed = 0;
	struct bed bed;

	bed_up(&bed, "arm", &(struct vram_config){ .bytes = BYTES });
	fill(t, add(t, &bed, VRAM_PLACEMENT_VRAM), 1);
	fill(t, add(t, &bed, VRAM_PLACEMENT_SYSTEM), 2);
	for (unsigned int k = 1; k < 60; k++) {
		unsigned int comes = in_vram(&bed, 0);
		int ret;

		port_fail_nth(PORT_FAULT_ALLOC, k);
		ret = move(bed.buffer[comes], VRAM_PLACEMENT_VRAM);
		port_fail_nth(PORT_FAULT_ALLOC, 0);
		KT_CHECK(t, !ret || ret == -ENOMEM);
		KT_EQ(t, in_vram(&bed, comes), !ret);
		KT_CHECK(t, holds(t, bed.buffer[0], 1));
		KT_CHECK(t, holds(t, bed.buffer[1], 2));
		/* It may have had to leave first. */
		failed += ret && in_vram(&bed, !comes);
	}
	KT_CHECK(t, failed >= 3);
	bed_down(&bed);
}

KTAP_MAIN(KTAP_CASE(the_one_not_used_for_longest_leaves), KTAP_CASE(who_is_pinned_or_locked_stays),
	  KTAP_CASE(room_is_not_made_in_vain), KTAP_CASE(four_times_too_much),
	  KTAP_CASE(a_working_set_is_locked_together), KTAP_CASE(peers_reach_the_window_only),
	  KTAP_CASE(the_cpu_reaches_the_window_only), KTAP_CASE(scanouts_have_a_limit),
	  KTAP_CASE(the_copy_waits_and_the_mover_does_not),
	  KTAP_CASE(the_cpu_replaces_a_broken_engine), KTAP_CASE(a_move_that_waits_says_for_whom),
	  KTAP_CASE(a_map_waits_for_one_copy_only), KTAP_CASE(a_failed_move_leaves_the_old_place),
	  KTAP_CASE(a_lost_device_is_a_clean_error), KTAP_CASE(without_memory_it_stays),
	  KTAP_CASE(without_room_anywhere_all_stay))
