/* SPDX-License-Identifier: MIT */
/*
 * bench.h - what the worker puts a driver on: a machine with devices, bytes that are known, an
 * exporter without faults
 */
#ifndef CHECKER_CHECK_BENCH_H
#define CHECKER_CHECK_BENCH_H

#include <linux/dma-buf.h>

#include "checker/check/finding.h"
#include "dma/machine.h"

/* Pages of which none is its neighbour's; more than one entry of a list. */
#define BENCH_PAGES 5
#define BENCH_BYTES (BENCH_PAGES * PAGE_SIZE)

struct bench {
	const struct machine_type *type;
	struct machine *machine;
	struct device *dev, *other; /* two devices of it */
	unsigned long seed;
	bool remaps;     /* a mapping ends with its unmap, as in Linux */
	bool contiguous; /* buffers from now on are in one piece, for who takes no others */
};

extern struct bench bench;

/** bench_create - the machine of this name; false: there is none. _destroy: it goes */
bool bench_create(const char *machine, unsigned long seed);
void bench_destroy(void);

/** bench_fill - bytes made of @salt and the seed; no two salts give a byte twice at one place */
void bench_fill(u8 *bytes, size_t size, unsigned int salt);

/** bench_differ - the first byte that is not @want's, or @size */
size_t bench_differ(const u8 *got, const u8 *want, size_t size);

/**
 * bench_export - a buffer of BENCH_BYTES whose exporter keeps every rule
 * @moves: it is a dynamic exporter
 *
 * Its callbacks fail when PORT_FAULT_CALLBACK says so.  Returns ERR_PTR(-ENOMEM).
 * Ownership: a reference, the caller's.
 */
struct dma_buf *bench_export(bool moves);

/**
 * bench_cpu_copy - the CPU writes @bytes into all of a buffer of bench_export(), or reads it
 *
 * Between bench_cpu_begin() and bench_cpu_end(), which are dma_buf_begin_cpu_access() and its end.
 */
void bench_cpu_copy(struct dma_buf *dmabuf, bool write, u8 *bytes);
int bench_cpu_begin(struct dma_buf *dmabuf, enum dma_data_direction dir);
void bench_cpu_end(struct dma_buf *dmabuf, enum dma_data_direction dir);

/*
 * A fence that works has signaled long before so many turns of who waits: on a machine that is busy
 * both take longer.
 */
#define BENCH_TURN (HZ / 100)
#define BENCH_TURNS 200

/** bench_fences_signal - have all of @resv's fences, @turns after now at the latest? May sleep */
bool bench_fences_signal(struct dma_resv *resv, unsigned int turns);

/**
 * bench_move - the buffer goes to other pages, when its fences have signaled
 * @meanwhile: or NULL; called with the reservation held, before anybody is told of the move
 *
 * Returns 0; -EBUSY pinned; -ETIME a fence does not signal; -ENOMEM.
 */
int bench_move(struct dma_buf *dmabuf, void (*meanwhile)(void *data), void *data);

/** bench_buffers - how many buffers of bench_export() have not been released */
unsigned int bench_buffers(void);

#endif
