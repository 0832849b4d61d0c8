/* SPDX-License-Identifier: MIT */
/* drm.h - what a program gives DRM to share a buffer, as far as drm_prime.c sees it */
#ifndef _DRM_DRM_H
#define _DRM_DRM_H

#include <linux/fs.h>
#include <linux/types.h>

#define DRM_CLOEXEC O_CLOEXEC
#define DRM_RDWR O_RDWR

struct drm_prime_handle {
	__u32 handle;
	__u32 flags;
	__s32 fd;
};

#endif
