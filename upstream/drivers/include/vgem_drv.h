/* SPDX-License-Identifier: MIT */
/* vgem_drv.h - what vgem_fence.c offers vgem's ioctls, and keeps for each open file */
#ifndef _VGEM_DRV_H
#define _VGEM_DRV_H

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <uapi/drm/vgem_drm.h>

/* drm_file.driver_priv */
struct vgem_file {
	struct idr fence_idr;
	struct mutex fence_mutex;
};

int vgem_fence_open(struct vgem_file *file);
void vgem_fence_close(struct vgem_file *file);
int vgem_fence_attach_ioctl(struct drm_device *dev, void *data, struct drm_file *file);
int vgem_fence_signal_ioctl(struct drm_device *dev, void *data, struct drm_file *file);

#endif
