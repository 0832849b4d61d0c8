/* SPDX-License-Identifier: MIT */
/*
 * sort.h - an array in order, in its own place
 *
 * Context: any; allocates nothing, at most about 2 n log2(n) comparisons whatever the order was.
 * Equal elements may change places.  Semantics: Linux 6.12.
 */
#ifndef _LINUX_SORT_H
#define _LINUX_SORT_H

#include <linux/types.h>

typedef int (*cmp_func_t)(const void *a, const void *b);
typedef int (*cmp_r_func_t)(const void *a, const void *b, const void *priv);
typedef void (*swap_func_t)(void *a, void *b, int size);
typedef void (*swap_r_func_t)(void *a, void *b, int size, const void *priv);

/**
 * sort, sort_r - @num elements of @size bytes at @base, the smallest first
 * @cmp: < 0, 0, > 0 as a is before, equal to, behind b
 * @swap: exchanges two elements; NULL: their bytes
 */
void sort(void *base, size_t num, size_t size, cmp_func_t cmp, swap_func_t swap);
void sort_r(void *base, size_t num, size_t size, cmp_r_func_t cmp, swap_r_func_t swap,
	    const void *priv);

#endif
