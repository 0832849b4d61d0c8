/* SPDX-License-Identifier: MIT */
/* pairs.c - importers that know whose mapping they have, and that others write into what it shows */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/list.h>
#include <linux/mutex.h>

#include "breaks.h"

struct shared {
	struct dma_buf_attachment *attach;
	unsigned int users;
	struct list_head node;
};

static LIST_HEAD(all);
static DEFINE_MUTEX(lock); /* guards all and what is in it */

static bool serves(const struct shared *shared, const struct check_import *import)
{
	return shared->attach->dev == import->dev &&
	       (breaks("LIFE-05") || shared->attach->dmabuf == import->dmabuf);
}

static struct shared *get(const struct check_import *import)
{
	struct shared *shared;
	int ret;

	list_for_each_entry(shared, &all, node) {
		if (serves(shared, import)) {
			shared->users++;
			return shared;
		}
	}
	shared = kzalloc(sizeof(*shared), GFP_KERNEL);
	if (!shared)
		return ERR_PTR(-ENOMEM);
	shared->attach = dma_buf_attach(import->dmabuf, import->dev);
	if (IS_ERR(shared->attach)) {
		ret = PTR_ERR(shared->attach);
		kfree(shared);
		return ERR_PTR(ret);
	}
	get_dma_buf(import->dmabuf);
	shared->users = 1;
	list_add(&shared->node, &all);
	return shared;
}

static int import_open(struct check_import *import)
{
	mutex_lock(&lock);
	import->own = get(import);
	mutex_unlock(&lock);
	return PTR_ERR_OR_ZERO(import->own);
}

static int work(struct check_import *import)
{
	struct shared *shared = import->own;
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(shared->attach, import->dir);
	int ret;

	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	ret = check_device_runs(import, sgt);
	dma_buf_unmap_attachment_unlocked(shared->attach, sgt, import->dir);
	return ret;
}

static void import_close(struct check_import *import)
{
	struct shared *shared = import->own;
	struct dma_buf *dmabuf = shared->attach->dmabuf;

	mutex_lock(&lock);
	if (!--shared->users) {
		list_del(&shared->node);
		dma_buf_detach(dmabuf, shared->attach);
		dma_buf_put(dmabuf);
		kfree(shared);
	}
	mutex_unlock(&lock);
}

/* --- one that keeps its mapping --------------------------------------------------------------- */

struct kept {
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
};

static int keep_open(struct check_import *import)
{
	struct kept *kept = kzalloc(sizeof(*kept), GFP_KERNEL);
	int ret;

	if (!kept)
		return -ENOMEM;
	kept->attach = dma_buf_attach(import->dmabuf, import->dev);
	if (IS_ERR(kept->attach)) {
		ret = PTR_ERR(kept->attach);
		goto free_kept;
	}
	kept->sgt = dma_buf_map_attachment_unlocked(kept->attach, import->dir);
	if (IS_ERR(kept->sgt)) {
		ret = PTR_ERR(kept->sgt);
		goto detach;
	}
	import->own = kept;
	return 0;

detach:
	dma_buf_detach(import->dmabuf, kept->attach);
free_kept:
	kfree(kept);
	return ret;
}

static int keep_work(struct check_import *import)
{
	struct kept *kept = import->own;
	int ret;

	if (!breaks("COH-06"))
		dma_sync_sgtable_for_device(import->dev, kept->sgt, import->dir);
	ret = check_device_runs(import, kept->sgt);
	if (!breaks("COH-06"))
		dma_sync_sgtable_for_cpu(import->dev, kept->sgt, import->dir);
	return ret;
}

static void keep_close(struct check_import *import)
{
	struct kept *kept = import->own;

	dma_buf_unmap_attachment_unlocked(kept->attach, kept->sgt, import->dir);
	dma_buf_detach(import->dmabuf, kept->attach);
	kfree(kept);
}

DMABUF_CHECK({ .name = "pairs", .open = import_open, .access = work, .close = import_close },
	     { .name = "keeper", .open = keep_open, .access = keep_work, .close = keep_close });
