/* SPDX-License-Identifier: MIT */
/* measure.c - what rows are prepared with: see measure.h */
#include <linux/err.h>

#include <stdio.h>
#include <stdlib.h>

#include "bench/measure.h"

void *bench_checked(void *ptr, const char *what)
{
	if (IS_ERR_OR_NULL(ptr)) {
		fprintf(stderr, "dmabuf bench: no memory for %s\n", what);
		exit(2);
	}
	return ptr;
}

void *bench_zeroed(size_t bytes)
{
	return bench_checked(calloc(1, bytes), "a measure");
}

void bench_shuffle(void **things, unsigned int n)
{
	for (unsigned int i = n; i-- > 1;) {
		unsigned int j = port_random() % (i + 1);
		void *other = things[i];

		things[i] = things[j];
		things[j] = other;
	}
}
