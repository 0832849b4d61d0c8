/* SPDX-License-Identifier: MIT */
/*
 * gem.c - buffer objects of a DRM device: handles, references and what a driver does with them
 *
 * The part of DRM that drm_prime.c and vgem_fence.c stand on.
 *
 * Invariants
 *   GE1  A handle owns a reference of its object and counts in handle_count; with the last one the
 *	  object's reference of its dma-buf goes.
 *   GE2  The object is freed with its last reference, whoever had it: a handle or the dma-buf.
 */
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <linux/slab.h>

#include "drm_internal.h"

void drm_gem_private_object_init(struct drm_device *dev, struct drm_gem_object *obj, size_t size)
{
	kref_init(&obj->refcount);
	obj->dev = dev;
	obj->size = size;
	dma_resv_init(&obj->_resv);
	obj->resv = &obj->_resv;
}

void drm_gem_object_release(struct drm_gem_object *obj)
{
	dma_resv_fini(&obj->_resv);
}

void drm_gem_object_get(struct drm_gem_object *obj)
{
	kref_get(&obj->refcount);
}

static void object_free(struct kref *kref)
{
	struct drm_gem_object *obj = container_of(kref, struct drm_gem_object, refcount);

	obj->funcs->free(obj);
}

void drm_gem_object_put(struct drm_gem_object *obj)
{
	if (obj)
		kref_put(&obj->refcount, object_free);
}

struct drm_gem_object *drm_gem_object_lookup(struct drm_file *file, u32 handle)
{
	struct drm_gem_object *obj;

	mutex_lock(&file->table_lock);
	obj = idr_find(&file->object_idr, handle);
	if (obj)
		drm_gem_object_get(obj);
	mutex_unlock(&file->table_lock);
	return obj;
}

/* A handle has gone, with its reference of the object. */
static void handle_put(struct drm_gem_object *obj)
{
	struct dma_buf *last = NULL;

	mutex_lock(&obj->dev->object_name_lock);
	if (!--obj->handle_count) {
		last = obj->dma_buf;
		obj->dma_buf = NULL;
	}
	mutex_unlock(&obj->dev->object_name_lock);
	if (last)
		dma_buf_put(last);
	drm_gem_object_put(obj);
}

int drm_gem_handle_create_tail(struct drm_file *file, struct drm_gem_object *obj, u32 *handlep)
{
	int handle;

	obj->handle_count++;
	drm_gem_object_get(obj);
	mutex_unlock(&obj->dev->object_name_lock);

	mutex_lock(&file->table_lock);
	handle = idr_alloc(&file->object_idr, obj, 1, 0, GFP_KERNEL);
	mutex_unlock(&file->table_lock);
	if (handle < 0) {
		handle_put(obj);
		return handle;
	}
	*handlep = handle;
	return 0;
}

int drm_gem_handle_create(struct drm_file *file, struct drm_gem_object *obj, u32 *handlep)
{
	mutex_lock(&obj->dev->object_name_lock);
	return drm_gem_handle_create_tail(file, obj, handlep);
}

int drm_gem_handle_delete(struct drm_file *file, u32 handle)
{
	struct drm_gem_object *obj;

	mutex_lock(&file->table_lock);
	obj = idr_remove(&file->object_idr, handle);
	mutex_unlock(&file->table_lock);
	if (!obj)
		return -EINVAL;
	drm_prime_remove_buf_handle(&file->prime, handle);
	handle_put(obj);
	return 0;
}

int drm_gem_pin(struct drm_gem_object *obj)
{
	return obj->funcs->pin ? obj->funcs->pin(obj) : 0;
}

void drm_gem_unpin(struct drm_gem_object *obj)
{
	if (obj->funcs->unpin)
		obj->funcs->unpin(obj);
}

int drm_gem_vmap(struct drm_gem_object *obj, struct iosys_map *map)
{
	dma_resv_assert_held(obj->resv);
	return obj->funcs->vmap ? obj->funcs->vmap(obj, map) : -EOPNOTSUPP;
}

void drm_gem_vunmap(struct drm_gem_object *obj, struct iosys_map *map)
{
	dma_resv_assert_held(obj->resv);
	obj->funcs->vunmap(obj, map);
}
