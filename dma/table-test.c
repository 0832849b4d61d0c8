/* SPDX-License-Identifier: MIT */
/*
 * table-test.c - parts of tables: bounce slots and ranged cache operations; and the end of devices
 * and machines
 */
#include "dma/cost.h"
#include "dma/test-bed.h"
#include "dma/fault.h"
#include "host/port.h"

static void slots_are_finite(struct ktap *t)
{
	struct bed *bed = bed_up(t, machine_type_find("bounce"), BED_BYTES + PAGE_SIZE);
	struct page *page = alloc_pages(GFP_KERNEL, 1);
	struct dma_costs before, delta;
	dma_addr_t addr;

	dma_cost_read(&before);
	KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_FROM_DEVICE, 0), 0);
	/* one slot is left, two pages need two neighbours */
	addr = dma_map_page(bed->dev, page, 0, 2 * PAGE_SIZE, DMA_FROM_DEVICE);
	KT_EQ(t, dma_mapping_error(bed->dev, addr), -ENOMEM);
	addr = dma_map_page(bed->dev, page, 0, PAGE_SIZE, DMA_FROM_DEVICE);
	KT_EQ(t, dma_mapping_error(bed->dev, addr), 0);
	dma_unmap_page(bed->dev, addr, PAGE_SIZE, DMA_FROM_DEVICE);
	dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_FROM_DEVICE, 0);
	dma_cost_since(&before, &delta);
	KT_EQ(t, delta.count[DMA_COST_BYTES_BOUNCED], 2 * (BED_BYTES + PAGE_SIZE));
	KT_EQ(t, delta.count[DMA_COST_SG_ENTRIES], BED_PAGES + 1);
	__free_pages(page, 1);
	bed_down(bed);
}

/* A table that fails half-way leaves no slot behind and has moved nothing. */
static void a_table_too_large_is_undone(struct ktap *t)
{
	struct bed *bed = bed_up(t, machine_type_find("bounce"), BED_BYTES - PAGE_SIZE);
	struct dma_costs before, delta;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		dma_cost_read(&before);
		KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0), -ENOMEM);
		dma_cost_since(&before, &delta);
		KT_EQ(t, delta.count[DMA_COST_BYTES_BOUNCED], 0);
		KT_EQ(t, delta.count[DMA_COST_SG_ENTRIES], 0);
		KT_EQ(t, dma_map_sg(bed->dev, bed->sgt.sgl, BED_PAGES - 1, DMA_TO_DEVICE),
		      BED_PAGES - 1);
		dma_unmap_sg(bed->dev, bed->sgt.sgl, BED_PAGES - 1, DMA_TO_DEVICE);
	}
	bed_down(bed);
}

static void slot_bytes_are_the_devices(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		size_t len, offset, pieces = 0;
		u8 *slot;

		bed_cpu_writes(bed, 1);
		KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_BIDIRECTIONAL, 0), 0);
		if (type_domain(type) != DMA_DOMAIN_BOUNCE) {
			len = 1;
			KT_CHECK(t, !dma_table_bounce(bed->dev, &bed->sgt, 0, &len));
			KT_EQ(t, len, 0);
		} else {
			for (offset = 0; offset < BED_BYTES; offset += len, pieces++) {
				slot = dma_table_bounce(bed->dev, &bed->sgt, offset, &len);
				KT_ASSERT(t, slot && len);
				KT_CHECK(t, !memcmp(slot, bed->expected + offset, len));
			}
			KT_EQ(t, pieces, 1); /* a fresh pool gives neighbours */
			slot = dma_table_bounce(bed->dev, &bed->sgt, 5000, &len);
			KT_EQ(t, len, BED_BYTES - 5000);
			*slot = 0xfe;
			KT_EQ(t, dma_engine_read(bed->dev, &bed->sgt, 5000, bed->scratch, 1), 0);
			KT_EQ(t, bed->scratch[0], 0xfe);
			KT_CHECK(t, *bed_cpu(bed, 5000) != 0xfe);
			KT_CHECK(t, !dma_table_bounce(bed->dev, &bed->sgt, BED_BYTES, &len));
			KT_EQ(t, len, 0);
		}
		dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_BIDIRECTIONAL, 0);
		bed_down(bed);
	}
}

static void fragmented_slots_come_in_pieces(struct ktap *t)
{
	struct bed *bed = bed_up(t, machine_type_find("bounce"), 2 * BED_BYTES);
	dma_addr_t addr[2 * BED_PAGES];
	size_t len, offset, pieces;
	unsigned int i;

	for (i = 0; i < 2 * BED_PAGES; i++)
		addr[i] = dma_map_page(bed->dev, bed->page[0], 0, PAGE_SIZE, DMA_TO_DEVICE);
	for (i = 0; i < 2 * BED_PAGES; i += 2)
		dma_unmap_page(bed->dev, addr[i], PAGE_SIZE, DMA_TO_DEVICE);
	bed_cpu_writes(bed, 6);
	KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0), 0);
	KT_EQ(t, bed_device_differs(bed), BED_BYTES);
	for (offset = 0, pieces = 0; offset < BED_BYTES; offset += len, pieces++) {
		KT_ASSERT(t, dma_table_bounce(bed->dev, &bed->sgt, offset, &len));
		KT_EQ(t, len, PAGE_SIZE);
	}
	KT_EQ(t, pieces, BED_PAGES);
	dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0);
	for (i = 1; i < 2 * BED_PAGES; i += 2)
		dma_unmap_page(bed->dev, addr[i], PAGE_SIZE, DMA_TO_DEVICE);
	bed_down(bed);
}

