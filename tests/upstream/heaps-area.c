/* SPDX-License-Identifier: MIT */
/*
 * heaps-area.c - Linux's dma-heap.c and both its heaps in the place of ours
 *
 * They register themselves when the program starts; the area of contiguous memory has the name that
 * the test looks for.
 */
#include <linux/dma-map-ops.h>

#include "drivers/exporters/heaps.h"

static struct cma area = { .name = "default_cma_region" };
struct cma *dma_contiguous_default_area = &area;

int heaps_register(void)
{
	return 0;
}
