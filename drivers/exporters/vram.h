/* SPDX-License-Identifier: MIT */
/*
 * vram.h - an exporter of a device's own memory, which moves its buffers
 *
 * A device with memory of its own, all or part of it behind a window (dma/window.h): a GPU.  A
 * buffer is in that memory (*VRAM*) or, in one piece, in the system's; either way one contiguous
 * range, zeroed when it is allocated.  It is dynamic: who follows moves and may reach the window
 * (peer2peer) gets VRAM as it is; for everybody else the buffer moves to system memory when he maps
 * or pins it.  Buffers may be many times as large together as VRAM: who wants one there makes others
 * leave that were not used for longest.
 *
 * Invariants
 *   VR1  A buffer moves only while nothing pins it and no importer that does not follow moves uses a
 *	  mapping: a mapping that the core keeps for him, unused, is made anew where the buffer is
 *	  then.  vmaps and programs' mappings pin while they last, vram_pin() until vram_unpin().
 *   VR2  A move is a copy by the device's engine, after every fence that the reservation holds then,
 *	  and itself a fence there of usage KERNEL, for which all wait who come later.  Who moves a
 *	  buffer waits for nothing, but in vram_move(); who has it in a job that is under way reads and writes where it
 *	  was, and those bytes are copied.  An engine that fails is replaced by the CPU where nobody is
 *	  there who could be told, that is but in vram_move().
 *   VR3  The memory a buffer has left is not reused while somebody still has it mapped.
 *
 * Several buffers may share a reservation object, which the caller gives.
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

struct vram_config {
	size_t bytes;   /* of memory of its own */
	size_t visible; /* of them behind the window, where others reach them; 0: all */
	size_t pinned;  /* of them that vram_pin() may hold at once; 0: all */
};

/**
 * vram_create - @dev has @bytes of memory of its own, rounded up to pages
 * vram_create_with - and more is said about it; all rounded up to pages
 *
 * Context: may sleep.  Returns ERR_PTR: -EINVAL for 0 bytes, -ENOMEM.
 * Ownership: the caller destroys it after the last buffer's release and before @dev goes.
 */
struct vram *vram_create(struct device *dev, size_t bytes);
struct vram *vram_create_with(struct device *dev, const struct vram_config *config);
void vram_destroy(struct vram *vram);

/**
 * vram_lost - the device has gone, or its memory has: nobody gets any of its buffers any more
 * @timeout: jiffies for each of the two waits of each buffer (dma_buf_revoke())
 *
 * From now on maps, moves, pins and new buffers are -ENODEV.  Buffers live until their last reference
 * has gone, and vram_destroy() comes after that.
 * Context: may sleep; no reservation held.
 * Returns how many buffers somebody still uses; the log names who.
 */
unsigned int vram_lost(struct vram *vram, long timeout);

struct vram_stats {
	u64 moves;         /* of all buffers */
	u64 evictions;     /* of them to make room for others */
	u64 copied_by_cpu; /* because the engine failed */
	u64 pinned_ns;     /* of all buffers together, up to the last unpin of each (VR1) */
};

/** vram_read_stats - what has happened so far. Context: may sleep */
void vram_read_stats(struct vram *vram, struct vram_stats *stats);

/**
 * vram_fail_copies - from now on each copy of the engine's ends with -EIO after @after bytes
 * Context: any.  VRAM_COPIES_WORK: they work, as in the beginning.
 */
#define VRAM_COPIES_WORK ((size_t)-1)
void vram_fail_copies(struct vram *vram, size_t after);

/**
 * vram_allocate - a new buffer of @bytes, rounded up to pages
 * @wanted: where it begins; if no room can be made in VRAM in system memory, as vram_placement()
 *	    tells
 * @resv: its reservation, which outlives it; NULL for one of its own
 *
 * Context: may sleep; @resv not held.
 * Returns ERR_PTR: -EINVAL for 0 and for 4 GiB and more; -ENODEV lost; -ENOMEM.  The caller owns one
 * reference.
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
 * vram_move - move @dmabuf to @where, if it is not there, and wait until its bytes are
 * vram_move_async - without waiting: they are there when the reservation's KERNEL fences have signaled
 *
 * Context: may sleep; reservation held.  A copy needs no reservation, and waits for the fences that
 * this one holds now.
 * Returns 0; -EBUSY pinned, or an importer that does not follow moves uses a mapping; -ENOSPC no room
 * in VRAM, whoever leaves; -ENOMEM, also: somebody could leave VRAM, but the system has no memory for
 * him; vram_move(): -EIO the engine failed, as the copy's fence says, too.
 * After an error the buffer is where it was, with its bytes.
 */
int vram_move(struct dma_buf *dmabuf, enum vram_placement where);
int vram_move_async(struct dma_buf *dmabuf, enum vram_placement where);

/**
 * vram_pin - move @dmabuf into VRAM and keep it there until vram_unpin(), as for a display
 *
 * Meanwhile importers that cannot reach VRAM get -EBUSY from map and pin, and programs from mmap.
 * Context: may sleep; reservation held.
 * Returns 0 or what vram_move() said; -ENOSPC also: more would be pinned than vram_config.pinned.
 */
int vram_pin(struct dma_buf *dmabuf);
void vram_unpin(struct dma_buf *dmabuf);

struct vram_place;

/* One access of the owner's device, by a job. */
struct vram_access {
	struct dma_buf *dmabuf;
	struct vram_place *place; /* where the buffer was when the access was prepared */
	enum dma_data_direction dir;
};

/**
 * vram_access_prepare - a job of the owner's device will access its own buffer
 * @dir: DMA_TO_DEVICE if it reads, DMA_FROM_DEVICE if it writes, or both
 * @pull: into VRAM, if there is room and nobody is in the way; else where it is
 *
 * Context: may sleep; reservation held until the job's fence is in it.  The job runs after the
 * KERNEL fences that are in it then.
 * Ownership: vram_access_done() ends it, whatever came between; before the job's fence signals.
 */
void vram_access_prepare(struct vram_access *access, struct dma_buf *dmabuf,
			 enum dma_data_direction dir, bool pull);
void vram_access_done(struct vram_access *access);

/**
 * vram_access_begin, vram_access_end - the bracket
 * vram_access_read, vram_access_write - within it, bytes at @offset of the buffer
 *
 * Context: the job's; begin and end may sleep, and need no reservation.
 * Returns 0; begin: -ENOMEM, nothing is open; read and write: -EINVAL past the end, -EFAULT.
 */
int vram_access_begin(struct vram_access *access);
void vram_access_end(struct vram_access *access);
int vram_access_read(struct vram_access *access, size_t offset, void *dst, size_t len);
int vram_access_write(struct vram_access *access, size_t offset, const void *src, size_t len);

/**
 * vram_begin_access - the owner's device is about to read (DMA_TO_DEVICE) or write
 * (DMA_FROM_DEVICE) its own buffer, wherever that is
 * vram_end_access - and has finished; same arguments
 *
 * Waits for the reservation's KERNEL fences, so a job of the device, which another move may be
 * waiting for, uses vram_access_prepare() instead.
 * Context: may sleep; the caller keeps the buffer from moving from begin to end.
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
