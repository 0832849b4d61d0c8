/* SPDX-License-Identifier: MIT */
/*
 * misuse-test.c - wrong calls of linux/dma-mapping.h and linux/scatterlist.h, each with what it
 * answers here and in Linux 6.12
 */
#include <linux/device.h>

#include "dma/test-bed.h"
#include "dma/window.h"
#include "tests/misuse.h"

#define NONE ((enum dma_data_direction)DMA_NONE)
#define TO DMA_TO_DEVICE

#define CHECKED_HERE "the rules of dma-debug are always checked"
#define NO_CRASH "no crash on a driver's mistake"
#define UNDEFINED LINUX("undefined, a WARN with dma-debug", CHECKED_HERE)
#define NO_DEVICE LINUX("crash", NO_CRASH)
#define BAD_DIRECTION LINUX("BUG", NO_CRASH)

static long address(dma_addr_t addr)
{
	return addr == DMA_MAPPING_ERROR ? MISUSE_NO_ADDRESS : MISUSE_POINTER;
}

/* --- tables and lists ------------------------------------------------------------------------- */

static void tables(struct ktap *t)
{
	struct bed *b = bed_up(t, machine_type_find("arm"), 0);
	struct device *none = misuse_null(), stranger = {};
	struct scatterlist sg;
	struct sg_table empty = {}, hollow = { .sgl = &sg, .nents = 1, .orig_nents = 1 };

	sg_init_table(&sg, 1);
	ROW(t, "dma_map_sgtable", "no device", ARGUMENT, "WARN belongs to no machine, -EINVAL",
	    NO_DEVICE, dma_map_sgtable(none, &b->sgt, TO, 0));
	ROW(t, "dma_map_sgtable", "a device of no machine", ARGUMENT,
	    "WARN belongs to no machine, -EINVAL",
	    LINUX("WARN, -EIO", "one errno for broken rules"),
	    dma_map_sgtable(&stranger, &b->sgt, TO, 0));
	ROW(t, "dma_map_sgtable", "no table", ARGUMENT, "crash", SAME,
	    dma_map_sgtable(b->dev, misuse_null(), TO, 0));
	ROW(t, "dma_map_sgtable", "DMA_NONE", ARGUMENT, "WARN direction NONE, -EINVAL",
	    BAD_DIRECTION, dma_map_sgtable(b->dev, &b->sgt, NONE, 0));
	ROW(t, "dma_map_sgtable", "no direction there is", ARGUMENT,
	    "WARN direction invalid, -EINVAL", BAD_DIRECTION,
	    dma_map_sgtable(b->dev, &b->sgt, (enum dma_data_direction)77, 0));
	ROW(t, "dma_map_sgtable", "an empty table", SIZE, "WARN an empty list, -EINVAL",
	    LINUX("WARN, -EIO", "one errno for broken rules"),
	    dma_map_sgtable(b->dev, &empty, TO, 0));
	ROW(t, "dma_map_sgtable", "an entry without memory", ARGUMENT, "WARN entry 0 of 1, -EINVAL",
	    LINUX("undefined", CHECKED_HERE), dma_map_sgtable(b->dev, &hollow, TO, 0));
	sg_set_page(&sg, b->page[0], 0, 0);
	ROW(t, "dma_map_sgtable", "an entry of 0 bytes", SIZE, "WARN entry 0 of 1, -EINVAL",
	    LINUX("0", "it is always a mistake"), dma_map_sgtable(b->dev, &hollow, TO, 0));
	sg_set_page(&sg, b->page[0], UINT_MAX, UINT_MAX);
	ROW(t, "dma_map_sgtable", "an entry behind the end of memory", SIZE,
	    "WARN entry 0 of 1, -EINVAL", LINUX("undefined", CHECKED_HERE),
	    dma_map_sgtable(b->dev, &hollow, TO, 0));
	ROW(t, "dma_unmap_sgtable", "not mapped", ORDER, "WARN not mapped", UNDEFINED,
	    VOID(dma_unmap_sgtable(b->dev, &b->sgt, TO, 0)));
	ROW(t, "dma_unmap_sgtable", "no device", ARGUMENT, "WARN belongs to no machine", NO_DEVICE,
	    VOID(dma_unmap_sgtable(none, &b->sgt, TO, 0)));
	ROW(t, "dma_unmap_sgtable", "DMA_NONE", ARGUMENT, "WARN direction NONE", BAD_DIRECTION,
	    VOID(dma_unmap_sgtable(b->dev, &b->sgt, NONE, 0)));
	KT_EQ(t, dma_map_sgtable(b->dev, &b->sgt, TO, 0), 0);
	ROW(t, "dma_unmap_sgtable", "another direction", ARGUMENT, "WARN another direction",
	    UNDEFINED, VOID(dma_unmap_sgtable(b->dev, &b->sgt, DMA_FROM_DEVICE, 0)));
	ROW(t, "dma_unmap_sgtable", "twice", ORDER, "WARN not mapped", UNDEFINED,
	    VOID(dma_unmap_sgtable(b->dev, &b->sgt, TO, 0)));
	bed_down(b);
}

