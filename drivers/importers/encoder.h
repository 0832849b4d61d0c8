/* SPDX-License-Identifier: MIT */
/*
 * encoder.h - a device that takes pictures out: DMA_TO_DEVICE
 *
 * Its stream is the picture's bytes as they are, so that a wrong byte in memory is a wrong byte in
 * the stream.  Its engine takes one address and a length: a buffer that does not come as one
 * contiguous segment is refused.
 *
 * It maps a buffer once and keeps the mapping, as drivers of such devices do; each picture is an
 * access within it: static, so that the buffer cannot move from the first picture on, or following
 * moves and reading other devices' memory where it can.  Or it maps for each picture, and then the
 * buffer can move in between.
 */
#ifndef DRIVERS_IMPORTERS_ENCODER_H
#define DRIVERS_IMPORTERS_ENCODER_H

#include <linux/types.h>
#include "drivers/picture.h"

struct device;
struct dma_buf;
struct dma_fence;
struct encoder;

enum encoder_import {
	ENCODER_STATIC, /* the buffer is pinned while the encoder lives */
	ENCODER_PEER,   /* follows moves, peer2peer */
	ENCODER_JOB,    /* static, and maps for each picture */
};

/**
 * encoder_create - drive @dev
 *
 * Context: may sleep.  Returns ERR_PTR as job_queue_create().
 * Ownership: @dev stays the caller's and outlives the encoder.
 */
struct encoder *encoder_create(struct device *dev, enum encoder_import how);

/** encoder_destroy - finish what is queued, detach. Context: may sleep. */
void encoder_destroy(struct encoder *encoder);

/**
 * encoder_encode - the picture in @dmabuf becomes @stream
 * @stream: room for @picture->bytes, left alone until the fence signals
 *
 * Context: may sleep, one caller at a time; no reservation held.
 * Returns the out-fence, the caller's to put; ERR_PTR: -EINVAL @picture does not fit, or with a
 * line in the log that it is not one segment; -ENOMEM; attach's and map's.
 */
struct dma_fence *encoder_encode(struct encoder *encoder, struct dma_buf *dmabuf,
				 const struct picture *picture, u8 *stream);

#endif
