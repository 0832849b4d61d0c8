/* SPDX-License-Identifier: MIT */
/*
 * buffer.h - what the core keeps of a buffer behind struct dma_buf
 */
#ifndef CORE_BUFFER_H
#define CORE_BUFFER_H

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/iosys-map.h>
#include <linux/list.h>
#include <linux/spinlock.h>

#include "coherence.h"

struct buffer {
	struct dma_buf dmabuf;

	/* immutable after export */
	enum dma_buf_policy policy;
	struct dma_resv_watcher watcher; /* on dmabuf.resv, under it */

	/* guarded by buffers_lock */
	struct list_head node; /* in `buffers` */
	unsigned int visitors; /* of buffer_visit_next() */

	/* guarded by dmabuf.resv */
	struct list_head sets; /* slot_set.node */
	struct {
		struct iosys_map map; /* while users != 0 */
		unsigned int users;
		bool mistrusted; /* somebody did not promise brackets */
	} vmap;

	/* guarded by pin_lock */
	spinlock_t pin_lock;
	unsigned int pins; /* maps of static importers */
	u64 pinned_since;  /* ns, while pins != 0 */

	/* its own lock */
	struct coherence coherence;

	struct dma_resv own_resv; /* when the exporter brought none */
};

static inline struct buffer *to_buffer(struct dma_buf *dmabuf)
{
	return container_of(dmabuf, struct buffer, dmabuf);
}

/**
 * buffer_visit_next - walk over all buffers, also those whose release has begun
 * @buffer: NULL to begin, then what the last call returned, whose visit ends
 *
 * A visited buffer does not go: its release waits for the visit's end, after ending its sets and
 * before calling the exporter.  Context: any but the release of a buffer being visited; takes a
 * leaf lock, so that the visitor takes the reservation himself.
 * Returns NULL after the last; the walk must be finished.
 */
struct buffer *buffer_visit_next(struct buffer *buffer);

/*
 * The lock rules of the hot functions cost a cache line, so they are asserted in checking builds
 * only; all others use dma_resv_assert_held() and dma_resv_assert_not_held() always.
 */
static inline void hot_assert_held(struct dma_buf_attachment *attach)
{
#ifdef LIBDMABUF_CHECKS
	dma_resv_assert_held(attach->dmabuf->resv);
#endif
}

static inline void hot_assert_not_held(struct dma_buf_attachment *attach)
{
#ifdef LIBDMABUF_CHECKS
	might_sleep();
	dma_resv_assert_not_held(attach->dmabuf->resv);
#endif
}

#endif