static void lists(struct ktap *t)
{
	struct bed *b = bed_up(t, machine_type_find("arm"), 0);
	struct device *none = misuse_null();
	struct scatterlist *sgl = b->sgt.sgl;

	ROW(t, "dma_map_sg_attrs", "no device", ARGUMENT, "WARN belongs to no machine, 0",
	    NO_DEVICE, dma_map_sg_attrs(none, sgl, BED_PAGES, TO, 0));
	ROW(t, "dma_map_sg_attrs", "no list", ARGUMENT, "WARN an empty list, 0",
	    LINUX("crash", NO_CRASH), dma_map_sg_attrs(b->dev, misuse_null(), 1, TO, 0));
	ROW(t, "dma_map_sg_attrs", "0 entries", SIZE, "WARN an empty list, 0",
	    LINUX("WARN, 0", "it is always a mistake"), dma_map_sg_attrs(b->dev, sgl, 0, TO, 0));
	ROW(t, "dma_map_sg_attrs", "a negative number of entries", SIZE, "WARN an empty list, 0",
	    LINUX("WARN, 0", "it is always a mistake"), dma_map_sg_attrs(b->dev, sgl, -1, TO, 0));
	ROW(t, "dma_map_sg_attrs", "more entries than there are", SIZE, "WARN missing, 0",
	    LINUX("crash", NO_CRASH), dma_map_sg_attrs(b->dev, sgl, BED_PAGES + 1, TO, 0));
	ROW(t, "dma_map_sg_attrs", "DMA_NONE", ARGUMENT, "WARN direction NONE, 0", BAD_DIRECTION,
	    dma_map_sg_attrs(b->dev, sgl, BED_PAGES, NONE, 0));
	ROW(t, "dma_unmap_sg_attrs", "no list", ARGUMENT, "WARN an empty list",
	    LINUX("crash", NO_CRASH), VOID(dma_unmap_sg_attrs(b->dev, misuse_null(), 1, TO, 0)));
	KT_CHECK(t, dma_map_sg_attrs(b->dev, sgl, BED_PAGES, TO, 0) > 0);
	ROW(t, "dma_unmap_sg_attrs", "fewer entries than were mapped", SIZE, "WARN not mapped",
	    UNDEFINED, VOID(dma_unmap_sg_attrs(b->dev, sgl, 1, TO, 0)));
	ROW(t, "dma_unmap_sg_attrs", "0 entries", SIZE, "WARN an empty list", UNDEFINED,
	    VOID(dma_unmap_sg_attrs(b->dev, sgl, 0, TO, 0)));
	ROW(t, "dma_unmap_sg_attrs", "DMA_NONE", ARGUMENT, "WARN direction NONE", BAD_DIRECTION,
	    VOID(dma_unmap_sg_attrs(b->dev, sgl, BED_PAGES, NONE, 0)));
	dma_unmap_sg_attrs(b->dev, sgl, BED_PAGES, TO, 0);
	bed_down(b);
}

/* --- single pieces ---------------------------------------------------------------------------- */

