/* SPDX-License-Identifier: MIT */
/*
 * trims-shared-list.c - an importer that shortens the exporter's list instead of a copy
 *
 * Report: Linux 6.12, drivers/infiniband/core/umem_dmabuf.c: a memory region of part of a buffer trims
 *	the first and last entry of the table in place
 * Wrong: whoever else has that table, a second region or a cache, gets the shorter one
 * Rule: the table of a map is the exporter's; an importer reads it
 */
#include "importer.h"

/* A region without the first page, registered from open to close. */
struct region {
	struct importer base;
	struct sg_table *whole;
	struct scatterlist first; /* trimmed, or as it was */
};

static void region_trim(struct scatterlist *first)
{
	if (sg_dma_len(first) <= PAGE_SIZE)
		return;
	sg_dma_address(first) += PAGE_SIZE;
	sg_dma_len(first) -= PAGE_SIZE;
}

#ifndef FIXED
static void region_untrim(struct scatterlist *first, const struct scatterlist *was)
{
	sg_dma_address(first) = sg_dma_address(was);
	sg_dma_len(first) = sg_dma_len(was);
}
#endif

static int region_open(struct check_import *import)
{
	struct region *region = kzalloc(sizeof(*region), GFP_KERNEL);
	int ret;

	if (!region)
		return -ENOMEM;
	ret = importer_init(&region->base, import, NULL);
	if (ret)
		goto free_region;
	region->whole = dma_buf_map_attachment_unlocked(region->base.attach, DMA_TO_DEVICE);
	if (IS_ERR(region->whole)) {
		ret = PTR_ERR(region->whole);
		goto fini;
	}
	region->first = *region->whole->sgl;
#ifdef FIXED
	region_trim(&region->first);
#else
	region_trim(region->whole->sgl);
#endif
	return 0;

fini:
	importer_fini(&region->base);
free_region:
	kfree(region);
	return ret;
}

static void region_close(struct check_import *import)
{
	struct region *region = import->own;

#ifndef FIXED
	region_untrim(region->whole->sgl, &region->first);
#endif
	dma_buf_unmap_attachment_unlocked(region->base.attach, region->whole, DMA_TO_DEVICE);
	importer_close(import);
}

/* The jobs are of a second region, of all of the buffer. */
DMABUF_CHECK({ .name = "trims-shared-list",
	       .dirs = CHECK_DIR(DMA_TO_DEVICE),
	       .open = region_open,
	       .access = importer_job,
	       .close = region_close });
