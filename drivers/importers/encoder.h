/* SPDX-License-Identifier: MIT */
/*
 * encoder.h - a device that takes pictures out: static importer, DMA_TO_DEVICE
 *
 * Its stream is the picture's bytes as they are, so that a wrong byte in memory is a wrong byte in
 * the stream.
 */
#ifndef DRIVERS_IMPORTERS_ENCODER_H
#define DRIVERS_IMPORTERS_ENCODER_H

#include <linux/types.h>
#include "drivers/picture.h"

struct device;
struct dma_buf;
struct dma_fence;
struct encoder;

/**
 * encoder_create - drive @dev
 *
 * Context: may sleep.  Returns ERR_PTR as job_queue_create().
 * Ownership: @dev stays the caller's and outlives the encoder.
 */
struct encoder *encoder_create(struct device *dev);

/** encoder_destroy - finish what is queued, detach. Context: may sleep. */
void encoder_destroy(struct encoder *encoder);

/**
 * encoder_encode - the picture in @dmabuf becomes @stream
 * @stream: room for @picture->bytes, left alone until the fence signals
 *
 * Context: may sleep, one caller at a time; no reservation held.
 * Returns the out-fence, the caller's to put; ERR_PTR: -EINVAL @picture does not fit, -ENOMEM,
 * attach's.
 */
struct dma_fence *encoder_encode(struct encoder *encoder, struct dma_buf *dmabuf,
				 const struct picture *picture, u8 *stream);

#endif
