/* SPDX-License-Identifier: MIT */
/*
 * heap-mappings.h - the mappings a heap's buffer has now, so that a CPU access can sync all of them
 *
 * What heaps share: the whole table of every mapping is synced with the direction of the CPU's
 * access, as Linux's heaps do for each mapped attachment.
 */
#ifndef DRIVERS_EXPORTERS_HEAP_MAPPINGS_H
#define DRIVERS_EXPORTERS_HEAP_MAPPINGS_H

#include <linux/dma-direction.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>

struct device;

struct heap_mappings {
	struct mutex lock;
	/* guarded by lock */
	struct list_head list; /* struct heap_mapping.node */
};

struct heap_mapping {
	struct device *dev;
	struct sg_table table;
	struct list_head node; /* guarded by heap_mappings.lock */
};

/** heap_mappings_init - of a new buffer. Context: any */
void heap_mappings_init(struct heap_mappings *mappings);

/** heap_mappings_fini - of a buffer that goes; WARNs, naming @heap, if something is mapped */
void heap_mappings_fini(struct heap_mappings *mappings, const char *heap);

/**
 * heap_mappings_add - @mapping, whose table is mapped, is synced from now on
 * heap_mappings_del - and no longer; its table is unmapped afterwards
 *
 * Context: may sleep.
 * Ownership: @mapping stays the caller's.
 */
void heap_mappings_add(struct heap_mappings *mappings, struct heap_mapping *mapping);
void heap_mappings_del(struct heap_mappings *mappings, struct heap_mapping *mapping);

/**
 * heap_mappings_sync_for_cpu - the CPU is about to access the buffer
 * heap_mappings_sync_for_device - and has finished
 *
 * Context: may sleep.
 */
void heap_mappings_sync_for_cpu(struct heap_mappings *mappings, enum dma_data_direction dir);
void heap_mappings_sync_for_device(struct heap_mappings *mappings, enum dma_data_direction dir);

#endif
