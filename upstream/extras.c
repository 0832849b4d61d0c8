/* SPDX-License-Identifier: MIT */
/* extras.c - what a driver of Linux 6.12 does by hand where ours calls the core */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>

void dma_buf_begin_access(struct dma_buf_attachment *attach, struct sg_table *sgt,
			  enum dma_data_direction dir)
{
	dma_sync_sgtable_for_device(attach->dev, sgt, dir);
}

void dma_buf_end_access(struct dma_buf_attachment *attach, struct sg_table *sgt,
			enum dma_data_direction dir)
{
	dma_sync_sgtable_for_cpu(attach->dev, sgt, dir);
}

int dma_buf_begin_exporter_access(struct dma_buf *dmabuf, struct device *dev, struct sg_table *sgt,
				  enum dma_data_direction dir)
{
	if (sgt)
		dma_sync_sgtable_for_device(dev, sgt, DMA_BIDIRECTIONAL);
	return 0;
}

void dma_buf_end_exporter_access(struct dma_buf *dmabuf, struct device *dev, struct sg_table *sgt,
				 enum dma_data_direction dir)
{
	if (sgt && dir != DMA_TO_DEVICE)
		dma_sync_sgtable_for_cpu(dev, sgt, DMA_BIDIRECTIONAL);
}

int dma_buf_begin_cpu_access_partial(struct dma_buf *dmabuf, enum dma_data_direction dir,
				     size_t offset, size_t len)
{
	return dma_buf_begin_cpu_access(dmabuf, dir);
}

int dma_buf_end_cpu_access_partial(struct dma_buf *dmabuf, enum dma_data_direction dir,
				   size_t offset, size_t len)
{
	return dma_buf_end_cpu_access(dmabuf, dir);
}

/* Static importers' buffers are pinned there, so there is nothing of theirs to give anew. */
int dma_buf_move_begin(struct dma_buf *dmabuf, long timeout)
{
	dma_buf_move_notify(dmabuf);
	return 0;
}

void dma_buf_move_end(struct dma_buf *dmabuf)
{
}

int dma_buf_revoke(struct dma_buf *dmabuf, long timeout)
{
	long left;

	dma_resv_lock(dmabuf->resv, NULL);
	dma_buf_move_notify(dmabuf);
	dma_resv_unlock(dmabuf->resv);
	left = dma_resv_wait_timeout(dmabuf->resv, DMA_RESV_USAGE_BOOKKEEP, false, timeout);
	return left > 0 ? 0 : -ETIMEDOUT;
}
