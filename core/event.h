/* SPDX-License-Identifier: MIT */
/*
 * event.h - the only place that tells a map, bracket, transfer, move or fence to the outside
 *
 * Subjects and objects are addresses: whoever keeps an event keeps no reference.  What is said to
 * be readable is so until the listener returns; all else only tells one thing from another.
 *
 * Off it costs one predictable branch.  In a Linux module it is empty: there tracepoints do this.
 *
 * Invariants
 *   EV1  An event is told after the fact and changes nothing but what sharing is said to have cost:
 *        bounced bytes are counted here, because only the directory sees them.
 *   EV2  The listener may be called under any lock: it takes none of ours, does not sleep and does
 *        not fail.
 *   EV3  What is done on the way to a call is told before it, by the same thread.  Between UNMAP,
 *        which is told first because its attachment may go with it, and UNMAPPED lies what the
 *        unmap does.
 */
#ifndef CORE_EVENT_H
#define CORE_EVENT_H

#include <linux/types.h>

enum event_kind {
	/* subject: buffer, readable.  RELEASE is told before it goes */
	EVENT_EXPORT, /* object: its directory, a: bytes, b: coherence_set that is whole */
	EVENT_RELEASE,
	EVENT_NAME,    /* object: text, readable */
	EVENT_CONTENT, /* a: from now on it holds work of this number, a frame's for instance */
	EVENT_ATTACH,  /* object: attachment, readable */
	EVENT_DETACH,
	EVENT_MAP,    /* a: direction, of the attachment in object, readable */
	EVENT_UNMAP,  /* the same */
	EVENT_ACCESS, /* the same: within a kept mapping, one access begins */
	EVENT_ACCESS_END,
	EVENT_UNMAPPED,  /* subject, object, a as in UNMAP, none readable */
	EVENT_CPU_BEGIN, /* a: offset, b: bytes, c: direction */
	EVENT_CPU_END,
	EVENT_EXPORTER_BEGIN, /* object: device, readable, a: direction, b: is it in its own memory? */
	EVENT_EXPORTER_END,
	EVENT_MOVE, /* its importers were told that it will move */

	/* subject: slot; of policy `remap` BUILD and TEARDOWN have an attachment instead */
	EVENT_SLOT,     /* it was made. object: the exporter's attachment, readable */
	EVENT_BUILD,    /* an exporter's map was called. a: direction */
	EVENT_TEARDOWN, /* and its unmap */
	EVENT_WIDEN,    /* a: from, b: to */
	EVENT_JOIN,  /* the directory counts it. a: coherence_set, its domain; b: device memory? */
	EVENT_CLEAN, /* a: offset, b: bytes */
	EVENT_INVALIDATE,
	EVENT_BOUNCED, /* a: bytes compared, b: of them copied, c: into the slot? else out of it */

	EVENT_WHOLE, /* subject: directory, a: offset, b: bytes, c: coherence_set that is whole there */

	/* subject: fence, readable */
	EVENT_FENCE_ADD,    /* object: reservation, a: enum dma_resv_usage */
	EVENT_FENCE_SIGNAL, /* before its callbacks are called */
	EVENT_JOB,          /* its fences have signaled, the work begins that this one will end */

	/* subject: buffer or NULL, object: struct event_remark, readable; of whoever looks */
	EVENT_NOTE,    /* what he does. a: its number, or 0 */
	EVENT_FINDING, /* a rule was broken or a byte is wrong */
	EVENT_KINDS,
};

struct event {
	enum event_kind kind;
	const void *subject, *object;
	u64 a, b, c;
};

/* Told not by the core but about it. */
struct event_remark {
	const char *text;
	const void *dev; /* whose access it was; NULL: the CPU's, or unknown */
};

#ifdef LIBDMABUF
#include <linux/dma-cost.h>

typedef void (*event_listener_t)(const struct event *event);

/* Who listens, or NULL. */
extern event_listener_t event_listener;

/**
 * event_listen - tell @listener, too
 * event_unlisten - no longer; nothing if it does not listen
 *
 * Context: before the first buffer is exported, or while nothing runs.
 * Returns 0, -ENOSPC: EVENT_LISTENERS listen already, -EEXIST: @listener does.
 */
#define EVENT_LISTENERS 4
int event_listen(event_listener_t listener);
void event_unlisten(event_listener_t listener);

static inline void event_tell(enum event_kind kind, const void *subject, const void *object, u64 a,
			      u64 b, u64 c)
{
	if (kind == EVENT_BOUNCED) { /* a constant at every call */
		dma_cost_add(DMA_COST_BYTES_COMPARED, a - b);
		dma_cost_add(DMA_COST_BYTES_BOUNCED, b);
	}
	if (__builtin_expect(event_listener != NULL, 0)) {
		struct event event = { kind, subject, object, a, b, c };

		event_listener(&event);
	}
}
#else
static inline void event_tell(enum event_kind kind, const void *subject, const void *object, u64 a,
			      u64 b, u64 c)
{
}
#endif

#endif
