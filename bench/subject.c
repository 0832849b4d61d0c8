/* SPDX-License-Identifier: MIT */
/*
 * subject.c - see subject.h
 */
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include <stdio.h>

#include "bench/measure.h"
#include "dma/machine.h"

/* --- an exporter of one page, over and over --------------------------------------------------- */

static struct page *shared_page(void)
{
	static struct page *page;

	if (!page)
		page = bench_checked(alloc_page(GFP_KERNEL | __GFP_ZERO), "a page");
	return page;
}

static struct sg_table *repeat_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	unsigned int entries = attach->dmabuf->size / PAGE_SIZE;
	struct sg_table *sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	struct scatterlist *sg;
	unsigned int i;
	int ret;

	if (!sgt)
		return ERR_PTR(-ENOMEM);
	ret = sg_alloc_table(sgt, entries, GFP_KERNEL);
	if (ret)
		goto free_sgt;
	for_each_sgtable_sg(sgt, sg, i)
		sg_set_page(sg, shared_page(), PAGE_SIZE, 0);
	ret = dma_map_sgtable(attach->dev, sgt, dir, 0);
	if (ret)
		goto free_table;
	return sgt;

free_table:
	sg_free_table(sgt);
free_sgt:
	kfree(sgt);
	return ERR_PTR(ret);
}

static void repeat_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			 enum dma_data_direction dir)
{
	dma_unmap_sgtable(attach->dev, sgt, dir, 0);
	sg_free_table(sgt);
	kfree(sgt);
}

static void repeat_release(struct dma_buf *dmabuf)
{
}

static const struct dma_buf_ops repeat_ops = {
	.map_dma_buf = repeat_map,
	.unmap_dma_buf = repeat_unmap,
	.release = repeat_release,
	.may_widen = true,
	.tells_own_access = true,
	.cpu_access_only_syncs = true,
};

static int moves_pin(struct dma_buf_attachment *attach)
{
	return 0;
}

static void moves_unpin(struct dma_buf_attachment *attach)
{
}

/* The same, but it could move. */
static const struct dma_buf_ops moves_ops = {
	.pin = moves_pin,
	.unpin = moves_unpin,
	.map_dma_buf = repeat_map,
	.unmap_dma_buf = repeat_unmap,
	.release = repeat_release,
	.may_widen = true,
	.tells_own_access = true,
	.cpu_access_only_syncs = true,
};

/* The same, and it gives static importers' mappings anew when it does. */
static const struct dma_buf_ops moved_ops = {
	.pin = moves_pin,
	.unpin = moves_unpin,
	.map_dma_buf = repeat_map,
	.unmap_dma_buf = repeat_unmap,
	.release = repeat_release,
	.may_widen = true,
	.tells_own_access = true,
	.tells_moves = true,
	.cpu_access_only_syncs = true,
};

static void importer_notify(struct dma_buf_attachment *attach)
{
}

const struct dma_buf_attach_ops subject_importer = { .move_notify = importer_notify };

struct dma_buf *subject_buffer(struct subject *subject)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);

	info.exp_name = "bench";
	info.ops = subject->kind == SUBJECT_MOVES   ? &moves_ops
		   : subject->kind == SUBJECT_MOVED ? &moved_ops
						    : &repeat_ops;
	info.size = subject->bytes;
	info.resv = subject->kind == SUBJECT_OWN ? NULL : &subject->resv;
	info.priv = shared_page();
	return bench_checked(dma_buf_export(&info), "a buffer");
}

/* --- subjects --------------------------------------------------------------------------------- */

static struct device *subject_device(struct subject *subject, unsigned int i, bool coherent)
{
	char name[32];

	snprintf(name, sizeof(name), "bench%u%s", i, coherent ? "" : "-behind");
	return bench_checked(machine_add_device(subject->machine, name, coherent), "a device");
}

/* Map once for both directions: what follows are hits. */
static void warm(struct dma_buf_attachment *attach)
{
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);

	bench_checked(sgt, "a mapping");
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
}

static struct dma_buf_attachment *subject_attach(struct subject *subject, struct dma_buf *dmabuf,
						 struct device *dev)
{
	if (subject->kind == SUBJECT_MOVES)
		return dma_buf_dynamic_attach(dmabuf, dev, &subject_importer, NULL);
	return dma_buf_attach(dmabuf, dev);
}

struct subject *subject_create(enum subject_kind kind, const char *machine, unsigned int n,
			       size_t bytes)
{
	struct subject *subject = bench_checked(kzalloc(sizeof(*subject), GFP_KERNEL), "a subject");
	const struct machine_type *type = machine_type_find(machine ?: "arm");
	bool one = kind == SUBJECT_ONE || kind == SUBJECT_MOVES || kind == SUBJECT_MOVED;

	if (kind == SUBJECT_REMAP)
		dma_buf_set_policy(DMA_BUF_POLICY_REMAP);
	subject->kind = kind;
	subject->machine = bench_checked(machine_create(type, 0), "a machine");
	subject->dev =
		subject_device(subject, 0, machine ? type->coherent : kind != SUBJECT_DIRECTORY);
	subject->other = subject_device(subject, 0, kind != SUBJECT_MIXED);
	dma_resv_init(&subject->resv);
	subject->bytes = bytes;
	subject->n = n;
	subject->bufs = bench_checked(kvcalloc(n, sizeof(*subject->bufs), GFP_KERNEL), "buffers");
	subject->attach =
		bench_checked(kvcalloc(n, sizeof(*subject->attach), GFP_KERNEL), "attachments");
	subject->devs = bench_checked(kvcalloc(n, sizeof(*subject->devs), GFP_KERNEL), "devices");

	for (unsigned int i = 0; i < n; i++) {
		struct device *dev = one ? subject_device(subject, i + 1, false) : subject->dev;

		subject->devs[i] = dev;
		subject->bufs[i] = one && i ? subject->bufs[0] : subject_buffer(subject);
		if (kind == SUBJECT_MIXED) {
			struct dma_buf_attachment *other = bench_checked(
				dma_buf_attach(subject->bufs[i], subject->other), "an attachment");

			warm(other);
			dma_buf_detach(subject->bufs[i], other);
		}
		subject->attach[i] = bench_checked(subject_attach(subject, subject->bufs[i], dev),
						   "an attachment");
		warm(subject->attach[i]);
	}
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
	return subject;
}

void subject_destroy(struct subject *subject)
{
	for (unsigned int i = 0; i < subject->n; i++)
		dma_buf_detach(subject->bufs[i], subject->attach[i]);
	for (unsigned int i = 0; i < subject->n; i++) {
		if (!i || subject->bufs[i] != subject->bufs[0])
			dma_buf_put(subject->bufs[i]);
		if (subject->devs[i] != subject->dev)
			machine_remove_device(subject->devs[i]);
	}
	machine_remove_device(subject->other);
	machine_remove_device(subject->dev);
	machine_destroy(subject->machine);
	dma_resv_fini(&subject->resv);
	kvfree(subject->devs);
	kvfree(subject->attach);
	kvfree(subject->bufs);
	kfree(subject);
}
