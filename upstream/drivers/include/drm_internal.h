/* SPDX-License-Identifier: MIT */
/* drm_internal.h - what drm_prime.c shares with the rest of DRM, here with upstream/drivers/gem.c */
#ifndef _DRM_INTERNAL_H
#define _DRM_INTERNAL_H

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>

struct drm_prime_handle;

/* drm_prime.c's */
void drm_prime_init_file_private(struct drm_prime_file_private *prime_fpriv);
void drm_prime_destroy_file_private(struct drm_prime_file_private *prime_fpriv);
void drm_prime_remove_buf_handle(struct drm_prime_file_private *prime_fpriv, uint32_t handle);
int drm_prime_handle_to_fd_ioctl(struct drm_device *dev, void *data, struct drm_file *file_priv);
int drm_prime_fd_to_handle_ioctl(struct drm_device *dev, void *data, struct drm_file *file_priv);

/* drm_gem_handle_create_tail - with object_name_lock held, which it drops */
int drm_gem_handle_create_tail(struct drm_file *file_priv, struct drm_gem_object *obj,
			       u32 *handlep);
int drm_gem_pin(struct drm_gem_object *obj);
void drm_gem_unpin(struct drm_gem_object *obj);
int drm_gem_vmap(struct drm_gem_object *obj, struct iosys_map *map);
void drm_gem_vunmap(struct drm_gem_object *obj, struct iosys_map *map);

#endif
