/* SPDX-License-Identifier: MIT */
/*
 * window-test.c - device memory: who reaches it, by which address, and what it is not
 */
#include <stdlib.h>
#include <linux/pci-p2pdma.h>
#include "dma/test-bed.h"
#include "dma/window.h"
#include "host/port.h"

enum { WINDOW_BYTES = 8 * PAGE_SIZE };

static bool reaches(const struct machine_type *type)
{
	return type_domain(type) != DMA_DOMAIN_BOUNCE;
}

static struct sg_table *one_entry(struct scatterlist *sg, dma_addr_t addr, unsigned int len)
{
	static __thread struct sg_table table;

	sg_init_table(sg, 1);
	sg_dma_address(sg) = addr;
	sg_dma_len(sg) = len;
	table = (struct sg_table){ .sgl = sg, .nents = 1 };
	return &table;
}

/* A peer and the CPU see the same bytes without anybody's maintenance, within permissions. */
static void peers_and_cpu_see_one_memory(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		struct device *gpu = machine_add_device(bed->machine, "gpu", type->coherent);
		struct dma_window *window = dma_window_create(gpu, WINDOW_BYTES);
		struct p2pdma_provider *provider = dma_window_provider(window);
		struct dma_costs before, delta;
		struct scatterlist sg;
		dma_addr_t addr;
		u8 *cpu, byte = 7;

		KT_ASSERT(t, !IS_ERR(window));
		cpu = (u8 *)dma_window_iomem(window);
		KT_EQ(t, dma_window_bytes(window), WINDOW_BYTES);
		KT_EQ(t, cpu[WINDOW_BYTES - 1], 0);
		KT_EQ(t, pci_p2pdma_map_type(provider, bed->dev),
		      reaches(type) ? PCI_P2PDMA_MAP_THRU_HOST_BRIDGE
				    : PCI_P2PDMA_MAP_NOT_SUPPORTED);
		dma_cost_read(&before);
		addr = dma_map_resource(bed->dev, dma_window_start(window) + 100, 5000,
					DMA_FROM_DEVICE, 0);
		KT_EQ(t, !dma_mapping_error(bed->dev, addr), reaches(type));
		if (reaches(type)) {
			struct sg_table *table = one_entry(&sg, addr, 5000);

			KT_EQ(t, dma_engine_write(bed->dev, table, 4999, &byte, 1), 0);
			KT_EQ(t, cpu[5099], 7);
			KT_EQ(t, dma_engine_read(bed->dev, table, 4999, &byte, 1), -EFAULT);
			dma_unmap_resource(bed->dev, addr, 5000, DMA_FROM_DEVICE, 0);
			KT_EQ(t, dma_engine_write(bed->dev, table, 0, &byte, 1), -EFAULT);
		}
		dma_cost_since(&before, &delta);
		KT_EQ(t,
		      delta.count[DMA_COST_BYTES_CLEANED] +
			      delta.count[DMA_COST_BYTES_INVALIDATED] +
			      delta.count[DMA_COST_BYTES_BOUNCED],
		      0);
		KT_EQ(t, delta.count[DMA_COST_IOMMU_WRITES], type->iommu ? 4 : 0);
		machine_remove_device(gpu);
		bed_down(bed);
	}
}

