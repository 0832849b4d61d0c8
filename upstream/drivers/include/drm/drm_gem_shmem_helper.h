/* SPDX-License-Identifier: MIT */
/* drm_gem_shmem_helper.h - an object whose memory is shmem's, as far as drivers see it */
#ifndef _DRM_GEM_SHMEM_HELPER_H
#define _DRM_GEM_SHMEM_HELPER_H

#include <drm/drm_gem.h>

struct drm_gem_shmem_object {
	struct drm_gem_object base;
	struct page **pages;
	struct sg_table *sgt;
	void *vaddr;
	bool map_wc;
};

#define to_drm_gem_shmem_obj(obj) container_of(obj, struct drm_gem_shmem_object, base)

#endif
