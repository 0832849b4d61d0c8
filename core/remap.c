/* SPDX-License-Identifier: MIT */
/*
 * remap.c - map each time; see remap.h
 */
#include <linux/bug.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/dma-table.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/stacktrace.h>
#include <linux/workqueue.h>

#include "buffer.h"
#include "event.h"
#include "remap.h"

#define REMAP_STACK 8

struct remap_attachment {
	struct dma_buf_attachment base;

	/* guarded by the reservation */
	struct list_head of_buffer; /* in buffer.fresh */
	struct list_head mappings;
	bool detached;

	struct work_struct bury;
};

/* A table in use, remembered so that a wrong unmap is found and the exporter gets what it gave. */
struct remap_mapping {
	struct list_head node;
	struct sg_table *sgt;
	enum dma_data_direction dir;
	unsigned long by[REMAP_STACK]; /* who mapped it; of importers that follow moves */
	unsigned int frames;
};

static struct remap_attachment *to_remap(struct dma_buf_attachment *attach)
{
	return container_of(attach, struct remap_attachment, base);
}

static bool pins(struct dma_buf_attachment *attach)
{
	return dma_buf_is_dynamic(attach->dmabuf) && !dma_buf_attachment_is_dynamic(attach);
}

/*
 * Under policy `cached` others go through the directory.  To it a mapping that is not kept is an
 * access of C's: the exporter's map cleans what C holds for the device, its unmap brings back what
 * the device wrote.  NULL under policy `remap`: there is no directory to tell.
 */
static struct coherence *directory(struct dma_buf_attachment *attach)
{
	struct buffer *buffer = to_buffer(attach->dmabuf);

	return buffer->policy == DMA_BUF_POLICY_CACHED ? &buffer->coherence : NULL;
}

static int directory_begin(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct coherence *coherence = directory(attach);

	return coherence ? coherence_cpu_begin(coherence, 0, attach->dmabuf->size,
					       coherence_device_mode(dir))
			 : 0;
}

static void directory_end(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct coherence *coherence = directory(attach);

	if (coherence)
		coherence_cpu_end(coherence, 0, attach->dmabuf->size, coherence_device_mode(dir));
}

/* What a driver does by hand whose device could snoop and does not: clflush, on x86. */
static void pass_caches(struct dma_buf_attachment *attach, struct sg_table *sgt,
			enum dma_table_op op)
{
	if (attach->no_snoop)
		dma_table_sync(attach->dev, sgt, 0, attach->dmabuf->size,
			       op | DMA_TABLE_ANY_DEVICE);
}

static void remap_end(struct remap_attachment *remap)
{
	struct dma_buf *dmabuf = remap->base.dmabuf;

	dma_resv_lock(dmabuf->resv, NULL);
	list_del(&remap->base.node);
	list_del(&remap->of_buffer);
	dma_resv_unlock(dmabuf->resv);
	if (dmabuf->ops->detach)
		dmabuf->ops->detach(dmabuf, &remap->base);
	kfree(remap);
}

static void remap_bury(struct work_struct *work)
{
	struct remap_attachment *remap = container_of(work, struct remap_attachment, bury);
	struct dma_buf *dmabuf = remap->base.dmabuf;

	remap_end(remap);
	dma_buf_put(dmabuf);
}

struct dma_buf_attachment *remap_attach(struct dma_buf *dmabuf, struct device *dev,
					const struct dma_buf_attach_ops *importer_ops,
					void *importer_priv, bool no_snoop)
{
	struct remap_attachment *remap;
	int ret;

	remap = kzalloc(sizeof(*remap), GFP_KERNEL);
	if (!remap)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&remap->mappings);
	INIT_WORK(&remap->bury, remap_bury);
	remap->base.dmabuf = dmabuf;
	remap->base.dev = dev;
	remap->base.importer_ops = importer_ops;
	remap->base.importer_priv = importer_priv;
	remap->base.no_snoop = no_snoop;
	remap->base.peer2peer = importer_ops && importer_ops->allow_peer2peer;

	if (dmabuf->ops->attach) {
		ret = dmabuf->ops->attach(dmabuf, &remap->base);
		if (ret)
			goto free_attachment;
	}
	dma_resv_lock(dmabuf->resv, NULL);
	list_add(&remap->base.node, &dmabuf->attachments);
	list_add(&remap->of_buffer, &to_buffer(dmabuf)->fresh);
	dma_resv_unlock(dmabuf->resv);
	return &remap->base;

free_attachment:
	kfree(remap);
	return ERR_PTR(ret);
}

bool remap_detach(struct dma_buf_attachment *attach)
{
	struct remap_attachment *remap = to_remap(attach);
	struct dma_buf *dmabuf = attach->dmabuf;

	dma_resv_lock(dmabuf->resv, NULL);
	remap->detached = !list_empty(&remap->mappings);
	if (remap->detached) {
		get_dma_buf(dmabuf);
		dma_resv_unlock(dmabuf->resv);
		return false;
	}
	dma_resv_unlock(dmabuf->resv);
	remap_end(remap);
	return true;
}

