/* SPDX-License-Identifier: MIT */
/* drm_mode.h - a simple picture's buffer, as a program asks for it */
#ifndef _DRM_DRM_MODE_H
#define _DRM_DRM_MODE_H

#include <linux/types.h>

struct drm_mode_create_dumb {
	__u32 height;
	__u32 width;
	__u32 bpp;
	__u32 flags;
	__u32 handle;
	__u32 pitch;
	__u64 size;
};

#endif
