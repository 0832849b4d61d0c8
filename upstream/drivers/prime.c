/* SPDX-License-Identifier: MIT */
/*
 * prime.c - what DRM's drivers share their objects by, for those that `dmabuf check` drives
 *
 * Stands in for Linux 6.12's drm_prime.c, from how that behaves; drivers call the same names.
 *
 * Invariants
 *   PR1  An object has one dma-buf as long as it has a handle, and longer while somebody uses it.
 *   PR2  A file that imports a buffer of which it has a handle gets that handle.
 *   PR3  A device that imports its own object's buffer gets the object: nothing is attached.
 *   PR4  As in Linux, a map moves no bytes (DMA_ATTR_SKIP_CPU_SYNC) and nobody brackets the CPU's
 *	  accesses: a driver whose objects are cached pages keeps importers coherent by itself.
 */
#include <drm/drm.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_prime.h>
#include <linux/dma-mapping.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "drm_internal.h"

/* --- as exporter ------------------------------------------------------------------------------ */

int drm_gem_map_attach(struct dma_buf *dma_buf, struct dma_buf_attachment *attach)
{
	struct drm_gem_object *obj = dma_buf->priv;

	return obj->funcs->get_sg_table ? drm_gem_pin(obj) : -ENOSYS;
}

void drm_gem_map_detach(struct dma_buf *dma_buf, struct dma_buf_attachment *attach)
{
	drm_gem_unpin(dma_buf->priv);
}

struct sg_table *drm_gem_map_dma_buf(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct drm_gem_object *obj = attach->dmabuf->priv;
	struct sg_table *sgt = obj->funcs->get_sg_table(obj);
	int ret;

	if (IS_ERR(sgt))
		return sgt;
	ret = dma_map_sgtable(attach->dev, sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
	if (!ret)
		return sgt;
	sg_free_table(sgt);
	kfree(sgt);
	return ERR_PTR(ret);
}

void drm_gem_unmap_dma_buf(struct dma_buf_attachment *attach, struct sg_table *sgt,
			   enum dma_data_direction dir)
{
	if (!sgt)
		return;
	dma_unmap_sgtable(attach->dev, sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
	sg_free_table(sgt);
	kfree(sgt);
}

int drm_gem_dmabuf_vmap(struct dma_buf *dma_buf, struct iosys_map *map)
{
	return drm_gem_vmap(dma_buf->priv, map);
}

void drm_gem_dmabuf_vunmap(struct dma_buf *dma_buf, struct iosys_map *map)
{
	drm_gem_vunmap(dma_buf->priv, map);
}

int drm_gem_prime_mmap(struct drm_gem_object *obj, struct vm_area_struct *vma)
{
	int ret;

	if (!obj->funcs->mmap)
		return -ENODEV;
	vma->vm_pgoff += drm_vma_node_start(&obj->vma_node);
	vma->vm_ops = obj->funcs->vm_ops;
	vma->vm_private_data = obj;
	drm_gem_object_get(obj);
	ret = obj->funcs->mmap(obj, vma);
	if (ret)
		drm_gem_object_put(obj);
	return ret;
}

int drm_gem_dmabuf_mmap(struct dma_buf *dma_buf, struct vm_area_struct *vma)
{
	return drm_gem_prime_mmap(dma_buf->priv, vma);
}

void drm_gem_dmabuf_release(struct dma_buf *dma_buf)
{
	struct drm_gem_object *obj = dma_buf->priv;
	struct drm_device *dev = obj->dev;

	drm_gem_object_put(obj);
	drm_dev_put(dev);
}

static const struct dma_buf_ops prime_ops = {
	.attach = drm_gem_map_attach,
	.detach = drm_gem_map_detach,
	.map_dma_buf = drm_gem_map_dma_buf,
	.unmap_dma_buf = drm_gem_unmap_dma_buf,
	.release = drm_gem_dmabuf_release,
	.mmap = drm_gem_dmabuf_mmap,
	.vmap = drm_gem_dmabuf_vmap,
	.vunmap = drm_gem_dmabuf_vunmap,
};

struct dma_buf *drm_gem_dmabuf_export(struct drm_device *dev, struct dma_buf_export_info *exp_info)
{
	struct dma_buf *dmabuf = dma_buf_export(exp_info);

	if (IS_ERR(dmabuf))
		return dmabuf;
	drm_dev_get(dev);
	drm_gem_object_get(exp_info->priv);
	return dmabuf;
}

struct dma_buf *drm_gem_prime_export(struct drm_gem_object *obj, int flags)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);

	info.exp_name = "drm";
	info.owner = obj->dev->driver->fops ? obj->dev->driver->fops->owner : NULL;
	info.ops = &prime_ops;
	info.size = obj->size;
	info.flags = flags;
	info.resv = obj->resv;
	info.priv = obj;
	return drm_gem_dmabuf_export(obj->dev, &info);
}

