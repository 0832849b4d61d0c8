/* SPDX-License-Identifier: MIT */
/*
 * remap.h - attachments that keep nothing: every map asks the exporter, as Linux does from 6.15 on
 *
 * Policy `remap`, and what policy `cached` cannot keep: mappings that a dynamic importer has of a
 * dynamic exporter. A static importer of a dynamic exporter pins from map to unmap.
 *
 * Where others keep theirs, such a mapping is to the directory an access of the CPU's from map to
 * unmap, so that each sees what the other wrote.
 *
 * Invariants
 *   RM1  The exporter's unmap gets the direction its map got.
 *   RM2  An attachment detached while mapped is freed, with its buffer reference, by the last
 *        unmap.
 */
#ifndef CORE_REMAP_H
#define CORE_REMAP_H

#include <linux/dma-buf.h>

/** remap_attach - as dma_buf_attach(); reservation not held, may sleep */
struct dma_buf_attachment *remap_attach(struct dma_buf *dmabuf, struct device *dev,
					const struct dma_buf_attach_ops *importer_ops,
					void *importer_priv, bool no_snoop);

/**
 * remap_detach - as dma_buf_detach().
 * Returns false if something was mapped: it is quarantined then.
 */
bool remap_detach(struct dma_buf_attachment *attach);

/** remap_map - as dma_buf_map_attachment(); reservation held */
struct sg_table *remap_map(struct dma_buf_attachment *attach, enum dma_data_direction dir);

/**
 * remap_unmap - as dma_buf_unmap_attachment(); reservation held
 *
 * One that ends a quarantine frees the attachment and its buffer reference from a work item (RM2).
 */
void remap_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		 enum dma_data_direction dir);

/**
 * remap_users - how many mappings of @dmabuf that are not kept are in use
 * @name: say in the log whose each is, and who mapped it
 *
 * Context: reservation held.
 */
unsigned int remap_users(struct dma_buf *dmabuf, bool name);

/**
 * remap_begin_access - as dma_buf_begin_access()
 * remap_end_access - as dma_buf_end_access()
 *
 * The mapping counts as open throughout.  Context: may sleep; reservation not needed.
 * WARNs without memory, and others may read stale bytes.
 */
void remap_begin_access(struct dma_buf_attachment *attach, struct sg_table *sgt,
			enum dma_data_direction dir);
void remap_end_access(struct dma_buf_attachment *attach, struct sg_table *sgt,
		      enum dma_data_direction dir);

#endif