static void pieces(struct ktap *t)
{
	struct bed *b = bed_up(t, machine_type_find("arm"), 0);
	struct device *none = misuse_null();
	struct page *page = b->page[0];
	char on_stack[8];
	dma_addr_t addr;

	ROW(t, "dma_map_page_attrs", "no device", ARGUMENT,
	    "WARN belongs to no machine, DMA_MAPPING_ERROR", NO_DEVICE,
	    address(dma_map_page_attrs(none, page, 0, PAGE_SIZE, TO, 0)));
	ROW(t, "dma_map_page_attrs", "no page", ARGUMENT, "WARN entry 0 of 1, DMA_MAPPING_ERROR",
	    LINUX("undefined", CHECKED_HERE),
	    address(dma_map_page_attrs(b->dev, misuse_null(), 0, PAGE_SIZE, TO, 0)));
	ROW(t, "dma_map_page_attrs", "0 bytes", SIZE, "WARN entry 0 of 1, DMA_MAPPING_ERROR",
	    LINUX("an address", "it is always a mistake"),
	    address(dma_map_page_attrs(b->dev, page, 0, 0, TO, 0)));
	ROW(t, "dma_map_page_attrs", "SIZE_MAX bytes", SIZE, "WARN UINT_MAX, DMA_MAPPING_ERROR",
	    LINUX("undefined", CHECKED_HERE),
	    address(dma_map_page_attrs(b->dev, page, 0, SIZE_MAX, TO, 0)));
	ROW(t, "dma_map_page_attrs", "an offset of SIZE_MAX", SIZE,
	    "WARN UINT_MAX, DMA_MAPPING_ERROR", LINUX("undefined", CHECKED_HERE),
	    address(dma_map_page_attrs(b->dev, page, SIZE_MAX, 1, TO, 0)));
	ROW(t, "dma_map_page_attrs", "bytes behind the end of memory", SIZE,
	    "WARN entry 0 of 1, DMA_MAPPING_ERROR", LINUX("undefined", CHECKED_HERE),
	    address(dma_map_page_attrs(b->dev, page, UINT_MAX, UINT_MAX, TO, 0)));
	ROW(t, "dma_map_page_attrs", "DMA_NONE", ARGUMENT, "WARN direction NONE, DMA_MAPPING_ERROR",
	    BAD_DIRECTION, address(dma_map_page_attrs(b->dev, page, 0, PAGE_SIZE, NONE, 0)));
	ROW(t, "dma_map_single_attrs", "no memory", ARGUMENT,
	    "WARN no memory of the page allocator, DMA_MAPPING_ERROR",
	    LINUX("undefined, a WARN with dma-debug", CHECKED_HERE),
	    address(dma_map_single_attrs(b->dev, misuse_null(), 8, TO, 0)));
	ROW(t, "dma_map_single_attrs", "memory of the stack", ARGUMENT,
	    "WARN no memory of the page allocator, DMA_MAPPING_ERROR",
	    LINUX("undefined, a WARN with dma-debug", CHECKED_HERE),
	    address(dma_map_single_attrs(b->dev, on_stack, 8, TO, 0)));
	ROW(t, "dma_unmap_page_attrs", "not mapped", ORDER, "WARN not mapped", UNDEFINED,
	    VOID(dma_unmap_page_attrs(b->dev, 0x1000, PAGE_SIZE, TO, 0)));
	ROW(t, "dma_unmap_page_attrs", "DMA_MAPPING_ERROR", ARGUMENT, "WARN not mapped", UNDEFINED,
	    VOID(dma_unmap_page_attrs(b->dev, DMA_MAPPING_ERROR, PAGE_SIZE, TO, 0)));
	ROW(t, "dma_unmap_page_attrs", "no device", ARGUMENT, "WARN belongs to no machine",
	    NO_DEVICE, VOID(dma_unmap_page_attrs(none, 0x1000, PAGE_SIZE, TO, 0)));
	addr = dma_map_page_attrs(b->dev, page, 0, PAGE_SIZE, TO, 0);
	ROW(t, "dma_unmap_page_attrs", "fewer bytes than were mapped", SIZE, "WARN not mapped",
	    UNDEFINED, VOID(dma_unmap_page_attrs(b->dev, addr, 8, TO, 0)));
	ROW(t, "dma_unmap_page_attrs", "0 bytes", SIZE, "WARN not mapped", UNDEFINED,
	    VOID(dma_unmap_page_attrs(b->dev, addr, 0, TO, 0)));
	ROW(t, "dma_unmap_page_attrs", "SIZE_MAX bytes", SIZE, "WARN not mapped", UNDEFINED,
	    VOID(dma_unmap_page_attrs(b->dev, addr, SIZE_MAX, TO, 0)));
	ROW(t, "dma_unmap_page_attrs", "DMA_NONE", ARGUMENT, "WARN direction NONE", BAD_DIRECTION,
	    VOID(dma_unmap_page_attrs(b->dev, addr, PAGE_SIZE, NONE, 0)));
	ROW(t, "dma_unmap_resource", "what was mapped as a page", ARGUMENT, "WARN not mapped",
	    UNDEFINED, VOID(dma_unmap_resource(b->dev, addr, PAGE_SIZE, TO, 0)));
	ROW(t, "dma_sync_single_for_device", "more bytes than were mapped", SIZE, "WARN not mapped",
	    UNDEFINED, VOID(dma_sync_single_for_device(b->dev, addr, 2 * PAGE_SIZE, TO)));
	dma_unmap_page_attrs(b->dev, addr, PAGE_SIZE, TO, 0);
	ROW(t, "dma_unmap_page_attrs", "twice", ORDER, "WARN not mapped", UNDEFINED,
	    VOID(dma_unmap_page_attrs(b->dev, addr, PAGE_SIZE, TO, 0)));
	ROW(t, "dma_mapping_error", "an address of nowhere, unless DMA_MAPPING_ERROR", ARGUMENT,
	    "0", SAME, dma_mapping_error(b->dev, 0));
	bed_down(b);
}

