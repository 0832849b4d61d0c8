/* SPDX-License-Identifier: MIT */
/* xe_ttm_vram_mgr.h - an xe device's own memory, for other devices */
#ifndef _XE_TTM_VRAM_MGR_H
#define _XE_TTM_VRAM_MGR_H

#include <linux/dma-direction.h>
#include <linux/types.h>

struct device;
struct sg_table;
struct ttm_resource;
struct xe_device;

int xe_ttm_vram_mgr_alloc_sgt(struct xe_device *xe, struct ttm_resource *res, u64 offset,
			      u64 length, struct device *dev, enum dma_data_direction dir,
			      struct sg_table **sgt);
void xe_ttm_vram_mgr_free_sgt(struct device *dev, enum dma_data_direction dir,
			      struct sg_table *sgt);

#endif
