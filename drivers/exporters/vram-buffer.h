/* SPDX-License-Identifier: MIT */
/*
 * vram-buffer.h - a buffer of vram.h, and what moves it; for vram*.c alone
 */
#ifndef DRIVERS_EXPORTERS_VRAM_BUFFER_H
#define DRIVERS_EXPORTERS_VRAM_BUFFER_H

#include <linux/dma-buf.h>
#include <linux/ktime.h>
#include <linux/list.h>

#include "drivers/exporters/heap-mappings.h"
#include "drivers/exporters/vram-place.h"
#include "drivers/exporters/vram.h"

struct dma_fence;

struct vram_buffer {
	/* constant after the export */
	struct vram *vram;
	struct dma_buf *dmabuf;

	/* guarded by the reservation */
	struct vram_place *place;
	enum vram_placement where; /* its; read anywhere */
	unsigned int pins;
	ktime_t pinned_since;    /* while pins != 0 */
	unsigned int scanouts;   /* of the pins: vram_pin()'s */
	bool moving;             /* its kept mappings are being made anew */
	struct dma_fence *copy;  /* of the last move, or NULL */
	struct list_head mapped; /* vram_mapping.node */

	/* guarded by vram.lock */
	struct list_head lru;
	struct list_head node; /* in vram.buffers */
	bool revoked;

	/* its own lock: those of system memory */
	struct heap_mappings mappings;
};

static inline struct vram_buffer *to_vram_buffer(const struct dma_buf *dmabuf)
{
	return dmabuf->priv;
}

/**
 * vram_move_to - vram_move_async(), and in VRAM to where others reach it if @visible
 * Context: reservation held, may sleep.  Waits for nobody.  Errors as vram_move().
 */
int vram_move_to(struct dma_buf *dmabuf, enum vram_placement where, bool visible);

/** vram_wait_copied - the bytes are where the buffer is. Reservation held; may sleep */
void vram_wait_copied(struct vram_buffer *buffer);

/** vram_wait_idle - the copies of all moves that have begun are done. May sleep */
void vram_wait_idle(struct vram *vram);

/**
 * vram_find_room - a place in VRAM, made by evicting those that were not used for longest
 *
 * Context: may sleep.  Takes the reservations of others by trylock only.
 * Returns ERR_PTR: -ENOSPC all that could go has gone; -ENOMEM, also for who could.
 */
struct vram_place *vram_find_room(struct vram *vram, bool visible, size_t bytes);

/** vram_buffer_pin, vram_buffer_unpin - count one pin; the buffer stays. Reservation held; may sleep */
void vram_buffer_pin(struct vram_buffer *buffer);
void vram_buffer_unpin(struct vram_buffer *buffer);

/** vram_lru_touch - @buffer, which is in VRAM, was used. vram_lru_remove - it is released. May sleep */
void vram_lru_touch(struct vram_buffer *buffer);
void vram_lru_remove(struct vram_buffer *buffer);

#endif
