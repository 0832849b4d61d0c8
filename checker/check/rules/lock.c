/* SPDX-License-Identifier: MIT */
/* lock.c - an importer that makes each call once, with the reservation held or not as it must be */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/iosys-map.h>

#include "breaks.h"
#include "host/file.h"

/* Held around a call that wants it, and around one that does not where that rule is broken. */
static bool lock_for(struct dma_buf *dmabuf, bool wanted, const char *rule)
{
	bool locks = wanted != breaks(rule);

	if (locks)
		dma_resv_lock(dmabuf->resv, NULL);
	return locks;
}

static void unlock_after(struct dma_buf *dmabuf, bool locked)
{
	if (locked)
		dma_resv_unlock(dmabuf->resv);
}

static void map_and_unmap(struct dma_buf_attachment *attach)
{
	struct dma_buf *dmabuf = attach->dmabuf;
	struct sg_table *sgt;
	bool locked;

	locked = lock_for(dmabuf, true, "LOCK-01");
	sgt = dma_buf_map_attachment(attach, DMA_TO_DEVICE);
	unlock_after(dmabuf, locked);
	if (!IS_ERR(sgt)) {
		locked = lock_for(dmabuf, true, "LOCK-02");
		dma_buf_unmap_attachment(attach, sgt, DMA_TO_DEVICE);
		unlock_after(dmabuf, locked);
	}
	locked = lock_for(dmabuf, false, "LOCK-16");
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	unlock_after(dmabuf, locked);
	if (IS_ERR(sgt))
		return;
	locked = lock_for(dmabuf, false, "LOCK-17");
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	unlock_after(dmabuf, locked);
	if (locked)
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
}

static void vmap_and_vunmap(struct dma_buf *dmabuf)
{
	struct iosys_map map;
	bool locked;
	int ret;

	locked = lock_for(dmabuf, true, "LOCK-05");
	ret = dma_buf_vmap(dmabuf, &map);
	unlock_after(dmabuf, locked);
	if (!ret) {
		locked = lock_for(dmabuf, true, "LOCK-06");
		dma_buf_vunmap(dmabuf, &map);
		unlock_after(dmabuf, locked);
	}
	locked = lock_for(dmabuf, false, "LOCK-18");
	ret = dma_buf_vmap_unlocked(dmabuf, &map);
	unlock_after(dmabuf, locked);
	if (ret)
		return;
	locked = lock_for(dmabuf, false, "LOCK-19");
	dma_buf_vunmap_unlocked(dmabuf, &map);
	unlock_after(dmabuf, locked);
	if (locked)
		dma_buf_vunmap_unlocked(dmabuf, &map);
}

static void cpu_access(struct dma_buf *dmabuf)
{
	bool locked;
	int ret;

	locked = lock_for(dmabuf, false, "LOCK-14");
	ret = dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE);
	unlock_after(dmabuf, locked);
	if (ret)
		return;
	locked = lock_for(dmabuf, false, "LOCK-15");
	dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE);
	unlock_after(dmabuf, locked);
	if (locked)
		dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE);
}

static void detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	bool locked = lock_for(dmabuf, false, "LOCK-10");

	dma_buf_detach(dmabuf, attach);
	unlock_after(dmabuf, locked);
	if (locked)
		dma_buf_detach(dmabuf, attach);
}

static void move_notify(struct dma_buf_attachment *attach)
{
}

static const struct dma_buf_attach_ops importer_ops = { .move_notify = move_notify };

static void pin_and_unpin(struct dma_buf_attachment *attach)
{
	struct dma_buf *dmabuf = attach->dmabuf;
	bool locked;
	int ret;

	locked = lock_for(dmabuf, true, "LOCK-03");
	ret = dma_buf_pin(attach);
	unlock_after(dmabuf, locked);
	if (ret)
		return;
	locked = lock_for(dmabuf, true, "LOCK-04");
	dma_buf_unpin(attach);
	unlock_after(dmabuf, locked);
}

/* A place behind the end, so that nothing is mapped. */
static void mmap_nothing(struct dma_buf *dmabuf)
{
	struct vm_area_struct vma = { .vm_start = PAGE_SIZE, .vm_end = 2 * PAGE_SIZE };
	bool locked = lock_for(dmabuf, false, "LOCK-13");

	dma_buf_mmap(dmabuf, &vma, dmabuf->size >> PAGE_SHIFT);
	unlock_after(dmabuf, locked);
}

/* --- as exporter ------------------------------------------------------------------------------ */

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

static void unpin_nothing(struct dma_buf_attachment *attach)
{
}

static void release(struct dma_buf *dmabuf)
{
}

static const struct dma_buf_ops moving_ops = {
	.map_dma_buf = never_map,
	.unmap_dma_buf = never_unmap,
	.pin = pin_nothing,
	.unpin = unpin_nothing,
	.release = release,
};

static void move(struct dma_buf *dmabuf)
{
	bool locked = lock_for(dmabuf, true, "LOCK-07");

	dma_buf_move_notify(dmabuf);
	unlock_after(dmabuf, locked);
}

static void export_and_move(void)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;
	struct dma_resv resv;
	bool locked = false;

	dma_resv_init(&resv);
	info.ops = &moving_ops;
	info.size = PAGE_SIZE;
	info.priv = &resv;
	info.resv = &resv;
	if (breaks("LOCK-11"))
		locked = !dma_resv_lock(&resv, NULL);
	dmabuf = dma_buf_export(&info);
	if (locked)
		dma_resv_unlock(&resv);
	if (!IS_ERR(dmabuf)) {
		move(dmabuf);
		dma_buf_put(dmabuf);
		flush_delayed_fput();
	}
	dma_resv_fini(&resv);
}

static void give_fd(struct dma_buf *dmabuf)
{
	bool locked = lock_for(dmabuf, false, "LOCK-12");
	int fd;

	get_dma_buf(dmabuf);
	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	unlock_after(dmabuf, locked);
	if (fd < 0)
		dma_buf_put(dmabuf);
	else
		host_close(fd);
}

static int run(struct device *dev, struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach;
	bool locked;

	locked = lock_for(dmabuf, false, "LOCK-08");
	attach = dma_buf_attach(dmabuf, dev);
	unlock_after(dmabuf, locked);
	if (!IS_ERR(attach)) {
		map_and_unmap(attach);
		detach(dmabuf, attach);
	}
	locked = lock_for(dmabuf, false, "LOCK-09");
	attach = dma_buf_dynamic_attach(dmabuf, dev, &importer_ops, NULL);
	unlock_after(dmabuf, locked);
	if (!IS_ERR(attach)) {
		pin_and_unpin(attach);
		detach(dmabuf, attach);
	}
	vmap_and_vunmap(dmabuf);
	cpu_access(dmabuf);
	mmap_nothing(dmabuf);
	export_and_move();
	give_fd(dmabuf);
	return 0;
}

DMABUF_CHECK({ .name = "lock", .run = run });
