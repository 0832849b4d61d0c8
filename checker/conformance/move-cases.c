/* SPDX-License-Identifier: MIT */
/*
 * move-cases.c - buffers that move, importers that follow, and those who pin
 */
#include "world.h"

#define DOC_PIN "drivers/dma-buf/dma-buf.c: dma_buf_pin()"
#define DOC_UNPIN "drivers/dma-buf/dma-buf.c: dma_buf_unpin()"
#define DOC_OP_PIN "include/linux/dma-buf.h: struct dma_buf_ops, pin"
#define DOC_MOVE "drivers/dma-buf/dma-buf.c: dma_buf_move_notify()"
#define DOC_OP_MOVE "include/linux/dma-buf.h: struct dma_buf_attach_ops, move_notify"

#define WITHOUT_CACHE "6.15 no longer maps at attach"
#define PINNED_FROM_ATTACH "6.15 no longer pins at attach"
#define PINNED_MAPPED "7.1 always builds with DMABUF_MOVE_NOTIFY"

static int pin(struct dma_buf_attachment *attach)
{
	int ret;

	dma_resv_lock(attach->dmabuf->resv, NULL);
	ret = dma_buf_pin(attach);
	dma_resv_unlock(attach->dmabuf->resv);
	return ret;
}

static void unpin(struct dma_buf_attachment *attach)
{
	dma_resv_lock(attach->dmabuf->resv, NULL);
	dma_buf_unpin(attach);
	dma_resv_unlock(attach->dmabuf->resv);
}

static void move(struct dma_buf *dmabuf)
{
	dma_resv_lock(dmabuf->resv, NULL);
	dma_buf_move_notify(dmabuf);
	dma_resv_unlock(dmabuf->resv);
}

static void pin_asks(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, DYNAMIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, true);

	W_LOG(w, "attach");
	W_EQ(w, pin(attach), 0);
	W_LOG(w, "pin");
	unpin(attach);
	W_LOG(w, "unpin");
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void pin_twice(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, DYNAMIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, true);

	W_EQ(w, pin(attach), 0);
	W_EQ(w, pin(attach), 0);
	unpin(attach);
	unpin(attach);
	W_LOG(w, "attach pin pin unpin unpin");
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void pin_refused(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, DYNAMIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, true);

	w->answer.pin = *(const int *)w->running->data;
	W_EQ(w, pin(attach), w->answer.pin);
	W_LOG(w, "attach pin");
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void pin_of_what_never_moves(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, true);

	w->log[0] = '\0';
	W_EQ(w, pin(attach), 0);
	unpin(attach);
	W_LOG(w, "");
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void pin_by_static_importer(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, DYNAMIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);

	w->log[0] = '\0';
	world_expect_warn(w);
	W_EQ(w, pin(attach), otherwise(w) ? -EINVAL : 0);
	world_expect_warn(w);
	unpin(attach);
	W_LOG(w, otherwise(w) ? "" : "pin unpin");
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void pin_keeps_lock(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, DYNAMIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, true);

	dma_resv_lock(dmabuf->resv, NULL);
	W_EQ(w, dma_buf_pin(attach), 0);
	W_CHECK(w, dma_resv_is_locked(dmabuf->resv));
	dma_buf_unpin(attach);
	W_CHECK(w, dma_resv_is_locked(dmabuf->resv));
	dma_resv_unlock(dmabuf->resv);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void pinned_map_pins_no_more(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, DYNAMIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, true);
	struct sg_table *sgt;

	W_EQ(w, pin(attach), 0);
	sgt = world_map(w, attach, DMA_TO_DEVICE);
	W_ERR(w, sgt, 0);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	unpin(attach);
	W_LOG(w, otherwise(w) ? "attach pin pin map:to unmap:to unpin unpin"
			      : "attach pin map:to unmap:to unpin");
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void static_pins_while_mapped(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, DYNAMIC_EXPORTER);
	struct dma_buf_attachment *one = world_attach_device(w, dmabuf, w->dev);
	struct dma_buf_attachment *other = world_attach_device(w, dmabuf, w->dev2);
	struct sg_table *a, *b;

	w->log[0] = '\0';
	a = world_map(w, one, DMA_TO_DEVICE);
	b = world_map(w, other, DMA_TO_DEVICE);
	W_LOG(w, otherwise(w) ? "" : "pin map:to pin map:to");
	dma_buf_unmap_attachment_unlocked(one, a, DMA_TO_DEVICE);
	dma_buf_unmap_attachment_unlocked(other, b, DMA_TO_DEVICE);
	dma_buf_detach(dmabuf, one);
	dma_buf_detach(dmabuf, other);
	dma_buf_put(dmabuf);
}

static void move_tells(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, DYNAMIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, true);

	w->log[0] = '\0';
	move(dmabuf);
	W_LOG(w, "move");
	move(dmabuf);
	W_LOG(w, "move");
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void move_tells_each(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, DYNAMIC_EXPORTER);
	struct dma_buf_attachment *one, *other;

	one = dma_buf_dynamic_attach(dmabuf, w->dev, &world_importer, w);
	other = dma_buf_dynamic_attach(dmabuf, w->dev2, &world_importer, w);
	W_CHECK(w, !IS_ERR(one) && !IS_ERR(other));
	move(dmabuf);
	W_EQ(w, w->moves, 2);
	dma_buf_detach(dmabuf, one);
	move(dmabuf);
	W_EQ(w, w->moves, 3);
	dma_buf_detach(dmabuf, other);
	move(dmabuf);
	W_EQ(w, w->moves, 3);
	dma_buf_put(dmabuf);
}

