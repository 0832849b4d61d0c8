/* SPDX-License-Identifier: MIT */
/* watch-dma.c - by whom a driver makes memory a device's, and the CPU's again; see watch.h */
#include <linux/dma-mapping.h>

#include <pthread.h>

#include "checker/check/watch.h"

REAL(dma_map_sgtable);
REAL(dma_unmap_sgtable);
REAL(dma_map_sg_attrs);
REAL(dma_unmap_sg_attrs);
REAL(dma_map_page_attrs);
REAL(dma_unmap_page_attrs);
REAL(dma_sync_sgtable_for_device);
REAL(dma_sync_sgtable_for_cpu);
REAL(dma_sync_sg_for_device);
REAL(dma_sync_sg_for_cpu);
REAL(dma_sync_single_for_device);
REAL(dma_sync_single_for_cpu);

/* --- lists ------------------------------------------------------------------------------------ */

/* What a driver did last with its lists; old ones are overwritten. */
#define LISTS 64

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Under lock. */
static struct list_use {
	const struct scatterlist *list;
	const char *what;
	struct check_stack stack;
} lists[LISTS];
static unsigned int next_list;

/* The one that this thread's call is about. */
static __thread const struct scatterlist *list_now;

/* Its entry, or NULL.  Under lock. */
static struct list_use *find_list(void)
{
	for (unsigned int i = 0; i < LISTS; i++)
		if (lists[i].list == list_now)
			return &lists[i];
	return NULL;
}

static void list_done(const char *what)
{
	struct check_stack stack;
	struct list_use *use;

	check_stack_take(&stack);
	pthread_mutex_lock(&lock);
	use = find_list() ?: &lists[next_list++ % LISTS];
	*use = (struct list_use){ list_now, what, stack };
	pthread_mutex_unlock(&lock);
	list_now = NULL;
}

bool watch_list(struct check_state *state)
{
	struct list_use *use;

	if (!list_now)
		return false;
	pthread_mutex_lock(&lock);
	use = find_list();
	if (use)
		*state = (struct check_state){ use->what, use->stack };
	pthread_mutex_unlock(&lock);
	return use;
}

/* --- calls ------------------------------------------------------------------------------------ */

int dma_map_sgtable(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir,
		    unsigned long attrs)
{
	int ret;

	list_now = sgt->sgl;
	ret = real_dma_map_sgtable(dev, sgt, dir, attrs);
	list_done("the list was last mapped by");
	watch_called("dma_map_sgtable()");
	return ret;
}

void dma_unmap_sgtable(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir,
		       unsigned long attrs)
{
	list_now = sgt->sgl;
	real_dma_unmap_sgtable(dev, sgt, dir, attrs);
	list_done("the list was last unmapped by");
	watch_called("dma_unmap_sgtable()");
}

unsigned int dma_map_sg_attrs(struct device *dev, struct scatterlist *sg, int nents,
			      enum dma_data_direction dir, unsigned long attrs)
{
	unsigned int ret;

	list_now = sg;
	ret = real_dma_map_sg_attrs(dev, sg, nents, dir, attrs);
	list_done("the list was last mapped by");
	watch_called("dma_map_sg_attrs()");
	return ret;
}

void dma_unmap_sg_attrs(struct device *dev, struct scatterlist *sg, int nents,
			enum dma_data_direction dir, unsigned long attrs)
{
	list_now = sg;
	real_dma_unmap_sg_attrs(dev, sg, nents, dir, attrs);
	list_done("the list was last unmapped by");
	watch_called("dma_unmap_sg_attrs()");
}

dma_addr_t dma_map_page_attrs(struct device *dev, struct page *page, size_t offset, size_t size,
			      enum dma_data_direction dir, unsigned long attrs)
{
	dma_addr_t ret;

	ret = real_dma_map_page_attrs(dev, page, offset, size, dir, attrs);
	watch_called("dma_map_page_attrs()");
	return ret;
}

void dma_unmap_page_attrs(struct device *dev, dma_addr_t addr, size_t size,
			  enum dma_data_direction dir, unsigned long attrs)
{
	real_dma_unmap_page_attrs(dev, addr, size, dir, attrs);
	watch_called("dma_unmap_page_attrs()");
}

void dma_sync_sgtable_for_device(struct device *dev, struct sg_table *sgt,
				 enum dma_data_direction dir)
{
	real_dma_sync_sgtable_for_device(dev, sgt, dir);
	watch_called("dma_sync_sgtable_for_device()");
}

void dma_sync_sgtable_for_cpu(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir)
{
	real_dma_sync_sgtable_for_cpu(dev, sgt, dir);
	watch_called("dma_sync_sgtable_for_cpu()");
}

void dma_sync_sg_for_device(struct device *dev, struct scatterlist *sg, int nents,
			    enum dma_data_direction dir)
{
	real_dma_sync_sg_for_device(dev, sg, nents, dir);
	watch_called("dma_sync_sg_for_device()");
}

void dma_sync_sg_for_cpu(struct device *dev, struct scatterlist *sg, int nents,
			 enum dma_data_direction dir)
{
	real_dma_sync_sg_for_cpu(dev, sg, nents, dir);
	watch_called("dma_sync_sg_for_cpu()");
}

void dma_sync_single_for_device(struct device *dev, dma_addr_t addr, size_t size,
				enum dma_data_direction dir)
{
	real_dma_sync_single_for_device(dev, addr, size, dir);
	watch_called("dma_sync_single_for_device()");
}

void dma_sync_single_for_cpu(struct device *dev, dma_addr_t addr, size_t size,
			     enum dma_data_direction dir)
{
	real_dma_sync_single_for_cpu(dev, addr, size, dir);
	watch_called("dma_sync_single_for_cpu()");
}
