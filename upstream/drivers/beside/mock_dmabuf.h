/* SPDX-License-Identifier: MIT */
/* mock_dmabuf.h - the exporter of i915's own tests: pages one by one */
#ifndef _MOCK_DMABUF_H
#define _MOCK_DMABUF_H

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

struct mock_dmabuf {
	int npages;
	struct page *pages[];
};

static inline struct mock_dmabuf *to_mock(struct dma_buf *buf)
{
	return buf->priv;
}

#endif
