/* SPDX-License-Identifier: MIT */
/*
 * dma-buf-move.c - what importers that follow moves and exporters that make them tell each other
 *
 * Invariants
 *   MV1  The exporter's pin and unpin get the attachment that the exporter has seen: of a kept
 *        mapping the one behind the importer's.
 *   MV2  Mappings that a dynamic importer has of a dynamic exporter are not kept (remap.h), so a
 *        move leaves nothing of the core's that is stale.
 *
 * Deliberately not here: the move, which is the exporter's.
 */
#include <linux/bug.h>
#include <linux/kernel.h>

#include "buffer.h"
#include "event.h"
#include "slot-set.h"

/* MV1 */
static struct dma_buf_attachment *exporters(struct dma_buf_attachment *attach)
{
	return attach->set ? &attach->set->inner[0] : attach;
}

int dma_buf_pin(struct dma_buf_attachment *attach)
{
	const struct dma_buf_ops *ops;

	if (WARN(!attach || !dma_buf_attachment_is_dynamic(attach),
		 "dma-buf: pin by an importer that does not follow moves\n"))
		return -EINVAL;
	dma_resv_assert_held(attach->dmabuf->resv);

	ops = attach->dmabuf->ops;
	return ops->pin ? ops->pin(exporters(attach)) : 0;
}

void dma_buf_unpin(struct dma_buf_attachment *attach)
{
	const struct dma_buf_ops *ops;

	if (WARN(!attach || !dma_buf_attachment_is_dynamic(attach),
		 "dma-buf: unpin by an importer that does not follow moves\n"))
		return;
	dma_resv_assert_held(attach->dmabuf->resv);

	ops = attach->dmabuf->ops;
	if (ops->unpin)
		ops->unpin(exporters(attach));
}

void dma_buf_move_notify(struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach;

	if (WARN(!dmabuf || !dma_buf_is_dynamic(dmabuf),
		 "dma-buf: an exporter without pin says its buffer moves\n"))
		return;
	dma_resv_assert_held(dmabuf->resv);

	list_for_each_entry(attach, &dmabuf->attachments, node)
		if (attach->importer_ops)
			attach->importer_ops->move_notify(attach);
	event_tell(EVENT_MOVE, dmabuf, NULL, 0, 0, 0);
}

bool dma_buf_attach_revocable(struct dma_buf_attachment *attach)
{
	return attach->importer_ops; /* with move_notify: attach refuses others */
}