static void resources(struct ktap *t)
{
	struct bed *b = bed_up(t, machine_type_find("arm"), 0);
	phys_addr_t at = dma_window_start(dma_window_create(b->dev, 4 * PAGE_SIZE));
	dma_addr_t addr;

	ROW(t, "dma_map_resource", "no device", ARGUMENT,
	    "WARN belongs to no machine, DMA_MAPPING_ERROR", NO_DEVICE,
	    address(dma_map_resource(misuse_null(), at, PAGE_SIZE, TO, 0)));
	ROW(t, "dma_map_resource", "0 bytes", SIZE, "WARN no resource, DMA_MAPPING_ERROR",
	    LINUX("an address", "it is always a mistake"),
	    address(dma_map_resource(b->dev, at, 0, TO, 0)));
	ROW(t, "dma_map_resource", "address + bytes overflows", SIZE,
	    "WARN no resource, DMA_MAPPING_ERROR", LINUX("undefined", CHECKED_HERE),
	    address(dma_map_resource(b->dev, at, SIZE_MAX, TO, 0)));
	ROW(t, "dma_map_resource", "memory with pages", ARGUMENT,
	    "WARN memory with pages, DMA_MAPPING_ERROR",
	    LINUX("an address, a WARN with dma-debug", CHECKED_HERE),
	    address(dma_map_resource(b->dev, page_to_phys(b->page[0]), PAGE_SIZE, TO, 0)));
	ROW(t, "dma_map_resource", "DMA_NONE", ARGUMENT, "WARN direction NONE, DMA_MAPPING_ERROR",
	    BAD_DIRECTION, address(dma_map_resource(b->dev, at, PAGE_SIZE, NONE, 0)));
	ROW(t, "dma_unmap_resource", "not mapped", ORDER, "WARN not mapped", UNDEFINED,
	    VOID(dma_unmap_resource(b->dev, 0x1000, PAGE_SIZE, TO, 0)));
	addr = dma_map_resource(b->dev, at, PAGE_SIZE, TO, 0);
	ROW(t, "dma_unmap_resource", "other bytes than were mapped", SIZE, "WARN not mapped",
	    UNDEFINED, VOID(dma_unmap_resource(b->dev, addr, 2 * PAGE_SIZE, TO, 0)));
	ROW(t, "dma_unmap_page_attrs", "what was mapped as a resource", ARGUMENT,
	    "WARN unmapped as a page", UNDEFINED,
	    VOID(dma_unmap_page_attrs(b->dev, addr, PAGE_SIZE, TO, 0)));
	ROW(t, "dma_unmap_resource", "another direction", ARGUMENT, "WARN another direction",
	    UNDEFINED, VOID(dma_unmap_resource(b->dev, addr, PAGE_SIZE, DMA_FROM_DEVICE, 0)));
	ROW(t, "dma_unmap_resource", "twice", ORDER, "WARN not mapped", UNDEFINED,
	    VOID(dma_unmap_resource(b->dev, addr, PAGE_SIZE, TO, 0)));
	bed_down(b);
}

/* --- sync ------------------------------------------------------------------------------------- */

#define SYNC_ROWS(call, ...)                                                                  \
	do {                                                                                  \
		ROW(t, #call, "no device", ARGUMENT, "WARN belongs to no machine", NO_DEVICE, \
		    VOID(call(misuse_null(), __VA_ARGS__, TO)));                              \
		ROW(t, #call, "DMA_NONE", ARGUMENT, "WARN direction NONE", BAD_DIRECTION,     \
		    VOID(call(b->dev, __VA_ARGS__, NONE)));                                   \
		ROW(t, #call, "not mapped", ORDER, "WARN not mapped", UNDEFINED,              \
		    VOID(call(b->dev, __VA_ARGS__, DMA_BIDIRECTIONAL)));                      \
	} while (0)

