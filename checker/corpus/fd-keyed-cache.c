/* SPDX-License-Identifier: MIT */
/*
 * fd-keyed-cache.c - an importer that knows a buffer by its descriptor's number
 *
 * Report: hgaiser/moonshine#137: "validate DMA-BUF import cache entries"
 * Wrong: the program closes the descriptor and gets the same number for another buffer; the cache
 *	finds the old one, and stale frames are encoded
 * Rule: a buffer is its dma_buf; a number means nothing once it is closed
 */
#include <linux/mutex.h>

#include "host/file.h"
#include "importer.h"

struct cached {
	struct importer base;
	int fd;
	unsigned int users;
	struct list_head node;
};

static LIST_HEAD(cache);
static DEFINE_MUTEX(cache_lock);

static bool same_buffer(const struct cached *cached, const struct dma_buf *dmabuf, int fd)
{
#ifdef FIXED
	return cached->base.dmabuf == dmabuf;
#else
	return cached->fd == fd;
#endif
}

/* Gets a reference of @dmabuf, on success only. */
static struct cached *cache_add(struct check_import *import, struct dma_buf *dmabuf, int fd)
{
	struct cached *cached = kzalloc(sizeof(*cached), GFP_KERNEL);

	if (!cached)
		return ERR_PTR(-ENOMEM);
	cached->base.attach = dma_buf_attach(dmabuf, import->dev);
	if (IS_ERR(cached->base.attach)) {
		struct dma_buf_attachment *error = cached->base.attach;

		kfree(cached);
		return ERR_CAST(error);
	}
	cached->base.dmabuf = dmabuf;
	cached->fd = fd;
	list_add(&cached->node, &cache);
	return cached;
}

static struct cached *cache_get(struct check_import *import, int fd)
{
	struct dma_buf *dmabuf = dma_buf_get(fd);
	struct cached *cached;

	if (IS_ERR(dmabuf))
		return ERR_CAST(dmabuf);
	list_for_each_entry(cached, &cache, node) {
		if (cached->base.attach->dev == import->dev && same_buffer(cached, dmabuf, fd)) {
			cached->users++;
			goto put_buffer;
		}
	}
	cached = cache_add(import, dmabuf, fd);
	if (!IS_ERR(cached)) {
		cached->users = 1;
		return cached;
	}
put_buffer:
	dma_buf_put(dmabuf);
	return cached;
}

/* What a program does for each frame: a descriptor, the ioctl that imports it, close(). */
static int encoder_open(struct check_import *import)
{
	struct cached *cached;
	int fd;

	get_dma_buf(import->dmabuf);
	fd = dma_buf_fd(import->dmabuf, O_CLOEXEC);
	if (fd < 0) {
		dma_buf_put(import->dmabuf);
		return fd;
	}
	mutex_lock(&cache_lock);
	cached = cache_get(import, fd);
	mutex_unlock(&cache_lock);
	host_close(fd);
	import->own = cached;
	return PTR_ERR_OR_ZERO(cached);
}

static int encoder_job(struct check_import *import)
{
	struct cached *cached = import->own;
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(cached->base.attach, import->dir);
	int ret;

	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	ret = check_device_runs(import, sgt);
	dma_buf_unmap_attachment_unlocked(cached->base.attach, sgt, import->dir);
	return ret;
}

static void encoder_close(struct check_import *import)
{
	struct cached *cached = import->own;

	mutex_lock(&cache_lock);
	if (!--cached->users) {
		list_del(&cached->node);
		importer_fini(&cached->base);
		kfree(cached);
	}
	mutex_unlock(&cache_lock);
}

DMABUF_CHECK({ .name = "fd-keyed-cache",
	       .open = encoder_open,
	       .access = encoder_job,
	       .close = encoder_close });
