/* SPDX-License-Identifier: MIT */
/*
 * map-test.c - what map, unmap and sync move, on every machine, and what happens without them
 */
#include "dma/fault.h"
#include "dma/test-bed.h"
#include "host/port.h"

static const enum dma_data_direction all_dirs[] = { DMA_BIDIRECTIONAL, DMA_TO_DEVICE,
						    DMA_FROM_DEVICE };

static void device_reads_what_the_cpu_wrote(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);

		bed_cpu_writes(bed, 1);
		KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0), 0);
		KT_EQ(t, bed_device_differs(bed), BED_BYTES);
		dma_sync_sgtable_for_cpu(bed->dev, &bed->sgt, DMA_TO_DEVICE);
		bed_cpu_writes(bed, 2);
		dma_sync_sgtable_for_device(bed->dev, &bed->sgt, DMA_TO_DEVICE);
		KT_EQ(t, bed_device_differs(bed), BED_BYTES);
		dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0);
		KT_EQ(t, bed_cpu_differs(bed), BED_BYTES);
		bed_down(bed);
	}
}

static void cpu_reads_what_the_device_wrote(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);

		bed_cpu_writes(bed, 1);
		KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_FROM_DEVICE, 0), 0);
		KT_EQ(t, bed_device_writes(bed, 3), 0);
		dma_sync_sgtable_for_cpu(bed->dev, &bed->sgt, DMA_FROM_DEVICE);
		KT_EQ(t, bed_cpu_differs(bed), BED_BYTES);
		dma_sync_sgtable_for_device(bed->dev, &bed->sgt, DMA_FROM_DEVICE);
		KT_EQ(t, bed_device_writes(bed, 4), 0);
		dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_FROM_DEVICE, 0);
		KT_EQ(t, bed_cpu_differs(bed), BED_BYTES);
		bed_down(bed);
	}
}

/*
 * What the device does not write must survive: the map copies in, or cleans, for FROM_DEVICE too.
 */
static void partial_write_keeps_the_rest(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);

		bed_cpu_writes(bed, 5);
		KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_FROM_DEVICE, 0), 0);
		memset(bed->expected + 100, 0xee, 5000);
		KT_EQ(t, dma_engine_write(bed->dev, &bed->sgt, 100, bed->expected + 100, 5000), 0);
		dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_FROM_DEVICE, 0);
		KT_EQ(t, bed_cpu_differs(bed), BED_BYTES);
		bed_down(bed);
	}
}

static void missing_clean_shows(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		bool snoops = type_domain(type) == DMA_DOMAIN_CACHES;
		struct bed *bed = bed_up(t, type, 0);

		bed_cpu_writes(bed, 1);
		KT_EQ(t,
		      dma_map_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, DMA_ATTR_SKIP_CPU_SYNC),
		      0);
		KT_EQ(t, bed_device_differs(bed) == BED_BYTES, snoops);
		dma_sync_sgtable_for_device(bed->dev, &bed->sgt, DMA_TO_DEVICE);
		KT_EQ(t, bed_device_differs(bed), BED_BYTES);
		bed_cpu_writes(bed, 2);
		KT_EQ(t, bed_device_differs(bed) == BED_BYTES, snoops);
		dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0);
		bed_down(bed);
	}
}

static void missing_invalidate_shows(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		bool snoops = type_domain(type) == DMA_DOMAIN_CACHES;
		struct bed *bed = bed_up(t, type, 0);

		bed_cpu_writes(bed, 1);
		KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_FROM_DEVICE, 0), 0);
		KT_EQ(t, bed_device_writes(bed, 2), 0);
		KT_EQ(t, bed_cpu_differs(bed) == BED_BYTES, snoops);
		dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_FROM_DEVICE, DMA_ATTR_SKIP_CPU_SYNC);
		KT_EQ(t, bed_cpu_differs(bed) == BED_BYTES, snoops);
		bed_down(bed);
	}
}

struct moved {
	u64 cleaned, invalidated, bounced;
};

static struct moved moved_since(const struct dma_costs *before)
{
	struct dma_costs delta;

	dma_cost_since(before, &delta);
	return (struct moved){ delta.count[DMA_COST_BYTES_CLEANED],
			       delta.count[DMA_COST_BYTES_INVALIDATED],
			       delta.count[DMA_COST_BYTES_BOUNCED] };
}