static void syncs(struct ktap *t)
{
	struct bed *b = bed_up(t, machine_type_find("arm"), 0);
	struct scatterlist *sgl = b->sgt.sgl;

	SYNC_ROWS(dma_sync_sgtable_for_device, &b->sgt);
	SYNC_ROWS(dma_sync_sgtable_for_cpu, &b->sgt);
	SYNC_ROWS(dma_sync_sg_for_device, sgl, BED_PAGES);
	SYNC_ROWS(dma_sync_sg_for_cpu, sgl, BED_PAGES);
	SYNC_ROWS(dma_sync_single_for_device, 0x1000, PAGE_SIZE);
	SYNC_ROWS(dma_sync_single_for_cpu, 0x1000, PAGE_SIZE);
	SYNC_ROWS(dma_sync_single_range_for_device, 0x1000, 8ul, 8);
	SYNC_ROWS(dma_sync_single_range_for_cpu, 0x1000, 8ul, 8);
	bed_down(b);
}

/* --- memory for both sides, masks ------------------------------------------------------------- */

static void coherent_memory(struct ktap *t)
{
	struct bed *b = bed_up(t, machine_type_find("arm"), 0);
	dma_addr_t addr, ignored;
	void *cpu;

	ROW(t, "dma_alloc_attrs", "no device", ARGUMENT, "WARN belongs to no machine, NULL",
	    NO_DEVICE, misuse_ptr(dma_alloc_attrs(misuse_null(), 8, &ignored, GFP_KERNEL, 0)));
	ROW(t, "dma_alloc_attrs", "nowhere to put the address", ARGUMENT, "crash", SAME,
	    misuse_ptr(dma_alloc_attrs(b->dev, 8, misuse_null(), GFP_KERNEL, 0)));
	ROW(t, "dma_alloc_coherent", "0 bytes", SIZE, "WARN nothing is allocated, NULL",
	    LINUX("a page", "it is always a mistake"),
	    misuse_ptr(dma_alloc_coherent(b->dev, 0, &ignored, GFP_KERNEL)));
	ROW(t, "dma_alloc_coherent", "SIZE_MAX bytes, whose pages overflow", SIZE, "NULL", SAME,
	    misuse_ptr(dma_alloc_coherent(b->dev, SIZE_MAX, &ignored, GFP_KERNEL)));
	ROW(t, "dma_alloc_wc", "UINT_MAX bytes, whose pages overflow 32 bits", SIZE, "NULL", SAME,
	    misuse_ptr(dma_alloc_wc(b->dev, UINT_MAX, &ignored, GFP_KERNEL)));
	ROW(t, "dma_free_attrs", "no memory", ARGUMENT, "nothing", SAME,
	    VOID(dma_free_attrs(b->dev, PAGE_SIZE, misuse_null(), 0x1000, 0)));
	ROW(t, "dma_free_attrs", "no device", ARGUMENT, "WARN belongs to no machine", NO_DEVICE,
	    VOID(dma_free_attrs(misuse_null(), PAGE_SIZE, b, 0x1000, 0)));
	cpu = dma_alloc_coherent(b->dev, PAGE_SIZE, &addr, GFP_KERNEL);
	ROW(t, "dma_free_coherent", "another address of the CPU's", ARGUMENT, "WARN not allocated",
	    UNDEFINED, VOID(dma_free_coherent(b->dev, PAGE_SIZE, (char *)cpu + 8, addr)));
	ROW(t, "dma_free_coherent", "another address of the device's", ARGUMENT,
	    "WARN not allocated", UNDEFINED,
	    VOID(dma_free_coherent(b->dev, PAGE_SIZE, cpu, 0x1000)));
	ROW(t, "dma_free_coherent", "SIZE_MAX bytes", SIZE, "WARN not allocated", UNDEFINED,
	    VOID(dma_free_coherent(b->dev, SIZE_MAX, cpu, addr)));
	ROW(t, "dma_free_coherent", "more bytes than were allocated", SIZE, "WARN not allocated",
	    UNDEFINED, VOID(dma_free_coherent(b->dev, 2 * PAGE_SIZE, cpu, addr)));
	ROW(t, "dma_free_coherent", "0 bytes", SIZE, "WARN not allocated", UNDEFINED,
	    VOID(dma_free_coherent(b->dev, 0, cpu, addr)));
	dma_free_coherent(b->dev, PAGE_SIZE, cpu, addr);
	ROW(t, "dma_free_wc", "twice", ORDER, "WARN not allocated", UNDEFINED,
	    VOID(dma_free_wc(b->dev, PAGE_SIZE, cpu, addr)));
	bed_down(b);
}

