/* SPDX-License-Identifier: MIT */
/* vgem_drm.h - what a program gives vgem to fence a buffer */
#ifndef _UAPI_VGEM_DRM_H
#define _UAPI_VGEM_DRM_H

#include <linux/types.h>

#define VGEM_FENCE_WRITE 0x1

struct drm_vgem_fence_attach {
	__u32 handle;
	__u32 flags;
	__u32 out_fence;
	__u32 pad;
};

struct drm_vgem_fence_signal {
	__u32 fence;
	__u32 flags;
};

#endif
