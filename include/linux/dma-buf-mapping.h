/* SPDX-License-Identifier: MIT */
/*
 * dma-buf-mapping.h - tables of device memory, which has no pages
 *
 * What an exporter of device memory calls in map_dma_buf and unmap_dma_buf.  Names and semantics of
 * Linux 6.19.
 */
#ifndef _LINUX_DMA_BUF_MAPPING_H
#define _LINUX_DMA_BUF_MAPPING_H

#include <linux/dma-buf.h>
#include <linux/pci-p2pdma.h>

/**
 * dma_buf_phys_vec_to_sgt - map ranges of device memory for an importer
 * @provider: whose memory it is
 * @phys_vec: @nr_ranges ranges, in the buffer's order, pages each
 * @size: what they add up to, the buffer's
 *
 * The table has DMA addresses and lengths only: orig_nents is 0, so that who looks for pages finds
 * none.  A range longer than an entry can say, or than the device's segments may be, becomes
 * several entries.
 *
 * Context: @attach's reservation held; may sleep.
 * Returns ERR_PTR: -EINVAL when the device cannot reach @provider's memory, when ranges are empty,
 * not whole pages or do not add up to @size; -ENOMEM.  Then nothing is mapped.
 * Ownership: the caller's, until dma_buf_free_sgt(); it keeps the memory's owner until then.
 * DIFFERS: behind an IOMMU each range has addresses of its own; Linux makes them one range.
 */
struct sg_table *dma_buf_phys_vec_to_sgt(struct dma_buf_attachment *attach,
					 struct p2pdma_provider *provider,
					 struct phys_vec *phys_vec, size_t nr_ranges, size_t size,
					 enum dma_data_direction dir);

/** dma_buf_free_sgt - unmap and free it, with the same @dir. Context: as the call that made it */
void dma_buf_free_sgt(struct dma_buf_attachment *attach, struct sg_table *sgt,
		      enum dma_data_direction dir);

#endif
