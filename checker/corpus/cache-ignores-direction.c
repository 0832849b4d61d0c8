/* SPDX-License-Identifier: MIT */
/*
 * cache-ignores-direction.c - an importer that gives a second user the first one's mapping, whatever
 *	it was mapped for
 *
 * Report: Linux 6.12, drivers/media/platform/nvidia/tegra-vde/dmabuf-cache.c: an entry is found by its
 *	dma_buf, and its direction then set to the new user's
 * Wrong: a device that writes gets a mapping for reading; it faults, and the unmap has another
 *	direction than the map
 * Rule: a mapping serves the direction it was mapped with
 */
#include <linux/dma-mapping.h>
#include <linux/mutex.h>

#include "importer.h"

struct cached {
	struct importer base;
	struct device *dev;
	unsigned int users;
	struct list_head node;
};

static LIST_HEAD(cache);
static DEFINE_MUTEX(cache_lock);

static bool serves(const struct cached *cached, const struct check_import *import)
{
#ifdef FIXED
	if (cached->base.dir != import->dir)
		return false;
#endif
	return cached->base.dmabuf == import->dmabuf && cached->dev == import->dev;
}

static struct cached *cache_get(struct check_import *import)
{
	struct cached *cached;
	int ret;

	list_for_each_entry(cached, &cache, node) {
		if (serves(cached, import)) {
			cached->users++;
			cached->base.dir = import->dir;
			return cached;
		}
	}
	cached = kzalloc(sizeof(*cached), GFP_KERNEL);
	if (!cached)
		return ERR_PTR(-ENOMEM);
	cached->base.attach = dma_buf_attach(import->dmabuf, import->dev);
	if (IS_ERR(cached->base.attach)) {
		ret = PTR_ERR(cached->base.attach);
		goto free_cached;
	}
	cached->base.sgt = dma_buf_map_attachment_unlocked(cached->base.attach, import->dir);
	if (IS_ERR(cached->base.sgt)) {
		ret = PTR_ERR(cached->base.sgt);
		goto detach;
	}
	get_dma_buf(import->dmabuf);
	cached->base.dmabuf = import->dmabuf;
	cached->base.dir = import->dir;
	cached->dev = import->dev;
	cached->users = 1;
	list_add(&cached->node, &cache);
	return cached;

detach:
	dma_buf_detach(import->dmabuf, cached->base.attach);
free_cached:
	kfree(cached);
	return ERR_PTR(ret);
}

static int vde_open(struct check_import *import)
{
	mutex_lock(&cache_lock);
	import->own = cache_get(import);
	mutex_unlock(&cache_lock);
	return PTR_ERR_OR_ZERO(import->own);
}

static int vde_job(struct check_import *import)
{
	struct cached *cached = import->own;
	int ret;

	dma_sync_sgtable_for_device(import->dev, cached->base.sgt, cached->base.dir);
	ret = check_device_runs(import, cached->base.sgt);
	dma_sync_sgtable_for_cpu(import->dev, cached->base.sgt, cached->base.dir);
	return ret;
}

static void vde_close(struct check_import *import)
{
	struct cached *cached = import->own;

	mutex_lock(&cache_lock);
	if (!--cached->users) {
		list_del(&cached->node);
		dma_buf_unmap_attachment_unlocked(cached->base.attach, cached->base.sgt,
						  cached->base.dir);
		importer_fini(&cached->base);
		kfree(cached);
	}
	mutex_unlock(&cache_lock);
}

DMABUF_CHECK({ .name = "cache-ignores-direction",
	       .open = vde_open,
	       .access = vde_job,
	       .close = vde_close });
