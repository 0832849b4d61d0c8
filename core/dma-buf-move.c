/* SPDX-License-Identifier: MIT */
/*
 * dma-buf-move.c - what importers that follow moves and exporters that make them tell each other
 *
 * Invariants
 *   MV1  The exporter's pin and unpin get the attachment that the exporter has seen: of a kept
 *        mapping the one behind the importer's.
 *   MV2  Mappings that a dynamic importer has of a dynamic exporter are not kept (remap.h), so a
 *        move leaves nothing of theirs with the core that is stale.
 *   MV3  Between begin and end of a move all kept mappings are frozen and empty, or dead.  All that
 *        is allocated for it, and importers' callbacks, come before the first is frozen.
 *   MV4  Who waits for users of kept mappings for longer than these should need says for whom, while
 *        he still waits: device, and the stack that mapped.
 *
 * Deliberately not here: where a buffer is and how its bytes get there, which is the exporter's.
 */
#include <linux/bug.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/slab.h>

#include "buffer.h"
#include "event.h"
#include "locking.h"
#include "mapping-slot.h"
#include "slot-set.h"

unsigned int buffer_patience_ms = 10000;

/* MV1 */
static struct dma_buf_attachment *exporters(struct dma_buf_attachment *attach)
{
	return attach->set ? &attach->set->back[0].inner : attach;
}

int dma_buf_pin(struct dma_buf_attachment *attach)
{
	const struct dma_buf_ops *ops;

	if (WARN(!attach || !dma_buf_attachment_is_dynamic(attach),
		 "dma-buf: pin by an importer that does not follow moves\n"))
		return -EINVAL;
	lock_rule(dma_buf_pin, attach->dmabuf->resv);
	if (buffer_telling(attach->dmabuf))
		return -EBUSY;

	ops = attach->dmabuf->ops;
	return ops->pin ? ops->pin(exporters(attach)) : 0;
}

void dma_buf_unpin(struct dma_buf_attachment *attach)
{
	const struct dma_buf_ops *ops;

	if (WARN(!attach || !dma_buf_attachment_is_dynamic(attach),
		 "dma-buf: unpin by an importer that does not follow moves\n"))
		return;
	lock_rule(dma_buf_unpin, attach->dmabuf->resv);

	ops = attach->dmabuf->ops;
	if (ops->unpin)
		ops->unpin(exporters(attach));
}

/* Else an importer and his exporter would call each other for ever, or one freeze wait for another. */
static bool moves_already(struct buffer *buffer)
{
	return WARN(buffer->move.slots || buffer->move.telling,
		    "dma-buf: the move of a %s buffer begins within its move, as map_dma_buf must "
		    "not\n",
		    buffer->dmabuf.exp_name);
}

void dma_buf_move_notify(struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach;

	if (WARN(!dmabuf || !dma_buf_is_dynamic(dmabuf),
		 "dma-buf: an exporter without pin says its buffer moves\n"))
		return;
	lock_rule(dma_buf_move_notify, dmabuf->resv);

	if (moves_already(to_buffer(dmabuf)))
		return;
	to_buffer(dmabuf)->move.telling = true;
	list_for_each_entry(attach, &dmabuf->attachments, node)
		if (attach->importer_ops)
			attach->importer_ops->move_notify(attach);
	to_buffer(dmabuf)->move.telling = false;
	event_tell(EVENT_MOVE, dmabuf, NULL, 0, 0, 0);
}

bool dma_buf_move_blocked(struct dma_buf *dmabuf)
{
	lock_rule(dma_buf_move_blocked, dmabuf->resv);
	return to_buffer(dmabuf)->quarantined || slot_sets_in_use(dmabuf);
}

/*
 * MV4.  Beside a user under the reservation, which is ours, there is no waiting: the time tells.
 */
static int freeze(struct dma_buf *dmabuf, struct mapping_slot **slots, unsigned int n, long timeout)
{
	long patience = min(timeout, (long)msecs_to_jiffies(READ_ONCE(buffer_patience_ms)));
	unsigned long until = jiffies + patience;
	int ret = mapping_slots_freeze(slots, n, patience);

	if (ret != -EBUSY || timeout <= patience || time_before(jiffies, until))
		return ret;
	slot_sets_name_users(dmabuf, "is waited for by the move of a");
	return mapping_slots_freeze(slots, n, timeout - patience);
}

int dma_buf_move_begin(struct dma_buf *dmabuf, long timeout)
{
	struct mapping_slot **slots;
	struct buffer *buffer;
	unsigned int n;
	int ret;

	if (WARN(!dmabuf || !dmabuf->ops->tells_moves,
		 "dma-buf: an exporter without tells_moves begins a move\n"))
		return -EINVAL;
	lock_rule(dma_buf_move_begin, dmabuf->resv);
	might_sleep();
	buffer = to_buffer(dmabuf);
	if (moves_already(buffer))
		return -EDEADLK;

	if (buffer->revoked)
		return -ENODEV;
	if (timeout <= 0 && dma_buf_move_blocked(dmabuf))
		return -EBUSY;
	slots = slot_sets_slots(dmabuf, &n);
	if (!slots)
		return -ENOMEM;
	dma_buf_move_notify(dmabuf);
	ret = buffer->quarantined ? -EBUSY : freeze(dmabuf, slots, n, timeout);
	if (ret)
		goto name_users;
	mapping_slots_teardown(slots, n);
	buffer->move.slots = slots;
	buffer->move.n = n;
	return 0;

name_users:
	if (timeout > 0)
		slot_sets_name_users(dmabuf, "has not unmapped in time for the move of a");
	kfree(slots);
	return ret;
}

void dma_buf_move_end(struct dma_buf *dmabuf)
{
	struct buffer *buffer;

	if (WARN(!dmabuf || !to_buffer(dmabuf)->move.slots,
		 "dma-buf: the end of a move that has not begun\n"))
		return;
	lock_rule(dma_buf_move_end, dmabuf->resv);

	buffer = to_buffer(dmabuf);
	mapping_slots_rebuild(buffer->move.slots, buffer->move.n);
	kfree(buffer->move.slots);
	buffer->move.slots = NULL;
}

bool dma_buf_attach_revocable(struct dma_buf_attachment *attach)
{
	return attach->importer_ops; /* with move_notify: attach refuses others */
}
