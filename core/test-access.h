/* SPDX-License-Identifier: MIT */
/*
 * test-access.h - one byte through a device or by the CPU, bracketed as it must be; for core's tests
 *
 * What goes wrong on the way fails the case.
 */
#ifndef CORE_TEST_ACCESS_H
#define CORE_TEST_ACCESS_H

#include <linux/compiler.h>
#include <linux/dma-buf.h>
#include <linux/err.h>

#include "dma/engine.h"
#include "tests/ktap.h"

/** test_device_write - map, write @value at @at, unmap; past the caches if @attach is so */
static inline void test_device_write(struct ktap *t, struct dma_buf_attachment *attach, size_t at,
				     u8 value)
{
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);
	struct dma_cursor cursor = { .no_snoop = attach->no_snoop };

	KT_ASSERT(t, !IS_ERR(sgt));
	KT_EQ(t, dma_engine_write_from(attach->dev, sgt, &cursor, at, &value, 1), 0);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_FROM_DEVICE);
}

/** test_device_read - map, read the byte at @at, unmap; 0 when it cannot be mapped */
static inline u8 test_device_read(struct ktap *t, struct dma_buf_attachment *attach, size_t at)
{
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	struct dma_cursor cursor = { .no_snoop = attach->no_snoop };
	u8 value = 0;

	if (IS_ERR(sgt)) {
		KT_CHECK(t, false);
		return 0;
	}
	KT_EQ(t, dma_engine_read_from(attach->dev, sgt, &cursor, at, &value, 1), 0);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	return value;
}

/** test_cpu_write, test_cpu_read - the same by the CPU, that finds the buffer at @bytes */
static inline void test_cpu_write(struct ktap *t, struct dma_buf *dmabuf, u8 *bytes, size_t at,
				  u8 value)
{
	KT_EQ(t, dma_buf_begin_cpu_access(dmabuf, DMA_TO_DEVICE), 0);
	WRITE_ONCE(bytes[at], value);
	KT_EQ(t, dma_buf_end_cpu_access(dmabuf, DMA_TO_DEVICE), 0);
}

static inline u8 test_cpu_read(struct ktap *t, struct dma_buf *dmabuf, const u8 *bytes, size_t at)
{
	u8 value;

	KT_EQ(t, dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	value = READ_ONCE(bytes[at]);
	KT_EQ(t, dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	return value;
}

#endif