/* The table at the top of linux/dma-mapping.h, cell by cell. */
static void each_call_moves_what_the_table_says(struct ktap *t)
{
	const struct machine_type *type;
	unsigned int d;

	for_each_machine(type)
	{
		enum dma_domain domain = type_domain(type);
		bool m = domain == DMA_DOMAIN_MEMORY, b = domain == DMA_DOMAIN_BOUNCE;
		struct bed *bed = bed_up(t, type, 0);

		KT_EQ(t, dma_device_domain(bed->dev), domain);
		for (d = 0; d < 3; d++) {
			enum dma_data_direction dir = all_dirs[d];
			bool out = dir != DMA_FROM_DEVICE, in = dir != DMA_TO_DEVICE;
			struct dma_costs before;
			struct moved moved;

			dma_cost_read(&before);
			KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, dir, 0), 0);
			moved = moved_since(&before);
			KT_EQ(t, moved.cleaned, m ? BED_BYTES : 0);
			KT_EQ(t, moved.invalidated, 0);
			KT_EQ(t, moved.bounced, b ? BED_BYTES : 0);

			dma_cost_read(&before);
			dma_sync_sgtable_for_device(bed->dev, &bed->sgt, dir);
			moved = moved_since(&before);
			KT_EQ(t, moved.cleaned, m ? BED_BYTES : 0);
			KT_EQ(t, moved.invalidated, 0);
			KT_EQ(t, moved.bounced, b && out ? BED_BYTES : 0);

			dma_cost_read(&before);
			dma_sync_sgtable_for_cpu(bed->dev, &bed->sgt, dir);
			moved = moved_since(&before);
			KT_EQ(t, moved.cleaned, 0);
			KT_EQ(t, moved.invalidated, m && in ? BED_BYTES : 0);
			KT_EQ(t, moved.bounced, b && in ? BED_BYTES : 0);

			dma_cost_read(&before);
			dma_unmap_sgtable(bed->dev, &bed->sgt, dir, 0);
			moved = moved_since(&before);
			KT_EQ(t, moved.cleaned, 0);
			KT_EQ(t, moved.invalidated, m && in ? BED_BYTES : 0);
			KT_EQ(t, moved.bounced, b && in ? BED_BYTES : 0);
		}
		bed_down(bed);
	}
}

static void owned_tables_move_nothing(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		struct dma_costs before, delta;
		struct moved moved;

		bed_cpu_writes(bed, 1);
		dma_cost_read(&before);
		dma_owned_begin();
		KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_BIDIRECTIONAL, 0), 0);
		dma_owned_end();
		KT_EQ(t, bed_device_writes(bed, 2), 0);
		bed_cpu_writes(bed, 3);
		dma_owned_begin();
		dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_BIDIRECTIONAL, 0);
		dma_owned_end();
		moved = moved_since(&before);
		KT_EQ(t, moved.cleaned + moved.invalidated + moved.bounced, 0);
		dma_cost_since(&before, &delta);
		KT_EQ(t, delta.count[DMA_COST_SG_ENTRIES], BED_PAGES);
		KT_EQ(t, delta.count[DMA_COST_IOMMU_WRITES], type->iommu ? 2 * BED_PAGES : 0);
		KT_EQ(t, delta.count[DMA_COST_TLB_INVALIDATIONS], type->iommu ? 1 : 0);
		/* the newest bytes, the CPU's, survived the unmap */
		KT_EQ(t, bed_cpu_differs(bed), BED_BYTES);
		bed_down(bed);
	}
}

static void ownership_does_not_nest(struct ktap *t)
{
	ktap_expect_warn(t, "does not nest");
	dma_owned_begin();
	dma_owned_begin();
	dma_owned_end();
	ktap_expect_warn(t, "without dma_owned_begin");
	dma_owned_end();
}

/*
 * A random program that keeps the rules, beside flat memory, while the hardware evicts and fetches.
 */
