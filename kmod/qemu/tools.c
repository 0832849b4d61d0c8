/* SPDX-License-Identifier: MIT */
/*
 * tools.c - see tools.h
 */
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "probes.h"
#include "tools.h"

/* --- an exporter ------------------------------------------------------------------------------ */

struct exported {
	struct page **pages;
	struct page **left; /* where it was until it moved; NULL: it has not */
	unsigned int count;
	unsigned int users, left_users; /* tables of each, guarded by the reservation */
	struct exporter_calls calls;
	struct sg_table empty;
};

static int exported_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct exported *e = dmabuf->priv;

	e->calls.attached++;
	return 0;
}

static void exported_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct exported *e = dmabuf->priv;

	e->calls.attached--;
}

static struct sg_table *exported_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct exported *e = attach->dmabuf->priv;
	struct sg_table *sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	struct scatterlist *sg;
	unsigned int i;
	int ret;

	if (!sgt)
		return ERR_PTR(-ENOMEM);
	ret = sg_alloc_table(sgt, e->count, GFP_KERNEL);
	if (ret)
		goto free_table;
	for_each_sgtable_sg(sgt, sg, i)
		sg_set_page(sg, e->pages[i], PAGE_SIZE, 0);
	ret = dma_map_sgtable(attach->dev, sgt, dir, 0);
	if (ret)
		goto free_entries;
	e->users++;
	e->calls.mapped++;
	e->calls.directions |= BIT(dir);
	return sgt;

free_entries:
	sg_free_table(sgt);
free_table:
	kfree(sgt);
	return ERR_PTR(ret);
}

static void exported_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			   enum dma_data_direction dir)
{
	struct exported *e = attach->dmabuf->priv;

	if (sg_page(sgt->sgl) == e->pages[0])
		e->users--;
	else
		e->left_users--;
	dma_unmap_sgtable(attach->dev, sgt, dir, 0);
	sg_free_table(sgt);
	kfree(sgt);
	e->calls.unmapped++;
}

static int exported_pin(struct dma_buf_attachment *attach)
{
	struct exported *e = attach->dmabuf->priv;

	e->calls.pinned++;
	return 0;
}

static void exported_unpin(struct dma_buf_attachment *attach)
{
	struct exported *e = attach->dmabuf->priv;

	e->calls.pinned--;
}

static struct sg_table *empty_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct exported *e = attach->dmabuf->priv;

	return &e->empty;
}

static void empty_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			enum dma_data_direction dir)
{
}

static void free_pages_of(struct page **pages, unsigned int count)
{
	for (unsigned int i = 0; pages && i < count && pages[i]; i++)
		__free_page(pages[i]);
	kvfree(pages);
}

/* NULL: there is no memory. */
static struct page **get_pages_of(unsigned int count)
{
	struct page **pages = kvcalloc(count, sizeof(*pages), GFP_KERNEL);

	for (unsigned int i = 0; pages && i < count; i++) {
		pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!pages[i]) {
			free_pages_of(pages, count);
			return NULL;
		}
	}
	return pages;
}

static void exported_free(struct exported *e)
{
	free_pages_of(e->pages, e->count);
	free_pages_of(e->left, e->count);
	kfree(e);
}

static void exported_release(struct dma_buf *dmabuf)
{
	exported_free(dmabuf->priv);
}

static const struct dma_buf_ops static_ops = {
	.attach = exported_attach,
	.detach = exported_detach,
	.map_dma_buf = exported_map,
	.unmap_dma_buf = exported_unmap,
	.release = exported_release,
};
static const struct dma_buf_ops dynamic_ops = {
	.attach = exported_attach,
	.detach = exported_detach,
	.pin = exported_pin,
	.unpin = exported_unpin,
	.map_dma_buf = exported_map,
	.unmap_dma_buf = exported_unmap,
	.release = exported_release,
};
static const struct dma_buf_ops empty_ops = {
	.map_dma_buf = empty_map,
	.unmap_dma_buf = empty_unmap,
	.release = exported_release,
};

static long do_export(struct importer_call *call)
{
	struct exported *e = kzalloc(sizeof(*e), GFP_KERNEL);
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	if (!e)
		return -ENOMEM;
	e->count = max(call->size >> PAGE_SHIFT, 1ull);
	e->pages = get_pages_of(e->count);
	if (!e->pages) {
		exported_free(e);
		return -ENOMEM;
	}
	info.ops = call->flags & EXPORT_EMPTY     ? &empty_ops
		   : call->flags & EXPORT_DYNAMIC ? &dynamic_ops
						  : &static_ops;
	info.size = (size_t)e->count << PAGE_SHIFT;
	info.flags = O_RDWR;
	info.priv = e;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf)) {
		exported_free(e);
		return PTR_ERR(dmabuf);
	}
	call->fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	return call->fd < 0 ? call->fd : 0;
}