static void memory_handed_on(struct ktap *t)
{
	struct bed *b = bed_up(t, machine_type_find("pc"), 0);
	struct vm_area_struct vma = { .vm_start = 0x10000, .vm_end = 0x10000 + 2 * PAGE_SIZE };
	struct sg_table list, *sgt;
	dma_addr_t addr;
	void *cpu = dma_alloc_coherent(b->dev, PAGE_SIZE, &addr, GFP_KERNEL);

	ROW(t, "dma_get_sgtable_attrs", "no device", ARGUMENT, "WARN belongs to no machine, -ENXIO",
	    NO_DEVICE, dma_get_sgtable_attrs(misuse_null(), &list, cpu, addr, PAGE_SIZE, 0));
	ROW(t, "dma_get_sgtable", "an address that was not allocated", ARGUMENT, "-ENXIO",
	    UNDEFINED, dma_get_sgtable(b->dev, &list, cpu, 0x1000, PAGE_SIZE));
	ROW(t, "dma_get_sgtable", "more bytes than were allocated", SIZE, "-ENXIO", UNDEFINED,
	    dma_get_sgtable(b->dev, &list, cpu, addr, 2 * PAGE_SIZE));
	ROW(t, "dma_mmap_attrs", "no device", ARGUMENT, "WARN belongs to no machine, -ENXIO",
	    NO_DEVICE, dma_mmap_attrs(misuse_null(), &vma, cpu, addr, PAGE_SIZE, 0));
	ROW(t, "dma_mmap_attrs", "an address that was not allocated", ARGUMENT, "-ENXIO", UNDEFINED,
	    dma_mmap_attrs(b->dev, &vma, cpu, 0x1000, PAGE_SIZE, 0));
	ROW(t, "dma_mmap_coherent", "a mapping longer than the memory", SIZE, "-ENXIO", SAME,
	    dma_mmap_coherent(b->dev, &vma, cpu, addr, PAGE_SIZE));
	dma_free_coherent(b->dev, PAGE_SIZE, cpu, addr);

	ROW(t, "dma_alloc_noncontiguous", "no device", ARGUMENT, "WARN belongs to no machine, NULL",
	    NO_DEVICE, misuse_ptr(dma_alloc_noncontiguous(misuse_null(), 8, TO, GFP_KERNEL, 0)));
	ROW(t, "dma_alloc_noncontiguous", "0 bytes", SIZE, "WARN nothing is allocated, NULL",
	    LINUX("undefined", "it is always a mistake"),
	    misuse_ptr(dma_alloc_noncontiguous(b->dev, 0, TO, GFP_KERNEL, 0)));
	ROW(t, "dma_alloc_noncontiguous", "SIZE_MAX bytes, whose pages overflow", SIZE, "NULL",
	    SAME, misuse_ptr(dma_alloc_noncontiguous(b->dev, SIZE_MAX, TO, GFP_KERNEL, 0)));
	ROW(t, "dma_alloc_noncontiguous", "an attribute it does not take", ARGUMENT,
	    "WARN attributes, NULL", SAME,
	    misuse_ptr(dma_alloc_noncontiguous(b->dev, 8, TO, GFP_KERNEL, DMA_ATTR_SKIP_CPU_SYNC)));
	ROW(t, "dma_alloc_noncontiguous", "DMA_NONE", ARGUMENT, "WARN direction NONE, NULL",
	    BAD_DIRECTION, misuse_ptr(dma_alloc_noncontiguous(b->dev, 8, NONE, GFP_KERNEL, 0)));
	sgt = dma_alloc_noncontiguous(b->dev, PAGE_SIZE, TO, GFP_KERNEL, 0);
	ROW(t, "dma_mmap_noncontiguous", "a mapping longer than the memory", SIZE, "-ENXIO", SAME,
	    dma_mmap_noncontiguous(b->dev, &vma, PAGE_SIZE, sgt));
	ROW(t, "dma_vmap_noncontiguous", "no memory", ARGUMENT, "crash", SAME,
	    misuse_ptr(dma_vmap_noncontiguous(b->dev, PAGE_SIZE, misuse_null())));
	ROW(t, "dma_vunmap_noncontiguous", "an address that it did not give", ARGUMENT, "nothing",
	    UNDEFINED, VOID(dma_vunmap_noncontiguous(b->dev, b)));
	ROW(t, "dma_free_noncontiguous", "no memory", ARGUMENT, "crash", SAME,
	    VOID(dma_free_noncontiguous(b->dev, PAGE_SIZE, misuse_null(), TO)));
	ROW(t, "dma_free_noncontiguous", "no device", ARGUMENT, "WARN belongs to no machine",
	    NO_DEVICE, VOID(dma_free_noncontiguous(misuse_null(), PAGE_SIZE, sgt, TO)));
	ROW(t, "dma_free_noncontiguous", "another direction", ARGUMENT, "WARN not allocated",
	    UNDEFINED, VOID(dma_free_noncontiguous(b->dev, PAGE_SIZE, sgt, DMA_FROM_DEVICE)));
	ROW(t, "dma_free_noncontiguous", "fewer bytes than were allocated", SIZE,
	    "WARN not allocated", UNDEFINED, VOID(dma_free_noncontiguous(b->dev, 0, sgt, TO)));
	dma_free_noncontiguous(b->dev, PAGE_SIZE, sgt, TO);
	bed_down(b);
}

