/* SPDX-License-Identifier: MIT */
/*
 * refusals-test.c - devices of no machine, lists of no memory, directions that are none: each call
 * says so, answers with its error and changes nothing
 */
#include <linux/pci-p2pdma.h>
#include "dma/fault.h"
#include "dma/test-bed.h"
#include "dma/window.h"

static const char *const nobodys = "device stranger belongs to no machine";

static void mapping_for_no_machine(struct ktap *t)
{
	struct bed *bed = bed_up(t, machine_type_find("arm"), 0);
	struct device stranger = { .init_name = "stranger" };
	dma_addr_t addr;

	KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0), 0);
	addr = sg_dma_address(bed->sgt.sgl);

	ktap_expect_warn(t, "device NULL belongs to no machine");
	KT_EQ(t, dma_map_sgtable(NULL, &bed->sgt, DMA_TO_DEVICE, 0), -EINVAL);
	ktap_expect_warn(t, nobodys);
	KT_EQ(t, dma_map_sg(&stranger, bed->sgt.sgl, BED_PAGES, DMA_TO_DEVICE), 0);
	ktap_expect_warn(t, nobodys);
	dma_unmap_sg(&stranger, bed->sgt.sgl, BED_PAGES, DMA_TO_DEVICE);
	ktap_expect_warn(t, nobodys);
	KT_EQ(t, dma_map_page(&stranger, bed->page[0], 0, 1, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	ktap_expect_warn(t, nobodys);
	dma_unmap_page(&stranger, addr, PAGE_SIZE, DMA_TO_DEVICE);
	ktap_expect_warn(t, nobodys);
	KT_EQ(t, dma_map_resource(&stranger, WINDOW_BASE, 1, DMA_TO_DEVICE, 0), DMA_MAPPING_ERROR);
	ktap_expect_warn(t, nobodys);
	dma_unmap_resource(&stranger, addr, PAGE_SIZE, DMA_TO_DEVICE, 0);
	ktap_expect_warn(t, nobodys);
	KT_EQ(t, dma_table_widen(&stranger, &bed->sgt, DMA_TO_DEVICE, DMA_BIDIRECTIONAL), -EINVAL);

	/* what is mapped for another is as it was */
	KT_EQ(t, dma_engine_read(bed->dev, &bed->sgt, 0, bed->scratch, BED_BYTES), 0);
	dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0);
	bed_down(bed);
}

static void syncs_for_no_machine(struct ktap *t)
{
	struct bed *bed = bed_up(t, machine_type_find("arm"), 0);
	struct device stranger = { .init_name = "stranger" };
	struct dma_costs before, delta;
	size_t len = 1;

	KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_BIDIRECTIONAL, 0), 0);
	dma_cost_read(&before);
	ktap_expect_warn(t, nobodys);
	dma_sync_sgtable_for_cpu(&stranger, &bed->sgt, DMA_BIDIRECTIONAL);
	ktap_expect_warn(t, nobodys);
	dma_sync_single_for_cpu(&stranger, sg_dma_address(bed->sgt.sgl), 64, DMA_BIDIRECTIONAL);
	ktap_expect_warn(t, nobodys);
	dma_sync_single_for_device(&stranger, sg_dma_address(bed->sgt.sgl), 64, DMA_BIDIRECTIONAL);
	ktap_expect_warn(t, nobodys);
	dma_table_sync(&stranger, &bed->sgt, 0, BED_BYTES, DMA_TABLE_CLEAN);
	ktap_expect_warn(t, nobodys);
	KT_CHECK(t, !dma_table_bounce(&stranger, &bed->sgt, 0, &len));
	KT_EQ(t, len, 0);
	dma_cost_since(&before, &delta);
	KT_EQ(t, delta.count[DMA_COST_BYTES_CLEANED] + delta.count[DMA_COST_BYTES_INVALIDATED], 0);
	dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_BIDIRECTIONAL, 0);
	bed_down(bed);
}

