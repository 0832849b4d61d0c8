/* SPDX-License-Identifier: MIT */
/* overlay.c - a driver that reads a buffer by the CPU, as for a screen behind USB */
#include <linux/dma-buf.h>
#include <linux/iosys-map.h>

/* Where the bytes are until overlay_end(), or ERR_PTR. */
static void *overlay_begin(struct dma_buf *dmabuf)
{
	struct iosys_map map;
	int ret;

	ret = dma_buf_vmap_unlocked(dmabuf, &map);
	if (ret)
		return ERR_PTR(ret);
	ret = dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE);
	if (!ret)
		return map.vaddr;
	dma_buf_vunmap_unlocked(dmabuf, &map);
	return ERR_PTR(ret);
}

static int overlay_end(struct dma_buf *dmabuf, void *vaddr)
{
	struct iosys_map map = IOSYS_MAP_INIT_VADDR(vaddr);
	int ret = dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE);

	dma_buf_vunmap_unlocked(dmabuf, &map);
	return ret;
}
