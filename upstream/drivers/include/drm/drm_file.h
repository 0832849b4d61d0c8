/* SPDX-License-Identifier: MIT */
/* drm_file.h - a program's open file of a DRM device, as far as drm_prime.c and vgem_fence.c see it */
#ifndef _DRM_DRM_FILE_H
#define _DRM_DRM_FILE_H

#include <linux/idr.h>
#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/timer.h>
#include <drm/drm_prime.h>

struct drm_minor;

struct drm_file {
	struct drm_minor *minor;
	void *driver_priv;
	struct drm_prime_file_private prime;

	struct idr object_idr; /* handles, from 1 on; under table_lock */
	struct mutex table_lock;
};

#endif