static long do_calls(struct importer_call *call)
{
	struct dma_buf *dmabuf = dma_buf_get(call->fd);
	struct exported *e;
	long ret = 0;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	e = dmabuf->priv;
	if (dmabuf->ops->release != exported_release)
		ret = -EINVAL;
	else if (copy_to_user(u64_to_user_ptr(call->bytes), &e->calls, sizeof(e->calls)))
		ret = -EFAULT;
	dma_buf_put(dmabuf);
	return ret;
}

/* What is left behind holds other bytes, so who still goes there is noticed; it stays for who has it mapped. */
#define LEFT_BEHIND 0xa5

static long move(struct dma_buf *dmabuf)
{
	struct exported *e = dmabuf->priv;
	struct page **pages = get_pages_of(e->count), **before = NULL;
	long ret = -ENOMEM;

	if (!pages)
		return ret;
	dma_resv_lock(dmabuf->resv, NULL);
	ret = -EBUSY;
	if (e->calls.pinned || e->left_users)
		goto unlock;
	dma_buf_move_notify(dmabuf);
	for (unsigned int i = 0; i < e->count; i++) {
		copy_page(page_address(pages[i]), page_address(e->pages[i]));
		memset(page_address(e->pages[i]), LEFT_BEHIND, PAGE_SIZE);
	}
	before = e->left;
	e->left = e->pages;
	e->left_users = e->users;
	e->users = 0;
	e->pages = pages;
	pages = NULL;
	ret = 0;
unlock:
	dma_resv_unlock(dmabuf->resv);
	free_pages_of(pages, e->count);
	free_pages_of(before, e->count);
	return ret;
}

static long do_move(struct importer_call *call)
{
	struct dma_buf *dmabuf = dma_buf_get(call->fd);
	long ret = -EINVAL;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	if (dmabuf->ops == &dynamic_ops)
		ret = move(dmabuf);
	dma_buf_put(dmabuf);
	return ret;
}

/* --- a fence ---------------------------------------------------------------------------------- */

static DEFINE_SPINLOCK(fence_lock);
static struct dma_fence *fence;

static const char *fence_name(struct dma_fence *f)
{
	return "importer";
}

static const struct dma_fence_ops fence_ops = { .get_driver_name = fence_name,
						.get_timeline_name = fence_name };

static long do_signal(void)
{
	if (!fence)
		return -EINVAL;
	dma_fence_signal(fence);
	dma_fence_put(fence);
	fence = NULL;
	return 0;
}

static long do_fence(struct importer_call *call)
{
	struct dma_buf *dmabuf;
	long ret;

	if (fence)
		return -EBUSY;
	dmabuf = dma_buf_get(call->fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	ret = -ENOMEM;
	fence = kzalloc(sizeof(*fence), GFP_KERNEL);
	if (!fence)
		goto put;
	dma_fence_init(fence, &fence_ops, &fence_lock, dma_fence_context_alloc(1), 1);
	dma_resv_lock(dmabuf->resv, NULL);
	ret = dma_resv_reserve_fences(dmabuf->resv, 1);
	if (!ret)
		dma_resv_add_fence(dmabuf->resv, fence, DMA_RESV_USAGE_WRITE);
	dma_resv_unlock(dmabuf->resv);
	if (ret)
		do_signal();
put:
	dma_buf_put(dmabuf);
	return ret;
}

/* --- a trace of cache maintenance -------------------------------------------------------------- */

#define ENTRIES 128

static struct trace_entry entries[ENTRIES];
static atomic_t noted;

static int note(struct kprobe *probe, struct pt_regs *registers);

static struct kprobe probes[] = {
	{ .symbol_name = "arch_sync_dma_for_device", .pre_handler = note },
	{ .symbol_name = "arch_sync_dma_for_cpu", .pre_handler = note },
};
static unsigned int probing;

static int note(struct kprobe *probe, struct pt_regs *registers)
{
	unsigned int i = atomic_fetch_inc(&noted);

	if (i < ENTRIES)
		entries[i] = (struct trace_entry){
			.address = regs_get_kernel_argument(registers, 0),
			.size = regs_get_kernel_argument(registers, 1),
			.dir = regs_get_kernel_argument(registers, 2),
			.for_device = probe == &probes[0],
		};
	return 0;
}

/* Neighbours that are alike count as one: a table has many entries. */
static unsigned int joined(unsigned int n)
{
	unsigned int i, kept = 0;

	for (i = 1; i < n; i++) {
		struct trace_entry *last = &entries[kept], *e = &entries[i];

		if (last->for_device == e->for_device && last->dir == e->dir &&
		    last->address + last->size == e->address)
			last->size += e->size;
		else
			entries[++kept] = *e;
	}
	return n ? kept + 1 : 0;
}

static long do_trace(struct importer_call *call)
{
	unsigned int n;

	/* Not before somebody asks: a probe costs. */
	for (; probing < ARRAY_SIZE(probes); probing++)
		if (register_kprobe(&probes[probing]))
			return -EOPNOTSUPP;
	n = min_t(unsigned int, atomic_read(&noted), ENTRIES);
	n = min_t(u64, joined(n), div_u64(call->size, sizeof(entries[0])));
	call->size = n;
	if (copy_to_user(u64_to_user_ptr(call->bytes), entries, n * sizeof(entries[0])))
		return -EFAULT;
	atomic_set(&noted, 0);
	return 0;
}

/* --- what it costs ---------------------------------------------------------------------------- */

#define RUNS 5
#define ROUNDS 8

static long map_unmap(struct dma_buf_attachment *attach)
{
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);

	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	return 0;
}

