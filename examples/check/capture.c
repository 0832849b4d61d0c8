/* SPDX-License-Identifier: MIT */
/* capture.c - a driver that a program gives a descriptor, for a job of its device: from queue to done */
#include <linux/dma-buf.h>
#include <linux/slab.h>

struct capture {
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	enum dma_data_direction dir;
};

/* The program may close @fd when this returns. */
static struct capture *capture_queue(struct device *dev, int fd, enum dma_data_direction dir)
{
	struct capture *capture = kzalloc(sizeof(*capture), GFP_KERNEL);
	int ret;

	if (!capture)
		return ERR_PTR(-ENOMEM);
	capture->dir = dir;
	capture->dmabuf = dma_buf_get(fd);
	if (IS_ERR(capture->dmabuf)) {
		ret = PTR_ERR(capture->dmabuf);
		goto free_capture;
	}
	capture->attach = dma_buf_attach(capture->dmabuf, dev);
	if (IS_ERR(capture->attach)) {
		ret = PTR_ERR(capture->attach);
		goto put_buffer;
	}
	capture->sgt = dma_buf_map_attachment_unlocked(capture->attach, dir);
	if (!IS_ERR(capture->sgt))
		return capture;
	ret = PTR_ERR(capture->sgt);
	dma_buf_detach(capture->dmabuf, capture->attach);
put_buffer:
	dma_buf_put(capture->dmabuf);
free_capture:
	kfree(capture);
	return ERR_PTR(ret);
}

static void capture_done(struct capture *capture)
{
	dma_buf_unmap_attachment_unlocked(capture->attach, capture->sgt, capture->dir);
	dma_buf_detach(capture->dmabuf, capture->attach);
	dma_buf_put(capture->dmabuf);
	kfree(capture);
}