static void adversary_never_breaks_a_right_program(struct ktap *t)
{
	unsigned int rounds = ktap_long ? 2000 : 60, round;
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);

		bed_cpu_writes(bed, 0);
		port_random_seed(7);
		for (round = 0; round < rounds; round++) {
			enum dma_data_direction dir = all_dirs[port_random() % 3];
			size_t at = port_random() % BED_BYTES,
			       len = port_random() % (BED_BYTES - at);

			cache_adversary(port_random() | 1);
			KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, dir, 0), 0);
			if (dir != DMA_FROM_DEVICE)
				KT_EQ(t, bed_device_differs(bed), BED_BYTES);
			if (dir != DMA_TO_DEVICE) {
				memset(bed->expected + at, round, len);
				KT_EQ(t,
				      dma_engine_write(bed->dev, &bed->sgt, at, bed->expected + at,
						       len),
				      0);
				dma_sync_sgtable_for_cpu(bed->dev, &bed->sgt, dir);
				KT_EQ(t, bed_cpu_differs(bed), BED_BYTES);
			}
			dma_unmap_sgtable(bed->dev, &bed->sgt, dir, 0);
			KT_EQ(t, bed_cpu_differs(bed), BED_BYTES);
			bed_cpu_writes(bed, round);
		}
		cache_adversary(0);
		bed_down(bed);
	}
}

/* The same seed evicts the same half of the lines: after a missing clean the others are wrong. */
static void adversary_is_repeatable_on(struct ktap *t, const struct machine_type *type)
{
	enum { LINES = BED_BYTES / CACHE_LINE_BYTES };
	struct bed *bed = bed_up(t, type, 0);
	bool wrong[3][LINES];
	unsigned int run, i, at, count = 0;

	for (run = 0; run < 3; run++) {
		bed_cpu_writes(bed, 1);
		KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0), 0);
		bed_cpu_writes(bed, 2);
		cache_adversary(run < 2 ? 42 : 43);
		bed_device_differs(bed);
		cache_adversary(0);
		dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0);
		for (i = 0; i < LINES; i++) {
			at = i * CACHE_LINE_BYTES;
			wrong[run][i] =
				memcmp(bed->scratch + at, bed->expected + at, CACHE_LINE_BYTES);
			count += wrong[run][i];
		}
	}
	KT_CHECK(t, count > 3 * LINES / 10 && count < 3 * LINES * 9 / 10);
	KT_CHECK(t, !memcmp(wrong[0], wrong[1], sizeof(wrong[0])));
	KT_CHECK(t, memcmp(wrong[0], wrong[2], sizeof(wrong[0])) != 0);
	bed_down(bed);
}

static void adversary_is_repeatable(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		if (type_domain(type) == DMA_DOMAIN_MEMORY)
			adversary_is_repeatable_on(t, type);
	}
}

static void swallowed_sync_shows_once(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		bool snoops = type_domain(type) == DMA_DOMAIN_CACHES;
		struct bed *bed = bed_up(t, type, 0);

		bed_cpu_writes(bed, 200);
		KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0), 0);
		bed_cpu_writes(bed, 1);
		dma_fault_skip_sync(bed->dev, 1);
		dma_sync_sgtable_for_device(bed->dev, &bed->sgt, DMA_TO_DEVICE);
		KT_EQ(t, dma_fault_skipped(bed->dev), snoops ? 0 : 1);
		KT_EQ(t, bed_device_differs(bed) == BED_BYTES, snoops);
		dma_sync_sgtable_for_device(bed->dev, &bed->sgt, DMA_TO_DEVICE);
		KT_EQ(t, bed_device_differs(bed), BED_BYTES);
		dma_fault_skip_sync(bed->dev, 0);
		dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0);
		bed_down(bed);
	}
}

static void one_page_and_a_part_of_it(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		u8 *memory = bed_cpu(bed, 0);
		struct scatterlist sg;
		struct sg_table one = { .sgl = &sg, .nents = 1, .orig_nents = 1 };
		dma_addr_t addr;
		u8 got[256];

		memset(memory, 0x11, PAGE_SIZE);
		addr = dma_map_single(bed->dev, memory + 192, 1024, DMA_BIDIRECTIONAL);
		KT_ASSERT(t, !dma_mapping_error(bed->dev, addr));
		KT_CHECK(t, addr != page_to_phys(bed->page[0]) + 192);
		sg_init_table(&sg, 1);
		sg_dma_address(&sg) = addr;
		sg_dma_len(&sg) = 1024;
		memset(memory + 192 + 256, 0x22, 256);
		dma_sync_single_range_for_device(bed->dev, addr, 256, 256, DMA_BIDIRECTIONAL);
		KT_EQ(t, dma_engine_read(bed->dev, &one, 256, got, 256), 0);
		KT_EQ(t, got[0], 0x22);
		KT_EQ(t, got[255], 0x22);
		memset(got, 0x33, sizeof(got));
		KT_EQ(t, dma_engine_write(bed->dev, &one, 512, got, 256), 0);
		dma_sync_single_range_for_cpu(bed->dev, addr, 512, 256, DMA_BIDIRECTIONAL);
		KT_EQ(t, memory[192 + 512], 0x33);
		KT_EQ(t, memory[192 + 767], 0x33);
		KT_EQ(t, memory[192 + 768], 0x11);
		KT_EQ(t, dma_engine_write(bed->dev, &one, 768, got, 256), 0);
		dma_unmap_single(bed->dev, addr, 1024, DMA_BIDIRECTIONAL);
		KT_EQ(t, memory[192 + 1023], 0x33);
		KT_EQ(t, memory[192 + 1024], 0x11);
		bed_down(bed);
	}
}

