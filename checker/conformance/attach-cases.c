/* SPDX-License-Identifier: MIT */
/*
 * attach-cases.c - a device comes to a buffer and goes
 */
#include <linux/workqueue.h>

#include "world.h"

#define DOC_ATTACH "drivers/dma-buf/dma-buf.c: dma_buf_dynamic_attach()"
#define DOC_STATIC "drivers/dma-buf/dma-buf.c: dma_buf_attach()"
#define DOC_DETACH "drivers/dma-buf/dma-buf.c: dma_buf_detach()"
#define DOC_ATTACHMENT "include/linux/dma-buf.h: struct dma_buf_attachment"
#define DOC_OP_ATTACH "include/linux/dma-buf.h: struct dma_buf_ops, attach"
#define DOC_OP_DETACH "include/linux/dma-buf.h: struct dma_buf_ops, detach"
#define DOC_LOCKS "drivers/dma-buf/dma-buf.c: DOC: locking convention"

#define ONE_FOR_EACH_DEVICE "exporter's `attach`, `detach`"
#define WITHOUT_CACHE "6.15 no longer maps at attach"

static void null_buffer(struct world *w)
{
	world_expect_warn(w);
	W_ERR(w, dma_buf_attach(NULL, w->dev), -EINVAL);
}

static void null_device(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);

	world_expect_warn(w);
	W_ERR(w, dma_buf_attach(dmabuf, NULL), -EINVAL);
	W_LOG(w, "");
	dma_buf_put(dmabuf);
}

static void dynamic_null_buffer(struct world *w)
{
	world_expect_warn(w);
	W_ERR(w, dma_buf_dynamic_attach(NULL, w->dev, &world_importer, w), -EINVAL);
}

static void without_move_notify(struct world *w)
{
	static const struct dma_buf_attach_ops nothing;
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);

	world_expect_warn(w);
	W_ERR(w, dma_buf_dynamic_attach(dmabuf, w->dev, &nothing, w), -EINVAL);
	W_LOG(w, "");
	dma_buf_put(dmabuf);
}

static void asks_exporter(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);

	W_LOG(w, otherwise(w) ? "attach attach attach" : "attach");
	dma_buf_detach(dmabuf, attach);
	W_LOG(w, otherwise(w) ? "" : "detach");
	dma_buf_put(dmabuf);
	W_LOG(w, otherwise(w) ? "detach detach detach release" : "release");
}

static void refused(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);

	w->answer.attach = *(const int *)w->running->data;
	W_ERR(w, dma_buf_attach(dmabuf, w->dev), w->answer.attach);
	W_LOG(w, "attach");
	W_CHECK(w, list_empty(&dmabuf->attachments));

	/* and nothing of it is left: the next one is asked anew */
	w->answer.attach = 0;
	dma_buf_detach(dmabuf, world_attach(w, dmabuf, false));
	dma_buf_put(dmabuf);
}

static void fields(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);

	W_CHECK(w, attach->dmabuf == dmabuf && attach->dev == w->dev);
	W_CHECK(w, !attach->importer_ops && !attach->importer_priv && !attach->peer2peer);
	W_CHECK(w, !dma_buf_attachment_is_dynamic(attach));
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void dynamic_fields(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, DYNAMIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, true);

	W_CHECK(w, attach->dmabuf == dmabuf && attach->dev == w->dev);
	W_CHECK(w, attach->importer_ops == &world_importer && attach->importer_priv == w);
	W_CHECK(w, attach->peer2peer && dma_buf_attachment_is_dynamic(attach));
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void no_peer2peer(struct world *w)
{
	struct dma_buf_attach_ops ops = world_importer;
	struct dma_buf *dmabuf = world_export(w, DYNAMIC_EXPORTER);
	struct dma_buf_attachment *attach;

	ops.allow_peer2peer = false;
	attach = dma_buf_dynamic_attach(dmabuf, w->dev, &ops, w);
	W_ERR(w, attach, 0);
	W_CHECK(w, !attach->peer2peer);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void dynamic_null_ops(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, DYNAMIC_EXPORTER);
	struct dma_buf_attachment *attach = dma_buf_dynamic_attach(dmabuf, w->dev, NULL, NULL);

	W_ERR(w, attach, 0);
	W_CHECK(w, !dma_buf_attachment_is_dynamic(attach));
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void leaves_unlocked(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, DYNAMIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, true);

	W_CHECK(w, !dma_resv_is_locked(dmabuf->resv));
	dma_buf_detach(dmabuf, attach);
	W_CHECK(w, !dma_resv_is_locked(dmabuf->resv));
	dma_buf_put(dmabuf);
}

static void two_devices(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *one = world_attach_device(w, dmabuf, w->dev);
	struct dma_buf_attachment *other = world_attach_device(w, dmabuf, w->dev2);

	W_CHECK(w, one != other && one->dev == w->dev && other->dev == w->dev2);
	dma_buf_detach(dmabuf, one);
	W_CHECK(w, other->dev == w->dev2);
	dma_buf_detach(dmabuf, other);
	dma_buf_put(dmabuf);
}

