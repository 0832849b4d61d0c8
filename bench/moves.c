/* SPDX-License-Identifier: MIT */
/*
 * moves.c - how long a map stalls while buffers move all the time, on the core that this is built on
 *
 * An importer that does not follow moves takes buffers in turn, maps each and has its device read all of
 * it; a mover takes one after the other to where it is not, and waits for the copy, for as long as the
 * importer needs for its maps.  There is room in the device's memory for a quarter of the buffers.  One
 * importer: with two CPUs nobody waits for one, as whoever moves sleeps while the engine copies.
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/sort.h>

#include "bench/measure.h"
#include "bench/moves.h"
#include "dma/engine.h"
#include "dma/machine.h"
#include "drivers/exporters/vram.h"

#define BUFFERS 8
#define BYTES (2 * MIB)
#define CHUNK (64 * KIB) /* that a device reads at once */
#define COPIES 15

struct bed {
	struct machine *machine;
	struct device *owner, *dev;
	struct vram *vram;
	struct dma_buf *dmabuf[BUFFERS];
	struct dma_buf_attachment *attach[BUFFERS];
	unsigned int maps;
	u64 *stalls; /* ns of each map */
	u64 mapped_ns;
	unsigned int failed;
	atomic_t importing;
};

static bool read_all(struct bed *bed, struct sg_table *sgt, u8 *chunk)
{
	for (size_t at = 0; at < BYTES; at += CHUNK)
		if (dma_engine_read(bed->dev, sgt, at, chunk, CHUNK))
			return false;
	return true;
}

static void import(void *arg)
{
	struct bed *bed = arg;
	u8 *chunk = bench_zeroed(CHUNK);

	for (unsigned int i = 0; i < bed->maps; i++) {
		struct dma_buf_attachment *attach = bed->attach[i * 5 % BUFFERS];
		u64 start = port_time_ns(), mapped;
		struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);

		mapped = port_time_ns();
		bed->stalls[i] = mapped - start;
		if (IS_ERR(sgt)) {
			bed->failed++;
			continue;
		}
		bed->failed += !read_all(bed, sgt, chunk);
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
		bed->mapped_ns += port_time_ns() - mapped;
	}
	kfree(chunk);
	atomic_dec(&bed->importing);
}

static bool move(struct dma_buf *dmabuf)
{
	int ret;

	dma_resv_lock(dmabuf->resv, NULL);
	ret = vram_move(dmabuf, !vram_placement(dmabuf));
	dma_resv_unlock(dmabuf->resv);
	return !ret;
}

static int compare_ns(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* One buffer's copy, nobody else there: the median. */
static u64 copy_ns(struct bed *bed)
{
	u64 ns[COPIES];

	for (unsigned int i = 0; i < COPIES; i++) {
		ns[i] = port_time_ns();
		move(bed->dmabuf[0]);
		ns[i] = port_time_ns() - ns[i];
	}
	sort(ns, COPIES, sizeof(*ns), compare_ns, NULL);
	return ns[COPIES / 2];
}

static void attach_all(struct bed *bed)
{
	for (unsigned int i = 0; i < BUFFERS; i++)
		bed->attach[i] =
			bench_checked(dma_buf_attach(bed->dmabuf[i], bed->dev), "an attachment");
}

static void detach_all(struct bed *bed)
{
	for (unsigned int i = 0; i < BUFFERS; i++)
		dma_buf_detach(bed->dmabuf[i], bed->attach[i]);
}

static void bed_up(struct bed *bed, const struct machine_type *type, enum dma_buf_policy policy,
		   unsigned int maps)
{
	*bed = (struct bed){ .maps = maps };
	dma_buf_set_policy(policy);
	bed->machine = bench_checked(machine_create(type, 0), "a machine");
	bed->owner =
		bench_checked(machine_add_device(bed->machine, "gpu", type->coherent), "a device");
	bed->vram = bench_checked(vram_create(bed->owner, BUFFERS / 4 * BYTES), "memory");
	bed->stalls = bench_zeroed(maps * sizeof(*bed->stalls));
	bed->dev = bench_checked(machine_add_device(bed->machine, "importer", type->coherent),
				 "a device");
	for (unsigned int i = 0; i < BUFFERS; i++)
		bed->dmabuf[i] = bench_checked(
			vram_allocate(bed->vram, BYTES, VRAM_PLACEMENT_SYSTEM, NULL), "a buffer");
}

static void bed_down(struct bed *bed)
{
	for (unsigned int i = 0; i < BUFFERS; i++)
		dma_buf_put(bed->dmabuf[i]);
	vram_destroy(bed->vram);
	machine_remove_device(bed->dev);
	machine_remove_device(bed->owner);
	machine_destroy(bed->machine);
	kfree(bed->stalls);
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
}

/* Everybody at work; the buffers are attached for so long, which is what is returned. */
static u64 run(struct bed *bed)
{
	struct port_thread *importer;
	u64 took = port_time_ns();

	attach_all(bed);
	atomic_set(&bed->importing, 1);
	importer = port_thread_create(import, bed, "importer");
	for (unsigned int i = 0; atomic_read(&bed->importing); i++)
		if (!move(bed->dmabuf[i % BUFFERS]))
			port_yield();
	port_thread_join(importer);
	detach_all(bed);
	return port_time_ns() - took;
}

void bench_moves_run(const char *machine, bool remap, struct moves_row *row)
{
	struct vram_stats before, after;
	struct bed bed;
	u64 took;

	bed_up(&bed, machine_type_find(machine),
	       remap ? DMA_BUF_POLICY_REMAP : DMA_BUF_POLICY_CACHED, row->maps);
	row->copy_ns = copy_ns(&bed);
	vram_read_stats(bed.vram, &before);
	took = run(&bed);
	vram_read_stats(bed.vram, &after);
	sort(bed.stalls, row->maps, sizeof(*bed.stalls), compare_ns, NULL);
	row->moves = after.moves - before.moves;
	row->p50_ns = bed.stalls[row->maps / 2];
	row->p99_ns = bed.stalls[row->maps * 99 / 100];
	row->max_ns = bed.stalls[row->maps - 1];
	/* A core that pins for its importers tells the exporter; where it does not, a use is a pin. */
	row->pinned =
		(double)max(after.pinned_ns - before.pinned_ns, bed.mapped_ns) / took / BUFFERS;
	row->failed = bed.failed;
	bed_down(&bed);
}
