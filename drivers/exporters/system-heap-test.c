/* SPDX-License-Identifier: MIT */
#include <sys/mman.h>

#include <linux/dma-buf.h>
#include <linux/dma-cost.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/scatterlist.h>
#include <linux/string.h>

#include "dma/engine.h"
#include "dma/machine.h"
#include "drivers/exporters/system-heap.h"
#include "host/file.h"
#include "host/memory.h"
#include "host/port.h"
#include "tests/ktap.h"

static void whole_zeroed_pages(struct ktap *t)
{
	struct dma_buf *dmabuf = system_heap_allocate(3 * PAGE_SIZE + 1);
	size_t seen = 0, len;

	KT_ASSERT(t, !IS_ERR(dmabuf));
	KT_EQ(t, dmabuf->size, 4 * PAGE_SIZE);
	KT_CHECK(t, !strcmp(dmabuf->exp_name, "system"));
	KT_EQ(t, dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	for (u8 *bytes; (bytes = system_heap_vaddr(dmabuf, seen, &len)); seen += len)
		for (size_t i = 0; i < len; i++)
			if (bytes[i])
				KT_EQ(t, bytes[i], 0);
	KT_EQ(t, dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	KT_EQ(t, seen, dmabuf->size);
	KT_EQ(t, len, 0);
	dma_buf_put(dmabuf);
}

static void refuses_what_is_no_size(struct ktap *t)
{
	KT_EQ(t, PTR_ERR(system_heap_allocate(0)), -EINVAL);
	KT_EQ(t, PTR_ERR(system_heap_allocate(SIZE_MAX)), -EINVAL);
}

static void large_pieces_first(struct ktap *t)
{
	static const size_t want[] = { 1 << 20, 1 << 20, 64 << 10, 4096, 4096 };
	struct machine *machine = machine_create(machine_type_find("pc"), 0);
	struct device *dev = machine_add_device(machine, "device", true);
	struct dma_buf *dmabuf = system_heap_allocate((2 << 20) + (64 << 10) + 4097);
	struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, dev);
	struct sg_table *table = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	struct scatterlist *entry;
	unsigned int i;

	KT_EQ(t, table->orig_nents, ARRAY_SIZE(want));
	for_each_sgtable_dma_sg(table, entry, i)
		KT_EQ(t, sg_dma_len(entry), want[i]);
	dma_buf_unmap_attachment_unlocked(attach, table, DMA_TO_DEVICE);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
	machine_remove_device(dev);
	machine_destroy(machine);
}

/*
 * What a device that stays mapped reads after the CPU wrote, with or without its bracket.  Policy
 * remap, where the heap syncs.
 */
static u8 read_after_cpu_write(struct ktap *t, const struct machine_type *type, bool bracket)
{
	struct machine *machine = machine_create(type, 0);
	struct device *dev = machine_add_device(machine, "device", type->coherent);
	struct dma_buf *dmabuf = system_heap_allocate(PAGE_SIZE);
	struct dma_buf_attachment *attach;
	struct sg_table *table;
	size_t len;
	u8 byte = 0;

	dma_buf_set_policy(DMA_BUF_POLICY_REMAP);
	attach = dma_buf_attach(dmabuf, dev);
	table = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	if (bracket)
		KT_EQ(t, dma_buf_begin_cpu_access(dmabuf, DMA_BIDIRECTIONAL), 0);
	memset(system_heap_vaddr(dmabuf, 100, &len), 7, 1);
	if (bracket)
		KT_EQ(t, dma_buf_end_cpu_access(dmabuf, DMA_BIDIRECTIONAL), 0);
	KT_EQ(t, dma_engine_read(dev, table, 100, &byte, 1), 0);
	dma_buf_unmap_attachment_unlocked(attach, table, DMA_BIDIRECTIONAL);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
	machine_remove_device(dev);
	machine_destroy(machine);
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
	return byte;
}

static void one_attachment_mapped_twice(struct ktap *t)
{
	struct machine *machine = machine_create(machine_type_find("arm"), 0);
	struct device *dev = machine_add_device(machine, "device", false);
	struct dma_buf *dmabuf = system_heap_allocate(PAGE_SIZE);
	struct dma_buf_attachment *attach;
	struct sg_table *first, *second;
	u8 byte;

	dma_buf_set_policy(DMA_BUF_POLICY_REMAP);
	attach = dma_buf_attach(dmabuf, dev);
	first = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	second = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	dma_buf_unmap_attachment_unlocked(attach, second, DMA_BIDIRECTIONAL);
	KT_EQ(t, dma_engine_read(dev, first, 0, &byte, 1), 0);
	KT_EQ(t, byte, 0);
	dma_buf_unmap_attachment_unlocked(attach, first, DMA_TO_DEVICE);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
	machine_remove_device(dev);
	machine_destroy(machine);
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
}

static void cpu_access_syncs_who_is_mapped(struct ktap *t)
{
	for (const struct machine_type *type = machine_types; type->name; type++)
		KT_EQ(t, read_after_cpu_write(t, type, true), 7);
}

static void without_bracket_devices_read_old_bytes(struct ktap *t)
{
	for (const struct machine_type *type = machine_types; type->name; type++) {
		bool snoops = type->coherent && (type->iommu || type->dma_mask > DMA_BIT_MASK(32));

		KT_EQ(t, read_after_cpu_write(t, type, false), snoops ? 7 : 0);
	}
}

static void cpu_access_costs_nothing_for_who_is_not_mapped(struct ktap *t)
{
	struct machine *machine = machine_create(machine_type_find("arm"), 0);
	struct device *dev = machine_add_device(machine, "device", false);
	struct dma_buf *dmabuf = system_heap_allocate(PAGE_SIZE);
	struct dma_buf_attachment *attach;
	struct dma_costs before, cost;

	dma_buf_set_policy(DMA_BUF_POLICY_REMAP);
	attach = dma_buf_attach(dmabuf, dev);
	dma_cost_read(&before);
	KT_EQ(t, dma_buf_begin_cpu_access(dmabuf, DMA_BIDIRECTIONAL), 0);
	KT_EQ(t, dma_buf_end_cpu_access(dmabuf, DMA_BIDIRECTIONAL), 0);
	dma_cost_since(&before, &cost);
	KT_EQ(t, cost.count[DMA_COST_BYTES_CLEANED] + cost.count[DMA_COST_BYTES_INVALIDATED], 0);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
	machine_remove_device(dev);
	machine_destroy(machine);
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
}

/* Bytes written through vmap's addresses are those that the device reads, from every piece. */
static void vmap_is_the_cpus_view(struct ktap *t)
{
	struct machine *machine = machine_create(machine_type_find("arm"), 0);
	struct device *dev = machine_add_device(machine, "device", false);
	struct dma_buf *dmabuf = system_heap_allocate((1 << 20) + (64 << 10) + 4097);
	struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, dev);
	struct iosys_map map;
	struct sg_table *table;
	size_t len;
	u8 byte;

	KT_EQ(t, dma_buf_vmap_unlocked(dmabuf, &map), 0);
	for (size_t at = 100; at < dmabuf->size; at += PAGE_SIZE) {
		((u8 *)map.vaddr)[at] = at >> PAGE_SHIFT;
		KT_EQ(t, *(u8 *)system_heap_vaddr(dmabuf, at, &len), (u8)(at >> PAGE_SHIFT));
	}
	table = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	for (size_t at = 100; at < dmabuf->size; at += PAGE_SIZE) {
		KT_EQ(t, dma_engine_read(dev, table, at, &byte, 1), 0);
		KT_EQ(t, byte, (u8)(at >> PAGE_SHIFT));
	}
	dma_buf_unmap_attachment_unlocked(attach, table, DMA_TO_DEVICE);
	dma_buf_vunmap_unlocked(dmabuf, &map);

	for (int k = 1; k < 20; k++) {
		port_fail_nth(PORT_FAULT_ALLOC, k);
		if (!dma_buf_vmap_unlocked(dmabuf, &map)) {
			port_fail_nth(PORT_FAULT_ALLOC, 0);
			KT_CHECK(t, k > 2);
			dma_buf_vunmap_unlocked(dmabuf, &map);
			break;
		}
		KT_CHECK(t, iosys_map_is_null(&map));
	}
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
	machine_remove_device(dev);
	machine_destroy(machine);
}

