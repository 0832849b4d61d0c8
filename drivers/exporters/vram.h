/* SPDX-License-Identifier: MIT */
/*
 * vram.h - an exporter of a device's own memory, which moves its buffers
 *
 * A device with memory of its own behind a window (dma/window.h): a GPU.  A buffer is in that
 * memory (*VRAM*) or, in one piece, in the system's; either way one contiguous range, zeroed when it
 * is allocated.  It is dynamic: who follows moves and may reach the window (peer2peer) gets VRAM as
 * it is; for everybody else the buffer moves to system memory when he maps or pins it.
 *
 * Invariants
 *   VR1  A buffer is in exactly one place, and moves only while nothing pins it: importers that do
 *	  not follow moves pin while they have a mapping, vmaps and programs' mappings while they
 *	  last, vram_pin() until vram_unpin().
 *   VR2  A move tells the importers, waits for every fence of the reservation, copies, and is over
 *	  when the reservation is unlocked.  So a place seen with the reservation held, or with an
 *	  unsignaled fence of one's own in it, stays.
 *   VR3  The memory a buffer has left is not reused while somebody still has it mapped.
 *
 * Several buffers may share a reservation object, which the caller gives.
 *
 * Deliberately not here: making room.  A buffer without room in VRAM stays in system memory.
 */
#ifndef DRIVERS_EXPORTERS_VRAM_H
#define DRIVERS_EXPORTERS_VRAM_H

#include <linux/dma-direction.h>
#include <linux/types.h>

struct device;
struct dma_buf;
struct dma_resv;
struct vram;

enum vram_placement {
	VRAM_PLACEMENT_VRAM,
	VRAM_PLACEMENT_SYSTEM,
};

/**
 * vram_create - @dev has @bytes of memory of its own, rounded up to pages
 *
 * Context: may sleep.  Returns ERR_PTR: -EINVAL for 0, -ENOMEM.
 * Ownership: the caller destroys it after the last buffer's release and before @dev goes.
 */
struct vram *vram_create(struct device *dev, size_t bytes);
void vram_destroy(struct vram *vram);

/**
 * vram_allocate - a new buffer of @bytes, rounded up to pages
 * @wanted: where it begins; without room in VRAM in system memory, as vram_placement() tells
 * @resv: its reservation, which outlives it; NULL for one of its own
 *
 * Context: may sleep; @resv not held.
 * Returns ERR_PTR: -EINVAL for 0 and for 4 GiB and more; -ENOMEM.  The caller owns one reference.
 */
struct dma_buf *vram_allocate(struct vram *vram, size_t bytes, enum vram_placement wanted,
			      struct dma_resv *resv);

/** vram_owner - the device whose memory @dmabuf's exporter hands out; NULL for other exporters */
struct device *vram_owner(const struct dma_buf *dmabuf);

/**
 * vram_placement - where @dmabuf is
 *
 * Context: any.  It may have moved when this returns, but for what VR1 and VR2 say.
 */
enum vram_placement vram_placement(const struct dma_buf *dmabuf);

/**
 * vram_move - move @dmabuf to @where, if it is not there
 *
 * Context: may sleep; reservation held.  Waits for all fences in it.
 * Returns 0; -EBUSY pinned; -ENOSPC no room in VRAM; -ENOMEM; what the device said while it copied.
 * After an error the buffer is where it was.
 */
int vram_move(struct dma_buf *dmabuf, enum vram_placement where);

/**
 * vram_pin - move @dmabuf into VRAM and keep it there until vram_unpin(), as for a display
 *
 * Meanwhile importers that cannot reach VRAM get -EBUSY from map and pin, and programs from mmap.
 * Context: may sleep; reservation held.
 * Returns 0 or what vram_move() said.
 */
int vram_pin(struct dma_buf *dmabuf);
void vram_unpin(struct dma_buf *dmabuf);

/**
 * vram_begin_access - the owner's device is about to read (DMA_TO_DEVICE) or write
 * (DMA_FROM_DEVICE) its own buffer, wherever that is
 * vram_end_access - and has finished; same arguments
 *
 * Context: may sleep; the place stays as VR2 says from begin to end.
 * Returns 0; -ENOMEM: then nothing is open.
 */
int vram_begin_access(struct dma_buf *dmabuf, enum dma_data_direction dir);
void vram_end_access(struct dma_buf *dmabuf, enum dma_data_direction dir);

/**
 * vram_read - the owner's device reads @len bytes at @offset of its buffer into @dst
 * vram_write - and writes
 *
 * Context: between vram_begin_access() and its end; does not sleep.
 * Returns 0; -EINVAL past the buffer's end; -EFAULT on a fault.
 */
int vram_read(struct dma_buf *dmabuf, size_t offset, void *dst, size_t len);
int vram_write(struct dma_buf *dmabuf, size_t offset, const void *src, size_t len);

#endif
