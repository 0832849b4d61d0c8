/* SPDX-License-Identifier: MIT */
/*
 * contiguous-heap-test.c - one piece or none, the same bytes for everybody, nothing left behind
 */
#include <sys/mman.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/scatterlist.h>
#include <linux/string.h>

#include "dma/engine.h"
#include "dma/machine.h"
#include "drivers/exporters/contiguous-heap.h"
#include "host/file.h"
#include "host/memory.h"
#include "host/port.h"
#include "tests/ktap.h"

static void sizes(struct ktap *t)
{
	struct dma_buf *dmabuf;

	KT_EQ(t, PTR_ERR(contiguous_heap_allocate(0)), -EINVAL);
	KT_EQ(t, PTR_ERR(contiguous_heap_allocate(4UL << 30)), -ENOMEM);
	KT_EQ(t, PTR_ERR(contiguous_heap_allocate(SIZE_MAX)), -ENOMEM);
	/* Half of an 8K picture: more than the page allocator's largest block. */
	dmabuf = contiguous_heap_allocate(3840 * 2160 * 3 / 2);
	KT_ASSERT(t, !IS_ERR(dmabuf));
	KT_EQ(t, dmabuf->size, PAGE_ALIGN(3840 * 2160 * 3 / 2));
	KT_CHECK(t, !strcmp(dmabuf->exp_name, "default_cma_region"));
	dma_buf_put(dmabuf);
}

/* The device sees one segment of zeroes; what was somebody else's before does not show. */
static void one_zeroed_segment(struct ktap *t)
{
	size_t bytes = 5 * PAGE_SIZE + 1, order = 3;

	for (const struct machine_type *type = machine_types; type->name; type++) {
		struct machine *machine = machine_create(type, 0);
		struct device *dev = machine_add_device(machine, "device", type->coherent);
		struct page *used = alloc_pages(GFP_KERNEL, order);
		static u8 seen[6 * PAGE_SIZE];
		struct dma_buf_attachment *attach;
		struct dma_buf *dmabuf;
		struct sg_table *table;

		memset(page_address(used), 0xaa, PAGE_SIZE << order);
		__free_pages(used, order);
		dmabuf = contiguous_heap_allocate(bytes);
		KT_ASSERT(t, !IS_ERR(dmabuf));
		KT_EQ(t, dmabuf->size, sizeof(seen));
		attach = dma_buf_attach(dmabuf, dev);
		table = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
		KT_ASSERT(t, !IS_ERR(table));
		KT_EQ(t, table->nents, 1);
		KT_EQ(t, sg_dma_len(table->sgl), sizeof(seen));
		memset(seen, 1, sizeof(seen));
		KT_EQ(t, dma_engine_read(dev, table, 0, seen, sizeof(seen)), 0);
		for (size_t i = 0; i < sizeof(seen); i++)
			if (seen[i])
				KT_EQ(t, seen[i], 0);
		dma_buf_unmap_attachment_unlocked(attach, table, DMA_TO_DEVICE);
		dma_buf_detach(dmabuf, attach);
		dma_buf_put(dmabuf);
		machine_remove_device(dev);
		machine_destroy(machine);
	}
}

/* What a device that stays mapped reads after the CPU wrote, with or without its bracket. */
static u8 read_after_cpu_write(struct ktap *t, const struct machine_type *type,
			       enum dma_buf_policy policy, bool bracket)
{
	struct machine *machine = machine_create(type, 0);
	struct device *dev = machine_add_device(machine, "device", type->coherent);
	struct dma_buf_attachment *attach;
	struct dma_buf *dmabuf;
	struct sg_table *table;
	struct iosys_map map;
	u8 byte = 0;

	dma_buf_set_policy(policy);
	dmabuf = contiguous_heap_allocate(PAGE_SIZE);
	attach = dma_buf_attach(dmabuf, dev);
	table = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	KT_EQ(t, dma_buf_vmap_unlocked(dmabuf, &map), 0);
	if (bracket)
		KT_EQ(t, dma_buf_begin_cpu_access(dmabuf, DMA_BIDIRECTIONAL), 0);
	((u8 *)map.vaddr)[100] = 7;
	if (bracket)
		KT_EQ(t, dma_buf_end_cpu_access(dmabuf, DMA_BIDIRECTIONAL), 0);
	KT_EQ(t, dma_engine_read(dev, table, 100, &byte, 1), 0);
	dma_buf_vunmap_unlocked(dmabuf, &map);
	dma_buf_unmap_attachment_unlocked(attach, table, DMA_BIDIRECTIONAL);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
	machine_remove_device(dev);
	machine_destroy(machine);
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
	return byte;
}

