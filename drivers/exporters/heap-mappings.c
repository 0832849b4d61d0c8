/* SPDX-License-Identifier: MIT */
/*
 * heap-mappings.c - see heap-mappings.h
 */
#include <linux/bug.h>
#include <linux/dma-mapping.h>

#include "drivers/exporters/heap-mappings.h"

void heap_mappings_init(struct heap_mappings *mappings)
{
	mutex_init(&mappings->lock);
	INIT_LIST_HEAD(&mappings->list);
}

void heap_mappings_fini(struct heap_mappings *mappings, const char *heap)
{
	WARN(!list_empty(&mappings->list), "%s: released while mapped", heap);
	mutex_destroy(&mappings->lock);
}

void heap_mappings_add(struct heap_mappings *mappings, struct heap_mapping *mapping)
{
	mutex_lock(&mappings->lock);
	list_add_tail(&mapping->node, &mappings->list);
	mutex_unlock(&mappings->lock);
}

void heap_mappings_del(struct heap_mappings *mappings, struct heap_mapping *mapping)
{
	mutex_lock(&mappings->lock);
	list_del(&mapping->node);
	mutex_unlock(&mappings->lock);
}

void heap_mappings_sync_for_cpu(struct heap_mappings *mappings, enum dma_data_direction dir)
{
	struct heap_mapping *mapping;

	mutex_lock(&mappings->lock);
	list_for_each_entry(mapping, &mappings->list, node)
		dma_sync_sgtable_for_cpu(mapping->dev, &mapping->table, dir);
	mutex_unlock(&mappings->lock);
}

void heap_mappings_sync_for_device(struct heap_mappings *mappings, enum dma_data_direction dir)
{
	struct heap_mapping *mapping;

	mutex_lock(&mappings->lock);
	list_for_each_entry(mapping, &mappings->list, node)
		dma_sync_sgtable_for_device(mapping->dev, &mapping->table, dir);
	mutex_unlock(&mappings->lock);
}
