/* SPDX-License-Identifier: MIT */
/* scanner.c - a driver that imports a buffer, for a device that does a job in it now and then */
#include <linux/dma-buf.h>
#include <linux/slab.h>

struct scanner {
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt; /* while a job runs */
	enum dma_data_direction dir;
};

static struct scanner *scanner_open(struct device *dev, struct dma_buf *dmabuf,
				    enum dma_data_direction dir)
{
	struct scanner *scanner = kzalloc(sizeof(*scanner), GFP_KERNEL);
	struct dma_buf_attachment *attach;

	if (!scanner)
		return ERR_PTR(-ENOMEM);
	attach = dma_buf_attach(dmabuf, dev);
	if (IS_ERR(attach)) {
		kfree(scanner);
		return ERR_CAST(attach);
	}
	get_dma_buf(dmabuf);
	scanner->dmabuf = dmabuf;
	scanner->attach = attach;
	scanner->dir = dir;
	return scanner;
}

/* What the device is told; it may begin. */
static struct sg_table *scanner_start(struct scanner *scanner)
{
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(scanner->attach, scanner->dir);

	if (!IS_ERR(sgt))
		scanner->sgt = sgt;
	return sgt;
}

/* The device has told that it is done. */
static void scanner_done(struct scanner *scanner)
{
	dma_buf_unmap_attachment_unlocked(scanner->attach, scanner->sgt, scanner->dir);
	scanner->sgt = NULL;
}

static void scanner_close(struct scanner *scanner)
{
	dma_buf_detach(scanner->dmabuf, scanner->attach);
	dma_buf_put(scanner->dmabuf);
	kfree(scanner);
}