/* Every window of a buffer of pieces of three sizes, as far as they differ. */
static void a_program_maps_any_part(struct ktap *t)
{
	enum { PAGES = 256 + 16 + 3 };
	static const unsigned int cuts[] = { 0, 1, 100, 255, 256, 260, 271, 272, 274, PAGES };
	struct dma_buf *dmabuf = system_heap_allocate(PAGES * PAGE_SIZE);
	int fd = dma_buf_fd(dmabuf, 0);
	size_t len;

	KT_ASSERT(t, fd >= 0);
	for (unsigned int i = 0; i < PAGES; i++)
		*(u16 *)system_heap_vaddr(dmabuf, i * PAGE_SIZE, &len) = i;
	for (size_t a = 0; a < ARRAY_SIZE(cuts); a++) {
		for (size_t b = a + 1; b < ARRAY_SIZE(cuts); b++) {
			size_t bytes = (cuts[b] - cuts[a]) * PAGE_SIZE;
			u8 *at = host_mmap(fd, NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
					   cuts[a] * PAGE_SIZE);
			unsigned int wrong = 0;

			KT_ASSERT(t, !IS_ERR(at));
			for (unsigned int i = cuts[a]; i < cuts[b]; i++)
				wrong += *(u16 *)(at + (i - cuts[a]) * PAGE_SIZE) != i;
			KT_EQ(t, wrong, 0);
			KT_EQ(t, host_munmap(at, bytes), 0);
		}
	}
	KT_EQ(t, host_close(fd), 0);
}

