/* SPDX-License-Identifier: MIT */
/*
 * mmap.c - files in the program's addresses
 *
 * A mapping is a reservation of addresses over which pages are mapped from the memfd they are in, run
 * by run.  The reservation itself maps the memory's beyond its end, where every touch gives SIGBUS.
 *
 * Invariants
 *   MP1  Pieces on the list do not overlap.
 *   MP2  A piece is on the list from the success of ->mmap() to its ->close().
 *   MP3  What a piece owns (its file's reference, the pages it holds) is dropped after mmap_lock.
 *   MP4  A shared mapping without VM_MAYWRITE is made from a descriptor that was opened read-only: the
 *        system itself then refuses to make it writable.
 *
 * A list, because a program holds few mappings; munmap() walks it.
 */
#include <errno.h>
#include <sys/mman.h>
#include <linux/bug.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include "host/file.h"
#include "host/memory.h"
#include "host/port.h"

/* Pages that a mapping holds by reference; shared by the pieces it was split into. */
struct held {
	refcount_t pieces;
	unsigned long start; /* the address of page[0] */
	struct page *page[];
};

struct area {
	struct vm_area_struct vma;
	struct list_head node; /* in areas, or in the list of those that go */
	struct held *held;     /* NULL: none */
};

static DEFINE_MUTEX(mmap_lock);
static LIST_HEAD(areas); /* under mmap_lock */

static struct area *to_area(struct vm_area_struct *vma)
{
	return container_of(vma, struct area, vma);
}

/* --- the system's mappings -------------------------------------------------------------------- */

static int system_prot(const struct vm_area_struct *vma, pgprot_t prot)
{
	bool write = vma->vm_flags & VM_WRITE;

	/* The first store to a private page makes a copy, whatever its protection is until then. */
	if (vma->vm_flags & VM_MAYSHARE)
		write = write && prot.pgprot;
	return (vma->vm_flags & VM_READ ? PROT_READ : 0) | (write ? PROT_WRITE : 0) |
	       (vma->vm_flags & VM_EXEC ? PROT_EXEC : 0);
}

static bool is_read_only(const struct vm_area_struct *vma)
{
	return vma->vm_flags & VM_MAYSHARE && !(vma->vm_flags & VM_MAYWRITE);
}

/* Map @bytes at @offset of @fd as @vma wants it. Returns the address or ERR_PTR. */
static void *system_map(const struct vm_area_struct *vma, unsigned long addr, size_t bytes, int fd,
			off_t offset, pgprot_t prot, int flags)
{
	void *at;

	flags |= vma->vm_flags & VM_MAYSHARE ? MAP_SHARED : MAP_PRIVATE;
	at = port_mmap((void *)addr, bytes, system_prot(vma, prot), flags, fd, offset);
	if (at == MAP_FAILED)
		return ERR_PTR(-errno);
	/* Who does not know the flag takes the address as a hint; all of it goes, so it can. */
	if (flags & MAP_FIXED_NOREPLACE && at != (void *)addr) {
		munmap(at, bytes);
		return ERR_PTR(-EEXIST);
	}
	return at;
}

/* Caller has checked that the range is @vma's and that the frames are memory. */
static int map_frames(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn,
		      unsigned long count, pgprot_t prot)
{
	const struct page *page = pfn_to_page(pfn);
	unsigned long run;

	for (; count; count -= run, page += run, addr += run << PAGE_SHIFT) {
		off_t offset;
		int fd = host_page_source(page, is_read_only(vma), &offset);

		run = 1;
		while (run < count && host_page_follows(page + run - 1, page + run))
			run++;
		if (fd < 0 ||
		    IS_ERR(system_map(vma, addr, run << PAGE_SHIFT, fd, offset, prot, MAP_FIXED)))
			return -ENOMEM;
	}
	return 0;
}

/* --- what drivers call ------------------------------------------------------------------------ */

static bool inside(const struct vm_area_struct *vma, unsigned long addr, unsigned long size)
{
	return PAGE_ALIGNED(addr) && addr >= vma->vm_start && addr < vma->vm_end &&
	       size <= vma->vm_end - addr;
}

