/* SPDX-License-Identifier: MIT */
/* host1x.h - a buffer as Tegra's host1x sees it, with Linux 6.12's names */
#ifndef _LINUX_HOST1X_H
#define _LINUX_HOST1X_H

#include <linux/dma-direction.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/types.h>

struct device;
struct dma_buf_attachment;
struct host1x_bo;
struct sg_table;

/* One for each device and direction that has it mapped. */
struct host1x_bo_mapping {
	struct kref ref;
	struct dma_buf_attachment *attach; /* of an imported one */
	enum dma_data_direction direction;
	struct host1x_bo *bo;
	struct sg_table *sgt;
	unsigned int chunks;
	struct device *dev;
	dma_addr_t phys;
	size_t size;
};

struct host1x_bo_ops {
	struct host1x_bo *(*get)(struct host1x_bo *bo);
	void (*put)(struct host1x_bo *bo);
	struct host1x_bo_mapping *(*pin)(struct device *dev, struct host1x_bo *bo,
					 enum dma_data_direction dir);
	void (*unpin)(struct host1x_bo_mapping *map);
	void *(*mmap)(struct host1x_bo *bo);
	void (*munmap)(struct host1x_bo *bo, void *addr);
};

struct host1x_bo {
	const struct host1x_bo_ops *ops;
	struct list_head mappings;
};

static inline void host1x_bo_init(struct host1x_bo *bo, const struct host1x_bo_ops *ops)
{
	INIT_LIST_HEAD(&bo->mappings);
	bo->ops = ops;
}

void host1x_bo_clear_cached_mappings(struct host1x_bo *bo);

#endif
