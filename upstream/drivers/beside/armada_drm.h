/* SPDX-License-Identifier: MIT */
/* armada_drm.h - Armada's display driver, as far as its armada_gem.c sees it */
#ifndef _ARMADA_DRM_PRIVATE_H
#define _ARMADA_DRM_PRIVATE_H

#include <drm/drm_device.h>
#include <drm/drm_mm.h>
#include <drm/drm_print.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

struct armada_private {
	struct drm_device drm;
	struct drm_mm linear; /* under linear_lock */
	struct mutex linear_lock;
};

#define drm_to_armada_dev(dev) container_of(dev, struct armada_private, drm)

/** armada_pitch - bytes of a line, as the hardware aligns it */
static inline u32 armada_pitch(u32 width, u32 bpp)
{
	return ALIGN(width * ((bpp + 7) / 8), 128);
}

#endif
