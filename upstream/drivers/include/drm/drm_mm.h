/* SPDX-License-Identifier: MIT */
/* drm_mm.h - pieces of a device's memory, as far as drivers see them */
#ifndef _DRM_MM_H
#define _DRM_MM_H

#include <linux/types.h>

struct drm_mm_node {
	u64 start;
	u64 size;
};

struct drm_mm {
	u64 start;
	u64 size;
};

enum drm_mm_insert_mode { DRM_MM_INSERT_BEST };

int drm_mm_insert_node_generic(struct drm_mm *mm, struct drm_mm_node *node, u64 size, u64 alignment,
			       unsigned long color, enum drm_mm_insert_mode mode);
void drm_mm_remove_node(struct drm_mm_node *node);

#endif
