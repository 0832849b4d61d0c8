/* SPDX-License-Identifier: MIT */
/*
 * dma-mapping.h - give a device an address for memory, and hand the bytes to and fro
 *
 * A mapping belongs to one device and one direction.  Between map and unmap the bytes belong to the
 * device; the sync calls lend them to the CPU in between.  What a call moves depends on where the
 * device finds memory (linux/dma-table.h, enum dma_domain); C snoops and moves nothing:
 *
 *				M, as arm64		B, as swiotlb
 *	map			clean			memory -> slot, every direction
 *	sync_for_device		clean			memory -> slot, unless FROM_DEVICE
 *	sync_for_cpu, unmap	invalidate,		slot -> memory,
 *				unless TO_DEVICE	unless TO_DEVICE
 *
 * An IOMMU lets the device read for TO_DEVICE, write for FROM_DEVICE, both for BIDIRECTIONAL, and
 * nothing else.  Machines without one do the same, so that a driver's mistake shows on all of them.
 *
 * Rules; breaking one WARNs with "DMA-API:" and the rule
 *   DM1  The direction is one of three, and unmap's and map's are the same.
 *   DM2  Each mapping is unmapped once, with map's number of entries, by the same device.
 *   DM3  Memory that is mapped or synced is memory of the page allocator.
 *   DM4  A device with mappings does not go.
 *   DM5  No segment is longer than dma_get_max_seg_size() nor across a multiple of
 *	  dma_get_seg_boundary() + 1.  Joining and bounce slots keep to both; an entry of memory
 *	  that is too long by itself is mapped as it is, as in Linux: build lists with
 *	  sg_alloc_table_from_pages_segment().
 *
 * Context: all functions may be called from any context and do not sleep.  Semantics of Linux 6.12.
 * DIFFERS: DMA_ATTR_SKIP_CPU_SYNC also stops the copy into a fresh bounce slot, which Linux makes
 * in any case.  Freed IOMMU addresses are invalidated at once ("strict"), never in batches.
 */
#ifndef _LINUX_DMA_MAPPING_H
#define _LINUX_DMA_MAPPING_H

#include <linux/types.h>
#include <linux/device.h>
#include <linux/dma-direction.h>
#include <linux/errno.h>
#include <linux/scatterlist.h>

struct vm_area_struct;

/*
 * Attributes of mapping (M) and allocating (A).  What is said to change nothing here may be asked
 * for on any machine and is right without being granted.
 */
#define DMA_ATTR_WEAK_ORDERING (1UL << 1)      /* M: changes nothing, the bus keeps order */
#define DMA_ATTR_WRITE_COMBINE (1UL << 2)      /* A: the CPU's stores may be gathered; here not */
#define DMA_ATTR_NO_KERNEL_MAPPING (1UL << 4)  /* A: changes nothing, an address is there anyway */
#define DMA_ATTR_SKIP_CPU_SYNC (1UL << 5)      /* M: the caller has moved the bytes, or will */
#define DMA_ATTR_FORCE_CONTIGUOUS (1UL << 6)   /* A: changes nothing, it always is */
#define DMA_ATTR_ALLOC_SINGLE_PAGES (1UL << 7) /* A: changes nothing, it always is contiguous */
#define DMA_ATTR_NO_WARN (1UL << 8)            /* A, M: no message for -ENOMEM; there is none */
#define DMA_ATTR_PRIVILEGED (1UL << 9)         /* M: changes nothing, devices have one level */

#define DMA_MAPPING_ERROR (~(dma_addr_t)0)
#define DMA_BIT_MASK(n) (~0ULL >> (64 - (n))) /* @n: 1 to 64 */

/**
 * dma_map_sgtable - give @dev addresses for all of @sgt
 *
 * Sets nents and the DMA side of the entries.  With an IOMMU the whole table is one range of
 * addresses, split only where the device's segment limits ask for it.
 *
 * Returns 0; -EINVAL for a broken rule; -ENOMEM when memory, page tables, addresses or bounce slots
 * are used up.  On an error nothing is mapped and nothing was moved.
 * Ownership: the caller keeps @sgt and its memory until dma_unmap_sgtable().
 */
