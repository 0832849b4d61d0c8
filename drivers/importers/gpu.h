/* SPDX-License-Identifier: MIT */
/*
 * gpu.h - a device that scales from a buffer it imports into one of its own: dynamic importer,
 * DMA_TO_DEVICE, and the owner of vram.h's buffers
 *
 * Scales each plane to half in both directions, odd sizes rounded up.  The byte at (x, y) becomes
 *
 *	(a + b + c + d + 2) / 4, rounded down
 *
 * of the four at (2x, 2y), (2x+1, 2y), (2x, 2y+1) and (2x+1, 2y+1), where one outside the plane is
 * the plane's nearest byte.
 */
#ifndef DRIVERS_IMPORTERS_GPU_H
#define DRIVERS_IMPORTERS_GPU_H

#include <linux/types.h>
#include "drivers/picture.h"

struct device;
struct dma_buf;
struct dma_fence;
struct gpu;

/**
 * gpu_create - drive @dev
 *
 * Context: may sleep.  Returns ERR_PTR as job_queue_create().
 * Ownership: @dev stays the caller's and outlives the GPU.
 */
struct gpu *gpu_create(struct device *dev);

/**
 * gpu_pull - from now on it brings its own buffers into VRAM for each job, if there is room
 *
 * Without it they stay where others made them move to.  Context: nobody submits.
 */
void gpu_pull(struct gpu *gpu, bool pulls);

/** gpu_destroy - finish what is queued, detach. Context: may sleep. */
void gpu_destroy(struct gpu *gpu);

/**
 * gpu_scale - scale the picture in @from to half, into @to
 * @picture: the layout in @from; that in @to is picture_half() of it
 * @tap: may be NULL; ->read in the layout of @from, ->wrote in that of @to
 *
 * Context: may sleep, one caller at a time; no reservation held.
 * @to is a buffer of the same device (vram_owner()), wherever that is; @from another of those, or one
 * that never moves.
 * Returns the out-fence, the caller's to put; ERR_PTR: -EINVAL a picture does not fit or a buffer
 * is of the wrong kind, -ENOMEM, attach's.
 */
struct dma_fence *gpu_scale(struct gpu *gpu, struct dma_buf *from, struct dma_buf *to,
			    const struct picture *picture, const struct device_tap *tap);

#endif
