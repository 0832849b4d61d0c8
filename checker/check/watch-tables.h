/* SPDX-License-Identifier: MIT */
/*
 * watch-tables.h - what the tables say that a driver has mapped: nobody else's pages, and to the end
 * the same addresses
 *
 * Invariants
 *   WT1  Of each table that the driver has mapped the DMA side is known as it was at the first map.
 *   WT2  Of each live buffer the pages are known that its last table had; not after a move.
 */
#ifndef CHECKER_CHECK_WATCH_TABLES_H
#define CHECKER_CHECK_WATCH_TABLES_H

struct dma_buf;
struct sg_table;
struct ww_mutex;

/** watch_tables_start - learn of buffers' ends from now on. Context: as event_listen() */
void watch_tables_start(void);

/** watch_table_mapped - the caller of who calls this has mapped @sgt, of @dmabuf */
void watch_table_mapped(const struct dma_buf *dmabuf, const struct sg_table *sgt);

/** watch_table_unmaps - and gives it back */
void watch_table_unmaps(const struct dma_buf *dmabuf, const struct sg_table *sgt);

/** watch_tables_unlocked - the caller lets go of this reservation: others may look at its tables */
void watch_tables_unlocked(const struct ww_mutex *mutex);

#endif
