/* SPDX-License-Identifier: MIT */
/*
 * drm.c - a DRM driver whose objects are the library's system heap's buffers, or, where "pages" is
 * broken, cached pages that drm_prime.c's calls share, which sync nothing
 */
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_mode.h>
#include <drm/drm_prime.h>
#include <linux/dma-buf.h>
#include <linux/mm.h>

#include "breaks.h"
#include "drivers/exporters/system-heap.h"

struct object {
	struct drm_gem_object base;
	struct page **pages;  /* its own, or NULL */
	struct sg_table *sgt; /* imported, or NULL */
};

static struct object *to_object(struct drm_gem_object *obj)
{
	return container_of(obj, struct object, base);
}

static void object_free(struct drm_gem_object *obj)
{
	struct object *object = to_object(obj);

	if (object->sgt)
		drm_prime_gem_destroy(obj, object->sgt);
	if (object->pages)
		drm_gem_put_pages(obj, object->pages, true, true);
	drm_gem_object_release(obj);
	kfree(object);
}

static struct sg_table *object_table(struct drm_gem_object *obj)
{
	return drm_prime_pages_to_sg(obj->dev, to_object(obj)->pages, obj->size >> PAGE_SHIFT);
}

static int object_mmap(struct drm_gem_object *obj, struct vm_area_struct *vma)
{
	return vm_map_pages(vma, to_object(obj)->pages, obj->size >> PAGE_SHIFT);
}

static const struct vm_operations_struct vm_ops = {
	.open = drm_gem_vm_open,
	.close = drm_gem_vm_close,
};

static const struct drm_gem_object_funcs page_funcs = {
	.free = object_free,
	.get_sg_table = object_table,
	.mmap = object_mmap,
	.vm_ops = &vm_ops,
};

static struct dma_buf *heap_export(struct drm_gem_object *obj, int flags)
{
	return system_heap_allocate_flags(obj->size, flags);
}

static const struct drm_gem_object_funcs heap_funcs = {
	.free = object_free,
	.export = heap_export,
};

static struct object *object_new(struct drm_device *drm, size_t size,
				 const struct drm_gem_object_funcs *funcs)
{
	struct object *object = kzalloc(sizeof(*object), GFP_KERNEL);

	if (!object)
		return NULL;
	object->base.funcs = funcs;
	drm_gem_private_object_init(drm, &object->base, size);
	return object;
}

static int dumb_create(struct drm_file *file, struct drm_device *drm,
		       struct drm_mode_create_dumb *args)
{
	bool heap = !breaks("pages");
	struct object *object;
	int ret;

	args->pitch = args->width * args->bpp / 8;
	args->size = PAGE_ALIGN((u64)args->pitch * args->height);
	object = object_new(drm, args->size, heap ? &heap_funcs : &page_funcs);
	if (!object)
		return -ENOMEM;
	if (!heap) {
		struct page **pages = drm_gem_get_pages(&object->base);

		ret = PTR_ERR_OR_ZERO(pages);
		if (ret)
			goto put;
		object->pages = pages;
	}
	ret = drm_gem_handle_create(file, &object->base, &args->handle);
put:
	drm_gem_object_put(&object->base);
	return ret;
}

#ifdef IMPORTS
/* What PRIME maps once stays mapped, and nobody syncs it: COH-06 is not kept everywhere. */
static struct drm_gem_object *import_table(struct drm_device *drm,
					   struct dma_buf_attachment *attach, struct sg_table *sgt)
{
	struct object *object = object_new(drm, attach->dmabuf->size, &page_funcs);

	if (!object)
		return ERR_PTR(-ENOMEM);
	object->sgt = sgt;
	return &object->base;
}
#endif

extern const struct drm_driver heap_driver;
const struct drm_driver heap_driver = {
	.driver_features = DRIVER_GEM,
	.name = "heap",
	.dumb_create = dumb_create,
#ifdef IMPORTS
	.gem_prime_import_sg_table = import_table,
#endif
};
