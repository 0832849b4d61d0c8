/* SPDX-License-Identifier: MIT */
/*
 * dma-buf.h - Linux 6.12's own header, and those of our calls that our drivers use beside it
 *
 * Ours do what a driver of Linux has to do in their place (upstream/extras.c).
 */
#ifndef UPSTREAM_DMA_BUF_H
#define UPSTREAM_DMA_BUF_H

#include_next <linux/dma-buf.h>

/* How buffers are made is the variant's: upstream/Makefile. */
enum dma_buf_policy { DMA_BUF_POLICY_CACHED, DMA_BUF_POLICY_REMAP };

static inline void dma_buf_set_policy(enum dma_buf_policy policy)
{
}

/* Every map asks the exporter, before the importer's fences are waited for. */
static inline enum dma_buf_policy dma_buf_get_policy(void)
{
	return DMA_BUF_POLICY_REMAP;
}

/* Not counted: Linux has nobody to ask. */
static inline void dma_buf_count_pinned(bool on)
{
}

/* The importer syncs what it keeps mapped, as videobuf2 does. */
void dma_buf_begin_access(struct dma_buf_attachment *attach, struct sg_table *sgt,
			  enum dma_data_direction dir);
void dma_buf_end_access(struct dma_buf_attachment *attach, struct sg_table *sgt,
			enum dma_data_direction dir);

/* Linux knows devices that snoop and devices that do not. */
static inline struct dma_buf_attachment *
dma_buf_attach_no_snoop(struct dma_buf *dmabuf, struct device *dev,
			const struct dma_buf_attach_ops *importer_ops, void *importer_priv)
{
	return dma_buf_dynamic_attach(dmabuf, dev, importer_ops, importer_priv);
}

/* The exporter syncs its own mapping. */
int dma_buf_begin_exporter_access(struct dma_buf *dmabuf, struct device *dev, struct sg_table *sgt,
				  enum dma_data_direction dir);
void dma_buf_end_exporter_access(struct dma_buf *dmabuf, struct device *dev, struct sg_table *sgt,
				 enum dma_data_direction dir);

/* The exporter tells who follows; the others' buffers are pinned. */
int dma_buf_move_begin(struct dma_buf *dmabuf, long timeout);
void dma_buf_move_end(struct dma_buf *dmabuf);
/* What each exporter does by hand there: tell, and wait for the fences. */
int dma_buf_revoke(struct dma_buf *dmabuf, long timeout);

static inline bool dma_buf_move_blocked(struct dma_buf *dmabuf)
{
	return false;
}

/* The whole buffer, for Linux knows no part. */
int dma_buf_begin_cpu_access_partial(struct dma_buf *dmabuf, enum dma_data_direction dir,
				     size_t offset, size_t len);
int dma_buf_end_cpu_access_partial(struct dma_buf *dmabuf, enum dma_data_direction dir,
				   size_t offset, size_t len);

/* Linux asks nobody for brackets. */
static inline int dma_buf_vmap_bracketed(struct dma_buf *dmabuf, struct iosys_map *map)
{
	return dma_buf_vmap(dmabuf, map);
}

#endif
