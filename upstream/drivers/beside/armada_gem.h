/* SPDX-License-Identifier: MIT */
/* armada_gem.h - a buffer of Armada's display driver, as its armada_gem.c makes it */
#ifndef _ARMADA_GEM_H
#define _ARMADA_GEM_H

#include <drm/drm_file.h>
#include <drm/drm_gem.h>

struct drm_mode_create_dumb;

struct armada_gem_object {
	struct drm_gem_object obj;
	void *addr;
	phys_addr_t phys_addr;
	resource_size_t dev_addr;
	bool mapped;
	struct drm_mm_node *linear; /* for a large one */
	struct page *page;          /* for a small one */
	struct sg_table *sgt;       /* for an imported one */
	void (*update)(void *data);
	void *update_data;
};

#define drm_to_armada_gem(o) container_of(o, struct armada_gem_object, obj)

void armada_gem_free_object(struct drm_gem_object *obj);
int armada_gem_linear_back(struct drm_device *dev, struct armada_gem_object *obj);
void *armada_gem_map_object(struct drm_device *dev, struct armada_gem_object *obj);
struct armada_gem_object *armada_gem_alloc_private_object(struct drm_device *dev, size_t size);
int armada_gem_dumb_create(struct drm_file *file, struct drm_device *dev,
			   struct drm_mode_create_dumb *args);
struct dma_buf *armada_gem_prime_export(struct drm_gem_object *obj, int flags);
struct drm_gem_object *armada_gem_prime_import(struct drm_device *dev, struct dma_buf *buf);
int armada_gem_map_import(struct armada_gem_object *obj);

static inline struct armada_gem_object *armada_gem_object_lookup(struct drm_file *file,
								 unsigned int handle)
{
	struct drm_gem_object *obj = drm_gem_object_lookup(file, handle);

	return obj ? drm_to_armada_gem(obj) : NULL;
}

#endif
