/* SPDX-License-Identifier: MIT */
/*
 * engine.c - see engine.h
 *
 * An access that is under way when its mapping goes may still finish: keeping the two apart is the
 * fences' business, as with hardware whose transactions are in flight.
 */
#include <linux/bug.h>
#include <linux/dma-mapping.h>
#include <linux/minmax.h>
#include <linux/scatterlist.h>
#include <linux/string.h>
#include "dma/cache.h"
#include "dma/view.h"
#include "host/memory.h"

static void engine_fault(struct dma_view *view, enum dma_fault_reason reason, dma_addr_t addr,
			 bool write)
{
	atomic64_inc(&view->faults);
	spin_lock(&view->lock);
	view->last_fault.reason = reason;
	view->last_fault.addr = addr;
	view->last_fault.write = write;
	spin_unlock(&view->lock);
	if (!atomic_xchg(&view->fault_was_printed, 1))
		dev_err(view->dev, "DMA fault: %s of 0x%llx: %s\n", write ? "write" : "read",
			(unsigned long long)addr,
			reason == DMA_FAULT_UNMAPPED     ? "not mapped"
			: reason == DMA_FAULT_PERMISSION ? "not allowed"
							 : "nobody answers");
}

/* Where this device finds the bytes. */
static void *engine_bytes(struct dma_view *view, const struct dma_reach *at, bool no_snoop)
{
	if (at->slot)
		return at->slot;
	if (view->coherent && !no_snoop)
		return host_phys_to_virt(at->phys);
	cache_passes(at->phys, at->len);
	return cache_behind(at->phys);
}

/* @len bytes at @addr, one piece as the device sees it. Checked before anything moves. */
static int engine_piece(struct dma_view *view, dma_addr_t addr, char *buf, size_t len, bool write,
			bool no_snoop)
{
	unsigned int may = write ? DMA_MAY_WRITE : DMA_MAY_READ;
	enum dma_fault_reason reason;
	struct dma_reach at;
	size_t done;
	void *bytes;

	for (done = 0; done < len; done += at.len) {
		reason = dma_view_reach(view, addr + done, len - done, may, &at);
		if (reason != DMA_FAULT_NONE) {
			engine_fault(view, reason, addr + done, write);
			return -EFAULT;
		}
		if (!done && at.len == len)
			break; /* the usual case: one look is enough */
	}
	for (done = 0; done < len; done += at.len) {
		if (at.len != len &&
		    dma_view_reach(view, addr + done, len - done, may, &at) != DMA_FAULT_NONE)
			return -EFAULT; /* unmapped since the look above */
		bytes = engine_bytes(view, &at, no_snoop);
		if (WARN_ON(!bytes))
			return -EFAULT;
		if (write)
			memcpy(bytes, buf + done, at.len);
		else
			memcpy(buf + done, bytes, at.len);
	}
	atomic64_add(len, write ? &view->bytes_written : &view->bytes_read);
	return 0;
}

/* Let @cursor stand at the entry that holds byte @offset; sg is NULL if the table ends before. */
static void engine_seek(const struct sg_table *sgt, struct dma_cursor *cursor, size_t offset)
{
	if (!cursor->sg || offset < cursor->start)
		*cursor = (struct dma_cursor){ .sg = sgt->sgl, .no_snoop = cursor->no_snoop };
	for (; cursor->nr < sgt->nents; cursor->sg = sg_next(cursor->sg), cursor->nr++) {
		if (offset - cursor->start < sg_dma_len(cursor->sg))
			return;
		cursor->start += sg_dma_len(cursor->sg);
	}
	cursor->sg = NULL;
}

/* Are there @len bytes from @offset, in the cursor's entry, on? */
static bool engine_has(const struct sg_table *sgt, const struct dma_cursor *cursor, size_t offset,
		       size_t len)
{
	struct scatterlist *sg = cursor->sg;
	size_t in_first = offset - cursor->start, bytes;
	unsigned int nr;

	if (!sg)
		return !len && !in_first;
	bytes = sg_dma_len(sg) - in_first;
	for (nr = cursor->nr + 1; bytes < len && nr < sgt->nents; nr++) {
		sg = sg_next(sg);
		bytes += sg_dma_len(sg);
	}
	return bytes >= len;
}

static int engine_access(struct device *dev, const struct sg_table *sgt, struct dma_cursor *cursor,
			 size_t offset, char *buf, size_t len, bool write)
{
	struct dma_view *view = dma_view_of(dev);
	size_t piece;
	int err;

	if (!view || !sgt)
		return -EINVAL;
	engine_seek(sgt, cursor, offset);
	if (!engine_has(sgt, cursor, offset, len))
		return -EINVAL;

	while (len) {
		engine_seek(sgt, cursor, offset);
		piece = min_t(size_t, len, cursor->start + sg_dma_len(cursor->sg) - offset);
		err = engine_piece(view, sg_dma_address(cursor->sg) + (offset - cursor->start), buf,
				   piece, write, cursor->no_snoop);
		if (err)
			return err;
		buf += piece;
		len -= piece;
		offset += piece;
	}
	if (write)
		smp_mb();
	return 0;
}

int dma_engine_read_from(struct device *dev, const struct sg_table *sgt, struct dma_cursor *cursor,
			 size_t offset, void *dst, size_t len)
{
	return engine_access(dev, sgt, cursor, offset, dst, len, false);
}

int dma_engine_write_from(struct device *dev, const struct sg_table *sgt, struct dma_cursor *cursor,
			  size_t offset, const void *src, size_t len)
{
	return engine_access(dev, sgt, cursor, offset, (char *)src, len, true);
}

int dma_engine_read(struct device *dev, const struct sg_table *sgt, size_t offset, void *dst,
		    size_t len)
{
	struct dma_cursor cursor = {};

	return dma_engine_read_from(dev, sgt, &cursor, offset, dst, len);
}

int dma_engine_write(struct device *dev, const struct sg_table *sgt, size_t offset, const void *src,
		     size_t len)
{
	struct dma_cursor cursor = {};

	return dma_engine_write_from(dev, sgt, &cursor, offset, src, len);
}

void dma_engine_stats(struct device *dev, struct dma_engine_stats *stats)
{
	struct dma_view *view = dma_view_of(dev);

	memset(stats, 0, sizeof(*stats));
	if (!view)
		return;
	stats->bytes_read = atomic64_read(&view->bytes_read);
	stats->bytes_written = atomic64_read(&view->bytes_written);
	stats->faults = atomic64_read(&view->faults);
	spin_lock(&view->lock);
	stats->last_fault = view->last_fault;
	spin_unlock(&view->lock);
}
