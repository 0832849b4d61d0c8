/* SPDX-License-Identifier: MIT */
/*
 * drive-drm.c - a struct drm_driver, as programs share its objects by PRIME; see drive.h
 *
 * A program makes a dumb buffer and exports its handle; another imports a descriptor.  DRM's part of
 * that is ours (upstream/drivers/gem.c, prime.c).  The device is a new one each time: of a structure
 * that the driver has it in, all else is zeros.  A driver that needs more says so in an adapter.
 */
#include "checker/check/own.h"

#include <drm/drm.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_mode.h>
#include <linux/dma-mapping.h>
#include <linux/file.h>

#include <stdlib.h>
#include <string.h>

#include "checker/check/drive.h"
#include "checker/check/watch.h"
#include "host/file.h"
#include "upstream/drivers/include/drm_internal.h"

static const struct drm_driver *tried;

/* A device, a program that has it open, and the object that is shared. */
struct client {
	u64 before[512]; /* of the driver's structure, whose drm_device the next is */
	struct drm_device drm;
	u64 after[512];
	struct inode inode;
	struct drm_file file;
	u32 handle;
};

static void client_free(struct client *client)
{
	drm_prime_destroy_file_private(&client->file.prime);
	idr_destroy(&client->file.object_idr);
	mutex_destroy(&client->file.table_lock);
	mutex_destroy(&client->drm.object_name_lock);
	free(client);
}

/* Nothing of it is made to fail: none of it is the driver's. */
static struct client *client_new(struct device *dev)
{
	struct client *client = calloc(1, sizeof(*client));

	client->drm.dev = dev;
	client->drm.driver = tried;
	client->drm.anon_inode = &client->inode;
	mutex_init(&client->drm.object_name_lock);
	drm_prime_init_file_private(&client->file.prime);
	idr_init_base(&client->file.object_idr, 1);
	mutex_init(&client->file.table_lock);
	return client;
}

/* --- DRM_IOCTL_MODE_CREATE_DUMB and DRM_IOCTL_PRIME_HANDLE_TO_FD ------------------------------ */

static int drm_export(struct check_export *buffer)
{
	struct client *client = client_new(buffer->dev);
	struct drm_mode_create_dumb picture = {
		.width = PAGE_SIZE / 4,
		.height = buffer->size >> PAGE_SHIFT,
		.bpp = 32,
	};
	int fd, ret;

	ret = tried->dumb_create(&client->file, &client->drm, &picture);
	if (ret)
		goto free_client;
	ret = drm_gem_prime_handle_to_fd(&client->drm, &client->file, picture.handle,
					 DRM_CLOEXEC | DRM_RDWR, &fd);
	drm_gem_handle_delete(&client->file, picture.handle);
	if (ret)
		goto free_client;
	buffer->dmabuf = dma_buf_get(fd);
	host_close(fd);
	buffer->own = client;
	return 0;

free_client:
	client_free(client);
	return ret;
}

static void drm_release(struct check_export *buffer)
{
	dma_buf_put(buffer->dmabuf);
	flush_delayed_fput();
	client_free(buffer->own);
}

/* --- DRM_IOCTL_PRIME_FD_TO_HANDLE ------------------------------------------------------------- */

static int drm_import(struct check_import *import)
{
	struct client *client = client_new(import->dev);
	struct watched mapped;
	int fd, ret;

	dma_set_max_seg_size(import->dev, UINT_MAX);
	get_dma_buf(import->dmabuf);
	fd = dma_buf_fd(import->dmabuf, O_CLOEXEC);
	if (fd < 0) {
		dma_buf_put(import->dmabuf);
		ret = fd;
		goto free_client;
	}
	ret = drm_gem_prime_fd_to_handle(&client->drm, &client->file, fd, &client->handle);
	host_close(fd);
	if (ret)
		goto free_client;
	if (watch_find(WATCHED_MAP, NULL, NULL, &mapped) && mapped.dmabuf == import->dmabuf)
		import->sgt = mapped.key;
	import->own = client;
	return 0;

free_client:
	client_free(client);
	return ret;
}

/* One that maps when a command comes, of its own kind, has told its device nothing. */
static int drm_access(struct check_import *import)
{
	return import->sgt ? check_device_runs(import, import->sgt) : 0;
}

static void drm_close(struct check_import *import)
{
	struct client *client = import->own;

	drm_gem_handle_delete(&client->file, client->handle);
	flush_delayed_fput();
	client_free(client);
}

bool drive_is_drm(const char *name, size_t size)
{
	return size == sizeof(*tried) && strstr(name, "driver");
}

const struct check_adapter *drive_drm(const char *name, const void *object)
{
	struct check_adapter *adapter = calloc(1, sizeof(*adapter));

	tried = object;
	adapter->name = strdup(name);
	if (tried->dumb_create) {
		adapter->export = drm_export;
		adapter->release = drm_release;
	}
	if (tried->gem_prime_import_sg_table) {
		adapter->open = drm_import;
		adapter->access = drm_access;
		adapter->close = drm_close;
	}
	return adapter;
}
