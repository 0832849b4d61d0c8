/* SPDX-License-Identifier: MIT */
/*
 * memory.h - the machine's memory: what the layers below the kernel API need to know of it
 *
 * RAM is one sparse memfd, mapped shared once, at an address the system chose.  4 GiB of addresses,
 * brought into service 4 MiB at a time; only touched pages cost memory.  A second mapping of a part
 * of the memfd is a true alias of it.
 *
 * Invariants
 *   ME1  Physical address = HOST_PHYS_BASE + offset in the memfd, for ever; but for frames that are
 *        lent (host/memfd.h), which another file's memory is mapped over.  All of it lies above 4 GiB,
 *        so a device with 32 address bits reaches none of it.
 *   ME2  Memory that is not in service cannot be touched: its addresses fault and are not valid.  A
 *        freed page is poison under AddressSanitizer, which reports an access through its linear
 *        address.
 *   ME3  The arena exists from the first allocation of a page until host_memory_fini(): a program
 *        that only links the library has no descriptor and no mapping of it.
 *
 * fork(): the memfd is mapped MAP_SHARED, so parent and child share every byte of it while each has
 * its own allocator; a child must not allocate or free pages.
 *
 * Deliberately not here: zones, NUMA, reclaim, memory below 4 GiB.
 */
#ifndef HOST_MEMORY_H
#define HOST_MEMORY_H

#include <linux/types.h>
#include <linux/mm.h>

/* Address space of the arena, bytes. */
#define HOST_MEMORY_BYTES (4ULL << 30)

/**
 * host_memory_fd - the memfd, for aliases, made if need be. -1 if the system had none; then every
 * allocation fails
 */
int host_memory_fd(void);

/**
 * host_memory_read_only_fd - the memfd opened only to read: the system refuses to make a shared
 * mapping of it writable. -errno if the system cannot open it; made at the first call
 */
int host_memory_read_only_fd(void);

/**
 * host_memory_lend - 1 << @order frames whose memory is @fd's from @offset on, until they are taken
 * back
 *
 * Context: any.  Returns the first page; each page is a block of its own, without references;
 * put_page() of its last one calls host_memfd_put().  ERR_PTR: -ENOMEM, -EPERM, -EACCES: as mmap() of
 * @fd fails.
 */
struct page *host_memory_lend(unsigned int order, int fd, off_t offset);

/**
 * host_memory_take_back - @page and those after it are memory's again
 * Context: any; no page of them is used.  Returns 0, or -ENOMEM, and then they are lent as before.
 */
int host_memory_take_back(struct page *page, unsigned int order);

/**
 * host_page_source - which descriptor has @page's bytes, and where: for a further mapping of them
 * @read_only: one through which the system maps nothing writable
 *
 * Context: any; the caller holds a reference of @page.  Returns -errno as host_memory_read_only_fd().
 */
int host_page_source(const struct page *page, bool read_only, off_t *offset);

/** host_page_follows - does @next, in memory and in its file, come right behind @page? Context: any */
bool host_page_follows(const struct page *page, const struct page *next);

/** host_phys_valid - does [@phys, @phys + @len) lie in memory? Context: any */
bool host_phys_valid(phys_addr_t phys, size_t len);

/**
 * host_phys_to_virt - the CPU's address of the byte at @phys, NULL when there is no memory.
 * Context: any
 */
void *host_phys_to_virt(phys_addr_t phys);

/**
 * host_page_alloc_hook - told of each block after it was zeroed and before its owner gets it, or
 * NULL
 *
 * The layer above sets it, once, before the first allocation it wants to see.
 * Context: that of alloc_pages(); must not sleep or allocate pages.
 */
extern void (*host_page_alloc_hook)(struct page *page, unsigned int order);

struct host_memory_stats {
	u64 pages_used;  /* handed out and not freed */
	u64 pages_dirty; /* free, but still holding memory of the system's */
};

/**
 * host_memory_fini - close the memfd and unmap memory; the next allocation makes it anew
 * @leave: a child after fork, which has no say over what it shares: whatever is used goes too
 *
 * Context: nobody allocates meanwhile, nothing is locked.
 * Returns whether it is gone: not while pages are used, unless @leave.
 */
bool host_memory_fini(bool leave);

/** host_memory_stats - how the arena is used now. Context: any */
void host_memory_stats(struct host_memory_stats *stats);

#endif
