/* SPDX-License-Identifier: MIT */
/*
 * gem-pages.c - objects of a DRM device whose memory is a program's file, one page at a time
 *
 * Here the file is pages that nobody else has; an object has them from drm_gem_get_pages() on.
 */
#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <linux/mm.h>
#include <linux/slab.h>

int drm_gem_object_init(struct drm_device *dev, struct drm_gem_object *obj, size_t size)
{
	drm_gem_private_object_init(dev, obj, size);
	return 0;
}

void drm_gem_put_pages(struct drm_gem_object *obj, struct page **pages, bool dirty, bool accessed)
{
	for (size_t i = 0; i < obj->size >> PAGE_SHIFT; i++)
		if (pages[i])
			put_page(pages[i]);
	kvfree(pages);
}

struct page **drm_gem_get_pages(struct drm_gem_object *obj)
{
	size_t count = obj->size >> PAGE_SHIFT;
	struct page **pages = kvcalloc(count, sizeof(*pages), GFP_KERNEL);

	if (!pages)
		return ERR_PTR(-ENOMEM);
	for (size_t i = 0; i < count; i++) {
		pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (pages[i])
			continue;
		drm_gem_put_pages(obj, pages, false, false);
		return ERR_PTR(-ENOMEM);
	}
	return pages;
}

/* --- a program's mapping ---------------------------------------------------------------------- */

void drm_gem_vm_open(struct vm_area_struct *vma)
{
	drm_gem_object_get(vma->vm_private_data);
}

void drm_gem_vm_close(struct vm_area_struct *vma)
{
	drm_gem_object_put(vma->vm_private_data);
}

int drm_gem_mmap_obj(struct drm_gem_object *obj, unsigned long obj_size, struct vm_area_struct *vma)
{
	int ret = 0;

	if (obj_size < vma->vm_end - vma->vm_start)
		return -EINVAL;
	drm_gem_object_get(obj);
	vma->vm_private_data = obj;
	vma->vm_ops = obj->funcs->vm_ops;
	if (obj->funcs->mmap)
		ret = obj->funcs->mmap(obj, vma);
	else
		vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	if (ret)
		drm_gem_object_put(obj);
	return ret;
}

/* Programs map the dma-buf only. */
int drm_gem_mmap(struct file *filp, struct vm_area_struct *vma)
{
	return -EINVAL;
}

int drm_gem_create_mmap_offset(struct drm_gem_object *obj)
{
	return 0;
}

void drm_gem_free_mmap_offset(struct drm_gem_object *obj)
{
}
