/* SPDX-License-Identifier: MIT */
/* drm_drv.h - a DRM device and its driver, as far as drm_prime.c sees them */
#ifndef _DRM_DRM_DRV_H
#define _DRM_DRM_DRV_H

#include <linux/device.h>
#include <linux/fs.h>
#include <linux/mutex.h>
#include <drm/drm_gem.h>

struct drm_minor;
struct drm_mode_create_dumb;

enum drm_driver_feature {
	DRIVER_GEM = 1 << 0,
	DRIVER_MODESET = 1 << 1,
	DRIVER_RENDER = 1 << 3,
	DRIVER_ATOMIC = 1 << 4,
};

/* dumb_create() and the members with prime in their names are called, of others nothing is. */
struct drm_driver {
	struct drm_gem_object *(*gem_create_object)(struct drm_device *dev, size_t size);
	int (*dumb_create)(struct drm_file *file_priv, struct drm_device *dev,
			   struct drm_mode_create_dumb *args);
	int (*dumb_map_offset)(struct drm_file *file_priv, struct drm_device *dev, u32 handle,
			       u64 *offset);
	int major, minor, patchlevel;
	char *name, *desc, *date;
	u32 driver_features;
	const struct file_operations *fops;
	struct drm_gem_object *(*gem_prime_import)(struct drm_device *dev, struct dma_buf *dma_buf);
	struct drm_gem_object *(*gem_prime_import_sg_table)(struct drm_device *dev,
							    struct dma_buf_attachment *attach,
							    struct sg_table *sgt);
	int (*prime_fd_to_handle)(struct drm_device *dev, struct drm_file *file_priv, int prime_fd,
				  uint32_t *handle);
	int (*prime_handle_to_fd)(struct drm_device *dev, struct drm_file *file_priv,
				  uint32_t handle, uint32_t flags, int *prime_fd);
};

struct drm_device {
	struct device *dev;
	void *dev_private; /* the driver's */
	const struct drm_driver *driver;
	struct inode *anon_inode; /* whose i_mapping is that of all its files */
	struct drm_minor *primary;
	struct mutex object_name_lock; /* handle_count and dma_buf of its objects */
};

/* Its owner keeps a device as long as its buffers live. */
static inline void drm_dev_get(struct drm_device *dev)
{
}

static inline void drm_dev_put(struct drm_device *dev)
{
}

#endif
