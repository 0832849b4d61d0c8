/* SPDX-License-Identifier: MIT */
/*
 * heaps.h - Linux's system_heap.c, cma_heap.c and udmabuf.c, unchanged, as makers of buffers
 *
 * For the matrix of upstream/drivers and for `dmabuf pipeline --heap`.
 */
#ifndef UPSTREAM_DRIVERS_HEAPS_H
#define UPSTREAM_DRIVERS_HEAPS_H

#include "pipeline/stages.h"

/*
 * linux_heaps - linux-system, linux-cma, linux-udmabuf; ends with a NULL name
 *
 * The heaps through their nodes below /dev/dma_heap; udmabuf as a virtual machine uses it: memory of
 * its guest's, every second page of it.
 */
extern const struct stage_heap linux_heaps[];

/** linux_heap_find - by name, or NULL */
const struct stage_heap *linux_heap_find(const char *name);

#endif