static void one_device_twice(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *one = world_attach_device(w, dmabuf, w->dev);
	struct dma_buf_attachment *other = world_attach_device(w, dmabuf, w->dev);
	struct sg_table *sgt;

	W_CHECK(w, !IS_ERR(one) && !IS_ERR(other) && one != other);
	dma_buf_detach(dmabuf, one);
	sgt = world_map(w, other, DMA_TO_DEVICE);
	W_ERR(w, sgt, 0);
	dma_buf_unmap_attachment_unlocked(other, sgt, DMA_TO_DEVICE);
	dma_buf_detach(dmabuf, other);
	dma_buf_put(dmabuf);
}

static void again_after_detach(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);

	dma_buf_detach(dmabuf, world_attach(w, dmabuf, false));
	W_LOG(w, otherwise(w) ? "attach attach attach" : "attach detach");
	dma_buf_detach(dmabuf, world_attach(w, dmabuf, false));
	W_LOG(w, otherwise(w) ? "" : "attach detach");
	dma_buf_put(dmabuf);
}

static void listed(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, DYNAMIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, true), *found;

	dma_resv_lock(dmabuf->resv, NULL);
	found = list_first_entry_or_null(&dmabuf->attachments, struct dma_buf_attachment, node);
	dma_resv_unlock(dmabuf->resv);
	W_CHECK(w, found == attach);
	dma_buf_detach(dmabuf, attach);
	W_CHECK(w, list_empty(&dmabuf->attachments));
	dma_buf_put(dmabuf);
}

static void detach_null(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);

	world_expect_warn(w);
	dma_buf_detach(dmabuf, NULL);
	W_LOG(w, "");
	dma_buf_put(dmabuf);
}

static void detach_null_buffer(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);

	world_expect_warn(w);
	dma_buf_detach(NULL, attach);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void detach_of_another(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf *other = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);
	struct sg_table *sgt;

	world_expect_warn(w);
	dma_buf_detach(other, attach);
	/* It is still attached. */
	sgt = world_map(w, attach, DMA_TO_DEVICE);
	W_ERR(w, sgt, 0);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(other);
	dma_buf_put(dmabuf);
}

static void detach_while_mapped(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);
	struct sg_table *sgt = world_map(w, attach, DMA_FROM_DEVICE);

	world_expect_warn(w);
	dma_buf_detach(dmabuf, attach);
	W_EQ(w, world_device_writes(w->dev, sgt, 1), 0);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_FROM_DEVICE);
	flush_workqueue(system_wq);
	dma_buf_put(dmabuf);
}

static void mixed_pin_refused(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, DYNAMIC_EXPORTER);
	struct dma_buf_attachment *attach;
	bool at_attach = also(w);

	w->answer.pin = -ENOSPC;
	attach = dma_buf_attach(dmabuf, w->dev);
	W_ERR(w, attach, at_attach ? -ENOSPC : 0);
	if (!at_attach) {
		W_LOG(w, otherwise(w) ? "attach attach attach" : "attach");
		W_ERR(w, dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE), -ENOSPC);
		W_LOG(w, "pin");
		dma_buf_detach(dmabuf, attach);
	} else {
		W_LOG(w, "attach pin detach");
	}
	dma_buf_put(dmabuf);
}

static void mixed_map_refused(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, DYNAMIC_EXPORTER);
	struct dma_buf_attachment *attach;
	bool at_attach = also(w);

	w->answer.map = -EIO;
	attach = dma_buf_attach(dmabuf, w->dev);
	W_ERR(w, attach, at_attach ? -EIO : 0);
	if (!at_attach) {
		W_LOG(w, otherwise(w) ? "attach attach attach" : "attach");
		W_ERR(w, dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE), -EIO);
		W_LOG(w, "pin map:to unpin");
		dma_buf_detach(dmabuf, attach);
	} else {
		W_LOG(w, "attach pin map:both unpin detach");
	}
	dma_buf_put(dmabuf);
}

static void dynamic_on_static_refused(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach;
	bool at_attach = also(w);

	w->answer.map_null = true;
	attach = dma_buf_dynamic_attach(dmabuf, w->dev, &world_importer, w);
	W_ERR(w, attach, at_attach ? -ENOMEM : 0);
	if (!at_attach) {
		W_LOG(w, otherwise(w) ? "attach attach attach" : "attach");
		W_ERR(w, dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE), -ENOMEM);
		W_LOG(w, "map:to");
		dma_buf_detach(dmabuf, attach);
	} else {
		W_LOG(w, "attach map:both detach");
	}
	dma_buf_put(dmabuf);
}

static void without_exporters_attach(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, BARE_EXPORTER | DYNAMIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, true);

	W_LOG(w, "");
	dma_buf_detach(dmabuf, attach);
	W_LOG(w, "");
	dma_buf_put(dmabuf);
}

