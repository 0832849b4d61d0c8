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
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "coherence.h"
#include "locking.h"

/* What poll() hangs on a fence: one for those who wait to read, one for those who wait to write. */
struct poll_slot {
	struct dma_fence_cb cb;
	__poll_t event;        /* constant */
	struct buffer *buffer; /* constant */
	bool armed;            /* under poll_lock: poll_signaled() will come */
};

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
	struct list_head fresh;   /* remap_attachment.of_buffer */
	struct list_head dead;    /* slot_set.node of those killed while in use */
	unsigned int quarantined; /* slots of those in use */
	bool revoked;             /* nobody maps any more */
	unsigned int unmaps;      /* since; read without it */
	struct {
		struct mapping_slot **slots; /* between begin and end of a move, @n of them */
		unsigned int n;
		bool telling; /* importers are being called */
	} move;

	/* guarded by pin_lock */
	spinlock_t pin_lock;
	unsigned int pins; /* maps of static importers */
	u64 pinned_since;  /* ns, while pins != 0 */

	/* guarded by trust_lock, which is above coherence.lock */
	struct mutex trust_lock;
	unsigned int mappings;    /* mmaps of programs */
	unsigned int unbracketed; /* core/dma-buf-file.c DF2; read without it */

	/* guarded by poll_lock, which is below every fence->lock */
	spinlock_t poll_lock;
	struct poll_slot poll_in, poll_out;
	wait_queue_head_t poll; /* its own lock */

	/* its own lock: woken by each unmap of a buffer that is revoked */
	wait_queue_head_t unmapped;

	/* guarded by name_lock */
	spinlock_t name_lock;
	char name[DMA_BUF_NAME_LEN];
	bool named; /* a program gave it one, be it "" */

	/* its own lock */
	struct coherence coherence;

	struct dma_resv own_resv; /* when the exporter brought none */
};

/* core/dma-buf-file.c: the file's operations, and what they need of a new buffer with its file. */
extern const struct file_operations dma_buf_fops;
void buffer_file_init(struct buffer *buffer);

/*
 * core/exporter-access.c: what an exporter that does not tell its accesses counts as doing, from
 * export to release.  0 or -ENOMEM.
 */
int buffer_exporter_init(struct buffer *buffer);
void buffer_exporter_fini(struct buffer *buffer);

/* After so long a move that waits, or whoever revokes, says for whom: longer than any honest use. */
extern unsigned int buffer_patience_ms;

/* The file's last reference has gone. */
int buffer_release(struct inode *inode, struct file *file);

static inline struct buffer *to_buffer(struct dma_buf *dmabuf)
{
	return container_of(dmabuf, struct buffer, dmabuf);
}

/* Is an importer mapping or pinning from its move_notify()?  Reservation held. */
static inline bool buffer_telling(struct dma_buf *dmabuf)
{
	return WARN(
		to_buffer(dmabuf)->move.telling,
		"dma-buf: an importer maps or pins a %s buffer while it is told that it moves\n",
		dmabuf->exp_name);
}

/* A mapping has gone: whoever revokes the buffer looks again.  Reservation held. */
static inline void buffer_unmapped(struct buffer *buffer)
{
	if (!buffer->revoked)
		return;
	WRITE_ONCE(buffer->unmaps, buffer->unmaps + 1);
	wake_up_all(&buffer->unmapped);
}

/* @mode, of an access by the CPU, with where the CPU is. */
static inline unsigned int buffer_cpu_mode(const struct buffer *buffer, unsigned int mode)
{
	return mode | (buffer->dmabuf.ops->cpu_maps_uncached ? COHERENCE_UNCACHED : 0);
}

/*
 * The reservation that is taken next is that of a buffer that is released, maybe with another one
 * held.  If it is the buffer's own nobody waits for it who has another one.
 */
static inline void buffer_release_locks(struct buffer *buffer)
{
	if (buffer->dmabuf.resv == &buffer->own_resv)
		lock_is_nested(1);
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

lock_need_is(dma_buf_map_attachment, HELD);
lock_need_is(dma_buf_unmap_attachment, HELD);
lock_need_is(dma_buf_map_attachment_unlocked, NOT_HELD);
lock_need_is(dma_buf_unmap_attachment_unlocked, NOT_HELD);

/*
 * The lock rules of the hot functions cost a cache line, so they are asserted in checking builds
 * only; all others use lock_rule() always.
 */
static inline void hot_assert_held(struct dma_buf_attachment *attach)
{
#ifdef LIBDMABUF_CHECKS
	WARN(!dma_resv_held(attach->dmabuf->resv),
	     "dma-buf: map and unmap must be called with the reservation locked\n");
	host_might_wait_for_fence();
#endif
}

/* Returns true when the caller would wait for itself. */
static inline bool hot_assert_not_held(struct dma_buf_attachment *attach)
{
#ifdef LIBDMABUF_CHECKS
	might_sleep();
	if (WARN(dma_resv_held(attach->dmabuf->resv),
		 "dma-buf: an _unlocked map or unmap takes the reservation: call it without\n"))
		return true;
	/* A miss takes it, and waits for KERNEL fences. */
	host_might_lock(&attach->dmabuf->resv->lock.base.dep_map);
	host_might_wait_for_fence();
	return false;
#else
	return false;
#endif
}

#endif