/* A reference of @obj's dma-buf, made where it has none.  object_name_lock held. */
static struct dma_buf *dmabuf_of(struct drm_gem_object *obj, uint32_t flags)
{
	struct dma_buf *dmabuf = obj->import_attach ? obj->import_attach->dmabuf : obj->dma_buf;

	if (!dmabuf && !obj->handle_count)
		return ERR_PTR(-ENOENT); /* its last handle goes meanwhile */
	if (!dmabuf) {
		dmabuf = obj->funcs->export ? obj->funcs->export(obj, flags)
					    : drm_gem_prime_export(obj, flags);
		if (IS_ERR(dmabuf))
			return dmabuf;
		obj->dma_buf = dmabuf;
	}
	get_dma_buf(dmabuf);
	return dmabuf;
}

struct dma_buf *drm_gem_prime_handle_to_dmabuf(struct drm_device *dev, struct drm_file *file_priv,
					       uint32_t handle, uint32_t flags)
{
	struct drm_gem_object *obj;
	struct dma_buf *dmabuf = ERR_PTR(-ENOENT);

	mutex_lock(&file_priv->prime.lock);
	obj = drm_gem_object_lookup(file_priv, handle);
	if (!obj)
		goto unlock;
	mutex_lock(&dev->object_name_lock);
	dmabuf = dmabuf_of(obj, flags);
	mutex_unlock(&dev->object_name_lock);
	drm_gem_object_put(obj);
unlock:
	mutex_unlock(&file_priv->prime.lock);
	return dmabuf;
}

int drm_gem_prime_handle_to_fd(struct drm_device *dev, struct drm_file *file_priv, uint32_t handle,
			       uint32_t flags, int *prime_fd)
{
	struct dma_buf *dmabuf;
	int fd;

	dmabuf = drm_gem_prime_handle_to_dmabuf(dev, file_priv, handle, flags);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	fd = dma_buf_fd(dmabuf, flags);
	if (fd < 0) {
		dma_buf_put(dmabuf);
		return fd;
	}
	*prime_fd = fd;
	return 0;
}

/* --- as importer ------------------------------------------------------------------------------ */

struct drm_gem_object *drm_gem_prime_import_dev(struct drm_device *dev, struct dma_buf *dma_buf,
						struct device *attach_dev)
{
	struct dma_buf_attachment *attach;
	struct drm_gem_object *obj = dma_buf->priv;
	struct sg_table *sgt;

	if (dma_buf->ops == &prime_ops && obj->dev == dev) {
		drm_gem_object_get(obj);
		return obj;
	}
	if (!dev->driver->gem_prime_import_sg_table)
		return ERR_PTR(-EINVAL);
	attach = dma_buf_attach(dma_buf, attach_dev);
	if (IS_ERR(attach))
		return ERR_CAST(attach);
	get_dma_buf(dma_buf);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	if (IS_ERR(sgt)) {
		obj = ERR_CAST(sgt);
		goto detach;
	}
	obj = dev->driver->gem_prime_import_sg_table(dev, attach, sgt);
	if (IS_ERR(obj))
		goto unmap;
	obj->import_attach = attach;
	obj->resv = dma_buf->resv;
	return obj;

unmap:
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
detach:
	dma_buf_detach(dma_buf, attach);
	dma_buf_put(dma_buf);
	return obj;
}

struct drm_gem_object *drm_gem_prime_import(struct drm_device *dev, struct dma_buf *dma_buf)
{
	return drm_gem_prime_import_dev(dev, dma_buf, dev->dev);
}