static void questions_of_no_machine(struct ktap *t)
{
	struct bed *bed = bed_up(t, machine_type_find("pc"), 0);
	struct dma_window *window = dma_window_create(bed->dev, PAGE_SIZE);
	struct device stranger = { .init_name = "stranger" };
	struct dma_engine_stats stats;
	dma_addr_t addr = 5;
	u8 byte = 7;

	ktap_expect_warn(t, nobodys);
	KT_EQ(t, dma_set_mask(&stranger, DMA_BIT_MASK(64)), -EIO);
	ktap_expect_warn(t, nobodys);
	KT_EQ(t, dma_set_coherent_mask(&stranger, DMA_BIT_MASK(64)), -EIO);
	ktap_expect_warn(t, nobodys);
	KT_EQ(t, dma_device_domain(&stranger), DMA_DOMAIN_CACHES);
	ktap_expect_warn(t, nobodys);
	KT_CHECK(t, !dma_alloc_coherent(&stranger, PAGE_SIZE, &addr, GFP_KERNEL));
	KT_EQ(t, addr, DMA_MAPPING_ERROR);
	ktap_expect_warn(t, nobodys);
	dma_free_coherent(&stranger, PAGE_SIZE, &byte, 0);
	ktap_expect_warn(t, nobodys);
	KT_EQ(t, dma_engine_read(&stranger, &bed->sgt, 0, &byte, 1), -EINVAL);
	KT_EQ(t, byte, 7);
	memset(&stats, 1, sizeof(stats));
	ktap_expect_warn(t, nobodys);
	dma_engine_stats(&stranger, &stats);
	KT_EQ(t, stats.bytes_read + stats.bytes_written + stats.faults, 0);
	ktap_expect_warn(t, nobodys);
	dma_fault_skip_sync(&stranger, 1);
	ktap_expect_warn(t, nobodys);
	KT_EQ(t, dma_fault_skipped(&stranger), 0);
	ktap_expect_warn(t, nobodys);
	KT_EQ(t, PTR_ERR(dma_window_create(&stranger, PAGE_SIZE)), -EINVAL);
	ktap_expect_warn(t, nobodys);
	KT_EQ(t, pci_p2pdma_map_type(dma_window_provider(window), &stranger),
	      PCI_P2PDMA_MAP_NOT_SUPPORTED);
	ktap_expect_warn(t, nobodys);
	machine_remove_device(&stranger);
	bed_down(bed);
}

static void machines_of_nothing(struct ktap *t)
{
	struct machine *machine = machine_create(machine_type_find("arm"), 0);

	ktap_expect_warn(t, "type");
	KT_EQ(t, PTR_ERR(machine_create(NULL, 0)), -EINVAL);
	ktap_expect_warn(t, "machine");
	KT_EQ(t, PTR_ERR(machine_add_device(NULL, "d", true)), -EINVAL);
	ktap_expect_warn(t, "name");
	KT_EQ(t, PTR_ERR(machine_add_device(machine, NULL, true)), -EINVAL);
	/* what a failed call returned may be given back */
	machine_remove_device(ERR_PTR(-ENOMEM));
	machine_remove_device(NULL);
	machine_destroy(NULL);
	machine_destroy(machine);
}

static void lists_of_no_memory(struct ktap *t)
{
	for (int iommu = 0; iommu < 2; iommu++) {
		struct bed *bed = bed_up(t, machine_type_find(iommu ? "arm" : "arm-direct"), 0);
		struct scatterlist sg[2];

		ktap_expect_warn(t, "an empty list is mapped");
		KT_EQ(t, dma_map_sg(bed->dev, bed->sgt.sgl, 0, DMA_TO_DEVICE), 0);
		ktap_expect_warn(t, "an empty list is mapped");
		KT_EQ(t, dma_map_sg(bed->dev, NULL, 1, DMA_TO_DEVICE), 0);
		ktap_expect_warn(t, "an empty list is unmapped");
		dma_unmap_sg(bed->dev, bed->sgt.sgl, -1, DMA_TO_DEVICE);
		ktap_expect_warn(t, "an empty list is unmapped");
		dma_unmap_sg(bed->dev, NULL, 1, DMA_TO_DEVICE);

		sg_init_table(sg, 2);
		sg_set_page(&sg[0], bed->page[0], PAGE_SIZE, 0);
		ktap_expect_warn(t, "entry 1 of 2 is empty");
		KT_EQ(t, dma_map_sg(bed->dev, sg, 2, DMA_TO_DEVICE), 0);
		sg[1].length = 5;
		ktap_expect_warn(t, "entry 1 of 2 is no memory of the page allocator");
		KT_EQ(t, dma_map_sg(bed->dev, sg, 2, DMA_TO_DEVICE), 0);
		sg_set_page(&sg[1], bed->page[1], PAGE_SIZE, 0);
		ktap_expect_warn(t, "entry 2 of 3 is missing");
		KT_EQ(t, dma_map_sg(bed->dev, sg, 3, DMA_TO_DEVICE), 0);
		ktap_expect_warn(t, "entry 2 of 3 is missing");
		dma_sync_sg_for_cpu(bed->dev, sg, 3, DMA_FROM_DEVICE);
		/* nothing of it was mapped: the device goes without a WARN */
		bed_down(bed);
	}
}