int dma_map_sgtable(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir,
		    unsigned long attrs);

/** dma_unmap_sgtable - take them back. The entries' DMA side is void afterwards */
void dma_unmap_sgtable(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir,
		       unsigned long attrs);

/** dma_map_sg_attrs - the same for a bare list; the entries the device sees, 0 on any error */
unsigned int dma_map_sg_attrs(struct device *dev, struct scatterlist *sg, int nents,
			      enum dma_data_direction dir, unsigned long attrs);

/** dma_unmap_sg_attrs - @nents is what map was given, not what it returned */
void dma_unmap_sg_attrs(struct device *dev, struct scatterlist *sg, int nents,
			enum dma_data_direction dir, unsigned long attrs);

/** dma_map_page_attrs - one piece of memory; the address, or what dma_mapping_error() knows */
dma_addr_t dma_map_page_attrs(struct device *dev, struct page *page, size_t offset, size_t size,
			      enum dma_data_direction dir, unsigned long attrs);
void dma_unmap_page_attrs(struct device *dev, dma_addr_t addr, size_t size,
			  enum dma_data_direction dir, unsigned long attrs);

/** dma_map_single_attrs - by address. DIFFERS: @ptr is the page allocator's, not kmalloc()'s */
dma_addr_t dma_map_single_attrs(struct device *dev, void *ptr, size_t size,
				enum dma_data_direction dir, unsigned long attrs);

/**
 * dma_map_resource - an address for @size bytes at @phys that have no pages: device memory
 *
 * The bytes are nobody's to cache, so nothing is moved, and the sync calls are not for it.
 * Returns DMA_MAPPING_ERROR for memory with pages (WARNs), for what @dev cannot reach, as a device
 * of 32 bits without an IOMMU, and when memory or addresses are used up.
 * Ownership: the mapping does not hold the memory; the caller keeps its owner until the unmap.
 */
dma_addr_t dma_map_resource(struct device *dev, phys_addr_t phys, size_t size,
			    enum dma_data_direction dir, unsigned long attrs);

/** dma_unmap_resource - take it back, with map's @size and @dir */
void dma_unmap_resource(struct device *dev, dma_addr_t addr, size_t size,
			enum dma_data_direction dir, unsigned long attrs);

/**
 * dma_alloc_attrs - @size bytes, rounded up to pages, that CPU and @dev see alike
 * @handle: set to the device's address; DMA_MAPPING_ERROR on failure
 *
 * Zeroed and in one piece, for the device too.  Neither side syncs: the CPU's address is one under
 * which nothing is cached that the device would miss.  DMA_ATTR_WRITE_COMBINE is granted as this.
 * Context: may sleep as @gfp says.  Returns NULL when memory, addresses or slots are used up, when
 * the coherent mask does not reach the device's address, and for more than 4 MiB.
 * Ownership: the caller's, until dma_free_attrs() with the same values.
 */
void *dma_alloc_attrs(struct device *dev, size_t size, dma_addr_t *handle, gfp_t gfp,
		      unsigned long attrs);

/** dma_free_attrs - WARNs, and nothing happens, when that was not allocated. NULL is ignored */
void dma_free_attrs(struct device *dev, size_t size, void *cpu, dma_addr_t handle,
		    unsigned long attrs);

static inline void *dma_alloc_coherent(struct device *dev, size_t size, dma_addr_t *handle,
				       gfp_t gfp)
{
	return dma_alloc_attrs(dev, size, handle, gfp, 0);
}

static inline void dma_free_coherent(struct device *dev, size_t size, void *cpu, dma_addr_t handle)
{
	dma_free_attrs(dev, size, cpu, handle, 0);
}

/**
 * dma_get_sgtable_attrs - such memory as a list of its pages, to be mapped for other devices
 *
 * Context: may sleep.  Ownership: the caller gives @sgt to sg_free_table(); the memory is not held.
 * Returns 0; -ENXIO when nothing was allocated there, or it is bounce slots, which have no pages;
 * -ENOMEM.
 */