static void foreign_buffers_have_no_address(struct ktap *t)
{
	size_t len = 1;

	ktap_expect_warn(t, "system-heap: not a buffer of this heap");
	KT_CHECK(t, !system_heap_vaddr(NULL, 0, &len));
	KT_EQ(t, len, 0);
}

static void failing_allocations_leave_nothing(struct ktap *t)
{
	struct host_memory_stats before, after;
	unsigned int failed = 0;

	host_memory_stats(&before);
	/* Some failures only make the pieces smaller. */
	for (int k = 1; k < 20; k++) {
		struct dma_buf *dmabuf;

		port_fail_nth(PORT_FAULT_ALLOC, k);
		dmabuf = system_heap_allocate((1 << 20) + 4097);
		port_fail_nth(PORT_FAULT_ALLOC, 0);
		if (!IS_ERR(dmabuf)) {
			dma_buf_put(dmabuf);
			continue;
		}
		KT_EQ(t, PTR_ERR(dmabuf), -ENOMEM);
		failed++;
	}
	KT_CHECK(t, failed > 3);
	rcu_barrier();
	host_memory_stats(&after);
	KT_EQ(t, after.pages_used, before.pages_used);
}

KTAP_MAIN(KTAP_CASE(whole_zeroed_pages), KTAP_CASE(refuses_what_is_no_size),
	  KTAP_CASE(large_pieces_first), KTAP_CASE(one_attachment_mapped_twice),
	  KTAP_CASE(cpu_access_syncs_who_is_mapped),
	  KTAP_CASE(without_bracket_devices_read_old_bytes),
	  KTAP_CASE(cpu_access_costs_nothing_for_who_is_not_mapped),
	  KTAP_CASE(vmap_is_the_cpus_view), KTAP_CASE(a_program_maps_any_part),
	  KTAP_CASE(foreign_buffers_have_no_address), KTAP_CASE(failing_allocations_leave_nothing))