/* Past the window's end, and when its owner is gone, nobody answers. */
static void where_nobody_answers(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		struct device *gpu = machine_add_device(bed->machine, "gpu", type->coherent);
		struct dma_window *window = dma_window_create(gpu, WINDOW_BYTES);
		struct dma_engine_stats stats;
		struct scatterlist sg;
		struct sg_table *table;
		dma_addr_t addr;
		u8 bytes[2] = { 1, 2 };

		addr = dma_map_resource(bed->dev, dma_window_start(window), 2 * WINDOW_BYTES,
					DMA_BIDIRECTIONAL, 0);
		if (reaches(type)) {
			table = one_entry(&sg, addr, 2 * WINDOW_BYTES);
			KT_EQ(t, dma_engine_write(bed->dev, table, WINDOW_BYTES - 1, bytes, 2),
			      -EFAULT);
			dma_engine_stats(bed->dev, &stats);
			KT_EQ(t, stats.last_fault.reason, DMA_FAULT_NOBODY);
			KT_EQ(t, ((u8 *)dma_window_iomem(window))[WINDOW_BYTES - 1], 0);
			KT_EQ(t, dma_engine_write(bed->dev, table, WINDOW_BYTES - 1, bytes, 1), 0);
		}
		machine_remove_device(gpu);
		KT_EQ(t, pci_p2pdma_map_type(dma_window_provider(window), bed->dev),
		      PCI_P2PDMA_MAP_NOT_SUPPORTED);
		if (reaches(type)) {
			KT_EQ(t, dma_engine_read(bed->dev, table, 0, bytes, 1), -EFAULT);
			dma_unmap_resource(bed->dev, addr, 2 * WINDOW_BYTES, DMA_BIDIRECTIONAL, 0);
		}
		bed_down(bed);
	}
}

static void windows_are_apart(struct ktap *t)
{
	struct bed *bed = bed_up(t, machine_type_find("pc"), 0), *other;
	struct dma_window *first = dma_window_create(bed->dev, 1), *second;

	second = dma_window_create(bed->dev, (size_t)5 << 30);
	KT_ASSERT(t, !IS_ERR(first) && !IS_ERR(second));
	KT_CHECK(t, dma_window_start(first) + dma_window_bytes(first) < dma_window_start(second));
	KT_EQ(t, PTR_ERR(dma_window_create(bed->dev, 0)), -EINVAL);
	KT_EQ(t, PTR_ERR(dma_window_create(bed->dev, SIZE_MAX)), -EINVAL);
	other = bed_up(t, machine_type_find("pc"), 0);
	KT_EQ(t, pci_p2pdma_map_type(dma_window_provider(first), other->dev),
	      PCI_P2PDMA_MAP_NOT_SUPPORTED);
	bed_down(other);
	bed_down(bed);
}

static void broken_rules_warn(struct ktap *t)
{
	struct bed *bed = bed_up(t, machine_type_find("arm"), 0);
	struct dma_window *window = dma_window_create(bed->dev, WINDOW_BYTES);
	phys_addr_t phys = dma_window_start(window);
	dma_addr_t addr;

	ktap_expect_warn(t, "memory with pages is mapped as a resource");
	KT_EQ(t,
	      dma_map_resource(bed->dev, page_to_phys(bed->page[0]), PAGE_SIZE, DMA_TO_DEVICE, 0),
	      DMA_MAPPING_ERROR);
	ktap_expect_warn(t, "no resource is mapped");
	KT_EQ(t, dma_map_resource(bed->dev, phys, 0, DMA_TO_DEVICE, 0), DMA_MAPPING_ERROR);
	ktap_expect_warn(t, "direction NONE is not a mapping's");
	KT_EQ(t, dma_map_resource(bed->dev, phys, 1, DMA_NONE, 0), DMA_MAPPING_ERROR);

	addr = dma_map_resource(bed->dev, phys, PAGE_SIZE, DMA_TO_DEVICE, 0);
	ktap_expect_warn(t, "unmap of what is not mapped");
	dma_unmap_resource(bed->dev, addr, PAGE_SIZE - 1, DMA_TO_DEVICE, 0);
	ktap_expect_warn(t, "device memory unmapped as a page");
	dma_unmap_page(bed->dev, addr, PAGE_SIZE, DMA_TO_DEVICE);
	ktap_expect_warn(t, "sync of device memory");
	dma_sync_single_for_device(bed->dev, addr, PAGE_SIZE, DMA_TO_DEVICE);
	ktap_expect_warn(t, "unmap with another direction");
	dma_unmap_resource(bed->dev, addr, PAGE_SIZE, DMA_FROM_DEVICE, 0);
	bed_down(bed);
}