#define ERRNO(e) (&(const int){ e })

static const struct world_case cases[] = {
	{ "attach.null_buffer", "no buffer: a WARN and -EINVAL", DOC_ATTACH, null_buffer },
	{ "attach.null_device", "no device: a WARN and -EINVAL, and the exporter is not asked",
	  DOC_ATTACH, null_device },
	{ "attach.dynamic_null_buffer", "no buffer: a WARN and -EINVAL", DOC_ATTACH,
	  dynamic_null_buffer },
	{ "attach.without_move_notify", "an importer's ops without move_notify: a WARN and -EINVAL",
	  "include/linux/dma-buf.h: struct dma_buf_attach_ops, move_notify", without_move_notify },
	{ "attach.asks_exporter",
	  "attach and detach ask the exporter's attach and detach once each", DOC_OP_ATTACH,
	  asks_exporter, .otherwise = { OURS_CACHED, ONE_FOR_EACH_DEVICE } },
	{ "attach.refused_ebusy",
	  "-EBUSY of the exporter, whose buffer the device cannot reach, is passed on",
	  DOC_OP_ATTACH, refused, ERRNO(-EBUSY) },
	{ "attach.refused_enomem", "-ENOMEM of the exporter is passed on", DOC_OP_ATTACH, refused,
	  ERRNO(-ENOMEM) },
	{ "attach.refused_enodev", "any negative errno of the exporter is passed on", DOC_OP_ATTACH,
	  refused, ERRNO(-ENODEV) },
	{ "attach.fields", "a static attachment has buffer and device and no importer's ops",
	  DOC_ATTACHMENT, fields },
	{ "attach.dynamic_fields",
	  "a dynamic attachment has the importer's ops, its priv, and what it allows",
	  DOC_ATTACHMENT, dynamic_fields },
	{ "attach.no_peer2peer", "peer2peer is what the importer allows", DOC_ATTACHMENT,
	  no_peer2peer },
	{ "attach.dynamic_null_ops", "dma_buf_dynamic_attach() without ops is dma_buf_attach()",
	  DOC_STATIC, dynamic_null_ops, .otherwise = { LINUX_CACHES, WITHOUT_CACHE } },
	{ "attach.leaves_unlocked", "attach and detach return with the reservation not held",
	  DOC_LOCKS, leaves_unlocked },
	{ "attach.two_devices", "devices have attachments of their own, which go one by one",
	  DOC_ATTACHMENT, two_devices },
	{ "attach.one_device_twice",
	  "a device may attach twice, and the second attachment outlives the first", DOC_ATTACHMENT,
	  one_device_twice },
	{ "attach.again_after_detach", "who attaches again is a new attachment to the exporter",
	  DOC_OP_DETACH, again_after_detach, .otherwise = { OURS_CACHED, ONE_FOR_EACH_DEVICE } },
	{ "attach.listed", "attachments are on the buffer's list, which the reservation guards",
	  "include/linux/dma-buf.h: struct dma_buf, attachments", listed },
	{ "attach.detach_null", "a detach of nothing warns and does nothing", DOC_DETACH,
	  detach_null },
	{ "attach.detach_null_buffer", "a detach from no buffer warns and does nothing", DOC_DETACH,
	  detach_null_buffer },
	{ "attach.detach_of_another",
	  "a detach from a buffer that it is not attached to warns and does nothing", DOC_DETACH,
	  detach_of_another },
	{ "attach.detach_while_mapped", "an attachment is unmapped before it is detached",
	  DOC_OP_DETACH, detach_while_mapped,
	  .not_on = { LINUX_ALL, "frees the attachment under its user" } },
	{ "attach.static_on_dynamic_pin_refused",
	  "a static importer's map of a buffer that moves pins it; a refusal is passed on",
	  DOC_ATTACH, mixed_pin_refused, .otherwise = { OURS_CACHED, ONE_FOR_EACH_DEVICE },
	  .also = { LINUX_CACHES, WITHOUT_CACHE } },
	{ "attach.static_on_dynamic_map_refused",
	  "when map_dma_buf fails, the pin made for it is undone before the error is returned",
	  DOC_ATTACH, mixed_map_refused, .otherwise = { OURS_CACHED, ONE_FOR_EACH_DEVICE },
	  .also = { LINUX_CACHES, WITHOUT_CACHE } },
	{ "attach.dynamic_on_static_refused",
	  "map_dma_buf that returns NULL is -ENOMEM, and nothing is left", DOC_ATTACH,
	  dynamic_on_static_refused, .otherwise = { OURS_CACHED, ONE_FOR_EACH_DEVICE },
	  .also = { LINUX_CACHES, WITHOUT_CACHE } },
	{ "attach.without_exporters_attach", "attach and detach of the exporter are optional",
	  DOC_OP_ATTACH, without_exporters_attach },
};

const struct world_group attach_group = { "attach", cases, ARRAY_SIZE(cases) };
