/* SPDX-License-Identifier: MIT */
/*
 * drm_prime.c - Linux's drm_prime.c under `dmabuf check`, for a DRM driver whose objects are pages
 *
 * The driver, and what of DRM drm_prime.c stands on, are the tests' (gem-device.c, gem.c).
 */
#include "drivers/gpu/drm/drm_prime.c"

#include <libdmabuf-check.h>

#include "upstream/drivers/gem-device.c"
#include "upstream/drivers/gem.c"

/* --- DRM_IOCTL_PRIME_HANDLE_TO_FD ------------------------------------------------------------- */

static int check_export(struct check_export *buffer)
{
	buffer->own = gem_device_share(buffer->dev, buffer->size, &buffer->dmabuf);
	return PTR_ERR_OR_ZERO(buffer->own);
}

static void check_release(struct check_export *buffer)
{
	dma_buf_put(buffer->dmabuf);
	flush_delayed_fput();
	gem_device_destroy(buffer->own);
}

/* --- DRM_IOCTL_PRIME_FD_TO_HANDLE ------------------------------------------------------------- */

struct import_of_ours {
	struct gem_device *gem;
	u32 handle;
};

static int check_open(struct check_import *import)
{
	struct import_of_ours *own = kzalloc(sizeof(*own), GFP_KERNEL);
	int fd, ret = -ENOMEM;

	if (!own)
		return -ENOMEM;
	own->gem = gem_device_create(import->dev);
	if (!own->gem)
		goto free_own;
	get_dma_buf(import->dmabuf);
	fd = dma_buf_fd(import->dmabuf, O_CLOEXEC);
	ret = fd;
	if (fd < 0) {
		dma_buf_put(import->dmabuf);
		goto destroy;
	}
	ret = gem_device_import(own->gem, fd, &own->handle);
	host_close(fd);
	if (ret)
		goto destroy;
	import->sgt = gem_device_table(own->gem, own->handle);
	import->own = own;
	return 0;

destroy:
	gem_device_destroy(own->gem);
free_own:
	kfree(own);
	return ret;
}

static void check_close(struct check_import *import)
{
	struct import_of_ours *own = import->own;

	gem_device_delete(own->gem, own->handle);
	gem_device_destroy(own->gem);
	kfree(own);
}

DMABUF_CHECK({ .name = "drm_prime",
	       .export = check_export,
	       .release = check_release,
	       .open = check_open,
	       .close = check_close });