static void each_failing_allocation_is_undone(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		struct dma_window *window;
		unsigned int k, failed = 0;
		dma_addr_t addr;

		for (k = 1; k < 100; k++) {
			port_fail_nth(PORT_FAULT_ALLOC, k);
			window = dma_window_create(bed->dev, WINDOW_BYTES);
			port_fail_nth(PORT_FAULT_ALLOC, 0);
			if (!IS_ERR(window))
				break;
			KT_EQ(t, PTR_ERR(window), -ENOMEM);
		}
		KT_EQ(t, k, 2);
		port_fail_nth(PORT_FAULT_MAP, 1);
		KT_EQ(t, PTR_ERR(dma_window_create(bed->dev, WINDOW_BYTES)), -ENOMEM);
		port_fail_nth(PORT_FAULT_MAP, 0);
		for (k = 1; reaches(type) && k < 100; k++) {
			bool asked;

			port_fail_nth(PORT_FAULT_ALLOC, k);
			addr = dma_map_resource(bed->dev, dma_window_start(window), WINDOW_BYTES,
						DMA_TO_DEVICE, 0);
			asked = port_fault_count(PORT_FAULT_ALLOC) >= k;
			port_fail_nth(PORT_FAULT_ALLOC, 0);
			if (dma_mapping_error(bed->dev, addr))
				failed++;
			else
				dma_unmap_resource(bed->dev, addr, WINDOW_BYTES, DMA_TO_DEVICE, 0);
			if (!asked)
				break;
		}
		KT_EQ(t, failed > 0, reaches(type));
		bed_down(bed);
	}
}

/* Each of a machine's windows is found, whichever was made last. */
static void every_window_answers_for_itself(struct ktap *t)
{
	struct bed *bed = bed_up(t, machine_type_find("arm"), 0);
	struct dma_window *window[3];
	dma_addr_t addr[3];
	struct scatterlist sg;
	unsigned int i;
	u8 byte;

	for (i = 0; i < 3; i++) {
		window[i] = dma_window_create(bed->dev, PAGE_SIZE);
		KT_ASSERT(t, !IS_ERR(window[i]));
		*(u8 *)dma_window_iomem(window[i]) = 10 + i;
		addr[i] = dma_map_resource(bed->dev, dma_window_start(window[i]), PAGE_SIZE,
					   DMA_TO_DEVICE, 0);
	}
	for (i = 0; i < 3; i++) {
		KT_EQ(t, dma_engine_read(bed->dev, one_entry(&sg, addr[i], 1), 0, &byte, 1), 0);
		KT_EQ(t, byte, 10 + i);
		dma_unmap_resource(bed->dev, addr[i], PAGE_SIZE, DMA_TO_DEVICE, 0);
	}
	bed_down(bed);
}

/* The addresses for windows end; what is refused costs nothing of them. */
static void addresses_of_windows_end(struct ktap *t)
{
	struct bed *bed = bed_up(t, machine_type_find("arm"), 0);
	size_t bytes = (WINDOW_END - WINDOW_BASE) / 4;
	struct dma_window *window = NULL;
	unsigned int n = 0;

	if (getenv("KTAP_EMULATED")) {
		bed_down(bed);
		ktap_skip(t, "the emulator keeps a record of each page of a mapping");
		return;
	}
	while (n < 4 && !IS_ERR(window = dma_window_create(bed->dev, bytes)))
		n++;
	if (!n) {
		bed_down(bed);
		ktap_skip(t, "the system gives no mapping of that size");
		return;
	}
	KT_CHECK(t, n < 4);
	KT_EQ(t, PTR_ERR(window), -ENOMEM);
	window = dma_window_create(bed->dev, PAGE_SIZE);
	KT_CHECK(t, !IS_ERR(window));
	bed_down(bed);
}