static void masks(struct ktap *t)
{
	struct bed *b = bed_up(t, machine_type_find("arm"), 0);
	struct device bare = {};

	ROW(t, "dma_set_mask", "no device", ARGUMENT, "WARN belongs to no machine, -EIO", NO_DEVICE,
	    dma_set_mask(misuse_null(), DMA_BIT_MASK(32)));
	ROW(t, "dma_set_mask", "0", SIZE, "-EIO", SAME, dma_set_mask(b->dev, 0));
	ROW(t, "dma_set_mask", "12 bits", SIZE, "-EIO", SAME,
	    dma_set_mask(b->dev, DMA_BIT_MASK(12)));
	ROW(t, "dma_set_coherent_mask", "0", SIZE, "-EIO", SAME, dma_set_coherent_mask(b->dev, 0));
	ROW(t, "dma_set_coherent_mask", "a device of no machine", ARGUMENT,
	    "WARN belongs to no machine, -EIO", LINUX("0", "there is no memory it could reach"),
	    dma_set_coherent_mask(&bare, DMA_BIT_MASK(32)));
	ROW(t, "dma_set_mask_and_coherent", "0", SIZE, "-EIO", SAME,
	    dma_set_mask_and_coherent(b->dev, 0));
	ROW(t, "dma_get_mask", "no device", ARGUMENT, "crash", SAME, dma_get_mask(misuse_null()));
	ROW(t, "dma_get_max_seg_size", "a device without dma_parms", ARGUMENT, "65536", SAME,
	    dma_get_max_seg_size(&bare));
	ROW(t, "dma_set_max_seg_size", "a device without dma_parms", ARGUMENT, "-EIO",
	    LINUX("WARN", "returned, as Linux did until 6.11"),
	    dma_set_max_seg_size(&bare, PAGE_SIZE));
	ROW(t, "dma_get_seg_boundary", "a device without dma_parms", ARGUMENT, "4294967295",
	    LINUX("ULONG_MAX", "the bus's 4 GiB, as dma_get_seg_boundary_nr_pages() has it"),
	    dma_get_seg_boundary(&bare));
	ROW(t, "dma_set_seg_boundary", "a device without dma_parms", ARGUMENT, "-EIO",
	    LINUX("WARN", "returned, as Linux did until 6.11"), dma_set_seg_boundary(&bare, 4095));
	bed_down(b);
}

/* --- scatterlists ----------------------------------------------------------------------------- */

static void building(struct ktap *t)
{
	struct bed *b = bed_up(t, machine_type_find("arm"), 0);
	struct scatterlist sg, *null = misuse_null();
	struct sg_table table;

	sg_init_one(&sg, page_address(b->page[0]), 8);
	ROW(t, "sg_alloc_table", "0 entries", SIZE, "-EINVAL", SAME,
	    sg_alloc_table(&table, 0, GFP_KERNEL));
	ROW(t, "sg_alloc_table", "no table", ARGUMENT, "crash", SAME,
	    sg_alloc_table(misuse_null(), 1, GFP_KERNEL));
	ROW_NOT_RUN("sg_alloc_table", "UINT_MAX entries", SIZE, "-ENOMEM, when memory is used up",
		    SAME);
	ROW(t, "sg_free_table", "freed before", ORDER, "nothing", SAME,
	    VOID(sg_free_table(&table)));
	ROW(t, "sg_free_table", "no table", ARGUMENT, "crash", SAME,
	    VOID(sg_free_table(misuse_null())));
	ROW(t, "sg_alloc_table_from_pages", "no pages", SIZE, "-EINVAL",
	    LINUX("undefined", "it reads the first page of none"),
	    sg_alloc_table_from_pages(&table, b->page, 0, 0, PAGE_SIZE, GFP_KERNEL));
	ROW(t, "sg_alloc_table_from_pages", "no array", ARGUMENT, "crash", SAME,
	    sg_alloc_table_from_pages(&table, misuse_null(), 1, 0, PAGE_SIZE, GFP_KERNEL));
	ROW(t, "sg_alloc_table_from_pages_segment", "max_segment below a page", SIZE,
	    "WARN !max_pages, -EINVAL", SAME,
	    sg_alloc_table_from_pages_segment(&table, b->page, 1, 0, PAGE_SIZE, 8, GFP_KERNEL));
	ROW(t, "sg_alloc_table_from_pages_segment", "max_segment 0", SIZE,
	    "WARN !max_pages, -EINVAL", SAME,
	    sg_alloc_table_from_pages_segment(&table, b->page, 1, 0, PAGE_SIZE, 0, GFP_KERNEL));
	ROW(t, "sg_alloc_table_from_pages", "ULONG_MAX bytes: what the pages hold", SIZE, "0", SAME,
	    sg_alloc_table_from_pages(&table, b->page, 1, 0, ULONG_MAX, GFP_KERNEL));
	KT_EQ(t, table.sgl->length, PAGE_SIZE);
	sg_free_table(&table);
	ROW(t, "sg_init_table", "0 entries", SIZE, "WARN !nents",
	    LINUX("undefined", "it marks the entry before the first"), VOID(sg_init_table(&sg, 0)));
	ROW(t, "sg_init_table", "no list", ARGUMENT, "crash", SAME, VOID(sg_init_table(null, 1)));
	ROW(t, "sg_init_one", "no entry", ARGUMENT, "crash", SAME,
	    VOID(sg_init_one(null, page_address(b->page[0]), 8)));
	ROW(t, "sg_chain", "no list", ARGUMENT, "crash", SAME, VOID(sg_chain(null, 1, &sg)));
	bed_down(b);
}

