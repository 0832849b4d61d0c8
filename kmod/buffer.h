/* SPDX-License-Identifier: MIT */
/*
 * buffer.h - one dma-buf of somebody else's whose mappings are kept, and its directory
 *
 * A buffer lives as long as one of its wraps: the dma-bufs that programs get, at most one for each
 * kind of importer.  All wraps share memory, fences and directory.
 *
 * Invariants
 *   BU1  There is one buffer for each inner dma-buf: it is found and ended under buffers_lock, so
 *        what one directory knew is in memory before another begins.
 *   BU2  A buffer holds one reference to its inner dma-buf's file, and one more for each way of ours
 *        that the bytes are reached without a bracket: a vmap, brackets that do not pair; and a
 *        CPU's mmap is of that file.  So when its count is 1, nobody reaches the bytes unseen.
 *   BU3  While somebody does, an access that never ends is open in the directory: each begin and end
 *        of a device that does not snoop then moves what a fresh mapping would.
 *
 * Lock order: buffers_lock -> buffer.lock -> reservation -> buffer.cpu -> directory.  mmap_lock may be
 * held outside of buffer.cpu; under no lock here is it taken.
 */
#ifndef KMOD_BUFFER_H
#define KMOD_BUFFER_H

#include <linux/dma-buf.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/uidgid.h>

#include "coherence.h"

/* Who asked first for a wrap; idle mappings of all his buffers are counted together. */
struct cache_user {
	kuid_t uid;
	unsigned int buffers;  /* guarded by buffers_lock */
	struct list_head node; /* the same */

	/* guarded by idle.c's lock */
	struct list_head idle; /* cached_set.idle, oldest first */
	size_t idle_bytes;
};

struct cached_buffer {
	/* immutable */
	struct dma_buf *inner;
	struct cache_user *user;
	/* its exporter moves bytes only in map, unmap and for mapped devices, as system_heap */
	bool plain;
	/* its exporter never syncs in map and unmap, as udmabuf */
	bool unsynced;

	struct kref refs;
	struct list_head node;  /* guarded by buffers_lock */
	struct list_head wraps; /* the same */

	struct mutex lock;
	struct list_head sets; /* guarded by lock */

	/* Held over the CPU's brackets and while a mapping goes whose unmap would drop its stores. */
	struct mutex cpu;
	unsigned int brackets; /* guarded by cpu: open, of SYNC ioctls */
	bool unpaired;         /* the same: too many of them, so no longer counted; a reference */
	bool mistrusted;       /* the same: BU3's access is open */
	atomic_t fresh;        /* attachments whose mappings are not kept */
	struct coherence coherence;

	/* what debugfs shows; guarded by the reservation, bytes by the directory's lock */
	struct {
		u64 maps, built, fresh, dropped;
		u64 cleaned, invalidated;
	} stats;
};

extern struct mutex buffers_lock;

/**
 * buffer_find - the buffer of @inner, or a new one
 *
 * Context: buffers_lock held.  Returns ERR_PTR(-ENOMEM).
 * Ownership: a reference; @inner is not consumed.
 */
struct cached_buffer *buffer_find(struct dma_buf *inner);

/** buffer_put - Context: none of the locks above held, may sleep */
void buffer_put(struct cached_buffer *buffer);

/**
 * buffer_next - the buffer after @buffer, or the first for NULL; NULL at the end
 *
 * Context: as buffer_put(), which it does with @buffer.  Ownership: a reference.
 */
struct cached_buffer *buffer_next(struct cached_buffer *buffer);

/* Has what BU3 speaks of begun or ended since the last buffer_look()? */
static inline bool buffer_changed(const struct cached_buffer *buffer)
{
	return (file_count(buffer->inner->file) > 1) != READ_ONCE(buffer->mistrusted);
}

/**
 * buffer_look - does anybody reach the bytes unseen? BU3
 *
 * Context: may sleep; cpu and directory lock not held.  Returns 0 or -ENOMEM: nothing has changed.
 */
int buffer_look(struct cached_buffer *buffer);

/** buffer_written - has the CPU or a device that snoops the bytes open for writing? cpu held */
bool buffer_written(struct cached_buffer *buffer);

/**
 * buffer_begin_cpu - a bracket of the CPU's
 * buffer_end_cpu
 *
 * Context: reservation not held; may sleep.  Returns 0, -ENOMEM, -ERESTARTSYS, or what the exporter
 * said.
 */
int buffer_begin_cpu(struct cached_buffer *buffer, enum dma_data_direction dir);
int buffer_end_cpu(struct cached_buffer *buffer, enum dma_data_direction dir);

#endif
