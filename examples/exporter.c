/* SPDX-License-Identifier: MIT */
/* exporter.c - a driver that exports one page, as for Linux, and a program that uses it */
#include <linux/dma-buf.h>
#include <linux/slab.h>
#include <libdmabuf.h>

static struct sg_table *page_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct sg_table *sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);

	if (!sgt || sg_alloc_table(sgt, 1, GFP_KERNEL))
		goto free_sgt;
	sg_set_page(sgt->sgl, attach->dmabuf->priv, PAGE_SIZE, 0);
	if (!dma_map_sgtable(attach->dev, sgt, dir, 0))
		return sgt;
	sg_free_table(sgt);
free_sgt:
	kfree(sgt);
	return ERR_PTR(-ENOMEM);
}

static void page_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		       enum dma_data_direction dir)
{
	dma_unmap_sgtable(attach->dev, sgt, dir, 0);
	sg_free_table(sgt);
	kfree(sgt);
}

static void page_release(struct dma_buf *dmabuf)
{
	__free_page(dmabuf->priv);
}

static const struct dma_buf_ops page_ops = { .map_dma_buf = page_map,
					     .unmap_dma_buf = page_unmap,
					     .release = page_release };

int main(void)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	struct libdmabuf_attachment *attachment;
	struct libdmabuf_machine *machine;
	struct libdmabuf_buffer *buffer;
	struct libdmabuf_device *device;
	char text[8] = "";
	info.ops = &page_ops, info.size = PAGE_SIZE, info.flags = O_RDWR, info.priv = page;
	strscpy(page_address(page), "driver", 7);
	if (libdmabuf_buffer_import(dma_buf_fd(dma_buf_export(&info), O_CLOEXEC), &buffer) ||
	    libdmabuf_machine_create("pc-iommu", &machine) ||
	    libdmabuf_device_add(machine, "reader", LIBDMABUF_SNOOPING_DEFAULT, &device) ||
	    libdmabuf_attach(device, buffer, &attachment) ||
	    libdmabuf_map(attachment, LIBDMABUF_READ) ||
	    libdmabuf_device_read(attachment, 0, text, 7))
		return 1;
	printf("the device read: %s\n", text);
	return libdmabuf_fini() != 0;
}
