/* SPDX-License-Identifier: MIT */
/*
 * buffer-scenarios.c - whole buffers: who maps, detaches and puts beside a move, a reclaim, a revoke
 *
 * The exporter has no memory, only tables: what it gave is poisoned when it takes it back.  The device
 * snoops, so no bytes are moved.
 */
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "checker/schedules/schedules.h"
#include "dma/machine.h"

#define ADDRESS 0x1000u
#define GONE 0xdeadu

static struct machine *machine;
static struct device *dev;
static struct dma_buf *dmabuf;
static struct dma_buf_attachment *attachments[2];
static struct dma_buf_ops ops;
static int maps, releases; /* plain: under the reservation */
static bool away;          /* the exporter's memory, and so each table, is gone */

static struct sg_table *map_table(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct sg_table *sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);

	if (!sgt || sg_alloc_table(sgt, 1, GFP_KERNEL)) {
		kfree(sgt);
		return ERR_PTR(-ENOMEM);
	}
	sg_set_page(sgt->sgl, (struct page *)(uintptr_t)ADDRESS, PAGE_SIZE, 0);
	sg_dma_address(sgt->sgl) = ADDRESS;
	sg_dma_len(sgt->sgl) = PAGE_SIZE;
	maps++;
	return sgt;
}

static void unmap_table(struct dma_buf_attachment *attach, struct sg_table *sgt,
			enum dma_data_direction dir)
{
	sg_dma_address(sgt->sgl) = GONE;
	sg_free_table(sgt);
	kfree(sgt);
	maps--;
}

static void release(struct dma_buf *buf)
{
	releases++;
}

static int pin(struct dma_buf_attachment *attach)
{
	return 0;
}

static void unpin(struct dma_buf_attachment *attach)
{
}

static void nothing(struct work_struct *work)
{
}

/* The worker that reaps stands ready, so that starting it is no step. */
static DECLARE_WORK(ready, nothing);

static void setup_buffer(unsigned int attached)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);

	schedule_work(&ready);
	flush_work(&ready);
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
	maps = releases = 0;
	away = false;
	machine = machine_create(machine_type_find("pc"), 0);
	schedule_check(!IS_ERR(machine), "no machine");
	dev = machine_add_device(machine, "importer", true);
	schedule_check(!IS_ERR(dev), "no device");
	ops = (struct dma_buf_ops){
		.map_dma_buf = map_table,
		.unmap_dma_buf = unmap_table,
		.release = release,
		.pin = pin,
		.unpin = unpin,
		.tells_moves = true,
		.tells_own_access = true,
	};
	info.exp_name = "scenario";
	info.ops = &ops;
	info.priv = &ops;
	info.size = PAGE_SIZE;
	dmabuf = dma_buf_export(&info);
	schedule_check(!IS_ERR(dmabuf), "no buffer");
	for (unsigned int i = 0; i < attached; i++) {
		struct sg_table *sgt;

		if (i)
			get_dma_buf(dmabuf);
		attachments[i] = dma_buf_attach(dmabuf, dev);
		schedule_check(!IS_ERR(attachments[i]), "no attachment");
		sgt = dma_buf_map_attachment_unlocked(attachments[i], DMA_TO_DEVICE);
		dma_buf_unmap_attachment_unlocked(attachments[i], sgt, DMA_TO_DEVICE);
	}
}

static void setup_one(void)
{
	setup_buffer(1);
}

static void setup_two(void)
{
	setup_buffer(2);
}

/* Nobody is attached, and the mapping is kept: only such a one is reclaimed. */
static void setup_kept(void)
{
	setup_buffer(1);
	dma_buf_detach(dmabuf, attachments[0]);
}

/* Every reference has been put. */
static void finish_put(void)
{
	flush_workqueue(system_wq);
	schedule_check(releases == 1, "not released once");
	schedule_check(maps == 0, "a table is not given back");
	machine_remove_device(dev);
	machine_destroy(machine);
}

