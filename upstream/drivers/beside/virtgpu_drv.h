/* SPDX-License-Identifier: MIT */
/* virtgpu_drv.h - virtio's GPU, as far as its virtgpu_prime.c sees it; with Linux 6.12's names */
#ifndef _VIRTGPU_DRV_H
#define _VIRTGPU_DRV_H

#include <asm/byteorder.h>
#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_shmem_helper.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/virtio_dma_buf.h>
#include <linux/wait.h>

#define VIRTGPU_BLOB_FLAG_USE_CROSS_DEVICE 0x0004

/* Of an object's UUID: asked of the host once, when it is first exported. */
#define STATE_INITIALIZING 0
#define STATE_OK 1
#define STATE_ERR 2

struct virtio_gpu_object {
	struct drm_gem_shmem_object base;
	struct sg_table *sgt;
	u32 blob_flags;
	bool host3d_blob, guest_blob;
	int uuid_state;
	uuid_t uuid;
};

#define gem_to_virtio_gpu_obj(gobj) container_of((gobj), struct virtio_gpu_object, base.base)

struct virtio_gpu_object_array;

struct virtio_gpu_device {
	wait_queue_head_t resp_wq;
	bool has_resource_assign_uuid;
};

/* As the device reads it. */
struct virtio_gpu_mem_entry {
	__le64 addr;
	__le32 length;
	__le32 padding;
};

struct virtio_gpu_object_array *virtio_gpu_array_alloc(u32 nents);
void virtio_gpu_array_add_obj(struct virtio_gpu_object_array *objs, struct drm_gem_object *obj);
int virtio_gpu_cmd_resource_assign_uuid(struct virtio_gpu_device *vgdev,
					struct virtio_gpu_object_array *objs);
void virtio_gpu_notify(struct virtio_gpu_device *vgdev);

bool virtio_gpu_is_vram(struct virtio_gpu_object *bo);
struct sg_table *virtio_gpu_vram_map_dma_buf(struct virtio_gpu_object *bo, struct device *dev,
					     enum dma_data_direction dir);
void virtio_gpu_vram_unmap_dma_buf(struct device *dev, struct sg_table *sgt,
				   enum dma_data_direction dir);

int virtio_gpu_resource_assign_uuid(struct virtio_gpu_device *vgdev, struct virtio_gpu_object *bo);
struct dma_buf *virtgpu_gem_prime_export(struct drm_gem_object *obj, int flags);
struct drm_gem_object *virtgpu_gem_prime_import(struct drm_device *dev, struct dma_buf *buf);
int virtgpu_dma_buf_import_sgt(struct virtio_gpu_mem_entry **ents, unsigned int *nents,
			       struct virtio_gpu_object *bo, struct dma_buf_attachment *attach);
struct drm_gem_object *virtgpu_gem_prime_import_sg_table(struct drm_device *dev,
							 struct dma_buf_attachment *attach,
							 struct sg_table *sgt);

#endif
