/* SPDX-License-Identifier: MIT */
/*
 * test-fallible.h - an exporter whose every callback asks whether it must fail; for sweeps
 */
#ifndef CORE_TEST_FALLIBLE_H
#define CORE_TEST_FALLIBLE_H

#include <linux/dma-buf.h>

#define FALLIBLE_BYTES (2 * PAGE_SIZE)

enum fallible_kind {
	FALLIBLE_FIXED,   /* does not move; mappings are of one direction */
	FALLIBLE_WIDENS,  /* may_widen */
	FALLIBLE_DYNAMIC, /* has pin */
	FALLIBLE_KINDS
};

/* What the exporter forgets when a map fails: a sweep must notice. */
enum fallible_mistake {
	FALLIBLE_RIGHT,
	FALLIBLE_KEEPS_BUFFER, /* the reference that it took for the mapping */
	FALLIBLE_KEEPS_PAGE,
	FALLIBLE_WRONG_ERRNO,
	FALLIBLE_MISTAKES
};

extern enum fallible_mistake fallible_mistake;

/**
 * fallible_export - a buffer of two pages that do not lie side by side
 *
 * Returns ERR_PTR: -ENOMEM; what PORT_FAULT_CALLBACK says.
 */
struct dma_buf *fallible_export(enum fallible_kind kind);

#endif
