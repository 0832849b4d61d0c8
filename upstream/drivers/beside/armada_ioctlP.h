/* SPDX-License-Identifier: MIT */
/* armada_ioctlP.h - the ioctls of Armada's display driver that armada_gem.c answers */
#ifndef _ARMADA_IOCTL_PRIVATE_H
#define _ARMADA_IOCTL_PRIVATE_H

#include <drm/drm_file.h>
#include <drm/drm_mode.h>

int armada_gem_create_ioctl(struct drm_device *dev, void *data, struct drm_file *file);
int armada_gem_mmap_ioctl(struct drm_device *dev, void *data, struct drm_file *file);
int armada_gem_pwrite_ioctl(struct drm_device *dev, void *data, struct drm_file *file);

#endif