static void cpu_access_syncs_who_is_mapped(struct ktap *t)
{
	for (const struct machine_type *type = machine_types; type->name; type++) {
		KT_EQ(t, read_after_cpu_write(t, type, DMA_BUF_POLICY_REMAP, true), 7);
		KT_EQ(t, read_after_cpu_write(t, type, DMA_BUF_POLICY_CACHED, true), 7);
	}
}

static void without_bracket_devices_read_old_bytes(struct ktap *t)
{
	for (const struct machine_type *type = machine_types; type->name; type++) {
		bool snoops = type->coherent && (type->iommu || type->dma_mask > DMA_BIT_MASK(32));

		KT_EQ(t, read_after_cpu_write(t, type, DMA_BUF_POLICY_REMAP, false),
		      snoops ? 7 : 0);
	}
}

/* A program's mapping of the second page and on is those bytes; past the end there is none. */
static void programs_map_the_same_bytes(struct ktap *t)
{
	struct dma_buf *dmabuf = contiguous_heap_allocate(3 * PAGE_SIZE);
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	struct iosys_map map;
	u8 *at;

	KT_ASSERT(t, fd >= 0);
	at = host_mmap(fd, NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, PAGE_SIZE);
	KT_ASSERT(t, !IS_ERR(at));
	KT_EQ(t, dma_buf_vmap_unlocked(dmabuf, &map), 0);
	at[PAGE_SIZE + 5] = 77;
	KT_EQ(t, ((u8 *)map.vaddr)[2 * PAGE_SIZE + 5], 77);
	KT_EQ(t, ((u8 *)map.vaddr)[PAGE_SIZE + 5], 0);
	dma_buf_vunmap_unlocked(dmabuf, &map);
	KT_EQ(t, host_munmap(at, 2 * PAGE_SIZE), 0);
	KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, 3 * PAGE_SIZE, PROT_READ, MAP_SHARED, PAGE_SIZE)),
	      -EINVAL);
	host_close(fd);
}

static void failing_allocations_leave_nothing(struct ktap *t)
{
	struct host_memory_stats before, after;
	struct dma_buf *dmabuf = NULL;
	int k;

	host_memory_stats(&before);
	for (k = 1; k < 50; k++) {
		port_fail_nth(PORT_FAULT_ALLOC, k);
		dmabuf = contiguous_heap_allocate(3 * PAGE_SIZE);
		port_fail_nth(PORT_FAULT_ALLOC, 0);
		if (!IS_ERR(dmabuf))
			break;
		KT_EQ(t, PTR_ERR(dmabuf), -ENOMEM);
	}
	KT_CHECK(t, k > 3 && k < 50);
	dma_buf_put(dmabuf);
	rcu_barrier();
	host_memory_stats(&after);
	KT_EQ(t, after.pages_used, before.pages_used);
}

/* Whatever fails on the way, the importer hears of it and nothing is left mapped. */
static void failing_maps_leave_nothing(struct ktap *t)
{
	for (const struct machine_type *type = machine_types; type->name; type++) {
		struct machine *machine = machine_create(type, 0);
		struct device *dev = machine_add_device(machine, "device", type->coherent);
		struct dma_buf *dmabuf = contiguous_heap_allocate(3 * PAGE_SIZE);
		struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, dev);
		struct sg_table *table = NULL;
		int k;

		for (k = 1; k < 50; k++) {
			port_fail_nth(PORT_FAULT_ALLOC, k);
			table = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
			port_fail_nth(PORT_FAULT_ALLOC, 0);
			if (!IS_ERR(table))
				break;
			KT_EQ(t, PTR_ERR(table), -ENOMEM);
		}
		KT_CHECK(t, k > 2 && k < 50);
		dma_buf_unmap_attachment_unlocked(attach, table, DMA_TO_DEVICE);
		dma_buf_detach(dmabuf, attach);
		dma_buf_put(dmabuf);
		machine_remove_device(dev);
		machine_destroy(machine);
	}
}

KTAP_MAIN(KTAP_CASE(sizes), KTAP_CASE(one_zeroed_segment),
	  KTAP_CASE(cpu_access_syncs_who_is_mapped),
	  KTAP_CASE(without_bracket_devices_read_old_bytes), KTAP_CASE(programs_map_the_same_bytes),
	  KTAP_CASE(failing_allocations_leave_nothing), KTAP_CASE(failing_maps_leave_nothing))