static void move_tells_no_static(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, DYNAMIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);

	move(dmabuf);
	W_EQ(w, w->moves, 0);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void move_tells_nobody(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, DYNAMIC_EXPORTER);

	move(dmabuf);
	W_LOG(w, "");
	dma_buf_put(dmabuf);
}

static void move_of_one_of_two(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, DYNAMIC_EXPORTER);
	struct dma_buf *other = world_export(w, DYNAMIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, other, true);

	move(dmabuf);
	W_EQ(w, w->moves, 0);
	dma_buf_detach(other, attach);
	dma_buf_put(other);
	dma_buf_put(dmabuf);
}

static void move_keeps_lock(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, DYNAMIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, true);

	dma_resv_lock(dmabuf->resv, NULL);
	dma_buf_move_notify(dmabuf);
	W_CHECK(w, dma_resv_is_locked(dmabuf->resv));
	dma_resv_unlock(dmabuf->resv);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void move_undoes_nothing(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, DYNAMIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, true);
	struct sg_table *sgt = world_map(w, attach, DMA_TO_DEVICE);

	world_cpu_writes(world_bytes(dmabuf), 2);
	w->log[0] = '\0';
	move(dmabuf);
	W_LOG(w, "move");
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	W_LOG(w, otherwise(w) ? "unmap:to unpin" : "unmap:to");
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void map_after_move_asks(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, DYNAMIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, true);
	struct sg_table *sgt = world_map(w, attach, DMA_TO_DEVICE);

	move(dmabuf);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	w->log[0] = '\0';
	sgt = world_map(w, attach, DMA_TO_DEVICE);
	W_LOG(w, otherwise(w) ? "pin map:to" : "map:to");
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void move_without_pin(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, true);

	if (otherwise(w))
		world_expect_warn(w);
	move(dmabuf);
	W_EQ(w, w->moves, !otherwise(w));
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

#define ERRNO(e) (&(const int){ e })

static const struct world_case cases[] = {
	{ "move.pin_asks", "pin and unpin of an importer are the exporter's", DOC_PIN, pin_asks },
	{ "move.pin_twice", "pins are counted by the exporter: each is passed on", DOC_OP_PIN,
	  pin_twice },
	{ "move.pin_refused_enospc", "an errno of the exporter's pin is passed on", DOC_PIN,
	  pin_refused, ERRNO(-ENOSPC) },
	{ "move.pin_refused_ebusy", "an errno of the exporter's pin is passed on", DOC_PIN,
	  pin_refused, ERRNO(-EBUSY) },
	{ "move.pin_of_what_never_moves", "a buffer without pin is always pinned: 0, nobody asked",
	  DOC_PIN, pin_of_what_never_moves, .otherwise = { LINUX_CACHES, WITHOUT_CACHE } },
	{ "move.pin_by_static_importer", "pin and unpin are for dynamic importers: a WARN", DOC_PIN,
	  pin_by_static_importer,
	  .otherwise = { OURS_CACHED | OURS_REMAP,
			 "`dma_buf_pin()`, `_unpin()` by a static importer" } },
	{ "move.pin_keeps_lock", "who pins holds the reservation, and still does afterwards",
	  DOC_UNPIN, pin_keeps_lock },
	{ "move.pinned_map_pins_no_more", "a map of who follows moves pins nothing", DOC_OP_PIN,
	  pinned_map_pins_no_more, .otherwise = { LINUX_6_12, PINNED_MAPPED } },
	{ "move.static_pins_while_mapped", "each static importer's map is a pin of its own",
	  DOC_OP_PIN, static_pins_while_mapped, .otherwise = { LINUX_CACHES, PINNED_FROM_ATTACH } },
	{ "move.tells", "every move_notify reaches the importer once", DOC_MOVE, move_tells },
	{ "move.tells_each", "all importers that follow are told, until their detach", DOC_MOVE,
	  move_tells_each },
	{ "move.tells_no_static", "static importers are not told", DOC_MOVE, move_tells_no_static,
	  .otherwise = { LINUX_CACHES, PINNED_FROM_ATTACH } },
	{ "move.tells_nobody", "a move of a buffer without importers tells nobody", DOC_MOVE,
	  move_tells_nobody },
	{ "move.of_one_of_two", "importers of other buffers are not told", DOC_MOVE,
	  move_of_one_of_two },
	{ "move.keeps_lock", "who moves holds the reservation, and still does afterwards",
	  DOC_OP_MOVE, move_keeps_lock },
	{ "move.undoes_nothing", "a mapping stays until its importer unmaps it", DOC_OP_MOVE,
	  move_undoes_nothing, .otherwise = { LINUX_6_12, PINNED_MAPPED } },
	{ "move.map_after_move_asks", "a map after a move is the exporter's new mapping",
	  DOC_OP_MOVE, map_after_move_asks, .otherwise = { LINUX_6_12, PINNED_MAPPED } },
	{ "move.without_pin", "move_notify calls every dynamic importer", DOC_MOVE,
	  move_without_pin,
	  .otherwise = { OURS_CACHED | OURS_REMAP,
			 "`dma_buf_move_notify()` by an exporter without pin" } },
};

const struct world_group move_group = { "move", cases, ARRAY_SIZE(cases) };
