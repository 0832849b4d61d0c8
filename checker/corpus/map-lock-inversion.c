/* SPDX-License-Identifier: MIT */
/*
 * map-lock-inversion.c - an exporter that takes a lock inside map_dma_buf() and the reservation inside
 *	that lock
 *
 * Report: intel/ipu6-drivers#83: mmap_lock taken in map_dma_buf(), where since 6.2 the reservation is
 *	held; a page fault has them the other way round
 * Wrong: a map in one thread and a CPU access in another wait for each other for ever
 * Rule: what is taken with the reservation held is never held while a reservation is taken
 */
#include <linux/dma-resv.h>

#include "pages.h"

/* As mmap_lock: one for all of a program's buffers. */
static DEFINE_MUTEX(program_lock);

/* Reservation held. */
static struct sg_table *inverted_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct sg_table *sgt;

	mutex_lock(&program_lock);
	sgt = pages_map(attach, dir);
	mutex_unlock(&program_lock);
	return sgt;
}

/* The program's accesses to its memory, which may fault, as begin_cpu_access() here. */
static int inverted_begin(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	int ret;

#ifdef FIXED
	ret = pages_begin_cpu_access(dmabuf, dir);
#else
	mutex_lock(&program_lock);
	dma_resv_lock(dmabuf->resv, NULL);
	ret = pages_begin_cpu_access(dmabuf, dir);
	dma_resv_unlock(dmabuf->resv);
	mutex_unlock(&program_lock);
#endif
	return ret;
}

static const struct dma_buf_ops inverted_ops = {
	.map_dma_buf = inverted_map,
	.unmap_dma_buf = pages_unmap,
	.begin_cpu_access = inverted_begin,
	.end_cpu_access = pages_end_cpu_access,
	.vmap = pages_vmap,
	.mmap = pages_mmap,
	.release = pages_release,
};

static int __init inverted_init(void)
{
	return pages_heap_add("map-lock-inversion", &inverted_ops);
}
module_init(inverted_init);
MODULE_LICENSE("Dual MIT/GPL");