static void walking(struct ktap *t)
{
	struct bed *b = bed_up(t, machine_type_find("arm"), 0);
	struct scatterlist *null = misuse_null(), *sgl = b->sgt.sgl;
	struct sg_dma_page_iter dma_iter;
	struct sg_page_iter iter;
	char byte;

	ROW(t, "sg_next", "no entry", ARGUMENT, "crash", SAME, misuse_ptr(sg_next(null)));
	ROW(t, "sg_last", "0 entries", SIZE, "NULL", LINUX("crash", "there is none"),
	    misuse_ptr(sg_last(sgl, 0)));
	ROW(t, "sg_nents", "no list", ARGUMENT, "0", SAME, sg_nents(null));
	ROW(t, "sg_nents_for_len", "0 bytes", SIZE, "0", SAME, sg_nents_for_len(sgl, 0));
	ROW(t, "sg_nents_for_len", "U64_MAX bytes", SIZE, "-EINVAL", SAME,
	    sg_nents_for_len(sgl, U64_MAX));
	ROW(t, "sg_copy_to_buffer", "0 bytes", SIZE, "0", SAME,
	    sg_copy_to_buffer(sgl, BED_PAGES, &byte, 0));
	ROW(t, "sg_copy_to_buffer", "0 entries", SIZE, "0", SAME,
	    sg_copy_to_buffer(sgl, 0, &byte, 1));
	ROW(t, "sg_copy_to_buffer", "more entries than there are, enough bytes in them", SIZE, "1",
	    SAME, sg_copy_to_buffer(sgl, UINT_MAX, &byte, 1));
	ROW(t, "sg_copy_from_buffer", "no buffer", ARGUMENT, "crash", SAME,
	    sg_copy_from_buffer(sgl, BED_PAGES, misuse_null(), 8));
	__sg_page_iter_start(&iter, sgl, 0, 0);
	ROW(t, "__sg_page_iter_next", "a walk over 0 entries", SIZE, "0", SAME,
	    __sg_page_iter_next(&iter));
	__sg_page_iter_start(&iter, sgl, BED_PAGES, ULONG_MAX >> PAGE_SHIFT);
	ROW(t, "__sg_page_iter_next", "begun far behind the end", SIZE, "0", SAME,
	    __sg_page_iter_next(&iter));
	__sg_page_iter_start(&dma_iter.base, null, 1, 0);
	ROW(t, "__sg_page_iter_dma_next", "no list", ARGUMENT, "0", SAME,
	    __sg_page_iter_dma_next(&dma_iter));
	ROW(t, "__sg_page_iter_start", "no cursor", ARGUMENT, "crash", SAME,
	    VOID(__sg_page_iter_start(misuse_null(), sgl, 1, 0)));
	bed_down(b);
}

MISUSE_MAIN(KTAP_CASE(tables), KTAP_CASE(lists), KTAP_CASE(pieces), KTAP_CASE(resources),
	    KTAP_CASE(syncs), KTAP_CASE(coherent_memory), KTAP_CASE(memory_handed_on),
	    KTAP_CASE(masks), KTAP_CASE(building), KTAP_CASE(walking))
