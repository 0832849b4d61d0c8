/* SPDX-License-Identifier: MIT */
/*
 * heaps-area.c - Linux's dma-heap.c and both its heaps in the place of ours
 *
 * They register themselves when the program starts; the area of contiguous memory has the name that
 * the test looks for.
 */
#include <linux/dma-map-ops.h>
#include <linux/init.h>

#include "drivers/exporters/heaps.h"

static struct cma area = { .name = "default_cma_region" };

static int name_area(void)
{
	dma_contiguous_default_area = &area;
	return 0;
}
pure_initcall(name_area);

int heaps_register(void)
{
	return 0;
}
