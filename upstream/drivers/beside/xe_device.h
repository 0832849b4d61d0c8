/* SPDX-License-Identifier: MIT */
/* xe_device.h - the device of Intel's xe driver, as far as its xe_dma_buf.c sees it */
#ifndef _XE_DEVICE_H
#define _XE_DEVICE_H

#include <drm/drm_drv.h>
#include <linux/bug.h>

struct xe_device {
	struct drm_device drm;
};

static inline struct xe_device *to_xe_device(const struct drm_device *dev)
{
	return container_of(dev, struct xe_device, drm);
}

#define xe_assert(xe, condition) WARN_ON(!(condition))

#endif
