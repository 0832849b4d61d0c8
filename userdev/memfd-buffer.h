/* SPDX-License-Identifier: MIT */
/*
 * memfd-buffer.h - an exporter of pieces of memfds, so that other processes can map what it exports
 *
 * A heap's buffer is one memfd of its own.  A udmabuf is pieces of a program's, in any order and also
 * the same one twice.
 *
 * Invariants
 *   MB1  The bytes of all buffers that are alive never exceed the limit.  A udmabuf counts for nothing:
 *        its memory is a program's.
 *   MB2  Pieces are whole pages, constant from the beginning to the release, and each has a
 *        descriptor of the exporter's own.
 *   MB3  A heap's memfd can neither shrink nor grow: what is mapped stays there.
 *
 * DIFFERS: of a heap's buffer above 64 MiB memory is taken when it is touched, not when it is
 * allocated, so that nobody else waits while it is cleared.
 * DIFFERS: what no device is asked for the memfd answers: read, write, seek, seals; and a udmabuf,
 * which is none of its own, is zeros to who maps it privately.  To be asked costs a round trip.
 */
#ifndef USERDEV_MEMFD_BUFFER_H
#define USERDEV_MEMFD_BUFFER_H

#include <linux/types.h>

struct dma_buf;

/* Bytes of memory that several buffers share. */
struct memfd_budget {
	u64 limit, used, most;
	struct memfd_budget *whole; /* what this one is a part of, or NULL */
};

struct memfd_piece {
	int memfd;
	u64 offset, bytes;
};

/**
 * memfd_buffer_allocate - a buffer of zeroed memory
 * @name: the heap's; constant
 * @budget: charged until the release
 * @len: whole pages
 *
 * Context: may sleep.  Ownership: a reference of the caller's.
 * Returns ERR_PTR: -ENOMEM, also: over the limit or more than the machine has; -EMFILE.
 */
struct dma_buf *memfd_buffer_allocate(const char *name, struct memfd_budget *budget, size_t len,
				      u32 fd_flags);

/**
 * memfd_buffer_udmabuf - a buffer that is @count pieces of programs' memfds
 *
 * The rules of Linux 6.12's udmabuf.  Context: may sleep.  Ownership: a reference of the caller's;
 * the descriptors in @pieces are taken over, also on failure; one below 0 is none.
 * Returns ERR_PTR: -EINVAL not whole pages, nothing or more than 64 MiB, past the memfd's end, it is
 * not sealed against shrinking or is sealed against writing; -EBADFD not a memfd; -EACCES not opened
 * to read and write; -ENOMEM; -EMFILE.  DIFFERS: -EINVAL for pieces of a memfd of huge pages.
 */
struct dma_buf *memfd_buffer_udmabuf(const struct memfd_piece *pieces, unsigned int count);

/** memfd_buffer_owns - is @dmabuf of this exporter? */
bool memfd_buffer_owns(const struct dma_buf *dmabuf);

/** memfd_buffer_pieces - those of a buffer of this exporter, as long as it lives; *@count is set */
const struct memfd_piece *memfd_buffer_pieces(const struct dma_buf *dmabuf, unsigned int *count);

#endif
