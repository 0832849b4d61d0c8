/* SPDX-License-Identifier: MIT */
/* drm.h - Tegra's DRM device, as far as its gem.c sees it */
#ifndef _TEGRA_DRM_PRIVATE_H
#define _TEGRA_DRM_PRIVATE_H

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_mm.h>
#include <drm/drm_mode.h>
#include <linux/dma-mapping.h>
#include <linux/mutex.h>
#include <linux/slab.h>

struct iommu_domain;

struct tegra_drm {
	struct drm_device *drm;
	struct iommu_domain *domain; /* NULL: the DMA API gives addresses */
	struct mutex mm_lock;
	struct drm_mm mm; /* under mm_lock */
	unsigned int pitch_align;
};

#endif
