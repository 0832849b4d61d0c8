/* SPDX-License-Identifier: MIT */
/* drm_print.h - what a DRM driver says */
#ifndef _DRM_PRINT_H
#define _DRM_PRINT_H

#include <linux/device.h>
#include <linux/printk.h>

#define DRM_ERROR(fmt, ...) pr_err("[drm] *ERROR* " fmt, ##__VA_ARGS__)
#define DRM_DEBUG_DRIVER(fmt, ...) pr_debug("[drm] " fmt, ##__VA_ARGS__)

#define drm_err(drm, fmt, ...) dev_err((drm)->dev, fmt, ##__VA_ARGS__)
#define drm_dbg(drm, fmt, ...) dev_dbg((drm)->dev, fmt, ##__VA_ARGS__)

#endif
