/* SPDX-License-Identifier: MIT */
/*
 * wrap.h - the dma-buf that a program gets: another buffer's bytes and fences, kept mappings
 *
 * Invariants
 *   WR1  A wrap has its inner dma-buf's reservation object and size, and the access
 *        mode of its file, never more.
 *   WR2  Only importers of the wrap's kind attach.  A pair of unlike kinds the core would pin and
 *        map for both directions at once, and never ask again.
 *   WR3  A wrap does for a program what its exporter does: mmap and vmap exist where the inner
 *        dma-buf has them.
 */
#ifndef KMOD_WRAP_H
#define KMOD_WRAP_H

#include <linux/dma-buf.h>

#include "buffer.h"

/** wrap_buffer - the buffer that @dmabuf is a wrap of; NULL if it is none */
struct cached_buffer *wrap_buffer(const struct dma_buf *dmabuf);

/**
 * wrap_get - the wrap of @dmabuf for importers that are @dynamic
 * @dmabuf: an inner dma-buf or a wrap
 *
 * Context: may sleep, no lock held.  Returns ERR_PTR: -ENOMEM, -ENFILE.
 * Ownership: a reference; @dmabuf is not consumed.
 */
struct dma_buf *wrap_get(struct dma_buf *dmabuf, bool dynamic);

#endif