static void owned_slots_stay_as_they_are(struct ktap *t)
{
	struct bed *bed = bed_up(t, machine_type_find("bounce"), 0);
	size_t len;
	u8 *slot;

	bed_cpu_writes(bed, 1);
	dma_owned_begin();
	KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_BIDIRECTIONAL, 0), 0);
	slot = dma_table_bounce(bed->dev, &bed->sgt, 0, &len);
	KT_ASSERT(t, slot);
	KT_CHECK(t, memcmp(slot, bed->expected, len) != 0);
	memset(slot, 0xdd, len);
	dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_BIDIRECTIONAL, 0);
	dma_owned_end();
	KT_EQ(t, bed_cpu_differs(bed), BED_BYTES);
	bed_down(bed);
}

static void ranged_sync_stays_in_its_range(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		u64 moved = type_domain(type) == DMA_DOMAIN_MEMORY;
		struct bed *bed = bed_up(t, type, 0);
		struct dma_costs before, delta;
		u8 got[3];

		bed_cpu_writes(bed, 1);
		KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_BIDIRECTIONAL, 0), 0);
		*bed_cpu(bed, PAGE_SIZE - 1) ^= 0xff;
		*bed_cpu(bed, PAGE_SIZE) ^= 0xff;
		*bed_cpu(bed, PAGE_SIZE + 64) ^= 0xff;
		dma_cost_read(&before);
		dma_table_sync(bed->dev, &bed->sgt, PAGE_SIZE - 1, 2, DMA_TABLE_CLEAN);
		dma_cost_since(&before, &delta);
		KT_EQ(t, delta.count[DMA_COST_BYTES_CLEANED], moved * 2 * CACHE_LINE_BYTES);
		KT_EQ(t, delta.count[DMA_COST_BYTES_BOUNCED], 0);
		if (moved) {
			dma_engine_read(bed->dev, &bed->sgt, PAGE_SIZE - 1, got, 2);
			dma_engine_read(bed->dev, &bed->sgt, PAGE_SIZE + 64, got + 2, 1);
			KT_EQ(t, got[0], *bed_cpu(bed, PAGE_SIZE - 1));
			KT_EQ(t, got[1], *bed_cpu(bed, PAGE_SIZE));
			KT_CHECK(t, got[2] != *bed_cpu(bed, PAGE_SIZE + 64));
		}
		dma_cost_read(&before);
		dma_table_sync(bed->dev, &bed->sgt, 0, BED_BYTES, DMA_TABLE_CLEAN_INVALIDATE);
		dma_cost_since(&before, &delta);
		KT_EQ(t, delta.count[DMA_COST_BYTES_CLEANED], 0);
		KT_EQ(t, delta.count[DMA_COST_BYTES_INVALIDATED], moved * BED_BYTES);
		if (moved) {
			ktap_expect_warn(t, "sync of 1 bytes past the end");
			dma_table_sync(bed->dev, &bed->sgt, BED_BYTES - 1, 2, DMA_TABLE_CLEAN);
			dma_fault_skip_sync(bed->dev, 1);
			dma_table_sync(bed->dev, &bed->sgt, 0, BED_BYTES, DMA_TABLE_CLEAN);
			KT_EQ(t, dma_fault_skipped(bed->dev), 1);
		}
		dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_BIDIRECTIONAL, 0);
		bed_down(bed);
	}
}

/* Devices of both kinds share memory on one machine. */
static void coherent_device_among_others_on(struct ktap *t, const struct machine_type *type)
{
	struct bed *bed = bed_up(t, type, 0);
	struct device *snoops = machine_add_device(bed->machine, "display", true), *other;
	u8 byte = 0;

	KT_ASSERT(t, !IS_ERR(snoops));
	KT_EQ(t, dma_device_domain(snoops), DMA_DOMAIN_CACHES);
	bed_cpu_writes(bed, 1);
	KT_EQ(t, dma_map_sgtable(snoops, &bed->sgt, DMA_TO_DEVICE, DMA_ATTR_SKIP_CPU_SYNC), 0);
	other = bed->dev;
	bed->dev = snoops;
	KT_EQ(t, bed_device_differs(bed), BED_BYTES);
	bed->dev = other;
	/* another device's addresses are nothing to this one */
	KT_EQ(t, dma_engine_read(bed->dev, &bed->sgt, 0, &byte, 1), -EFAULT);
	dma_unmap_sgtable(snoops, &bed->sgt, DMA_TO_DEVICE, 0);
	machine_remove_device(snoops);
	bed_down(bed);
}

