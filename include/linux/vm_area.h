/* SPDX-License-Identifier: MIT */
/*
 * vm_area.h - a driver's side of a mapping into the program's addresses (part of linux/mm.h)
 *
 * ->mmap() of a file gets a struct vm_area_struct (linux/mm_types.h) and either puts pages into it
 * at once or sets vm_ops with a ->fault() that does.  Pages are the arena's: what is mapped is the
 * same memory, not a copy of it.  Semantics: Linux 6.12.
 *
 * Invariants
 *   VS1  ->mmap() and every operation of vm_ops run under one mutex, mmap_lock: two never run at
 *        the same time, and neither may call host_mmap() or host_munmap().
 *   VS2  ->open() and ->close() balance: ->mmap() counts as the first open; a mapping that is split
 *        is opened once more for each further piece; each piece that goes is closed once, after its
 *        addresses fault.  ->close() is not called when ->mmap() failed.
 *   VS3  Each piece owns a reference of vm_file, dropped after ->close() and outside mmap_lock, so
 *        ->release() of the file may map and unmap.
 *   VS4  A page nobody put in gives SIGBUS when it is touched.
 *
 * DIFFERS: ->fault() is called for every page before host_mmap() returns, not when the page is
 * first touched, with FAULT_FLAG_WRITE if the mapping is shared and writable.  So there is nothing
 * to take away again later (no unmap_mapping_range(), no zap_vma_ptes()): memory that is to move
 * away from a program's mapping needs another way.  VM_FAULT_SIGBUS leaves that page as VS4 says;
 * VM_FAULT_OOM makes host_mmap() fail with -ENOMEM.
 *
 * Not here: huge pages, mremap(), mprotect() (the system's works, unseen), mlock, anonymous memory.
 */
#ifndef _LINUX_VM_AREA_H
#define _LINUX_VM_AREA_H

#include <linux/types.h>
#include <linux/mm_types.h>
#include <asm/page.h>

/* vm_flags: what is allowed now ... */
#define VM_NONE 0x00000000ul
#define VM_READ 0x00000001ul
#define VM_WRITE 0x00000002ul
#define VM_EXEC 0x00000004ul
/* ... writes are seen by all who map the file; off if it was opened read-only ... */
#define VM_SHARED 0x00000008ul
/* ... what mprotect() may allow later; without VM_MAYWRITE the system refuses it ... */
#define VM_MAYREAD 0x00000010ul
#define VM_MAYWRITE 0x00000020ul
#define VM_MAYEXEC 0x00000040ul
/* ... MAP_SHARED was asked for ... */
#define VM_MAYSHARE 0x00000080ul
/* ... and what drivers set; none changes anything here but VM_PFNMAP and VM_MIXEDMAP. */
#define VM_PFNMAP 0x00000400ul
#define VM_IO 0x00004000ul
#define VM_DONTCOPY 0x00020000ul
#define VM_DONTEXPAND 0x00040000ul
#define VM_DONTDUMP 0x04000000ul
#define VM_MIXEDMAP 0x10000000ul

#define FAULT_FLAG_WRITE 0x01

#define VM_FAULT_OOM ((vm_fault_t)0x000001)
#define VM_FAULT_SIGBUS ((vm_fault_t)0x000002)
#define VM_FAULT_NOPAGE ((vm_fault_t)0x000100) /* the driver has put the page in itself */
#define VM_FAULT_LOCKED ((vm_fault_t)0x000200) /* vm_fault.page is set */
#define VM_FAULT_ERROR (VM_FAULT_OOM | VM_FAULT_SIGBUS)

struct vm_fault {
	struct vm_area_struct *vma;
	pgoff_t pgoff;         /* in the file, pages */
	unsigned long address; /* of the page */
	unsigned int flags;    /* FAULT_FLAG_ */

	/* the driver's answer, with a reference that becomes the mapping's */
	struct page *page;
};

/*
 * What a driver can do for its mappings; each is optional.  Context: mmap_lock held, may sleep.
 */
