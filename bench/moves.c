/* SPDX-License-Identifier: MIT */
/*
 * moves.c - how long a map stalls while buffers move all the time: `dmabuf bench --moves`
 *
 * Importers that do not follow moves take buffers in turn and map each for a moment; a mover takes
 * whichever nobody uses to where it is not, and waits for the copy, for as long as the importers need
 * for their maps.  There is room in the device's memory for a quarter of the buffers.
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/sort.h>

#include <stdio.h>

#include "bench/measure.h"
#include "bench/moves.h"
#include "dma/engine.h"
#include "dma/machine.h"
#include "drivers/exporters/vram.h"

#define IMPORTERS 2
#define BUFFERS 8
#define BYTES (256 * KIB)
#define MAPS 400 /* each importer's */
#define COPIES 15

struct bed {
	struct machine *machine;
	struct device *owner, *dev[IMPORTERS];
	struct vram *vram;
	struct dma_buf *dmabuf[BUFFERS];
	struct dma_buf_attachment *attach[IMPORTERS][BUFFERS];
	u64 *stalls; /* ns of each map */
	atomic_t importing, failed;
	atomic64_t mapped_ns;
};

struct importer {
	struct bed *bed;
	unsigned int nr;
	struct port_thread *thread;
};

/* A moment's work. */
static void use(struct bed *bed, unsigned int nr, struct sg_table *sgt)
{
	u8 bytes[4 * KIB];

	if (dma_engine_read(bed->dev[nr], sgt, 0, bytes, sizeof(bytes)))
		atomic_inc(&bed->failed);
}

static void import(void *arg)
{
	struct importer *im = arg;
	struct bed *bed = im->bed;

	for (unsigned int i = 0; i < MAPS; i++) {
		struct dma_buf_attachment *attach = bed->attach[im->nr][(i * 5 + im->nr) % BUFFERS];
		u64 start = port_time_ns(), mapped;
		struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);

		mapped = port_time_ns();
		bed->stalls[im->nr * MAPS + i] = mapped - start;
		if (IS_ERR(sgt)) {
			atomic_inc(&bed->failed);
			continue;
		}
		use(bed, im->nr, sgt);
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
		atomic64_add(port_time_ns() - mapped, &bed->mapped_ns);
	}
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

static void bed_up(struct bed *bed, const struct machine_type *type, enum dma_buf_policy policy)
{
	*bed = (struct bed){};
	dma_buf_set_policy(policy);
	bed->machine = bench_checked(machine_create(type, 0), "a machine");
	bed->owner =
		bench_checked(machine_add_device(bed->machine, "gpu", type->coherent), "a device");
	bed->vram = bench_checked(vram_create(bed->owner, BUFFERS / 4 * BYTES), "memory");
	bed->stalls = bench_zeroed(IMPORTERS * MAPS * sizeof(*bed->stalls));
	for (unsigned int i = 0; i < IMPORTERS; i++)
		bed->dev[i] = bench_checked(
			machine_add_device(bed->machine, "importer", type->coherent), "a device");
	for (unsigned int i = 0; i < BUFFERS; i++) {
		bed->dmabuf[i] = bench_checked(
			vram_allocate(bed->vram, BYTES, VRAM_PLACEMENT_SYSTEM, NULL), "a buffer");
		for (unsigned int j = 0; j < IMPORTERS; j++)
			bed->attach[j][i] = bench_checked(
				dma_buf_attach(bed->dmabuf[i], bed->dev[j]), "an attachment");
	}
}

static void bed_down(struct bed *bed)
{
	for (unsigned int i = 0; i < BUFFERS; i++) {
		for (unsigned int j = 0; j < IMPORTERS; j++)
			dma_buf_detach(bed->dmabuf[i], bed->attach[j][i]);
		dma_buf_put(bed->dmabuf[i]);
	}
	vram_destroy(bed->vram);
	for (unsigned int i = 0; i < IMPORTERS; i++)
		machine_remove_device(bed->dev[i]);
	machine_remove_device(bed->owner);
	machine_destroy(bed->machine);
	kfree(bed->stalls);
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
}

static double us(u64 ns)
{
	return ns / 1000.0;
}

/* Returns how many maps failed. */
static unsigned int run(const struct machine_type *type, enum dma_buf_policy policy)
{
	struct importer importers[IMPORTERS];
	struct vram_stats before, after;
	struct bed bed;
	u64 copy, took, *ns;
	unsigned int all = IMPORTERS * MAPS;

	bed_up(&bed, type, policy);
	copy = copy_ns(&bed);
	vram_read_stats(bed.vram, &before);
	atomic_set(&bed.importing, IMPORTERS);
	took = port_time_ns();
	for (unsigned int i = 0; i < IMPORTERS; i++) {
		importers[i] = (struct importer){ .bed = &bed, .nr = i };
		importers[i].thread = port_thread_create(import, &importers[i], "importer");
	}
	for (unsigned int i = 0; atomic_read(&bed.importing); i++)
		move(bed.dmabuf[i % BUFFERS]);
	for (unsigned int i = 0; i < IMPORTERS; i++)
		port_thread_join(importers[i].thread);
	took = port_time_ns() - took;
	vram_read_stats(bed.vram, &after);

	ns = bed.stalls;
	sort(ns, all, sizeof(*ns), compare_ns, NULL);
	printf("%-11s %-7s %8u %8llu %9.1f %9.1f %9.1f %9.1f %8.2f %9.1f%%\n", type->name,
	       policy == DMA_BUF_POLICY_REMAP ? "remap" : "cached", all,
	       (unsigned long long)(after.moves - before.moves), us(copy), us(ns[all / 2]),
	       us(ns[all * 99 / 100]), us(ns[all - 1]), (double)ns[all * 99 / 100] / copy,
	       100.0 * atomic64_read(&bed.mapped_ns) / took / BUFFERS);
	bed_down(&bed);
	return atomic_read(&bed.failed);
}

int bench_moves(void)
{
	unsigned int failed = 0;

	printf("%-11s %-7s %8s %8s %9s %9s %9s %9s %8s %10s\n", "machine", "policy", "maps",
	       "moves", "copy us", "map p50", "p99", "max", "p99/copy", "in use");
	for (const struct machine_type *type = machine_types; type->name; type++)
		for (int policy = 0; policy < 2; policy++)
			failed += run(type, policy);
	if (failed)
		fprintf(stderr, "dmabuf bench: %u maps or accesses failed\n", failed);
	return failed ? 1 : 0;
}
