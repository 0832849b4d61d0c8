/* SPDX-License-Identifier: MIT */
/* videobuf2-dma-sg.h - videobuf2's allocator of scattered pages; its cookie is the struct sg_table */
#ifndef _MEDIA_VIDEOBUF2_DMA_SG_H
#define _MEDIA_VIDEOBUF2_DMA_SG_H

#include <media/videobuf2-v4l2.h>

extern const struct vb2_mem_ops vb2_dma_sg_memops;

#endif
