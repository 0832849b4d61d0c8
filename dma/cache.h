/* SPDX-License-Identifier: MIT */
/*
 * cache.h - CPU caches made of a second and a third copy of memory
 *
 * The CPU works with plain pointers on its own view (host/memory.h).  A device that does not snoop
 * works on the memory behind the caches: another mapping of other memory.  A third copy holds what
 * the two last agreed on, so a line is dirty when the CPU's view differs from it.  Clean copies
 * dirty lines to memory, invalidate copies memory to the CPU's view.  Lines that nobody maintains
 * stay stale: a missing operation gives wrong bytes, the same ones for the same seed.
 *
 * Invariants
 *   CA1  An operation that is indivisible per line loses no CPU store to that line, whenever it
 *        happens.
 *   CA2  Operations on one line never touch another.
 *   CA3  A fresh page holds poison behind the caches, so that a missing first clean shows.
 *
 * Not modelled: a store of equal bytes does not make a line dirty, and CA1 may lose it; write
 * combining; more than one level.
 *
 * The caches are the process's, like the memory: all machines' devices that do not snoop share
 * them.
 */
#ifndef DMA_CACHE_H
#define DMA_CACHE_H

#include <linux/types.h>
#include <linux/dma-table.h>

#define CACHE_LINE_BYTES 64

/**
 * cache_prepare - make the second and third copy, if nobody has yet
 * Context: any.  Returns 0 or -ENOMEM.  Pages handed out before show zeroes behind the caches, not
 * poison.
 */
int cache_prepare(void);

/**
 * cache_maintain - one operation on the lines that [@phys, @phys + @len) touches
 * Context: any.  Counts nothing: the caller knows on whose behalf.
 */
void cache_maintain(phys_addr_t phys, size_t len, enum dma_table_op op);

/**
 * cache_behind - where a device that does not snoop finds the byte at @phys
 * Context: any.  Contiguous as @phys is.  The first call makes the copies, so that a machine
 * without such devices pays nothing; NULL when that fails or there is no memory at @phys.
 */
void *cache_behind(phys_addr_t phys);

/**
 * cache_agreed - what the caches and memory held at @phys when they last agreed: a line where the
 *                CPU's view differs from it is dirty
 *
 * For who saves and restores the whole machine.  Context: any; cache_prepare() was called, and
 * there is memory at @phys.
 */
void *cache_agreed(phys_addr_t phys);

/**
 * cache_passes - a device that does not snoop is about to access [@phys, @phys + @len)
 * Context: any.  The adversary's turn; without one nothing happens.
 */
void cache_passes(phys_addr_t phys, size_t len);

/**
 * cache_adversary - from now on the hardware does to lines what hardware may do
 * @seed: which lines; 0 switches it off
 *
 * Before each operation and each access of a non-coherent device, about half of the lines it
 * touches are written back if dirty and fetched again, chosen by @seed and the line's address.
 * Right programs do not notice.
 */
void cache_adversary(u64 seed);

#endif