struct vm_operations_struct {
	/* One more piece with these operations and this vm_private_data. */
	void (*open)(struct vm_area_struct *vma);

	/* One less. */
	void (*close)(struct vm_area_struct *vma);

	/* May it be split at @addr?  An errno refuses the munmap(). */
	int (*may_split)(struct vm_area_struct *vma, unsigned long addr);

	/* The page at vmf->address: sets vmf->page, or puts it in and says VM_FAULT_NOPAGE. */
	vm_fault_t (*fault)(struct vm_fault *vmf);

	/*
	 * A page is about to become writable: page_mkwrite for one that ->fault() gave by
	 * vmf->page, pfn_mkwrite for one it put in.  VM_FAULT_ERROR keeps it read-only.
	 */
	vm_fault_t (*page_mkwrite)(struct vm_fault *vmf);
	vm_fault_t (*pfn_mkwrite)(struct vm_fault *vmf);
};

/** vma_pages - the mapping's length in pages */
static inline unsigned long vma_pages(const struct vm_area_struct *vma)
{
	return (vma->vm_end - vma->vm_start) >> PAGE_SHIFT;
}

/** vm_flags_set, vm_flags_clear, vm_flags_mod - change vm_flags. Context: mmap_lock held */
static inline void vm_flags_set(struct vm_area_struct *vma, unsigned long flags)
{
	vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma, unsigned long flags)
{
	vma->vm_flags &= ~flags;
}

static inline void vm_flags_mod(struct vm_area_struct *vma, unsigned long set, unsigned long clear)
{
	vma->vm_flags = (vma->vm_flags & ~clear) | set;
}

/**
 * remap_pfn_range - map the frames from @pfn on at [@addr, @addr + @size)
 * @prot: vma->vm_page_prot, or that without write permission
 *
 * Context: mmap_lock held (inside ->mmap() or a vm_op); may sleep.
 * Ownership: takes no reference; the driver keeps the pages until the last ->close().
 * Returns 0; -EINVAL when the range is not whole pages of @vma, a frame is no memory (DIFFERS:
 * Linux maps any frame), or a private writable mapping is to be filled in part; -ENOMEM.
 */
int remap_pfn_range(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn,
		    unsigned long size, pgprot_t prot);

/**
 * vmf_insert_pfn - map one frame, from ->fault()
 *
 * As remap_pfn_range().  Returns VM_FAULT_NOPAGE; VM_FAULT_SIGBUS outside @vma, for a frame that is
 * no memory, and, with a WARN, unless @vma has VM_PFNMAP or VM_MIXEDMAP; VM_FAULT_OOM.
 */
vm_fault_t vmf_insert_pfn(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn);

/**
 * vm_insert_page - map @page, and keep it
 *
 * Context: as remap_pfn_range().  Sets VM_MIXEDMAP.
 * Ownership: the mapping gets a reference of its own and drops it when that address is unmapped.
 * Returns 0; -EFAULT outside @vma; -EINVAL for a free page; -EBUSY when a page is held there
 * already; -ENOMEM.
 */
int vm_insert_page(struct vm_area_struct *vma, unsigned long addr, struct page *page);

/**
 * vm_map_pages - vm_insert_page() for all of @vma from @pages, entry vm_pgoff first
 * vm_map_pages_zero - the same from entry 0, whatever vm_pgoff is
 * @num: entries of @pages
 *
 * Returns -ENXIO when @vma needs more than there are, else as vm_insert_page().
 */
int vm_map_pages(struct vm_area_struct *vma, struct page **pages, unsigned long num);
int vm_map_pages_zero(struct vm_area_struct *vma, struct page **pages, unsigned long num);

/**
 * vma_set_file - @vma maps @file from now on
 *
 * For a driver whose ->mmap() hands the mapping to another file.  Context: inside ->mmap().
 * Ownership: takes a reference of @file and drops that of the file before.
 */
void vma_set_file(struct vm_area_struct *vma, struct file *file);

#endif