static bool is_cow(const struct vm_area_struct *vma)
{
	return (vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE;
}

int remap_pfn_range(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn,
		    unsigned long size, pgprot_t prot)
{
	lockdep_assert_held(&mmap_lock);
	if (!size || size > -PAGE_SIZE)
		return -EINVAL;
	size = PAGE_ALIGN(size);
	if (!inside(vma, addr, size) || !host_phys_valid((phys_addr_t)pfn << PAGE_SHIFT, size))
		return -EINVAL;
	if (is_cow(vma) && (addr != vma->vm_start || size != vma->vm_end - addr))
		return -EINVAL;
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	return map_frames(vma, addr, pfn, size >> PAGE_SHIFT, prot);
}

vm_fault_t vmf_insert_pfn(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn)
{
	lockdep_assert_held(&mmap_lock);
	if (WARN(!(vma->vm_flags & (VM_PFNMAP | VM_MIXEDMAP)),
		 "vmf_insert_pfn: the mapping has neither VM_PFNMAP nor VM_MIXEDMAP"))
		return VM_FAULT_SIGBUS;
	if (!inside(vma, addr, PAGE_SIZE) || !pfn_valid(pfn))
		return VM_FAULT_SIGBUS;
	return map_frames(vma, addr, pfn, 1, vma->vm_page_prot) ? VM_FAULT_OOM : VM_FAULT_NOPAGE;
}

/* Where the page held at @addr is noted, or NULL without memory for it. */
static struct page **held_at(struct area *area, unsigned long addr)
{
	if (!area->held) {
		unsigned long count = vma_pages(&area->vma);

		area->held = kvzalloc(struct_size(area->held, page, count), GFP_KERNEL);
		if (!area->held)
			return NULL;
		refcount_set(&area->held->pieces, 1);
		area->held->start = area->vma.vm_start;
	}
	return &area->held->page[(addr - area->held->start) >> PAGE_SHIFT];
}

/* Takes over the caller's reference if it succeeds. */
static int map_held(struct vm_area_struct *vma, unsigned long addr, struct page *page)
{
	struct page **slot = held_at(to_area(vma), addr);
	int ret;

	if (!slot)
		return -ENOMEM;
	if (*slot)
		return -EBUSY;
	vm_flags_set(vma, VM_MIXEDMAP);
	ret = map_frames(vma, addr, page_to_pfn(page), 1, vma->vm_page_prot);
	if (!ret)
		*slot = page;
	return ret;
}

int vm_insert_page(struct vm_area_struct *vma, unsigned long addr, struct page *page)
{
	int ret;

	lockdep_assert_held(&mmap_lock);
	if (!inside(vma, addr, PAGE_SIZE))
		return -EFAULT;
	if (!page || page_count(page) <= 0)
		return -EINVAL;
	get_page(page);
	ret = map_held(vma, addr, page);
	if (ret)
		put_page(page);
	return ret;
}

static int insert_pages(struct vm_area_struct *vma, struct page **pages, unsigned long num,
			unsigned long first)
{
	unsigned long count = vma_pages(vma);
	int ret = 0;

	if (first >= num || count > num - first)
		return -ENXIO;
	for (unsigned long i = 0; i < count && !ret; i++)
		ret = vm_insert_page(vma, vma->vm_start + (i << PAGE_SHIFT), pages[first + i]);
	return ret;
}

int vm_map_pages(struct vm_area_struct *vma, struct page **pages, unsigned long num)
{
	return insert_pages(vma, pages, num, vma->vm_pgoff);
}

int vm_map_pages_zero(struct vm_area_struct *vma, struct page **pages, unsigned long num)
{
	return insert_pages(vma, pages, num, 0);
}

void vma_set_file(struct vm_area_struct *vma, struct file *file)
{
	struct file *before = vma->vm_file;

	lockdep_assert_held(&mmap_lock);
	vma->vm_file = get_file(file);
	fput(before); /* the caller of ->mmap() has one of his own */
}

/* --- pages asked for one by one --------------------------------------------------------------- */

static int make_writable(struct vm_fault *vmf, vm_fault_t how)
{
	struct vm_area_struct *vma = vmf->vma;
	vm_fault_t (*op)(struct vm_fault * vmf);
	int prot;

	op = how & VM_FAULT_NOPAGE ? vma->vm_ops->pfn_mkwrite : vma->vm_ops->page_mkwrite;
	if (!(vmf->flags & FAULT_FLAG_WRITE) || !op || !(op(vmf) & VM_FAULT_ERROR))
		return 0;
	prot = system_prot(vma, vma->vm_page_prot) & ~PROT_WRITE;
	return port_mprotect((void *)vmf->address, PAGE_SIZE, prot) ? -ENOMEM : 0;
}

static int fault_page(struct vm_area_struct *vma, unsigned long addr)
{
	struct vm_fault vmf = {
		.vma = vma,
		.pgoff = vma->vm_pgoff + ((addr - vma->vm_start) >> PAGE_SHIFT),
		.address = addr,
		.flags = (vma->vm_flags & VM_SHARED && vma->vm_flags & VM_WRITE) ? FAULT_FLAG_WRITE
										 : 0,
	};
	vm_fault_t how = vma->vm_ops->fault(&vmf);
	int ret;

	if (how & VM_FAULT_OOM)
		return -ENOMEM;
	if (how & VM_FAULT_SIGBUS)
		return 0;
	if (!(how & VM_FAULT_NOPAGE)) {
		if (WARN(!vmf.page, "->fault() gave no page"))
			return 0;
		ret = map_held(vma, addr, vmf.page);
		if (ret) {
			put_page(vmf.page);
			return ret;
		}
	}
	return make_writable(&vmf, how);
}

static int fault_all(struct vm_area_struct *vma)
{
	int ret = 0;

	if (!vma->vm_ops || !vma->vm_ops->fault)
		return 0;
	for (unsigned long addr = vma->vm_start; addr < vma->vm_end && !ret; addr += PAGE_SIZE)
		ret = fault_page(vma, addr);
	return ret;
}

/* --- pieces ----------------------------------------------------------------------------------- */

/* Mapped nowhere and on no list.  Context: mmap_lock not held. */
static void area_free(struct area *area)
{
	const struct vm_area_struct *vma = &area->vma;

	for (unsigned long at = vma->vm_start; area->held && at < vma->vm_end; at += PAGE_SIZE) {
		struct page *page = area->held->page[(at - area->held->start) >> PAGE_SHIFT];

		if (page)
			put_page(page);
	}
	if (area->held && refcount_dec_and_test(&area->held->pieces))
		kvfree(area->held);
	fput(vma->vm_file);
	kfree(area);
}

static void areas_free(struct list_head *gone)
{
	struct area *area, *next;

	list_for_each_entry_safe(area, next, gone, node)
		area_free(area);
}

static void area_close(struct area *area)
{
	if (area->vma.vm_ops && area->vma.vm_ops->close)
		area->vma.vm_ops->close(&area->vma);
}

static int area_split(struct area *area, unsigned long addr)
{
	const struct vm_operations_struct *ops = area->vma.vm_ops;
	struct area *tail;
	int ret;

	if (ops && ops->may_split) {
		ret = ops->may_split(&area->vma, addr);
		if (ret)
			return ret;
	}
	tail = kmemdup(area, sizeof(*area), GFP_KERNEL);
	if (!tail)
		return -ENOMEM;
	tail->vma.vm_start = addr;
	tail->vma.vm_pgoff += (addr - area->vma.vm_start) >> PAGE_SHIFT;
	area->vma.vm_end = addr;
	get_file(tail->vma.vm_file);
	if (tail->held)
		refcount_inc(&tail->held->pieces);
	list_add(&tail->node, &area->node);
	if (ops && ops->open)
		ops->open(&tail->vma);
	return 0;
}

/* Caller holds mmap_lock. */
static int areas_split_at(unsigned long addr)
{
	struct area *area;

	list_for_each_entry(area, &areas, node)
		if (area->vma.vm_start < addr && addr < area->vma.vm_end)
			return area_split(area, addr);
	return 0;
}

/*
 * Close what the system maps no more at [@start, @end) and move it to @gone.  Caller holds
 * mmap_lock, and frees @gone after it.
 */
static int areas_drop(unsigned long start, unsigned long end, struct list_head *gone)
{
	struct area *area, *next;
	int ret;

	ret = areas_split_at(start);
	if (!ret)
		ret = areas_split_at(end);
	if (ret)
		return ret;
	list_for_each_entry_safe(area, next, &areas, node) {
		if (area->vma.vm_start < start || area->vma.vm_end > end)
			continue;
		list_move_tail(&area->node, gone);
		area_close(area);
	}
	return 0;
}

/* Caller holds mmap_lock, and frees @gone after it. */
static int unmap(unsigned long start, unsigned long end, struct list_head *gone)
{
	int ret;

	/* Splits may be refused, so they come before the system's unmapping. */
	ret = areas_split_at(start);
	if (!ret)
		ret = areas_split_at(end);
	if (ret)
		return ret;
	if (port_munmap((void *)start, end - start))
		return -ENOMEM;
	return areas_drop(start, end, gone);
}

/* --- what programs call ----------------------------------------------------------------------- */

static int mapping_flags(const struct file *file, int prot, int flags, unsigned long *vm_flags)
{
	bool may_write = file->f_mode & FMODE_WRITE;

	*vm_flags = VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC | (prot & PROT_READ ? VM_READ : 0) |
		    (prot & PROT_WRITE ? VM_WRITE : 0) | (prot & PROT_EXEC ? VM_EXEC : 0);
	if (flags & ~(MAP_TYPE | MAP_FIXED | MAP_FIXED_NOREPLACE))
		return -EINVAL;
	switch (flags & MAP_TYPE) {
	case MAP_SHARED:
	case MAP_SHARED_VALIDATE:
		if (prot & PROT_WRITE && !may_write)
			return -EACCES;
		*vm_flags |= VM_SHARED | VM_MAYSHARE;
		if (!may_write)
			*vm_flags &= ~(VM_MAYWRITE | VM_SHARED);
		break;
	case MAP_PRIVATE:
		break;
	default:
		return -EINVAL;
	}
	if (!(file->f_mode & FMODE_READ))
		return -EACCES;
	return file->f_op->mmap ? 0 : -ENODEV;
}

static struct area *area_alloc(struct file *file, unsigned long vm_flags, unsigned long pgoff)
{
	struct area *area = kzalloc(sizeof(*area), GFP_KERNEL);

	if (!area)
		return NULL;
	area->vma = (struct vm_area_struct){
		.vm_pgoff = pgoff,
		.vm_flags = vm_flags,
		.vm_page_prot = { (vm_flags & VM_WRITE) != 0 },
		.vm_file = get_file(file),
	};
	return area;
}

/* Caller holds mmap_lock, and frees @area, if it fails, and @gone after it. */
static int area_map(struct area *area, void *hint, size_t length, int flags, struct list_head *gone)
{
	struct vm_area_struct *vma = &area->vma;
	unsigned long at = (unsigned long)hint;
	int fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
	void *addr;
	int fd, ret;

	if (fixed & MAP_FIXED && !(fixed & MAP_FIXED_NOREPLACE)) {
		ret = unmap(at, at + length, gone);
		if (ret)
			return ret;
	}
	fd = is_read_only(vma) ? host_memory_read_only_fd() : host_memory_fd();
	if (fd < 0)
		return is_read_only(vma) ? fd : -ENOMEM;
	addr = system_map(vma, at, length, fd, HOST_MEMORY_BYTES, vma->vm_page_prot,
			  fixed | MAP_NORESERVE);
	if (IS_ERR(addr))
		return PTR_ERR(addr);
	at = (unsigned long)addr;

	/* Still on the list: the program has unmapped it without our knowing. */
	ret = areas_drop(at, at + length, gone);
	if (ret)
		goto unmap_addr;
	vma->vm_start = at;
	vma->vm_end = at + length;
	ret = vma->vm_file->f_op->mmap(vma->vm_file, vma);
	if (ret)
		goto unmap_addr;
	ret = fault_all(vma);
	if (ret)
		goto close_area;
	list_add_tail(&area->node, &areas);
	return 0;

close_area:
	munmap(addr, length);
	area_close(area);
	return ret;
unmap_addr:
	munmap(addr, length);
	return ret;
}

void *host_mmap(int fd, void *hint, size_t length, int prot, int flags, off_t offset)
{
	unsigned long pgoff = (unsigned long)offset >> PAGE_SHIFT, vm_flags, end;
	struct area *area = NULL;
	struct file *file;
	LIST_HEAD(gone);
	int ret;

	might_sleep();
	if (!PAGE_ALIGNED(offset))
		return ERR_PTR(-EINVAL);
	file = host_fget(fd);
	if (!file)
		return ERR_PTR(-EBADF);
	ret = -EINVAL;
	if (!length || (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE) && !PAGE_ALIGNED(hint)))
		goto put_file;
	ret = -ENOMEM;
	length = PAGE_ALIGN(length);
	if (!length || check_add_overflow((unsigned long)hint, length, &end))
		goto put_file;
	ret = -EOVERFLOW;
	if (check_add_overflow(pgoff, length >> PAGE_SHIFT, &end))
		goto put_file;
	ret = mapping_flags(file, prot, flags, &vm_flags);
	if (ret)
		goto put_file;
	ret = -ENOMEM;
	area = area_alloc(file, vm_flags, pgoff);
	if (!area)
		goto put_file;

	mutex_lock(&mmap_lock);
	ret = area_map(area, hint, length, flags, &gone);
	hint = (void *)area->vma.vm_start;
	mutex_unlock(&mmap_lock);
	areas_free(&gone);
	if (ret)
		area_free(area);

put_file:
	fput(file);
	return ret ? ERR_PTR(ret) : hint;
}

int host_munmap(void *addr, size_t length)
{
	unsigned long start = (unsigned long)addr, end;
	LIST_HEAD(gone);
	int ret;

	might_sleep();
	length = PAGE_ALIGN(length);
	if (!PAGE_ALIGNED(addr) || !length || check_add_overflow(start, length, &end))
		return -EINVAL;
	mutex_lock(&mmap_lock);
	ret = unmap(start, end, &gone);
	mutex_unlock(&mmap_lock);
	areas_free(&gone);
	return ret;
}
