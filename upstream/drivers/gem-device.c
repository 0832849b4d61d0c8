/* SPDX-License-Identifier: MIT */
/*
 * gem-device.c - a DRM driver whose objects are single pages
 *
 * As Linux's drivers with shmem objects: exporting and importing is drm_prime.c's, the driver says
 * only which pages an object has and keeps the table of one that is imported.
 */
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_prime.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "drm_internal.h"
#include "host/file.h"
#include "upstream/drivers/rig.h"

struct gem_device {
	struct drm_device drm;
	struct inode anon_inode;
	struct drm_file file;
};

struct gem_object {
	struct drm_gem_object base;
	struct page **pages;  /* its own */
	struct sg_table *sgt; /* or imported */
	void *vaddr;
};

static struct gem_object *to_gem(struct drm_gem_object *obj)
{
	return container_of(obj, struct gem_object, base);
}

static void gem_free(struct drm_gem_object *obj)
{
	struct gem_object *gem = to_gem(obj);

	if (obj->import_attach)
		drm_prime_gem_destroy(obj, gem->sgt);
	for (size_t i = 0; gem->pages && i < obj->size >> PAGE_SHIFT; i++)
		if (gem->pages[i])
			__free_page(gem->pages[i]);
	kfree(gem->pages);
	drm_gem_object_release(obj);
	kfree(gem);
}

static struct sg_table *gem_get_sg_table(struct drm_gem_object *obj)
{
	return drm_prime_pages_to_sg(obj->dev, to_gem(obj)->pages, obj->size >> PAGE_SHIFT);
}

static int gem_vmap(struct drm_gem_object *obj, struct iosys_map *map)
{
	struct gem_object *gem = to_gem(obj);

	gem->vaddr = vmap(gem->pages, obj->size >> PAGE_SHIFT, VM_MAP, PAGE_KERNEL);
	if (!gem->vaddr)
		return -ENOMEM;
	iosys_map_set_vaddr(map, gem->vaddr);
	return 0;
}

static void gem_vunmap(struct drm_gem_object *obj, struct iosys_map *map)
{
	vunmap(to_gem(obj)->vaddr);
}

static int gem_mmap(struct drm_gem_object *obj, struct vm_area_struct *vma)
{
	return vm_map_pages(vma, to_gem(obj)->pages, obj->size >> PAGE_SHIFT);
}

static void gem_vm_open(struct vm_area_struct *vma)
{
	drm_gem_object_get(vma->vm_private_data);
}

static void gem_vm_close(struct vm_area_struct *vma)
{
	drm_gem_object_put(vma->vm_private_data);
}

static const struct vm_operations_struct gem_vm_ops = {
	.open = gem_vm_open,
	.close = gem_vm_close,
};

static const struct drm_gem_object_funcs gem_funcs = {
	.free = gem_free,
	.get_sg_table = gem_get_sg_table,
	.vmap = gem_vmap,
	.vunmap = gem_vunmap,
	.mmap = gem_mmap,
	.vm_ops = &gem_vm_ops,
};

static struct gem_object *gem_object_alloc(struct drm_device *drm, size_t size)
{
	struct gem_object *gem = kzalloc(sizeof(*gem), GFP_KERNEL);

	if (!gem)
		return NULL;
	gem->base.funcs = &gem_funcs;
	drm_gem_private_object_init(drm, &gem->base, size);
	return gem;
}

static struct drm_gem_object *
import_sg_table(struct drm_device *drm, struct dma_buf_attachment *attach, struct sg_table *sgt)
{
	struct gem_object *gem = gem_object_alloc(drm, attach->dmabuf->size);

	if (!gem)
		return ERR_PTR(-ENOMEM);
	gem->sgt = sgt;
	return &gem->base;
}

static const struct file_operations gem_fops;
static const struct drm_driver gem_driver = {
	.fops = &gem_fops,
	.gem_prime_import_sg_table = import_sg_table,
};

struct gem_device *gem_device_create(struct device *dev)
{
	struct gem_device *gem = kzalloc(sizeof(*gem), GFP_KERNEL);

	if (!gem)
		return NULL;
	gem->drm.dev = dev;
	gem->drm.driver = &gem_driver;
	gem->drm.anon_inode = &gem->anon_inode;
	mutex_init(&gem->drm.object_name_lock);
	drm_prime_init_file_private(&gem->file.prime);
	idr_init_base(&gem->file.object_idr, 1);
	mutex_init(&gem->file.table_lock);
	return gem;
}

struct drm_device *gem_device_drm(struct gem_device *gem)
{
	return &gem->drm;
}

struct drm_file *gem_device_file(struct gem_device *gem)
{
	return &gem->file;
}

void gem_device_destroy(struct gem_device *gem)
{
	drm_prime_destroy_file_private(&gem->file.prime);
	idr_destroy(&gem->file.object_idr);
	kfree(gem);
}

int gem_device_new(struct gem_device *gem, size_t size, u32 *handle)
{
	struct gem_object *obj = gem_object_alloc(&gem->drm, size);
	int ret = -ENOMEM;

	if (!obj)
		return -ENOMEM;
	obj->pages = kcalloc(size >> PAGE_SHIFT, sizeof(*obj->pages), GFP_KERNEL);
	for (size_t i = 0; obj->pages && i < size >> PAGE_SHIFT; i++) {
		obj->pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!obj->pages[i])
			goto put;
	}
	if (obj->pages)
		ret = drm_gem_handle_create(&gem->file, &obj->base, handle);
put:
	drm_gem_object_put(&obj->base);
	return ret;
}

int gem_device_export(struct gem_device *gem, u32 handle)
{
	int fd, ret;

	ret = drm_gem_prime_handle_to_fd(&gem->drm, &gem->file, handle, O_CLOEXEC | O_RDWR, &fd);
	return ret ?: fd;
}

int gem_device_import(struct gem_device *gem, int fd, u32 *handle)
{
	return drm_gem_prime_fd_to_handle(&gem->drm, &gem->file, fd, handle);
}

const struct sg_table *gem_device_table(struct gem_device *gem, u32 handle)
{
	struct drm_gem_object *obj = drm_gem_object_lookup(&gem->file, handle);
	const struct sg_table *sgt = to_gem(obj)->sgt;

	drm_gem_object_put(obj);
	return sgt;
}

void gem_device_delete(struct gem_device *gem, u32 handle)
{
	drm_gem_handle_delete(&gem->file, handle);
}

struct gem_device *gem_device_share(struct device *dev, size_t size, struct dma_buf **dmabuf)
{
	struct gem_device *gem = gem_device_create(dev);
	u32 handle;
	int fd, ret;

	if (!gem)
		return ERR_PTR(-ENOMEM);
	ret = gem_device_new(gem, size, &handle);
	if (ret)
		goto destroy;
	fd = gem_device_export(gem, handle);
	gem_device_delete(gem, handle);
	ret = fd;
	if (fd < 0)
		goto destroy;
	*dmabuf = dma_buf_get(fd);
	host_close(fd);
	ret = PTR_ERR_OR_ZERO(*dmabuf);
	if (ret)
		goto destroy;
	return gem;

destroy:
	gem_device_destroy(gem);
	return ERR_PTR(ret);
}
