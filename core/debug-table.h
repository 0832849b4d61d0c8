/* SPDX-License-Identifier: MIT */
/*
 * debug-table.h - catch importers that look where they should not (meson option debug_tables)
 *
 * A table is for DMA addresses, and until its unmap.  An importer that reads pages out of it works
 * until it meets device memory; one that uses it after the unmap works while the mapping is kept.
 * A build with this option gives each map a copy of its own without pages and lengths of pages,
 * poisoned at its unmap: a device that uses the old addresses faults.  Linux does the former with
 * CONFIG_DMABUF_DEBUG.
 *
 * Without the option all of this is nothing.
 */
#ifndef CORE_DEBUG_TABLE_H
#define CORE_DEBUG_TABLE_H

#include <linux/dma-buf.h>
#include <linux/kconfig.h>

#ifdef LIBDMABUF_DEBUG_TABLES
/** debug_table_show - what the importer gets for @real; ERR_PTR(-ENOMEM). May sleep. */
struct sg_table *debug_table_show(struct dma_buf_attachment *attach, struct sg_table *real);

/** debug_table_real - what @shown stands for, or NULL if it is no table shown and not yet hidden */
struct sg_table *debug_table_real(struct dma_buf_attachment *attach, struct sg_table *shown);

/** debug_table_hide - the same, and @shown is poisoned: its unmap */
struct sg_table *debug_table_hide(struct dma_buf_attachment *attach, struct sg_table *shown);
#else
static inline struct sg_table *debug_table_show(struct dma_buf_attachment *attach,
						struct sg_table *real)
{
	return real;
}

static inline struct sg_table *debug_table_real(struct dma_buf_attachment *attach,
						struct sg_table *shown)
{
	return shown;
}

static inline struct sg_table *debug_table_hide(struct dma_buf_attachment *attach,
						struct sg_table *shown)
{
	return shown;
}
#endif

#endif