void drm_prime_gem_destroy(struct drm_gem_object *obj, struct sg_table *sg)
{
	struct dma_buf_attachment *attach = obj->import_attach;
	struct dma_buf *dmabuf = attach->dmabuf;

	if (sg)
		dma_buf_unmap_attachment_unlocked(attach, sg, DMA_BIDIRECTIONAL);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

/* The handle that @file has of an object with this buffer, or 0. */
static int handle_of(struct drm_file *file, const struct dma_buf *dmabuf)
{
	struct drm_gem_object *obj;
	int handle;

	mutex_lock(&file->table_lock);
	idr_for_each_entry(&file->object_idr, obj, handle) if (obj->dma_buf == dmabuf) break;
	mutex_unlock(&file->table_lock);
	return obj ? handle : 0;
}

/* prime.lock held. */
static int import(struct drm_device *dev, struct drm_file *file, struct dma_buf *dmabuf,
		  uint32_t *handle)
{
	struct drm_gem_object *obj;
	int ret;

	mutex_lock(&dev->object_name_lock);
	obj = dev->driver->gem_prime_import ? dev->driver->gem_prime_import(dev, dmabuf)
					    : drm_gem_prime_import(dev, dmabuf);
	if (IS_ERR(obj)) {
		mutex_unlock(&dev->object_name_lock);
		return PTR_ERR(obj);
	}
	if (!obj->dma_buf) {
		obj->dma_buf = dmabuf;
		get_dma_buf(dmabuf);
	}
	ret = drm_gem_handle_create_tail(file, obj, handle);
	drm_gem_object_put(obj);
	return ret;
}

int drm_gem_prime_fd_to_handle(struct drm_device *dev, struct drm_file *file_priv, int prime_fd,
			       uint32_t *handle)
{
	struct dma_buf *dmabuf = dma_buf_get(prime_fd);
	int ret = 0;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	mutex_lock(&file_priv->prime.lock);
	*handle = handle_of(file_priv, dmabuf);
	if (!*handle)
		ret = import(dev, file_priv, dmabuf, handle);
	mutex_unlock(&file_priv->prime.lock);
	dma_buf_put(dmabuf);
	return ret;
}

/* --- a file of the device's ------------------------------------------------------------------- */

void drm_prime_init_file_private(struct drm_prime_file_private *prime_fpriv)
{
	mutex_init(&prime_fpriv->lock);
}

void drm_prime_destroy_file_private(struct drm_prime_file_private *prime_fpriv)
{
	mutex_destroy(&prime_fpriv->lock);
}

/* Which handles there are says object_idr alone. */
void drm_prime_remove_buf_handle(struct drm_prime_file_private *prime_fpriv, uint32_t handle)
{
}

/* --- tables ----------------------------------------------------------------------------------- */

struct sg_table *drm_prime_pages_to_sg(struct drm_device *dev, struct page **pages,
				       unsigned int nr_pages)
{
	struct sg_table *sgt = kmalloc(sizeof(*sgt), GFP_KERNEL);
	int ret;

	if (!sgt)
		return ERR_PTR(-ENOMEM);
	ret = sg_alloc_table_from_pages(sgt, pages, nr_pages, 0,
					(unsigned long)nr_pages << PAGE_SHIFT, GFP_KERNEL);
	if (!ret)
		return sgt;
	kfree(sgt);
	return ERR_PTR(ret);
}

unsigned long drm_prime_get_contiguous_size(struct sg_table *sgt)
{
	dma_addr_t next = sg_dma_address(sgt->sgl);
	unsigned long size = 0;
	struct scatterlist *sg;
	int i;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (sg_dma_address(sg) != next)
			break;
		next += sg_dma_len(sg);
		size += sg_dma_len(sg);
	}
	return size;
}

int drm_prime_sg_to_page_array(struct sg_table *sgt, struct page **pages, int max_pages)
{
	struct sg_page_iter iter;
	int nr = 0;

	for_each_sgtable_page(sgt, &iter, 0)
	{
		if (WARN_ON(nr == max_pages))
			return -1;
		pages[nr++] = sg_page_iter_page(&iter);
	}
	return 0;
}

int drm_prime_sg_to_dma_addr_array(struct sg_table *sgt, dma_addr_t *addrs, int max_pages)
{
	struct sg_dma_page_iter iter;
	int nr = 0;

	for_each_sgtable_dma_page(sgt, &iter, 0)
	{
		if (WARN_ON(nr == max_pages))
			return -1;
		addrs[nr++] = sg_page_iter_dma_address(&iter);
	}
	return 0;
}
