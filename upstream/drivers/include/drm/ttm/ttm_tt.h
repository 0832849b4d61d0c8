/* SPDX-License-Identifier: MIT */
/* ttm_tt.h - an object of TTM's and where it lies, as far as drivers' dma-buf code sees it */
#ifndef _TTM_TT_H
#define _TTM_TT_H

#include <drm/drm_gem.h>

struct ttm_tt {
	struct page **pages;
	u32 num_pages;
};

struct ttm_resource {
	u32 mem_type;
};

enum ttm_bo_type { ttm_bo_type_device, ttm_bo_type_kernel, ttm_bo_type_sg };

struct ttm_buffer_object {
	struct drm_gem_object base;
	enum ttm_bo_type type;
	struct ttm_resource *resource;
	struct ttm_tt *ttm;
};

#endif
