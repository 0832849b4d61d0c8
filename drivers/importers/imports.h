/* SPDX-License-Identifier: MIT */
/*
 * imports.h - the buffers a device has been given
 *
 * A driver attaches a buffer when it first sees it and keeps the attachment until the device goes,
 * as drivers do that know buffers by handle.  Used by one submitting thread at a time; jobs use an
 * import between submit and fence.
 *
 * Deliberately not here: forgetting a single buffer.
 */
#ifndef DRIVERS_IMPORTERS_IMPORTS_H
#define DRIVERS_IMPORTERS_IMPORTS_H

#include <linux/atomic.h>
#include <linux/dma-direction.h>
#include <linux/list.h>
#include <linux/types.h>

struct device;
struct dma_buf;
struct dma_buf_attach_ops;
struct dma_buf_attachment;
struct sg_table;

struct import {
	/* constant */
	struct list_head node;
	struct dma_buf *dmabuf; /* a reference of its own */
	struct dma_buf_attachment *attach;

	/* the driver's: a mapping that stays, or NULL */
	struct sg_table *kept;

	atomic_t jobs; /* that use `kept`, if the driver counts them */

	/* guarded by the buffer's reservation, set by the driver's move_notify() */
	bool moved; /* `kept` is of a place that the buffer has left */
};

struct imports {
	struct device *dev;
	const struct dma_buf_attach_ops *ops; /* NULL for a static importer */
	struct list_head list;
};

/**
 * imports_init - no imports yet
 * @ops: of a dynamic importer, or NULL
 *
 * Context: any.
 */
void imports_init(struct imports *imports, struct device *dev,
		  const struct dma_buf_attach_ops *ops);

/**
 * imports_get - the import of @dmabuf, made now if it is new
 *
 * Context: may sleep; its reservation not held.  Returns ERR_PTR: -ENOMEM, dma_buf_attach()'s.
 * Ownership: stays with @imports.
 */
struct import *imports_get(struct imports *imports, struct dma_buf *dmabuf);

/**
 * imports_unmap_kept - give back what is kept, mapped for @dir. Context: may sleep; no job is left
 */
void imports_unmap_kept(struct imports *imports, enum dma_data_direction dir);

/** imports_drop - detach all. Context: may sleep; no job is left and nothing is kept. */
void imports_drop(struct imports *imports);

#endif
