/* SPDX-License-Identifier: MIT */
/*
 * test-exporter.h - an exporter that counts what it is asked and can be told to refuse; for core's
 * tests
 */
#ifndef CORE_TEST_EXPORTER_H
#define CORE_TEST_EXPORTER_H

#include <linux/dma-buf.h>

struct test_exporter {
	/* what the test sets */
	struct dma_buf_ops ops;
	int refuse_attach, refuse_map, refuse_mmap; /* errnos to answer with */
	struct dma_resv *resv;                      /* for export, or NULL */
	int flags;                                  /* for export */
	bool blind;                                 /* does not tell its own accesses */
	size_t lacks;                               /* bytes that its tables are too short */
	const struct vm_operations_struct *vm_ops;  /* of its mappings, or NULL */

	/* what the test reads */
	int attaches, detaches, maps, unmaps, pins, unpins, begins, ends, mmaps, releases;
	enum dma_data_direction last_map, last_unmap;

	/* its own */
	struct page *pages;
	unsigned int order;
};

/**
 * test_export - a buffer of 2^@order pages; @exporter starts zeroed but for what the test sets
 *
 * All ops but pin and unpin are counting ones; may_widen, cpu_access_only_syncs, pin and unpin stay
 * as set (set pin to test_pin and unpin to test_unpin for a dynamic exporter).
 */
struct dma_buf *test_export(struct test_exporter *exporter, unsigned int order);

int test_pin(struct dma_buf_attachment *attach);
void test_unpin(struct dma_buf_attachment *attach);

/** test_bytes - the buffer's memory as the CPU sees it */
u8 *test_bytes(struct test_exporter *exporter);

#endif