/* Where memory is not: across its borders, past the last address, at one no page table can hold. */
static void resources_are_beside_memory(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		phys_addr_t last = 0 - (phys_addr_t)PAGE_SIZE;
		dma_addr_t addr = dma_map_page(bed->dev, bed->page[0], 0, 1, DMA_TO_DEVICE);
		u64 offset = addr - page_to_phys(bed->page[0]);

		dma_unmap_page(bed->dev, addr, 1, DMA_TO_DEVICE);
		ktap_expect_warn(t, "memory with pages is mapped as a resource");
		KT_EQ(t,
		      dma_map_resource(bed->dev, HOST_PHYS_BASE - PAGE_SIZE, 2 * PAGE_SIZE,
				       DMA_TO_DEVICE, 0),
		      DMA_MAPPING_ERROR);
		ktap_expect_warn(t, "no resource is mapped");
		KT_EQ(t, dma_map_resource(bed->dev, last, 2 * PAGE_SIZE, DMA_TO_DEVICE, 0),
		      DMA_MAPPING_ERROR);
		if (!type->iommu) {
			KT_EQ(t, dma_map_resource(bed->dev, 1ULL << 50, 64, DMA_TO_DEVICE, 0),
			      DMA_MAPPING_ERROR);
			KT_EQ(t,
			      dma_map_resource(bed->dev, last - offset, PAGE_SIZE, DMA_TO_DEVICE,
					       0),
			      DMA_MAPPING_ERROR);
		}
		bed_down(bed);
	}
}

/* Neither is taken for the other, and what was refused is still mapped. */
static void resources_and_pages_at_one_address(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		struct dma_window *window = dma_window_create(bed->dev, WINDOW_BYTES);
		dma_addr_t addr, page;
		struct scatterlist sg;

		page = dma_map_page(bed->dev, bed->page[0], 0, PAGE_SIZE, DMA_TO_DEVICE);
		ktap_expect_warn(t, "unmap of what is not mapped [resource");
		dma_unmap_resource(bed->dev, page, PAGE_SIZE, DMA_TO_DEVICE, 0);
		dma_unmap_page(bed->dev, page, PAGE_SIZE, DMA_TO_DEVICE);
		if (reaches(type)) {
			addr = dma_map_resource(bed->dev, dma_window_start(window), PAGE_SIZE,
						DMA_TO_DEVICE, 0);
			sg_init_table(&sg, 1);
			sg_set_page(&sg, bed->page[0], PAGE_SIZE, 0);
			sg_dma_address(&sg) = addr;
			ktap_expect_warn(t, "unmap of what is not mapped [address");
			dma_unmap_sg(bed->dev, &sg, 1, DMA_TO_DEVICE);
			dma_unmap_resource(bed->dev, addr, PAGE_SIZE, DMA_TO_DEVICE, 0);
		}
		bed_down(bed);
	}
}

static void a_removed_device_maps_no_resource(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		struct device *leaver = machine_add_device(bed->machine, "leaver", type->coherent);
		struct dma_window *window = dma_window_create(bed->dev, WINDOW_BYTES);

		get_device(leaver);
		machine_remove_device(leaver);
		if (reaches(type)) {
			ktap_expect_warn(t, "device leaver has been removed");
			KT_EQ(t,
			      dma_map_resource(leaver, dma_window_start(window), PAGE_SIZE,
					       DMA_TO_DEVICE, 0),
			      DMA_MAPPING_ERROR);
		}
		put_device(leaver);
		bed_down(bed);
	}
}

KTAP_MAIN(KTAP_CASE(peers_and_cpu_see_one_memory), KTAP_CASE(where_nobody_answers),
	  KTAP_CASE(windows_are_apart), KTAP_CASE(broken_rules_warn),
	  KTAP_CASE(each_failing_allocation_is_undone), KTAP_CASE(every_window_answers_for_itself),
	  KTAP_CASE(addresses_of_windows_end), KTAP_CASE(resources_are_beside_memory),
	  KTAP_CASE(resources_and_pages_at_one_address),
	  KTAP_CASE(a_removed_device_maps_no_resource))
