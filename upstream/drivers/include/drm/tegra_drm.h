/* SPDX-License-Identifier: MIT */
/* tegra_drm.h - how a program asks Tegra's DRM driver for a buffer */
#ifndef _TEGRA_DRM_H
#define _TEGRA_DRM_H

#define DRM_TEGRA_GEM_CREATE_TILED (1 << 0)
#define DRM_TEGRA_GEM_CREATE_BOTTOM_UP (1 << 1)

#endif
