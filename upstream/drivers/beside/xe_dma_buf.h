/* SPDX-License-Identifier: MIT */
/* xe_dma_buf.h - what xe_dma_buf.c offers xe */
#ifndef _XE_DMA_BUF_H
#define _XE_DMA_BUF_H

#include <drm/drm_gem.h>

struct dma_buf *xe_gem_prime_export(struct drm_gem_object *obj, int flags);
struct drm_gem_object *xe_gem_prime_import(struct drm_device *dev, struct dma_buf *dma_buf);

#endif
