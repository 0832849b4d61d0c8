/* SPDX-License-Identifier: MIT */
/*
 * event.h - the only place that tells a map, bracket, transfer, move or fence to the outside
 *
 * Off it costs one predictable branch.  In a Linux module it is empty: there tracepoints do this.
 *
 * Invariants
 *   EV1  An event is told after the fact and changes nothing but what sharing is said to have cost:
 *        bounced bytes are counted here, because only the directory sees them.
 *   EV2  The listener may be called under any lock: it takes none of ours, does not sleep and does
 *        not fail.
 */
#ifndef CORE_EVENT_H
#define CORE_EVENT_H

#include <linux/types.h>

enum event_kind {
	EVENT_ATTACH, /* subject: buffer, object: attachment */
	EVENT_DETACH,
	EVENT_MAP, /* subject: buffer, object: attachment, a: direction */
	EVENT_UNMAP,
	EVENT_BUILD,     /* an exporter's map was called. subject: slot, a: direction */
	EVENT_TEARDOWN,  /* and its unmap */
	EVENT_WIDEN,     /* subject: slot, a: from, b: to */
	EVENT_CPU_BEGIN, /* subject: buffer, a: offset, b: bytes */
	EVENT_CPU_END,
	EVENT_EXPORTER_BEGIN, /* subject: buffer, object: device, a: direction */
	EVENT_EXPORTER_END,
	EVENT_CLEAN, /* subject: slot, a: offset, b: bytes */
	EVENT_INVALIDATE,
	EVENT_BOUNCED,      /* subject: slot, a: bytes compared, b: of them copied */
	EVENT_FENCE_SIGNAL, /* subject: fence */
};

struct event {
	enum event_kind kind;
	const void *subject, *object;
	u64 a, b;
};

#ifdef LIBDMABUF
#include <linux/dma-cost.h>

/*
 * Who listens, or NULL.  Set before the first buffer is exported, or while nothing runs.
 */
extern void (*event_listener)(const struct event *event);

static inline void event_tell(enum event_kind kind, const void *subject, const void *object, u64 a,
			      u64 b)
{
	if (kind == EVENT_BOUNCED) { /* a constant at every call */
		dma_cost_add(DMA_COST_BYTES_COMPARED, a - b);
		dma_cost_add(DMA_COST_BYTES_BOUNCED, b);
	}
	if (__builtin_expect(event_listener != NULL, 0)) {
		struct event event = { kind, subject, object, a, b };

		event_listener(&event);
	}
}
#else
static inline void event_tell(enum event_kind kind, const void *subject, const void *object, u64 a,
			      u64 b)
{
}
#endif

#endif
