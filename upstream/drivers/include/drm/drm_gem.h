/* SPDX-License-Identifier: MIT */
/*
 * drm_gem.h - a buffer object of a DRM driver, as far as drm_prime.c and vgem_fence.c see it
 *
 * Only what they use, with Linux 6.12's names; upstream/drivers/gem.c implements the calls.
 */
#ifndef _DRM_DRM_GEM_H
#define _DRM_DRM_GEM_H

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/iosys-map.h>
#include <linux/kref.h>

struct drm_device;
struct drm_file;
struct drm_gem_object;

/* The driver's. */
struct drm_gem_object_funcs {
	void (*free)(struct drm_gem_object *obj);
	struct dma_buf *(*export)(struct drm_gem_object *obj, int flags);
	int (*pin)(struct drm_gem_object *obj);
	void (*unpin)(struct drm_gem_object *obj);
	struct sg_table *(*get_sg_table)(struct drm_gem_object *obj);
	int (*vmap)(struct drm_gem_object *obj, struct iosys_map *map);
	void (*vunmap)(struct drm_gem_object *obj, struct iosys_map *map);
	int (*mmap)(struct drm_gem_object *obj, struct vm_area_struct *vma);
	const struct vm_operations_struct *vm_ops;
};

/* Where mmap() finds an object; here programs map the dma-buf only. */
struct drm_vma_offset_node {
	unsigned long start; /* pages */
};

static inline unsigned long drm_vma_node_start(const struct drm_vma_offset_node *node)
{
	return node->start;
}

static inline int drm_vma_node_allow(struct drm_vma_offset_node *node, struct drm_file *tag)
{
	return 0;
}

static inline void drm_vma_node_revoke(struct drm_vma_offset_node *node, struct drm_file *tag)
{
}

struct drm_gem_object {
	struct kref refcount;
	unsigned int handle_count; /* under object_name_lock */
	struct drm_device *dev;
	const struct drm_gem_object_funcs *funcs;
	size_t size;
	struct file *filp; /* shmem's, or NULL */
	struct drm_vma_offset_node vma_node;

	struct dma_buf *dma_buf; /* under object_name_lock; a reference while there is a handle */
	struct dma_buf_attachment *import_attach;

	struct dma_resv *resv; /* _resv, or the exporter's */
	struct dma_resv _resv;
};

void drm_gem_private_object_init(struct drm_device *dev, struct drm_gem_object *obj, size_t size);
int drm_gem_object_init(struct drm_device *dev, struct drm_gem_object *obj, size_t size);
void drm_gem_object_release(struct drm_gem_object *obj);
void drm_gem_object_get(struct drm_gem_object *obj);
void drm_gem_object_put(struct drm_gem_object *obj);
struct drm_gem_object *drm_gem_object_lookup(struct drm_file *filp, u32 handle);
int drm_gem_handle_create(struct drm_file *file_priv, struct drm_gem_object *obj, u32 *handlep);
int drm_gem_handle_delete(struct drm_file *filp, u32 handle);

/* The pages of an object whose memory is shmem's. */
struct page **drm_gem_get_pages(struct drm_gem_object *obj);
void drm_gem_put_pages(struct drm_gem_object *obj, struct page **pages, bool dirty, bool accessed);

/* A program's mapping of an object's memory, and where its file has it. */
int drm_gem_mmap_obj(struct drm_gem_object *obj, unsigned long obj_size,
		     struct vm_area_struct *vma);
void drm_gem_vm_open(struct vm_area_struct *vma);
void drm_gem_vm_close(struct vm_area_struct *vma);
int drm_gem_mmap(struct file *filp, struct vm_area_struct *vma);
int drm_gem_create_mmap_offset(struct drm_gem_object *obj);
void drm_gem_free_mmap_offset(struct drm_gem_object *obj);

#endif