int dma_get_sgtable_attrs(struct device *dev, struct sg_table *sgt, void *cpu, dma_addr_t addr,
			  size_t size, unsigned long attrs);

static inline int dma_get_sgtable(struct device *dev, struct sg_table *sgt, void *cpu,
				  dma_addr_t addr, size_t size)
{
	return dma_get_sgtable_attrs(dev, sgt, cpu, addr, size, 0);
}

/**
 * dma_mmap_attrs - such memory in a program, from its page vma->vm_pgoff on
 *
 * Context: as remap_pfn_range() (linux/vm_area.h).  The driver keeps the memory as long as @vma is.
 * Returns 0; -ENXIO when @vma is longer than the memory, or as dma_get_sgtable_attrs(); -EINVAL,
 * -ENOMEM.  DIFFERS: -ENXIO for a device that does not snoop, too: a program's mappings are in the
 * CPU's caches.
 */
int dma_mmap_attrs(struct device *dev, struct vm_area_struct *vma, void *cpu, dma_addr_t addr,
		   size_t size, unsigned long attrs);

static inline int dma_mmap_coherent(struct device *dev, struct vm_area_struct *vma, void *cpu,
				    dma_addr_t addr, size_t size)
{
	return dma_mmap_attrs(dev, vma, cpu, addr, size, 0);
}

static inline void *dma_alloc_wc(struct device *dev, size_t size, dma_addr_t *handle, gfp_t gfp)
{
	return dma_alloc_attrs(dev, size, handle, gfp, DMA_ATTR_WRITE_COMBINE);
}

static inline void dma_free_wc(struct device *dev, size_t size, void *cpu, dma_addr_t handle)
{
	dma_free_attrs(dev, size, cpu, handle, DMA_ATTR_WRITE_COMBINE);
}

/** dma_mapping_error - 0, or -ENOMEM when @addr is none */
static inline int dma_mapping_error(struct device *dev, dma_addr_t addr)
{
	return addr == DMA_MAPPING_ERROR ? -ENOMEM : 0;
}

/**
 * dma_alloc_noncontiguous - @size bytes, rounded up to pages, mapped for @dev in one segment, that
 * are synced as mappings are
 * @attrs: 0 or DMA_ATTR_ALLOC_SINGLE_PAGES
 *
 * Zeroed, and the device's until a first sync_for_cpu.  The pages are in one piece here.
 * Context: may sleep if @gfp lets it.
 * Returns NULL without memory or addresses, for 0 bytes and, with a WARN, for other @attrs and no
 * machine.
 * Ownership: the caller's, until dma_free_noncontiguous() with the same values.
 */
struct sg_table *dma_alloc_noncontiguous(struct device *dev, size_t size,
					 enum dma_data_direction dir, gfp_t gfp,
					 unsigned long attrs);

/** dma_free_noncontiguous - WARNs, and nothing happens, when it is not mapped for @dev */
void dma_free_noncontiguous(struct device *dev, size_t size, struct sg_table *sgt,
			    enum dma_data_direction dir);

/** dma_vmap_noncontiguous, dma_vunmap_noncontiguous - such memory for the CPU. Never NULL here */
void *dma_vmap_noncontiguous(struct device *dev, size_t size, struct sg_table *sgt);
void dma_vunmap_noncontiguous(struct device *dev, void *vaddr);

/**
 * dma_mmap_noncontiguous - such memory in a program. Context: as dma_mmap_attrs()
 * Returns 0; -ENXIO when @vma is longer; -EINVAL, -ENOMEM.
 */
int dma_mmap_noncontiguous(struct device *dev, struct vm_area_struct *vma, size_t size,
			   struct sg_table *sgt);

/**
 * dma_sync_sgtable_for_device, dma_sync_sgtable_for_cpu - lend the bytes to the device, to the CPU
 *
 * @dir: map's.  A table mapped BIDIRECTIONAL may be synced for one direction only.
 */
void dma_sync_sgtable_for_device(struct device *dev, struct sg_table *sgt,
				 enum dma_data_direction dir);
void dma_sync_sgtable_for_cpu(struct device *dev, struct sg_table *sgt,
			      enum dma_data_direction dir);