static long attach_to_detach(struct dma_buf *dmabuf, struct device *dev)
{
	struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, dev);
	long ret;

	if (IS_ERR(attach))
		return PTR_ERR(attach);
	ret = map_unmap(attach);
	dma_buf_detach(dmabuf, attach);
	return ret;
}

static long measure(struct dma_buf *dmabuf, struct device *dev, struct importer_cost *cost)
{
	struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, dev);
	long ret = 0;

	if (IS_ERR(attach))
		return PTR_ERR(attach);
	cost->map_unmap = cost->attach_to_detach = U64_MAX;
	for (unsigned int run = 0; run < RUNS && !ret; run++) {
		u64 before = ktime_get_ns();

		for (unsigned int i = 0; i < ROUNDS && !ret; i++)
			ret = map_unmap(attach);
		cost->map_unmap = min(cost->map_unmap, div_u64(ktime_get_ns() - before, ROUNDS));
		cond_resched();
	}
	dma_buf_detach(dmabuf, attach);
	for (unsigned int run = 0; run < RUNS && !ret; run++) {
		u64 before = ktime_get_ns();

		for (unsigned int i = 0; i < ROUNDS && !ret; i++)
			ret = attach_to_detach(dmabuf, dev);
		cost->attach_to_detach =
			min(cost->attach_to_detach, div_u64(ktime_get_ns() - before, ROUNDS));
		cond_resched();
	}
	return ret;
}

static long do_cost(struct importer_call *call)
{
	struct importer_cost cost;
	struct dma_buf *dmabuf;
	long ret;

	if (call->device >= IMPORTER_DEVICES || !importer_devices[call->device])
		return -ENODEV;
	dmabuf = dma_buf_get(call->fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	ret = measure(dmabuf, importer_devices[call->device], &cost);
	dma_buf_put(dmabuf);
	if (!ret && copy_to_user(u64_to_user_ptr(call->bytes), &cost, sizeof(cost)))
		ret = -EFAULT;
	return ret;
}

/* ---------------------------------------------------------------------------------------------- */

long tools_call(struct importer_call *call)
{
	switch (call->op) {
	case IMPORT_FENCE:
		return do_fence(call);
	case IMPORT_SIGNAL:
		return do_signal();
	case IMPORT_TRACE:
		return do_trace(call);
	case IMPORT_COST:
		return do_cost(call);
	case IMPORT_EXPORT:
		return do_export(call);
	case IMPORT_CALLS:
		return do_calls(call);
	case IMPORT_FAIL:
		return fault_call(call);
	case IMPORT_MOVE:
		return do_move(call);
	case IMPORT_OVERLAPS:
		return overlaps_call(call);
	case IMPORT_PLANT:
		return planted_call(call);
	default:
		return -EINVAL;
	}
}

void tools_exit(void)
{
	fault_exit();
	overlaps_exit();
	while (probing)
		unregister_kprobe(&probes[--probing]);
	do_signal();
}
