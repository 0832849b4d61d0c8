/* SPDX-License-Identifier: MIT */
/*
 * isp.h - an image signal processor: static importer, DMA_BIDIRECTIONAL
 *
 * Sharpens a picture in place, each plane by itself.  A byte p with neighbours u, d, l, r becomes
 *
 *	clamp((8 p - u - d - l - r + 2) / 4, 0, 255), the quotient rounded down
 *
 * where a neighbour outside the plane is the plane's nearest byte.
 */
#ifndef DRIVERS_IMPORTERS_ISP_H
#define DRIVERS_IMPORTERS_ISP_H

#include <linux/types.h>
#include "drivers/picture.h"

struct device;
struct dma_buf;
struct dma_fence;
struct isp;

/**
 * isp_create - drive @dev
 *
 * Context: may sleep.  Returns ERR_PTR as job_queue_create().
 * Ownership: @dev stays the caller's and outlives the ISP.
 */
struct isp *isp_create(struct device *dev);

/** isp_destroy - finish what is queued, detach. Context: may sleep. */
void isp_destroy(struct isp *isp);

/**
 * isp_sharpen - sharpen the picture in @dmabuf
 * @tap: may be NULL
 *
 * Context: may sleep, one caller at a time; no reservation held.
 * Returns the out-fence, the caller's to put; ERR_PTR: -EINVAL @picture does not fit, -ENOMEM,
 * attach's.
 */
struct dma_fence *isp_sharpen(struct isp *isp, struct dma_buf *dmabuf,
			      const struct picture *picture, const struct device_tap *tap);

#endif