static void finish_detached(void)
{
	dma_buf_put(dmabuf);
	finish_put();
}

static void finish_attached(void)
{
	dma_buf_detach(dmabuf, attachments[0]);
	finish_detached();
}

/* What the host makes at its first file stays. */
static void first(void)
{
	setup_one();
	finish_attached();
}

static void use(unsigned int i)
{
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(attachments[i], DMA_TO_DEVICE);

	if (IS_ERR(sgt)) {
		schedule_check(PTR_ERR(sgt) == -ENODEV, "a map fails");
		return;
	}
	schedule_check(sg_dma_address(sgt->sgl) == ADDRESS, "a mapped table is gone");
	schedule_check(!READ_ONCE(away), "memory that was taken away is mapped");
	dma_buf_unmap_attachment_unlocked(attachments[i], sgt, DMA_TO_DEVICE);
}

static void map(void)
{
	use(0);
}

static void come_and_leave(void)
{
	attachments[0] = dma_buf_attach(dmabuf, dev);
	schedule_check(!IS_ERR(attachments[0]), "no attachment");
	use(0);
	dma_buf_detach(dmabuf, attachments[0]);
}

static void map_and_leave(void)
{
	use(0);
	dma_buf_detach(dmabuf, attachments[0]);
	dma_buf_put(dmabuf);
}

static void leave_too(void)
{
	dma_buf_detach(dmabuf, attachments[1]);
	dma_buf_put(dmabuf);
}

static void move(void)
{
	dma_resv_lock(dmabuf->resv, NULL);
	if (!dma_buf_move_begin(dmabuf, MAX_SCHEDULE_TIMEOUT))
		dma_buf_move_end(dmabuf);
	dma_resv_unlock(dmabuf->resv);
}

static void reclaim(void)
{
	dma_buf_cache_set_budget(0);
	dma_buf_cache_set_budget(SIZE_MAX);
}

/* The exporter's device goes: then its memory, if nobody has it any more. */
static void revoke(void)
{
	if (!dma_buf_revoke(dmabuf, MAX_SCHEDULE_TIMEOUT))
		WRITE_ONCE(away, true);
}

const struct scenario map_revoke = {
	.name = "map-revoke",
	.what = "a map beside the death of the exporter's device",
	.first = first,
	.setup = setup_one,
	.threads = { { "map", map }, { "revoke", revoke } },
	.finish = finish_attached,
};

const struct scenario map_revoke_put = {
	.name = "map-revoke-put",
	.what = "a map beside the death of the exporter's device and the last put but one",
	.first = first,
	.setup = setup_two,
	.threads = { { "map", map }, { "revoke", revoke }, { "leave", leave_too } },
	.finish = finish_attached,
};

const struct scenario reclaim_put = {
	.name = "reclaim-put",
	.what = "a map, a detach and the last put beside a reclaim",
	.first = first,
	.setup = setup_one,
	.threads = { { "map", map_and_leave }, { "reclaim", reclaim } },
	.finish = finish_put,
};

const struct scenario map_reclaim = {
	.name = "map-reclaim",
	.what = "attach, map, detach beside a reclaim of the mapping that was kept",
	.first = first,
	.setup = setup_kept,
	.threads = { { "map", come_and_leave }, { "reclaim", reclaim } },
	.finish = finish_detached,
};

const struct scenario buffer_move = {
	.name = "buffer-move",
	.what = "attach, map, detach beside a move and a reclaim of the mapping that was kept",
	.first = first,
	.setup = setup_kept,
	.threads = { { "map", come_and_leave }, { "move", move }, { "reclaim", reclaim } },
	.finish = finish_detached,
};

const struct scenario last_put = {
	.name = "last-put",
	.what = "two importers of one device detach and put, one after a map, beside a reclaim",
	.first = first,
	.setup = setup_two,
	.threads = { { "map", map_and_leave }, { "leave", leave_too }, { "reclaim", reclaim } },
	.finish = finish_put,
};
