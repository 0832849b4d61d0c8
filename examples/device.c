/* SPDX-License-Identifier: MIT */
/* device.c - an exporter whose own device writes its buffer, through the exporter's own table */
#include <linux/dma-buf.h>
#include <linux/libdmabuf.h>
#include <dma/engine.h>
#include <libdmabuf.h>

static struct sg_table *no_importers(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	return ERR_PTR(-EBUSY);
}

static void unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		  enum dma_data_direction dir)
{
}

static void release(struct dma_buf *dmabuf)
{
	__free_page(dmabuf->priv);
}

static const struct dma_buf_ops ops = { .map_dma_buf = no_importers,
					.unmap_dma_buf = unmap,
					.release = release,
					.tells_own_access = true };

int main(void)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	struct libdmabuf_machine *machine;
	struct libdmabuf_device *handle;
	struct dma_buf *dmabuf;
	struct sg_table own;
	struct device *dev;

	info.ops = &ops, info.size = PAGE_SIZE, info.flags = O_RDWR, info.priv = page;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf) || libdmabuf_machine_create("arm", &machine) ||
	    libdmabuf_device_add(machine, "gpu", LIBDMABUF_SNOOPING_DEFAULT, &handle))
		return 1;
	dev = libdmabuf_device_of(handle);
	if (sg_alloc_table_from_pages(&own, &page, 1, 0, PAGE_SIZE, GFP_KERNEL) ||
	    dma_map_sgtable(dev, &own, DMA_BIDIRECTIONAL, 0))
		return 2;
	if (dma_buf_begin_exporter_access(dmabuf, dev, &own, DMA_FROM_DEVICE) ||
	    dma_engine_write(dev, &own, 0, "gpu", 4))
		return 3;
	dma_buf_end_exporter_access(dmabuf, dev, &own, DMA_FROM_DEVICE);
	if (dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE))
		return 4;
	printf("the CPU reads: %s\n", (char *)page_address(page));
	dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE);
	dma_unmap_sgtable(dev, &own, DMA_BIDIRECTIONAL, 0);
	sg_free_table(&own);
	dma_buf_put(dmabuf);
	return libdmabuf_fini() != 0;
}
