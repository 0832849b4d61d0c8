/* SPDX-License-Identifier: MIT */
/*
 * engine.h - a device's DMA engine: the only hands a software device has
 *
 * Bytes move only through what the device has mapped: the address is looked up in the device's page
 * table (with an IOMMU) or in its count of live mappings (without), the permission is checked, and
 * the bytes are found where this device finds them: in the CPU's view, behind the caches, or in a
 * bounce slot.
 *
 * A fault moves no byte of the failing piece (what the access wants of one entry), is counted, kept
 * as the device's last fault and printed once per device.  Bytes moved are counted per device.
 *
 * Not modelled: permission for less than a page; transactions in flight that an unmap would wait
 * for.
 */
#ifndef DMA_ENGINE_H
#define DMA_ENGINE_H

#include <linux/types.h>

struct device;
struct scatterlist;
struct sg_table;

enum dma_fault_reason {
	DMA_FAULT_NONE,
	DMA_FAULT_UNMAPPED,
	DMA_FAULT_PERMISSION,
	DMA_FAULT_NOBODY /* no memory answers there */
};

struct dma_fault {
	enum dma_fault_reason reason;
	dma_addr_t addr;
	bool write; /* the device wrote memory */
};

struct dma_engine_stats {
	u64 bytes_read;    /* from memory into the device */
	u64 bytes_written; /* from the device into memory */
	u64 faults;
	struct dma_fault last_fault;
};

/**
 * dma_engine_read - the device reads @len bytes of memory at @offset of @sgt into @dst
 * dma_engine_write - the device writes @len bytes from @src into memory at @offset of @sgt
 *
 * @sgt is what dma_buf_map_attachment() returned; only DMA addresses and lengths are used.
 * Context: any thread that plays the device; does not sleep.
 * Ordering: a write has arrived when it returns, as with a device that has said it is done: all that
 * the thread does later, an unmap's look at the directory for one, comes after.
 * Returns 0, -EFAULT on a fault, -EINVAL past the end of @sgt.
 */
int dma_engine_read(struct device *dev, const struct sg_table *sgt, size_t offset, void *dst,
		    size_t len);
int dma_engine_write(struct device *dev, const struct sg_table *sgt, size_t offset, const void *src,
		     size_t len);

/* Where in a table a device's last access ended. Zeroed: nowhere yet. */
struct dma_cursor {
	struct scatterlist *sg;
	unsigned int nr; /* @sg's number */
	size_t start;    /* bytes before @sg */
	bool no_snoop;   /* set by who uses it: these accesses go past the CPU's caches */
};

/**
 * dma_engine_read_from, dma_engine_write_from - the same, looking for @offset from @cursor on
 *
 * dma_engine_read() walks the table from its first entry each time.  Who goes forward through a
 * table, a line after the other, keeps a cursor and walks it once.  Going back works and starts at
 * the first entry.
 * A device that could snoop may choose not to for one access and not the next, as GPUs do.
 * Context and errors as above.  @cursor is zeroed but for no_snoop before the first use with a
 * table, used with that table only, and not after its unmap.
 */
int dma_engine_read_from(struct device *dev, const struct sg_table *sgt, struct dma_cursor *cursor,
			 size_t offset, void *dst, size_t len);
int dma_engine_write_from(struct device *dev, const struct sg_table *sgt, struct dma_cursor *cursor,
			  size_t offset, const void *src, size_t len);

/** dma_engine_stats - what @dev's engine has done so far. Context: any. */
void dma_engine_stats(struct device *dev, struct dma_engine_stats *stats);

#endif
