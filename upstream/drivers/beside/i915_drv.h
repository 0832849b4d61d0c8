/* SPDX-License-Identifier: MIT */
/* i915_drv.h - Intel's GPU, as far as its i915_gem_dmabuf.c sees it; with Linux 6.12's names */
#ifndef _I915_DRV_H
#define _I915_DRV_H

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_prime.h>
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/slab.h>

/* What only i915's own tests set; they are not built in here. */
#define I915_SELFTEST_DECLARE(declaration) declaration
#define I915_SELFTEST_ONLY(value) 0

struct drm_i915_private {
	struct drm_device drm;
};

static inline struct drm_i915_private *to_i915(struct drm_device *dev)
{
	return container_of(dev, struct drm_i915_private, drm);
}

/* Has it memory of its own; does the CPU's last cache see what it does? */
bool HAS_LMEM(struct drm_i915_private *i915);
bool HAS_LLC(struct drm_i915_private *i915);
bool IS_DG1(struct drm_i915_private *i915);

#endif
