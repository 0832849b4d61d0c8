/* SPDX-License-Identifier: MIT */
/*
 * sweep-test.c - machines, devices, and every way to map memory, on every machine, failing at each
 * point
 */
#include <linux/dma-mapping.h>
#include <linux/dma-table.h>
#include <linux/err.h>
#include <linux/scatterlist.h>
#include <linux/string.h>

#include "dma/engine.h"
#include "dma/machine.h"
#include "dma/window.h"
#include "tests/ktap.h"
#include "tests/sweep.h"

#define MACHINES 5
#define PAGES 4
#define BYTES (PAGES * PAGE_SIZE)

struct rig {
	struct machine *machine;
	struct device *dev;
	struct page *page[2 * PAGES]; /* the table has every second one */
	struct sg_table table;
};

static int rig_up(struct rig *rig, unsigned int variant)
{
	const struct machine_type *type = &machine_types[variant];
	struct scatterlist *entry;
	unsigned int i;
	int ret;

	*rig = (struct rig){};
	rig->machine = machine_create(type, 16 * PAGE_SIZE);
	if (IS_ERR(rig->machine))
		return PTR_ERR(rig->machine);
	rig->dev = machine_add_device(rig->machine, "swept", type->coherent);
	if (IS_ERR(rig->dev))
		return PTR_ERR(rig->dev);
	for (i = 0; i < 2 * PAGES; i++) {
		rig->page[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!rig->page[i])
			return -ENOMEM;
	}
	ret = sg_alloc_table(&rig->table, PAGES, GFP_KERNEL);
	if (ret)
		return ret;
	for_each_sgtable_sg(&rig->table, entry, i)
		sg_set_page(entry, rig->page[2 * i + 1], PAGE_SIZE, 0);
	return 0;
}

/* Returns @ret: what went before. */
static int rig_down(struct rig *rig, int ret)
{
	sg_free_table(&rig->table);
	for (int i = 0; i < 2 * PAGES; i++)
		if (rig->page[i])
			__free_page(rig->page[i]);
	machine_remove_device(rig->dev);
	if (!IS_ERR_OR_NULL(rig->machine))
		machine_destroy(rig->machine);
	return ret;
}

/* What the CPU wrote the device reads, and the other way round. */
static int bytes_pass(struct rig *rig)
{
	u8 *last = (u8 *)page_address(rig->page[2 * PAGES - 1]) + PAGE_SIZE - 1, byte = 0;

	*last = 5;
	dma_sync_sgtable_for_device(rig->dev, &rig->table, DMA_BIDIRECTIONAL);
	if (dma_engine_read(rig->dev, &rig->table, BYTES - 1, &byte, 1) || byte != 5)
		return SWEEP_WRONG_BYTES;
	byte = 6;
	if (dma_engine_write(rig->dev, &rig->table, BYTES - 1, &byte, 1))
		return SWEEP_WRONG_BYTES;
	dma_sync_sgtable_for_cpu(rig->dev, &rig->table, DMA_BIDIRECTIONAL);
	return *last == 6 ? 0 : SWEEP_WRONG_BYTES;
}

static int machine_and_device(unsigned int variant)
{
	struct rig rig;

	return rig_down(&rig, rig_up(&rig, variant));
}

static int map_table(unsigned int variant)
{
	struct rig rig;
	int ret = rig_up(&rig, variant);

	if (!ret)
		ret = dma_map_sgtable(rig.dev, &rig.table, DMA_BIDIRECTIONAL, 0);
	if (ret)
		return rig_down(&rig, ret);
	ret = bytes_pass(&rig);
	dma_unmap_sgtable(rig.dev, &rig.table, DMA_BIDIRECTIONAL, 0);
	return rig_down(&rig, ret);
}

static int widen_table(unsigned int variant)
{
	enum dma_data_direction dir = DMA_TO_DEVICE;
	struct rig rig;
	int ret = rig_up(&rig, variant);

	if (!ret)
		ret = dma_map_sgtable(rig.dev, &rig.table, dir, 0);
	if (ret)
		return rig_down(&rig, ret);
	ret = dma_table_widen(rig.dev, &rig.table, dir, DMA_FROM_DEVICE);
	if (!ret) {
		dir = DMA_BIDIRECTIONAL;
		ret = bytes_pass(&rig);
	}
	dma_unmap_sgtable(rig.dev, &rig.table, dir, 0);
	return rig_down(&rig, ret);
}

static int map_page_and_single(unsigned int variant)
{
	dma_addr_t page, single;
	struct rig rig;
	int ret = rig_up(&rig, variant);

	if (ret)
		return rig_down(&rig, ret);
	page = dma_map_page(rig.dev, rig.page[0], 100, 200, DMA_TO_DEVICE);
	if (dma_mapping_error(rig.dev, page))
		return rig_down(&rig, -ENOMEM);
	single = dma_map_single(rig.dev, page_address(rig.page[2]), PAGE_SIZE, DMA_FROM_DEVICE);
	if (dma_mapping_error(rig.dev, single))
		ret = -ENOMEM;
	else
		dma_unmap_single(rig.dev, single, PAGE_SIZE, DMA_FROM_DEVICE);
	dma_unmap_page(rig.dev, page, 200, DMA_TO_DEVICE);
	return rig_down(&rig, ret);
}

static int coherent_memory(unsigned int variant)
{
	dma_addr_t addr;
	struct rig rig;
	u8 *cpu;
	int ret = rig_up(&rig, variant);

	if (ret)
		return rig_down(&rig, ret);
	cpu = dma_alloc_coherent(rig.dev, BYTES, &addr, GFP_KERNEL);
	if (!cpu)
		return rig_down(&rig, -ENOMEM);
	if (cpu[0] || cpu[BYTES - 1])
		ret = SWEEP_WRONG_BYTES;
	dma_free_coherent(rig.dev, BYTES, cpu, addr);
	return rig_down(&rig, ret);
}

/* Not on the machine whose devices reach no window. */
static int window(unsigned int variant)
{
	struct dma_window *window;
	dma_addr_t addr;
	struct rig rig;
	int ret = rig_up(&rig, variant);

	if (ret)
		return rig_down(&rig, ret);
	window = dma_window_create(rig.dev, BYTES);
	if (IS_ERR(window))
		return rig_down(&rig, PTR_ERR(window));
	addr = dma_map_resource(rig.dev, dma_window_start(window), BYTES, DMA_TO_DEVICE, 0);
	if (dma_mapping_error(rig.dev, addr))
		return rig_down(&rig, -ENOMEM);
	dma_unmap_resource(rig.dev, addr, BYTES, DMA_TO_DEVICE, 0);
	return rig_down(&rig, 0);
}

/* The cold one comes first: after another nobody is. */
static const struct sweep_scenario scenarios[] = {
	{ "a table on a machine, first use", map_table, MACHINES, .cold = true },
	{ "machine and device", machine_and_device, MACHINES },
	{ "map, sync, unmap a table", map_table, MACHINES },
	{ "widen a table", widen_table, MACHINES },
	{ "map a page, map_single", map_page_and_single, MACHINES },
	{ "dma_alloc_coherent", coherent_memory, MACHINES },
	{ "window, map_resource", window, MACHINES - 1 },
};

static void operations_fail_anywhere(struct ktap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++)
		sweep_check(t, &scenarios[i]);
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = { KTAP_CASE(operations_fail_anywhere) };

	if (argc == 2 && !strcmp(argv[1], "--table"))
		return sweep_table(scenarios, ARRAY_SIZE(scenarios), "dma");
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