static void sizes_that_are_none(struct ktap *t)
{
	struct bed *bed = bed_up(t, machine_type_find("pc"), 0);
	dma_addr_t addr = dma_map_page(bed->dev, bed->page[0], 0, PAGE_SIZE, DMA_TO_DEVICE);

	ktap_expect_warn(t, "UINT_MAX");
	KT_EQ(t, dma_map_page(bed->dev, bed->page[0], 0, 1ULL << 32, DMA_TO_DEVICE),
	      DMA_MAPPING_ERROR);
	ktap_expect_warn(t, "UINT_MAX");
	KT_EQ(t, dma_map_page(bed->dev, bed->page[0], 1ULL << 32, 1, DMA_TO_DEVICE),
	      DMA_MAPPING_ERROR);
	ktap_expect_warn(t, "unmap of what is not mapped");
	dma_unmap_page(bed->dev, addr, 0, DMA_TO_DEVICE);
	ktap_expect_warn(t, "unmap of what is not mapped");
	dma_unmap_page(bed->dev, addr + PAGE_SIZE, PAGE_SIZE, DMA_TO_DEVICE);
	dma_unmap_page(bed->dev, addr, PAGE_SIZE, DMA_TO_DEVICE);
	bed_down(bed);
}

static void directions_that_are_none(struct ktap *t)
{
	struct bed *bed = bed_up(t, machine_type_find("arm"), 0);
	const enum dma_data_direction wrong = 9;
	dma_addr_t addr;

	KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0), 0);
	addr = sg_dma_address(bed->sgt.sgl);
	ktap_expect_warn(t, "direction invalid is not a mapping's");
	KT_EQ(t, dma_map_page(bed->dev, bed->page[0], 0, 1, wrong), DMA_MAPPING_ERROR);
	ktap_expect_warn(t, "direction invalid is not a mapping's");
	dma_sync_sgtable_for_cpu(bed->dev, &bed->sgt, wrong);
	ktap_expect_warn(t, "direction NONE is not a mapping's");
	dma_sync_single_for_cpu(bed->dev, addr, 64, DMA_NONE);
	ktap_expect_warn(t, "direction NONE is not a mapping's");
	dma_sync_single_for_device(bed->dev, addr, 64, DMA_NONE);
	ktap_expect_warn(t, "direction NONE is not a mapping's");
	dma_unmap_resource(bed->dev, addr, PAGE_SIZE, DMA_NONE, 0);
	ktap_expect_warn(t, "direction NONE is not a mapping's");
	KT_EQ(t, dma_table_widen(bed->dev, &bed->sgt, DMA_NONE, DMA_TO_DEVICE), -EINVAL);
	ktap_expect_warn(t, "direction NONE is not a mapping's");
	KT_EQ(t, dma_table_widen(bed->dev, &bed->sgt, DMA_TO_DEVICE, DMA_NONE), -EINVAL);
	dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0);
	bed_down(bed);
}

/* Memory that was not allocated for DMA is not freed as such. */
static void frees_of_device_memory(struct ktap *t)
{
	struct bed *bed = bed_up(t, machine_type_find("arm"), 0);
	struct dma_window *window = dma_window_create(bed->dev, PAGE_SIZE);
	void *iomem = (void __force *)dma_window_iomem(window);
	dma_addr_t addr = dma_map_resource(bed->dev, dma_window_start(window), PAGE_SIZE,
					   DMA_BIDIRECTIONAL, 0);

	ktap_expect_warn(t, "free of what was not allocated");
	dma_free_coherent(bed->dev, PAGE_SIZE, iomem, addr);
	dma_unmap_resource(bed->dev, addr, PAGE_SIZE, DMA_BIDIRECTIONAL, 0);

	/* nor is what a list maps, nor more bytes than were */
	KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_BIDIRECTIONAL, 0), 0);
	ktap_expect_warn(t, "free of what was not allocated");
	dma_free_coherent(bed->dev, PAGE_SIZE, cache_behind(page_to_phys(bed->page[0])),
			  sg_dma_address(bed->sgt.sgl));
	dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_BIDIRECTIONAL, 0);
	addr = dma_map_page(bed->dev, bed->page[0], 0, PAGE_SIZE, DMA_BIDIRECTIONAL);
	ktap_expect_warn(t, "free of what was not allocated");
	dma_free_coherent(bed->dev, 2 * PAGE_SIZE, cache_behind(page_to_phys(bed->page[0])), addr);
	dma_unmap_page(bed->dev, addr, PAGE_SIZE, DMA_BIDIRECTIONAL);
	bed_down(bed);
}

static void memory_outside_the_arena(struct ktap *t)
{
	struct bed *bed = bed_up(t, machine_type_find("arm"), 0);

	ktap_expect_warn(t, "host_phys_valid");
	cache_maintain(0, CACHE_LINE_BYTES, DMA_TABLE_CLEAN);
	ktap_expect_warn(t, "host_phys_valid");
	KT_CHECK(t, !cache_behind(0));
	bed_down(bed);
}

KTAP_MAIN(KTAP_CASE(mapping_for_no_machine), KTAP_CASE(syncs_for_no_machine),
	  KTAP_CASE(questions_of_no_machine), KTAP_CASE(machines_of_nothing),
	  KTAP_CASE(lists_of_no_memory), KTAP_CASE(sizes_that_are_none),
	  KTAP_CASE(directions_that_are_none), KTAP_CASE(frees_of_device_memory),
	  KTAP_CASE(memory_outside_the_arena))