/* The same for a bare list (@nents: map's), and for a part of what dma_map_page() mapped. */
void dma_sync_sg_for_device(struct device *dev, struct scatterlist *sg, int nents,
			    enum dma_data_direction dir);
void dma_sync_sg_for_cpu(struct device *dev, struct scatterlist *sg, int nents,
			 enum dma_data_direction dir);
void dma_sync_single_for_device(struct device *dev, dma_addr_t addr, size_t size,
				enum dma_data_direction dir);
void dma_sync_single_for_cpu(struct device *dev, dma_addr_t addr, size_t size,
			     enum dma_data_direction dir);

static inline void dma_sync_single_range_for_device(struct device *dev, dma_addr_t addr,
						    unsigned long offset, size_t size,
						    enum dma_data_direction dir)
{
	dma_sync_single_for_device(dev, addr + offset, size, dir);
}

static inline void dma_sync_single_range_for_cpu(struct device *dev, dma_addr_t addr,
						 unsigned long offset, size_t size,
						 enum dma_data_direction dir)
{
	dma_sync_single_for_cpu(dev, addr + offset, size, dir);
}

/**
 * dma_set_mask - the highest address @dev can send
 *
 * Context: before the first mapping.  Without an IOMMU a mask that does not reach all memory makes
 * the device bounce.  Returns 0, or -EIO when not even the bounce slots are within reach, or for a
 * device that belongs to no machine.
 */
int dma_set_mask(struct device *dev, u64 mask);
int dma_set_coherent_mask(struct device *dev, u64 mask);
int dma_set_mask_and_coherent(struct device *dev, u64 mask);

static inline u64 dma_get_mask(struct device *dev)
{
	return dev->dma_mask && *dev->dma_mask ? *dev->dma_mask : DMA_BIT_MASK(32);
}

/* Limits of the device's scatter-gather unit, for joining pieces; @dev must have dma_parms. */
static inline unsigned int dma_get_max_seg_size(struct device *dev)
{
	return dev->dma_parms && dev->dma_parms->max_segment_size ? dev->dma_parms->max_segment_size
								  : 1U << 16;
}

static inline int dma_set_max_seg_size(struct device *dev, unsigned int size)
{
	if (!dev->dma_parms)
		return -EIO;
	dev->dma_parms->max_segment_size = size;
	return 0;
}

static inline unsigned long dma_get_seg_boundary(struct device *dev)
{
	return dev->dma_parms && dev->dma_parms->segment_boundary_mask
		       ? dev->dma_parms->segment_boundary_mask
		       : UINT_MAX;
}

static inline int dma_set_seg_boundary(struct device *dev, unsigned long mask)
{
	if (!dev->dma_parms)
		return -EIO;
	dev->dma_parms->segment_boundary_mask = mask;
	return 0;
}

/* dma_get_cache_alignment - how far apart bytes of different owners must be, for any machine */
static inline int dma_get_cache_alignment(void)
{
	return 64;
}

/* dma_max_mapping_size - the longest entry: a bounce pool has pieces of any size, as far as it goes */
static inline size_t dma_max_mapping_size(struct device *dev)
{
	return SIZE_MAX;
}

#define dma_map_sg(dev, sg, nents, dir) dma_map_sg_attrs(dev, sg, nents, dir, 0)
#define dma_unmap_sg(dev, sg, nents, dir) dma_unmap_sg_attrs(dev, sg, nents, dir, 0)
#define dma_map_page(dev, page, offset, size, dir) \
	dma_map_page_attrs(dev, page, offset, size, dir, 0)
#define dma_unmap_page(dev, addr, size, dir) dma_unmap_page_attrs(dev, addr, size, dir, 0)
#define dma_map_single(dev, ptr, size, dir) dma_map_single_attrs(dev, ptr, size, dir, 0)
#define dma_unmap_single(dev, addr, size, dir) dma_unmap_page_attrs(dev, addr, size, dir, 0)
#define dma_unmap_single_attrs(dev, addr, size, dir, attrs) \
	dma_unmap_page_attrs(dev, addr, size, dir, attrs)

#endif
