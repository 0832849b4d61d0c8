/* SPDX-License-Identifier: MIT */
/*
 * mm_types.h - what a page of memory and a mapping of one are made of
 *
 * Only fields that drivers of the dma-buf family use, with Linux 6.12's names.
 */
#ifndef _LINUX_MM_TYPES_H
#define _LINUX_MM_TYPES_H

#include <linux/types.h>
#include <linux/list.h>
#include <linux/atomic.h>

struct file;
struct mm_struct;
struct vm_area_struct;
struct vm_operations_struct;

/*
 * One for each page of the arena, in an array: page_to_pfn() and page_address() are arithmetic.  64
 * bytes.
 *
 * PG1  state, order and head belong to the page allocator and change under its lock.
 * PG2  order and head of a page in use are stable until it is freed, so its holder reads them
 * without lock.
 */
struct page {
	/* The page's owner: free to use while he holds it. */
	struct list_head lru; /* the allocator's free list while the page is free */
	unsigned long private;
	void *mapping;       /* of a program's memfd: host/memfd.c's */
	unsigned long index; /* and then which page of it */
	unsigned long flags; /* no bit is ours */

	/* Atomic. */
	atomic_t _refcount;

	/* The allocator's lock, see PG1. */
	u8 state;          /* enum page_state in host/memory.c */
	u8 order;          /* of the block this page is the first of */
	u8 known_zero;     /* a free block nobody has written since it came from the system */
	u8 compound;       /* belongs to a block made with __GFP_COMP */
	u32 head_distance; /* a tail of such a block: how many pages before it the head is */
};

/* A block of pages, as its first page: the one of a __GFP_COMP block, or a page by itself. */
struct folio {
	struct page page;
};

/* Only write permission counts; see linux/vmalloc.h. */
typedef struct {
	unsigned long pgprot;
} pgprot_t;

/*
 * One mapping of a file into the program's addresses, made by host_mmap() (host/file.h).  Filled in
 * before ->mmap() and guarded by the lock that ->mmap() and all vm_ops run under.
 */
struct vm_area_struct {
	unsigned long vm_start, vm_end; /* whole pages */
	unsigned long vm_pgoff;         /* in the file, pages */
	unsigned long vm_flags;         /* VM_READ ... of linux/mm.h */
	pgprot_t vm_page_prot;          /* what remap_pfn_range() and its kin should be given */
	struct file *vm_file;           /* owns a reference */

	/* the driver's, from ->mmap() on; copied when the mapping is split */
	const struct vm_operations_struct *vm_ops;
	void *vm_private_data;
};

/* What ->fault() and ->pfn_mkwrite() answer: bits. */
typedef unsigned int vm_fault_t;

#endif