struct sg_table *remap_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	const struct dma_buf_ops *ops = attach->dmabuf->ops;
	struct remap_mapping *mapping;
	struct sg_table *sgt;
	long left;
	int ret;

	dma_resv_assert_held(attach->dmabuf->resv);
	if (buffer_telling(attach->dmabuf))
		return ERR_PTR(-EBUSY);
	if (to_buffer(attach->dmabuf)->revoked)
		return ERR_PTR(-ENODEV);
	mapping = kmalloc(sizeof(*mapping), GFP_KERNEL);
	if (!mapping)
		return ERR_PTR(-ENOMEM);

	if (pins(attach)) {
		ret = ops->pin(attach);
		if (ret)
			goto free_mapping;
	}
	ret = directory_begin(attach, dir);
	if (ret)
		goto unpin;
	sgt = ops->map_dma_buf(attach, dir);
	if (!sgt)
		sgt = ERR_PTR(-ENOMEM);
	if (IS_ERR(sgt)) {
		ret = PTR_ERR(sgt);
		goto end_access;
	}
	event_tell(EVENT_BUILD, attach, NULL, dir, 0, 0);
	if (!dma_buf_attachment_is_dynamic(attach)) {
		left = dma_resv_wait_timeout(attach->dmabuf->resv, DMA_RESV_USAGE_KERNEL, true,
					     MAX_SCHEDULE_TIMEOUT);
		if (left < 0) {
			ret = left;
			goto unmap;
		}
	}
	pass_caches(attach, sgt, DMA_TABLE_CLEAN);
	mapping->sgt = sgt;
	mapping->dir = dir;
	/* Only their mappings can be taken away, and only these may have to be named. */
	mapping->frames = dma_buf_attachment_is_dynamic(attach)
				  ? stack_trace_save(mapping->by, REMAP_STACK, 2)
				  : 0;
	list_add(&mapping->node, &to_remap(attach)->mappings);
	return sgt;

unmap:
	ops->unmap_dma_buf(attach, sgt, dir);
	event_tell(EVENT_TEARDOWN, attach, NULL, dir, 0, 0);
end_access:
	directory_end(attach, dir);
unpin:
	if (pins(attach))
		ops->unpin(attach);
free_mapping:
	kfree(mapping);
	return ERR_PTR(ret);
}

void remap_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		 enum dma_data_direction dir)
{
	struct remap_attachment *remap = to_remap(attach);
	const struct dma_buf_ops *ops = attach->dmabuf->ops;
	struct remap_mapping *mapping, *found = NULL;

	dma_resv_assert_held(attach->dmabuf->resv);
	list_for_each_entry(mapping, &remap->mappings, node) {
		/* An exporter may return one table twice; then the direction tells which. */
		if (mapping->sgt != sgt || (found && mapping->dir != dir))
			continue;
		found = mapping;
		if (mapping->dir == dir)
			break;
	}
	if (WARN(!found, "dma-buf: unmap of a table that is not mapped\n"))
		return;
	WARN(found->dir != dir, "dma-buf: unmap with direction %d of a mapping made with %d\n", dir,
	     found->dir);

	event_tell(EVENT_UNMAP, attach->dmabuf, attach, found->dir, 0, 0);
	list_del(&found->node);
	if (found->dir != DMA_TO_DEVICE)
		pass_caches(attach, sgt, DMA_TABLE_CLEAN_INVALIDATE);
	ops->unmap_dma_buf(attach, sgt, found->dir);
	directory_end(attach, found->dir);
	if (pins(attach))
		ops->unpin(attach);
	event_tell(EVENT_TEARDOWN, attach, NULL, found->dir, 0, 0);
	kfree(found);
	buffer_unmapped(to_buffer(attach->dmabuf));
	if (remap->detached && list_empty(&remap->mappings))
		schedule_work(&remap->bury);
}

unsigned int remap_users(struct dma_buf *dmabuf, bool name)
{
	struct remap_attachment *remap;
	struct remap_mapping *mapping;
	unsigned int users = 0;
	char stack[1024];

	dma_resv_assert_held(dmabuf->resv);
	list_for_each_entry(remap, &to_buffer(dmabuf)->fresh, of_buffer) {
		list_for_each_entry(mapping, &remap->mappings, node) {
			users++;
			if (!name)
				continue;
			stack_trace_snprint(stack, sizeof(stack), mapping->by, mapping->frames, 2);
			pr_err("dma-buf: %s still uses a mapping of a revoked %s buffer%s\n%s",
			       dev_name(remap->base.dev), dmabuf->exp_name,
			       mapping->frames ? ", mapped by" : "", stack);
		}
	}
	return users;
}

/* One more access beside the mapping's own, which stays open: pulls, and pushes what it wrote. */
static void directory_pass(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	if (WARN(directory_begin(attach, dir), "dma-buf: no memory to pass an access on\n"))
		return;
	directory_end(attach, dir);
}

void remap_begin_access(struct dma_buf_attachment *attach, struct sg_table *sgt,
			enum dma_data_direction dir)
{
	directory_pass(attach, DMA_TO_DEVICE);
	dma_sync_sgtable_for_device(attach->dev, sgt, dir);
	pass_caches(attach, sgt, DMA_TABLE_CLEAN);
}

void remap_end_access(struct dma_buf_attachment *attach, struct sg_table *sgt,
		      enum dma_data_direction dir)
{
	dma_sync_sgtable_for_cpu(attach->dev, sgt, dir);
	if (dir == DMA_TO_DEVICE)
		return;
	pass_caches(attach, sgt, DMA_TABLE_CLEAN_INVALIDATE);
	directory_pass(attach, dir);
}