static void coherent_device_among_others(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		if (!type->coherent)
			coherent_device_among_others_on(t, type);
	}
}

static void removal_takes_back_and_names_the_device(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, BED_BYTES);
		struct device *leaver = machine_add_device(bed->machine, "leaver", type->coherent);
		u8 byte;

		KT_EQ(t, dma_map_sgtable(leaver, &bed->sgt, DMA_BIDIRECTIONAL, 0), 0);
		get_device(leaver);
		ktap_expect_warn(t, "device leaver goes with 1 mappings");
		machine_remove_device(leaver);
		/* held, but without hands */
		KT_EQ(t, dma_engine_read(leaver, &bed->sgt, 0, &byte, 1), -EFAULT);
		ktap_expect_warn(t, "device leaver has been removed");
		KT_EQ(t, dma_map_sgtable(leaver, &bed->sgt, DMA_TO_DEVICE, 0), -EINVAL);
		/* and what it had is free */
		KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0), 0);
		dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0);
		put_device(leaver);
		bed_down(bed);
	}
}

static void machine_waits_for_its_devices(struct ktap *t)
{
	struct machine *machine = machine_create(machine_type_find("bounce"), 0);
	struct device *dev = machine_add_device(machine, "late", true);

	KT_CHECK(t, machine_type_of(machine) == machine_type_find("bounce"));
	ktap_expect_warn(t, "machine bounce destroyed before 1 of its devices");
	machine_destroy(machine);
	machine_remove_device(dev);
	KT_CHECK(t, !machine_type_find("toaster"));
}

static void creation_fails_cleanly(struct ktap *t)
{
	const struct machine_type *type;
	struct machine *machine;
	struct device *dev;
	unsigned int k;

	KT_EQ(t, PTR_ERR(machine_create(machine_types, 1ULL << 40)), -EINVAL);
	for_each_machine(type)
	{
		for (k = 1; k < 100; k++) {
			port_fail_nth(PORT_FAULT_ALLOC, k);
			machine = machine_create(type, 0);
			port_fail_nth(PORT_FAULT_ALLOC, 0);
			if (!IS_ERR(machine))
				break;
			KT_EQ(t, PTR_ERR(machine), -ENOMEM);
		}
		KT_CHECK(t, k > 2 && k < 100);
		for (k = 1; k < 100; k++) {
			port_fail_nth(PORT_FAULT_ALLOC, k);
			dev = machine_add_device(machine, "d", type->coherent);
			port_fail_nth(PORT_FAULT_ALLOC, 0);
			if (!IS_ERR(dev))
				break;
			KT_EQ(t, PTR_ERR(dev), -ENOMEM);
		}
		KT_CHECK(t, k > 2 && k < 100);
		machine_remove_device(dev);
		machine_destroy(machine);
	}
}

static u64 heard[DMA_COST_NR];

static void hear(enum dma_cost kind, u64 n)
{
	heard[kind] += n;
}

static void who_listens_hears_each_cost(struct ktap *t)
{
	dma_cost_listener = hear;
	dma_cost_add(DMA_COST_SG_ENTRIES, 3);
	dma_cost_add(DMA_COST_RESV_LOCKS, 1);
	dma_cost_listener = NULL;
	dma_cost_add(DMA_COST_SG_ENTRIES, 1);
	KT_EQ(t, heard[DMA_COST_SG_ENTRIES], 3);
	KT_EQ(t, heard[DMA_COST_RESV_LOCKS], 1);
}

static void costs_have_names(struct ktap *t)
{
	unsigned int kind, other;
	struct dma_costs before, delta;

	for (kind = 0; kind < DMA_COST_NR; kind++) {
		KT_ASSERT(t, dma_cost_name(kind));
		for (other = 0; other < kind; other++)
			KT_CHECK(t, strcmp(dma_cost_name(kind), dma_cost_name(other)));
		dma_cost_read(&before);
		dma_cost_add(kind, 1ULL << 40);
		dma_cost_since(&before, &delta);
		for (other = 0; other < DMA_COST_NR; other++)
			KT_EQ(t, delta.count[other], other == kind ? 1ULL << 40 : 0);
	}
	ktap_expect_warn(t, "DMA_COST_NR");
	dma_cost_add(DMA_COST_NR, 1);
	ktap_expect_warn(t, "DMA_COST_NR");
	KT_EQ(t, strcmp(dma_cost_name(DMA_COST_NR), "unknown"), 0);
}

KTAP_MAIN(KTAP_CASE(slots_are_finite), KTAP_CASE(a_table_too_large_is_undone),
	  KTAP_CASE(slot_bytes_are_the_devices), KTAP_CASE(fragmented_slots_come_in_pieces),
	  KTAP_CASE(owned_slots_stay_as_they_are), KTAP_CASE(ranged_sync_stays_in_its_range),
	  KTAP_CASE(coherent_device_among_others),
	  KTAP_CASE(removal_takes_back_and_names_the_device),
	  KTAP_CASE(machine_waits_for_its_devices), KTAP_CASE(creation_fails_cleanly),
	  KTAP_CASE(who_listens_hears_each_cost), KTAP_CASE(costs_have_names))
