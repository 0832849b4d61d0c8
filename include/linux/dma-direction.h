/* SPDX-License-Identifier: MIT */
/*
 * dma-direction.h - which way bytes travel, seen from memory's owner
 *
 * The direction of a mapping answers two questions: what its device may do (TO: read, FROM: write,
 * both) and which maintenance its map and unmap need (linux/dma-mapping.h).  Values as in
 * Linux 6.12.
 */
#ifndef _LINUX_DMA_DIRECTION_H
#define _LINUX_DMA_DIRECTION_H

#include <linux/types.h>

enum dma_data_direction {
	DMA_BIDIRECTIONAL = 0,
	DMA_TO_DEVICE = 1,   /* the device reads memory */
	DMA_FROM_DEVICE = 2, /* the device writes memory */
	DMA_NONE = 3,        /* for debugging: never a mapping's direction */
};

/** valid_dma_direction - may a mapping have this direction? Context: any */
static inline bool valid_dma_direction(enum dma_data_direction dir)
{
	return dir == DMA_BIDIRECTIONAL || dir == DMA_TO_DEVICE || dir == DMA_FROM_DEVICE;
}

#endif
