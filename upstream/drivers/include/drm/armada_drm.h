/* SPDX-License-Identifier: MIT */
/* armada_drm.h - what a program gives Armada's display driver for a buffer */
#ifndef _DRM_ARMADA_DRM_H
#define _DRM_ARMADA_DRM_H

#include <linux/types.h>

struct drm_armada_gem_create {
	__u32 handle;
	__u32 size;
};

struct drm_armada_gem_mmap {
	__u32 handle;
	__u32 pad;
	__u64 offset;
	__u64 size;
	__u64 addr;
};

struct drm_armada_gem_pwrite {
	__u64 ptr;
	__u32 handle;
	__u32 offset;
	__u32 size;
};

#endif