static void broken_rules_of_map_warn(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		void *foreign = kmalloc(64, GFP_KERNEL);
		struct device stranger = { .init_name = "stranger" };

		ktap_expect_warn(t, "direction NONE is not a mapping's");
		KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_NONE, 0), -EINVAL);
		ktap_expect_warn(t, "no memory of the page allocator");
		KT_EQ(t, dma_map_single(bed->dev, foreign, 64, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
		ktap_expect_warn(t, "belongs to no machine");
		KT_EQ(t, dma_map_sgtable(&stranger, &bed->sgt, DMA_TO_DEVICE, 0), -EINVAL);
		kfree(foreign);
		ktap_expect_warn(t, "unmap of what is not mapped");
		dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0);
		bed_down(bed);
	}
}

static void broken_rules_of_unmap_and_sync_warn(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);

		KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0), 0);
		ktap_expect_warn(t, "unmap of what is not mapped");
		dma_unmap_sg(bed->dev, bed->sgt.sgl, BED_PAGES - 1, DMA_TO_DEVICE);
		ktap_expect_warn(t, "direction NONE is not a mapping's");
		dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_NONE, 0);
		ktap_expect_warn(t, "mapped TO_DEVICE, unmapped FROM_DEVICE");
		dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_FROM_DEVICE, 0);
		ktap_expect_warn(t, "unmap of what is not mapped");
		dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0);
		ktap_expect_warn(t, "sync of a list that is not mapped");
		dma_sync_sgtable_for_cpu(bed->dev, &bed->sgt, DMA_FROM_DEVICE);
		if (type_domain(type) != DMA_DOMAIN_CACHES)
			ktap_expect_warn(t, "sync of an address that is not mapped");
		dma_sync_single_for_cpu(bed->dev, 0x123456000, 64, DMA_FROM_DEVICE);
		bed_down(bed);
	}
}

/* For every k: either all is mapped, or -ENOMEM and everything is as before. */
static void each_failing_allocation_is_undone(struct ktap *t)
{
	const struct machine_type *type;
	unsigned int k, failed;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, BED_BYTES);
		int err;

		for (k = 1, failed = 0;; k++) {
			bool asked;

			port_fail_nth(PORT_FAULT_ALLOC, k);
			err = dma_map_sgtable(bed->dev, &bed->sgt, DMA_BIDIRECTIONAL, 0);
			asked = port_fault_count(PORT_FAULT_ALLOC) >= k;
			port_fail_nth(PORT_FAULT_ALLOC, 0);
			if (!err) {
				KT_EQ(t, bed_device_writes(bed, k), 0);
				dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_BIDIRECTIONAL, 0);
				KT_EQ(t, bed_cpu_differs(bed), BED_BYTES);
				if (!asked)
					break;
				continue;
			}
			failed++;
			KT_EQ(t, err, -ENOMEM);
		}
		KT_CHECK(t, failed >= 2);
		/* all slots are free again: the pool is exactly as large as the table */
		KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0), 0);
		dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0);
		bed_down(bed);
	}
}

