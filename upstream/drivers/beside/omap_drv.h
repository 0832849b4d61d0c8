/* SPDX-License-Identifier: MIT */
/* omap_drv.h - OMAP's display driver, as far as its omap_gem_dmabuf.c sees it */
#ifndef _OMAP_DRV_H
#define _OMAP_DRV_H

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <linux/dma-buf.h>
#include <linux/highmem.h>

/* An object's flags: its memory lies in tiles, and no page of it is one. */
#define OMAP_BO_TILED_MASK 0x00000f00

struct sg_table *omap_gem_get_sg(struct drm_gem_object *obj, enum dma_data_direction dir);
void omap_gem_put_sg(struct drm_gem_object *obj, struct sg_table *sgt);
u32 omap_gem_flags(struct drm_gem_object *obj);
int omap_gem_get_pages(struct drm_gem_object *obj, struct page ***pages, bool remap);
int omap_gem_put_pages(struct drm_gem_object *obj);
size_t omap_gem_mmap_size(struct drm_gem_object *obj);
struct drm_gem_object *omap_gem_new_dmabuf(struct drm_device *dev, size_t size,
					   struct sg_table *sgt);

struct dma_buf *omap_gem_prime_export(struct drm_gem_object *obj, int flags);
struct drm_gem_object *omap_gem_prime_import(struct drm_device *dev, struct dma_buf *buffer);

#endif
