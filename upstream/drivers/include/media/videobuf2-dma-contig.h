/* SPDX-License-Identifier: MIT */
/* videobuf2-dma-contig.h - videobuf2's allocator of one piece; its cookie is the dma_addr_t of the first byte */
#ifndef _MEDIA_VIDEOBUF2_DMA_CONTIG_H
#define _MEDIA_VIDEOBUF2_DMA_CONTIG_H

#include <linux/dma-mapping.h>
#include <media/videobuf2-v4l2.h>

extern const struct vb2_mem_ops vb2_dma_contig_memops;

/* vb2_dma_contig_set_max_seg_size - for an importer behind an IOMMU, before the queue is used */
int vb2_dma_contig_set_max_seg_size(struct device *dev, unsigned int size);

#endif
