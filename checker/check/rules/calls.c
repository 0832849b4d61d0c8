/* SPDX-License-Identifier: MIT */
/* calls.c - a driver whose calls of the DMA API, of fences, locks and memory are as they must be */
#include <linux/dma-buf.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>

#include "breaks.h"

/* --- the DMA API ------------------------------------------------------------------------------ */

static void map_a_page(struct device *dev)
{
	struct device stray = {};
	struct page *page = alloc_page(GFP_KERNEL);
	dma_addr_t addr;

	if (!page)
		return;
	if (breaks("LIFE-09"))
		dma_map_page(&stray, page, 0, PAGE_SIZE, DMA_TO_DEVICE);
	addr = dma_map_page(dev, page, 0, PAGE_SIZE, DMA_TO_DEVICE);
	if (!dma_mapping_error(dev, addr) && !breaks("BAL-13")) {
		dma_unmap_page(dev, addr, PAGE_SIZE,
			       breaks("DIR-05") ? DMA_FROM_DEVICE : DMA_TO_DEVICE);
		if (breaks("BAL-14"))
			dma_unmap_page(dev, addr, PAGE_SIZE, DMA_TO_DEVICE);
	}
	__free_page(page);
	if (breaks("LIFE-07"))
		__free_page(page);
}

/* --- fences ----------------------------------------------------------------------------------- */

static DEFINE_SPINLOCK(fence_lock);

static const char *name(struct dma_fence *fence)
{
	return "calls";
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = name,
	.get_timeline_name = name,
};

static struct dma_fence *new_fence(u64 context)
{
	struct dma_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	if (fence)
		dma_fence_init(fence, &fence_ops, &fence_lock, context, 1);
	return fence;
}

static void add_fence(struct dma_resv *resv, struct dma_fence *fence)
{
	int ret = 0;

	/* Without a slot and without memory it would be waited for. */
	if (breaks("FENCE-02"))
		dma_fence_signal(fence);
	dma_resv_lock(resv, NULL);
	if (!breaks("FENCE-02"))
		ret = dma_resv_reserve_fences(resv, 1);
	if (!ret)
		dma_resv_add_fence(resv, fence, DMA_RESV_USAGE_READ);
	dma_resv_unlock(resv);
	dma_fence_signal(fence);
}

static void add_container(struct dma_resv *resv, struct dma_fence *fence)
{
	struct dma_fence **fences = kmalloc(sizeof(*fences), GFP_KERNEL);
	struct dma_fence_array *array;

	if (!fences)
		return;
	fences[0] = dma_fence_get(fence);
	array = dma_fence_array_create(1, fences, dma_fence_context_alloc(1), 1, false);
	if (!array) {
		dma_fence_put(fence);
		kfree(fences);
		return;
	}
	if (breaks("FENCE-03"))
		add_fence(resv, &array->base);
	dma_fence_put(&array->base);
}

static void nobody(struct dma_fence *fence, struct dma_fence_cb *cb)
{
}

static void use_fences(struct dma_resv *resv)
{
	u64 context = dma_fence_context_alloc(2);
	struct dma_fence *fence = new_fence(context), *second = new_fence(context + 1);
	struct dma_fence_cb cb;

	if (!fence || !second)
		goto free_fences;
	if (breaks("FENCE-05"))
		dma_fence_is_later(fence, second);
	if (!dma_fence_add_callback(second, &cb, nobody) && !breaks("FENCE-04"))
		dma_fence_remove_callback(second, &cb);
	add_container(resv, fence);
	add_fence(resv, fence);
free_fences:
	dma_fence_put(second);
	dma_fence_put(fence);
}

/* --- locks and memory ------------------------------------------------------------------------- */

static void use_locks(void)
{
	static DEFINE_MUTEX(outer);
	static DEFINE_MUTEX(mutex);
	static DEFINE_SPINLOCK(spinlock);

	mutex_lock(&outer);
	mutex_lock(&mutex);
	mutex_unlock(&mutex);
	mutex_unlock(&outer);
	mutex_lock(&mutex);
	if (breaks("LOCK-20"))
		mutex_lock(&outer);
	if (breaks("LOCK-20"))
		mutex_unlock(&outer);
	if (breaks("LOCK-22"))
		mutex_lock(&mutex);
	mutex_unlock(&mutex);
	if (breaks("LOCK-23"))
		mutex_unlock(&mutex);
	spin_lock(&spinlock);
	if (breaks("LOCK-21"))
		mutex_lock(&mutex);
	if (breaks("LOCK-21"))
		mutex_unlock(&mutex);
	spin_unlock(&spinlock);
}

static void use_memory(void)
{
	struct kmem_cache *cache = kmem_cache_create("calls", 32, 0, 0, NULL);
	refcount_t refs = REFCOUNT_INIT(1);
	void *object = cache ? kmem_cache_alloc(cache, GFP_KERNEL) : NULL;

	if (object && !breaks("LIFE-08"))
		kmem_cache_free(cache, object);
	kmem_cache_destroy(cache);
	if (refcount_dec_and_test(&refs) && breaks("LIFE-06"))
		refcount_inc(&refs);
}

/* --- exporters and moves ---------------------------------------------------------------------- */

static struct sg_table *never_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	return ERR_PTR(-ENODEV);
}

static void never_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			enum dma_data_direction dir)
{
}

static int pin_nothing(struct dma_buf_attachment *attach)
{
	return 0;
}

static void release(struct dma_buf *dmabuf)
{
}

static void export_badly(void)
{
	struct dma_buf_ops ops = {
		.map_dma_buf = never_map,
		.unmap_dma_buf = never_unmap,
		.release = release,
		.pin = breaks("EXP-05") ? pin_nothing : NULL,
	};
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	info.ops = &ops;
	info.size = PAGE_SIZE;
	info.priv = breaks("EXP-04") ? NULL : &ops;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf))
		return;
	if (breaks("MOVE-02")) {
		dma_resv_lock(dmabuf->resv, NULL);
		dma_buf_move_notify(dmabuf);
		dma_resv_unlock(dmabuf->resv);
	}
	dma_buf_put(dmabuf);
	flush_delayed_fput();
}

static void move_notify(struct dma_buf_attachment *attach)
{
}

static void follow_moves(struct device *dev, struct dma_buf *dmabuf)
{
	struct dma_buf_attach_ops ops = { .move_notify = breaks("MOVE-01") ? NULL : move_notify };
	struct dma_buf_attachment *attach = dma_buf_dynamic_attach(dmabuf, dev, &ops, NULL);

	if (!IS_ERR(attach))
		dma_buf_detach(dmabuf, attach);
	attach = dma_buf_attach(dmabuf, dev);
	if (IS_ERR(attach))
		return;
	if (breaks("MOVE-03")) {
		dma_resv_lock(dmabuf->resv, NULL);
		dma_buf_pin(attach);
		dma_resv_unlock(dmabuf->resv);
	}
	if (breaks("DIR-06"))
		dma_buf_map_attachment_unlocked(attach, DMA_NONE);
	dma_buf_detach(dmabuf, attach);
}

static int run(struct device *dev, struct dma_buf *dmabuf)
{
	map_a_page(dev);
	use_fences(dmabuf->resv);
	use_locks();
	use_memory();
	export_badly();
	follow_moves(dev, dmabuf);
	return 0;
}

DMABUF_CHECK({ .name = "calls", .run = run });
