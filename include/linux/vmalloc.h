/* SPDX-License-Identifier: MIT */
/*
 * vmalloc.h - addresses that make scattered pages contiguous
 *
 * vmap() maps the same memory a second time: a byte written through one address is read through the
 * other at once, as on real hardware with a physically tagged cache.
 *
 * Invariants
 *   VM1  An area is followed by a page nobody can touch, so running over its end faults.
 *   VM2  vunmap() makes the addresses fault.  It does not touch the pages.
 *
 * Costs one mapping of the system's (vm.max_map_count, 65,530 by default) for each physically
 * contiguous run.
 */
#ifndef _LINUX_VMALLOC_H
#define _LINUX_VMALLOC_H

#include <linux/types.h>
#include <linux/mm_types.h>

struct page;
struct vm_area_struct;

/* Flags of vmap(). */
#define VM_MAP 0x00000004ul           /* made by vmap() */
#define VM_MAP_PUT_PAGES 0x00000200ul /* vfree() also puts each page and frees the array */

/* Caching attributes are recorded nowhere: every mapping is in the CPU's caches.  Only write
 * permission counts. */
#define PAGE_KERNEL ((pgprot_t){ 1 })
#define PAGE_KERNEL_RO ((pgprot_t){ 0 })
#define pgprot_writecombine(prot) (prot)
#define pgprot_noncached(prot) (prot)

/**
 * vmap - map @count pages at one range of addresses
 * @flags: VM_MAP, or with VM_MAP_PUT_PAGES to give pages and array (kvmalloc'ed) to a later vfree()
 *
 * Context: may sleep.
 * Returns NULL when @count is 0 or the system has no address space or mapping left, or a failure
 * was asked for.
 * Ownership: the caller keeps the pages alive until vunmap(); nothing takes a reference.
 */
void *vmap(struct page **pages, unsigned int count, unsigned long flags, pgprot_t prot);

/**
 * vunmap - undo vmap(); NULL is ignored
 * Context: may sleep.  WARN, and nothing happens, if @addr is not the start of a vmap() area.
 */
void vunmap(const void *addr);

/** vm_map_ram, vm_unmap_ram - vmap() and vunmap() for short-lived maps; @node is ignored */
void *vm_map_ram(struct page **pages, unsigned int count, int node);
void vm_unmap_ram(const void *mem, unsigned int count);

/**
 * vmalloc, vzalloc - page-backed memory, contiguous only at its addresses
 *
 * Context: may sleep.  NULL as vmap().  Given back with vfree().
 */
void *vmalloc(unsigned long size);
void *vzalloc(unsigned long size);

/** vmalloc_user - vzalloc(), for memory that a program may map */
void *vmalloc_user(unsigned long size);

/**
 * remap_vmalloc_range - map memory of vmalloc_user() into a program, from its page @pgoff on
 * @addr: the start of it
 *
 * Context: as vm_insert_page() (linux/vm_area.h).  The mapping has references of its own.
 * Returns 0; -EINVAL when @addr is no start of an area, or the area ends before @vma does (DIFFERS:
 * Linux also wants its flag of vmalloc_user()); what vm_insert_page() says.
 */
int remap_vmalloc_range(struct vm_area_struct *vma, void *addr, unsigned long pgoff);

/**
 * vfree - give back vmalloc() memory, or a vmap() with VM_MAP_PUT_PAGES; NULL is ignored
 * Context: may sleep (DIFFERS: Linux also takes it from interrupts).  WARN for any other address.
 */
void vfree(const void *addr);

/** is_vmalloc_addr - does @addr lie in an area of this file? Context: any */
bool is_vmalloc_addr(const void *addr);

/** vmalloc_to_page - the page behind @addr, or NULL if it lies in no such area. Context: any */
struct page *vmalloc_to_page(const void *addr);

/* Linux flushes virtually indexed caches here; ours are physically indexed. */
static inline void flush_kernel_vmap_range(void *addr, int size)
{
}

static inline void invalidate_kernel_vmap_range(void *addr, int size)
{
}

#endif
