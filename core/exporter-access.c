/* SPDX-License-Identifier: MIT */
/*
 * exporter-access.c - what the exporter's own device does to its buffer
 *
 * Invariants
 *   EA1  To the directory the access is one of the CPU's: where the CPU is, is whole when it begins
 *        and holds what the device wrote when it ends.  So others are told by the end of a write.
 *   EA2  What a device elsewhere needs on top is maintained through its own table, by operations
 *        that are safe beside stores to other lines.
 *   EA3  Of an exporter that does not tell, an access of C's is open from export to release: the
 *        same as for a CPU mapping that nobody brackets.
 */
#include <linux/bug.h>
#include <linux/dma-mapping.h>
#include <linux/dma-table.h>

#include "buffer.h"
#include "event.h"

/* EA3.  Strangers' ends do not end it. */
#define UNTOLD (COHERENCE_READ | COHERENCE_WRITE | COHERENCE_KEPT)

static bool is_untold(const struct buffer *buffer)
{
	return !buffer->dmabuf.ops->tells_own_access && buffer->policy == DMA_BUF_POLICY_CACHED;
}

int buffer_exporter_init(struct buffer *buffer)
{
	if (!is_untold(buffer))
		return 0;
	return coherence_cpu_begin(&buffer->coherence, 0, buffer->dmabuf.size, UNTOLD);
}

void buffer_exporter_fini(struct buffer *buffer)
{
	if (is_untold(buffer))
		coherence_cpu_end(&buffer->coherence, 0, buffer->dmabuf.size, UNTOLD);
}

static unsigned int mode_of(struct buffer *buffer, enum dma_data_direction dir)
{
	return buffer_cpu_mode(buffer, coherence_device_mode(dir));
}

/*
 * A device that writes may write a part, so a slot that is copied back whole must first be up to
 * date: for both directions, whatever @dir.  What the caches hold of a buffer that the CPU maps
 * uncached is not newer than memory.
 */
static void bring_up_to_date(struct dma_buf *dmabuf, struct device *dev, struct sg_table *sgt,
			     enum dma_data_direction dir)
{
	bool bounced = dma_device_domain(dev) == DMA_DOMAIN_BOUNCE;

	if (dmabuf->ops->cpu_maps_uncached)
		dma_table_sync(dev, sgt, 0, dmabuf->size,
			       DMA_TABLE_CLEAN_INVALIDATE | DMA_TABLE_ANY_DEVICE);
	else if (!bounced)
		dma_table_sync(dev, sgt, 0, dmabuf->size, DMA_TABLE_CLEAN);
	if (bounced)
		dma_sync_sgtable_for_device(
			dev, sgt, dir == DMA_TO_DEVICE ? DMA_TO_DEVICE : DMA_BIDIRECTIONAL);
}

static void fetch_what_it_wrote(struct dma_buf *dmabuf, struct device *dev, struct sg_table *sgt)
{
	bool bounced = dma_device_domain(dev) == DMA_DOMAIN_BOUNCE;

	if (bounced)
		dma_sync_sgtable_for_cpu(dev, sgt, DMA_FROM_DEVICE);
	if (dmabuf->ops->cpu_maps_uncached)
		dma_table_sync(dev, sgt, 0, dmabuf->size, DMA_TABLE_CLEAN | DMA_TABLE_ANY_DEVICE);
	else if (!bounced)
		dma_table_sync(dev, sgt, 0, dmabuf->size, DMA_TABLE_CLEAN_INVALIDATE);
}

int dma_buf_begin_exporter_access(struct dma_buf *dmabuf, struct device *dev, struct sg_table *sgt,
				  enum dma_data_direction dir)
{
	struct buffer *buffer;
	int ret;

	if (WARN(!dmabuf || !dev || (unsigned int)dir >= DMA_NONE,
		 "dma-buf: begin_exporter_access without a buffer, a device or a direction\n"))
		return -EINVAL;
	might_sleep();

	buffer = to_buffer(dmabuf);
	if (buffer->policy == DMA_BUF_POLICY_CACHED) {
		ret = coherence_cpu_begin(&buffer->coherence, 0, dmabuf->size,
					  mode_of(buffer, dir));
		if (ret)
			return ret;
	}
	if (sgt)
		bring_up_to_date(dmabuf, dev, sgt, dir);
	event_tell(EVENT_EXPORTER_BEGIN, dmabuf, dev, dir, !sgt, 0);
	return 0;
}

void dma_buf_end_exporter_access(struct dma_buf *dmabuf, struct device *dev, struct sg_table *sgt,
				 enum dma_data_direction dir)
{
	struct buffer *buffer;

	if (WARN(!dmabuf || !dev || (unsigned int)dir >= DMA_NONE,
		 "dma-buf: end_exporter_access without a buffer, a device or a direction\n"))
		return;
	might_sleep();

	buffer = to_buffer(dmabuf);
	if (sgt && dir != DMA_TO_DEVICE)
		fetch_what_it_wrote(dmabuf, dev, sgt);
	if (buffer->policy == DMA_BUF_POLICY_CACHED)
		coherence_cpu_end(&buffer->coherence, 0, dmabuf->size, mode_of(buffer, dir));
	event_tell(EVENT_EXPORTER_END, dmabuf, dev, dir, !sgt, 0);
}
