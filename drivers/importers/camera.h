/* SPDX-License-Identifier: MIT */
/*
 * camera.h - a device that writes pictures: static importer, DMA_FROM_DEVICE
 *
 * In the three styles in which capture drivers use their mappings.
 */
#ifndef DRIVERS_IMPORTERS_CAMERA_H
#define DRIVERS_IMPORTERS_CAMERA_H

#include <linux/types.h>
#include "drivers/picture.h"

struct camera;
struct device;
struct dma_buf;
struct dma_fence;

enum camera_style {
	CAMERA_JOB,      /* map when a buffer is queued, unmap when its picture is done */
	CAMERA_KEEP,     /* map once; each picture is an access within that mapping */
	CAMERA_REIMPORT, /* attach, map, unmap and detach for each picture, as compositors do */
	CAMERA_STYLES,
};

/** camera_style_names - "job", "keep", "reimport": by enum camera_style */
extern const char *const camera_style_names[CAMERA_STYLES];

/**
 * camera_create - drive @dev
 *
 * Context: may sleep.  Returns ERR_PTR as job_queue_create().
 * Ownership: @dev stays the caller's and outlives the camera.
 */
struct camera *camera_create(struct device *dev, enum camera_style style);

/** camera_destroy - finish what is queued, unmap, detach. Context: may sleep. */
void camera_destroy(struct camera *camera);

/**
 * camera_queue - the next picture goes into @dmabuf
 * @sensor: what the lens sees, @picture->bytes; stays readable until the fence signals
 * @tap: may be NULL; ->wrote is filled
 *
 * Context: may sleep, one caller at a time; no reservation held.
 * Returns the out-fence, the caller's to put; ERR_PTR: -EINVAL @picture does not fit, -ENOMEM,
 * attach's and map's.
 */
struct dma_fence *camera_queue(struct camera *camera, struct dma_buf *dmabuf,
			       const struct picture *picture, const u8 *sensor,
			       const struct device_tap *tap);

#endif
