/* SPDX-License-Identifier: MIT */
/*
 * pinned.c - how long buffers could not move, read from events
 *
 * A buffer is pinned from a static importer's map to its unmap, counted once however many there
 * are.
 */
#include <linux/bug.h>
#include <linux/dma-cost.h>
#include <linux/errno.h>
#include <linux/ktime.h>

#include "buffer.h"
#include "event.h"

static void pinned_listen(const struct event *event)
{
	const struct dma_buf_attachment *attach = event->object;
	struct buffer *buffer;
	u64 now, pinned = 0;

	if ((event->kind != EVENT_MAP && event->kind != EVENT_UNMAP) || attach->importer_ops)
		return;
	buffer = container_of(event->subject, struct buffer, dmabuf);
	now = ktime_to_ns(ktime_get());

	spin_lock(&buffer->pin_lock);
	if (event->kind == EVENT_MAP) {
		if (!buffer->pins++)
			buffer->pinned_since = now;
	} else if (buffer->pins && !--buffer->pins) { /* an unmap too many is told as well */
		pinned = now - buffer->pinned_since;
	}
	spin_unlock(&buffer->pin_lock);
	if (pinned)
		dma_cost_add(DMA_COST_PINNED_NS, pinned);
}

void dma_buf_count_pinned(bool on)
{
	if (on)
		WARN(event_listen(pinned_listen) == -ENOSPC,
		     "dma-buf: too many listen to events to count pinned time\n");
	else
		event_unlisten(pinned_listen);
}
