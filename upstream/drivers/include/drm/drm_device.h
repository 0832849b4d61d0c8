/* SPDX-License-Identifier: MIT */
/* drm_device.h - a DRM device, for those who name it so */
#include <drm/drm_drv.h>