static void mask_decides_who_bounces(struct ktap *t)
{
	struct bed *bed = bed_up(t, machine_type_find("pc"), 0);

	KT_EQ(t, dma_device_domain(bed->dev), DMA_DOMAIN_CACHES);
	KT_EQ(t, dma_set_mask(bed->dev, DMA_BIT_MASK(24)), -EIO);
	KT_EQ(t, dma_set_mask_and_coherent(bed->dev, DMA_BIT_MASK(32)), 0);
	KT_EQ(t, dma_get_mask(bed->dev), DMA_BIT_MASK(32));
	KT_EQ(t, dma_device_domain(bed->dev), DMA_DOMAIN_BOUNCE);
	bed_cpu_writes(bed, 1);
	KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0), 0);
	KT_CHECK(t, sg_dma_address(bed->sgt.sgl) < 1ULL << 32);
	KT_EQ(t, bed_device_differs(bed), BED_BYTES);
	dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0);
	bed_down(bed);

	/* the machine's bus has 32 lines; a driver that claims more does not get more */
	bed = bed_up(t, machine_type_find("bounce"), 0);
	KT_EQ(t, dma_set_mask(bed->dev, DMA_BIT_MASK(64)), 0);
	KT_EQ(t, dma_device_domain(bed->dev), DMA_DOMAIN_BOUNCE);
	bed_down(bed);
}

/* A list and a page, or lists cut otherwise: on a machine without IOMMU they start at one address. */
static void mappings_at_one_address_are_told_apart(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		struct page *pair = alloc_pages(GFP_KERNEL, 1);
		struct scatterlist one[1], two[2];
		bool direct = !type->iommu && type_domain(type) != DMA_DOMAIN_BOUNCE;
		dma_addr_t addr;

		sg_init_table(one, 1);
		sg_set_page(one, pair, 2 * PAGE_SIZE, 0);
		sg_init_table(two, 2);
		sg_set_page(&two[0], pair, PAGE_SIZE, 0);
		sg_set_page(&two[1], pair + 1, PAGE_SIZE, 0);
		KT_EQ(t, dma_map_sg(bed->dev, one, 1, DMA_TO_DEVICE), 1);
		KT_CHECK(t, dma_map_sg(bed->dev, two, 2, DMA_TO_DEVICE) >= 1);
		addr = dma_map_page(bed->dev, pair, 0, 2 * PAGE_SIZE, DMA_TO_DEVICE);
		KT_EQ(t, dma_mapping_error(bed->dev, addr), 0);
		KT_EQ(t, sg_dma_address(one) == sg_dma_address(two), direct);
		KT_EQ(t, sg_dma_address(one) == addr, direct);
		dma_unmap_sg(bed->dev, one, 1, DMA_TO_DEVICE);
		dma_unmap_sg(bed->dev, two, 2, DMA_TO_DEVICE);
		dma_unmap_page(bed->dev, addr, 2 * PAGE_SIZE, DMA_TO_DEVICE);
		/* each was taken back once, and nothing is left to take back */
		ktap_expect_warn(t, "unmap of what is not mapped");
		dma_unmap_sg(bed->dev, one, 1, DMA_TO_DEVICE);
		__free_pages(pair, 1);
		bed_down(bed);
	}
}

/* What Linux assumes of a device whose driver said nothing. */
static void limits_of_a_device_that_has_none(struct ktap *t)
{
	struct device_dma_parameters parms = {};
	struct device dev = {};
	u64 mask = 0;

	KT_EQ(t, dma_get_mask(&dev), DMA_BIT_MASK(32));
	KT_EQ(t, dma_get_max_seg_size(&dev), 1 << 16);
	KT_EQ(t, dma_get_seg_boundary(&dev), UINT_MAX);
	KT_EQ(t, dma_set_max_seg_size(&dev, 1 << 20), -EIO);
	KT_EQ(t, dma_set_seg_boundary(&dev, 0xffff), -EIO);
	dev.dma_mask = &mask;
	dev.dma_parms = &parms;
	KT_EQ(t, dma_get_mask(&dev), DMA_BIT_MASK(32));
	KT_EQ(t, dma_get_max_seg_size(&dev), 1 << 16);
	KT_EQ(t, dma_set_max_seg_size(&dev, 1 << 20), 0);
	KT_EQ(t, dma_set_seg_boundary(&dev, 0xffff), 0);
	KT_EQ(t, dma_get_max_seg_size(&dev), 1 << 20);
	KT_EQ(t, dma_get_seg_boundary(&dev), 0xffff);
}

