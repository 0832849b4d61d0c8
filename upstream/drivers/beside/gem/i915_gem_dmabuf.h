/* SPDX-License-Identifier: MIT */
/* i915_gem_dmabuf.h - what i915_gem_dmabuf.c offers i915 */
#ifndef _I915_GEM_DMABUF_H
#define _I915_GEM_DMABUF_H

struct dma_buf;
struct drm_device;
struct drm_gem_object;

struct dma_buf *i915_gem_prime_export(struct drm_gem_object *gem_obj, int flags);
struct drm_gem_object *i915_gem_prime_import(struct drm_device *dev, struct dma_buf *dma_buf);

#endif
