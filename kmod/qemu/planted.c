/* SPDX-License-Identifier: MIT */
/*
 * planted.c - mistakes, one of each kind that a kernel built to look for them reports
 *
 * None does harm: the memory is this file's own, and what is given back was never somebody's.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "tools.h"

#define BYTES 64

static dma_addr_t map(struct device *dev, void *bytes, enum dma_data_direction dir)
{
	dma_addr_t at = dma_map_single(dev, bytes, PAGE_SIZE, dir);

	WARN_ON(dma_mapping_error(dev, at));
	return at;
}

static void unmap(struct device *dev, bool mapped)
{
	void *bytes = kmalloc(PAGE_SIZE, GFP_KERNEL | __GFP_NOFAIL);
	dma_addr_t at = mapped ? map(dev, bytes, DMA_TO_DEVICE) : virt_to_phys(bytes);

	dma_unmap_single(dev, at, PAGE_SIZE, DMA_FROM_DEVICE);
	kfree(bytes);
}

/* Single mappings are none that IMPORT_OVERLAPS sees. */
static void overlap(struct device *dev)
{
	void *bytes = kmalloc(PAGE_SIZE, GFP_KERNEL | __GFP_NOFAIL);
	dma_addr_t a = map(dev, bytes, DMA_FROM_DEVICE), b = map(dev, bytes, DMA_FROM_DEVICE);

	dma_unmap_single(dev, a, PAGE_SIZE, DMA_FROM_DEVICE);
	dma_unmap_single(dev, b, PAGE_SIZE, DMA_FROM_DEVICE);
	kfree(bytes);
}

static void map_without_lock(struct dma_buf *dmabuf, struct device *dev)
{
	struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, dev);
	struct sg_table *sgt;

	if (IS_ERR(attach))
		return;
	sgt = dma_buf_map_attachment(attach, DMA_TO_DEVICE);
	if (!IS_ERR(sgt))
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	dma_buf_detach(dmabuf, attach);
}

static void sleep_in_spinlock(void)
{
	static DEFINE_SPINLOCK(lock);

	spin_lock(&lock);
	kfree(kmalloc(BYTES, GFP_KERNEL));
	spin_unlock(&lock);
}

static void delete_twice(void)
{
	static LIST_HEAD(list);
	static struct list_head entry;

	list_add(&entry, &list);
	list_del(&entry);
	list_del(&entry);
	INIT_LIST_HEAD(&list);
}

static void touch(bool freed)
{
	u8 *bytes = kmalloc(BYTES, GFP_KERNEL | __GFP_NOFAIL);

	OPTIMIZER_HIDE_VAR(bytes);
	if (freed)
		kfree(bytes);
	READ_ONCE(bytes[freed ? 0 : BYTES]);
	if (!freed)
		kfree(bytes);
}

static void lock_in_two_orders(struct dma_buf *dmabuf)
{
	static DEFINE_MUTEX(mutex);

	dma_resv_lock(dmabuf->resv, NULL);
	mutex_lock(&mutex);
	mutex_unlock(&mutex);
	dma_resv_unlock(dmabuf->resv);

	mutex_lock(&mutex);
	dma_resv_lock(dmabuf->resv, NULL);
	dma_resv_unlock(dmabuf->resv);
	mutex_unlock(&mutex);
}

long planted_call(struct importer_call *call)
{
	struct device *dev = importer_devices[DEVICE_PLAIN];
	struct dma_buf *dmabuf = dma_buf_get(call->fd);
	long ret = 0;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	switch (call->device) {
	case PLANTED_UNMAP_OF_NOTHING:
	case PLANTED_UNMAP_OTHERWISE:
		unmap(dev, call->device == PLANTED_UNMAP_OTHERWISE);
		break;
	case PLANTED_OVERLAP:
		overlap(dev);
		break;
	case PLANTED_WITHOUT_LOCK:
		map_without_lock(dmabuf, dev);
		break;
	case PLANTED_SLEEP:
		sleep_in_spinlock();
		break;
	case PLANTED_LIST:
		delete_twice();
		break;
	case PLANTED_USE_AFTER_FREE:
	case PLANTED_OUT_OF_BOUNDS:
		touch(call->device == PLANTED_USE_AFTER_FREE);
		break;
	case PLANTED_LOCK_ORDER:
		lock_in_two_orders(dmabuf);
		break;
	default:
		ret = -EINVAL;
	}
	dma_buf_put(dmabuf);
	return ret;
}