/* A mask that not even bounce slots are below is refused, and the one before stays. */
static void a_mask_below_all_slots_is_refused(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		u64 before = dma_get_mask(bed->dev), coherent = bed->dev->coherent_dma_mask;

		KT_EQ(t, dma_set_mask(bed->dev, DMA_BIT_MASK(24)), -EIO);
		KT_EQ(t, dma_set_coherent_mask(bed->dev, DMA_BIT_MASK(24)), -EIO);
		KT_EQ(t, dma_set_mask_and_coherent(bed->dev, DMA_BIT_MASK(24)), -EIO);
		KT_EQ(t, dma_get_mask(bed->dev), before);
		KT_EQ(t, bed->dev->coherent_dma_mask, coherent);
		bed_down(bed);
	}
}

/* A table that nobody mapped, or whose mapping nobody noted in it, has no slots to ask for. */
static void what_was_not_mapped_is_not_bounced(struct ktap *t)
{
	struct bed *bed = bed_up(t, machine_type_find("bounce"), 0);
	size_t len = 1;

	KT_CHECK(t, !dma_table_bounce(bed->dev, &bed->sgt, 0, &len));
	KT_EQ(t, len, 0);
	bed->sgt.nents = 0;
	len = 1;
	KT_CHECK(t, !dma_table_bounce(bed->dev, &bed->sgt, 0, &len));
	KT_EQ(t, len, 0);
	KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0), 0);
	KT_CHECK(t, dma_table_bounce(bed->dev, &bed->sgt, 0, &len));
	dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0);
	bed_down(bed);
}

/* A table may stand for the first entries of a longer list: it ends where it says. */
static void a_sync_ends_where_the_table_does(struct ktap *t)
{
	struct bed *bed = bed_up(t, machine_type_find("arm"), 0);
	struct sg_table part = { .sgl = bed->sgt.sgl, .nents = 2, .orig_nents = 2 };
	struct sg_table none = { .sgl = bed->sgt.sgl };
	struct scatterlist bare;
	struct dma_costs before;

	KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0), 0);
	dma_cost_read(&before);
	dma_table_sync(bed->dev, &part, 0, 0, DMA_TABLE_CLEAN);
	dma_table_sync(bed->dev, &none, 0, PAGE_SIZE, DMA_TABLE_CLEAN);
	/* a table without pages is device memory, which nobody caches */
	sg_init_table(&bare, 1);
	none.sgl = &bare;
	none.orig_nents = 1;
	dma_table_sync(bed->dev, &none, 0, PAGE_SIZE, DMA_TABLE_CLEAN);
	KT_EQ(t, moved_since(&before).cleaned, 0);
	dma_table_sync(bed->dev, &part, PAGE_SIZE, PAGE_SIZE, DMA_TABLE_CLEAN);
	KT_EQ(t, moved_since(&before).cleaned, PAGE_SIZE);
	ktap_expect_warn(t, "sync of 64 bytes past the end of a table");
	dma_table_sync(bed->dev, &part, PAGE_SIZE, PAGE_SIZE + 64, DMA_TABLE_CLEAN);
	KT_EQ(t, moved_since(&before).cleaned, 2 * PAGE_SIZE);
	dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0);
	bed_down(bed);
}

KTAP_MAIN(KTAP_CASE(device_reads_what_the_cpu_wrote), KTAP_CASE(cpu_reads_what_the_device_wrote),
	  KTAP_CASE(partial_write_keeps_the_rest), KTAP_CASE(missing_clean_shows),
	  KTAP_CASE(missing_invalidate_shows), KTAP_CASE(each_call_moves_what_the_table_says),
	  KTAP_CASE(owned_tables_move_nothing), KTAP_CASE(ownership_does_not_nest),
	  KTAP_CASE(adversary_never_breaks_a_right_program), KTAP_CASE(adversary_is_repeatable),
	  KTAP_CASE(swallowed_sync_shows_once), KTAP_CASE(one_page_and_a_part_of_it),
	  KTAP_CASE(broken_rules_of_map_warn), KTAP_CASE(broken_rules_of_unmap_and_sync_warn),
	  KTAP_CASE(each_failing_allocation_is_undone), KTAP_CASE(mask_decides_who_bounces),
	  KTAP_CASE(mappings_at_one_address_are_told_apart),
	  KTAP_CASE(limits_of_a_device_that_has_none), KTAP_CASE(a_mask_below_all_slots_is_refused),
	  KTAP_CASE(what_was_not_mapped_is_not_bounced),
	  KTAP_CASE(a_sync_ends_where_the_table_does))
