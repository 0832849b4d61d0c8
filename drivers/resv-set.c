/* SPDX-License-Identifier: MIT */
/*
 * resv-set.c - see resv-set.h
 */
#include <linux/dma-resv.h>
#include <linux/errno.h>

#include "drivers/resv-set.h"

/* RS1 */
static void drop_repeated(struct resv_set *set)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < set->n; i++) {
		unsigned int j = 0;

		while (j < kept && set->resvs[j] != set->resvs[i])
			j++;
		if (j == kept)
			set->resvs[kept++] = set->resvs[i];
	}
	set->n = kept;
}

/* Lock all but @locked, which is.  Returns the one that an older set has; then nothing is locked. */
static struct dma_resv *lock_others(struct resv_set *set, struct dma_resv *locked)
{
	for (unsigned int i = 0; i < set->n; i++) {
		struct dma_resv *contended = set->resvs[i];

		if (contended == locked || dma_resv_lock(contended, &set->ctx) != -EDEADLK)
			continue;
		while (i--)
			if (set->resvs[i] != locked)
				dma_resv_unlock(set->resvs[i]);
		if (locked)
			dma_resv_unlock(locked);
		return contended;
	}
	return NULL;
}

void resv_set_lock(struct resv_set *set, struct dma_resv **resvs, unsigned int n)
{
	struct dma_resv *contended = NULL;

	set->resvs = resvs;
	set->n = n;
	drop_repeated(set);
	ww_acquire_init(&set->ctx, &reservation_ww_class);
	while ((contended = lock_others(set, contended)))
		dma_resv_lock_slow(contended, &set->ctx);
	ww_acquire_done(&set->ctx);
}

void resv_set_unlock(struct resv_set *set)
{
	for (unsigned int i = set->n; i--;)
		dma_resv_unlock(set->resvs[i]);
	ww_acquire_fini(&set->ctx);
}
