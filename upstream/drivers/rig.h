/* SPDX-License-Identifier: MIT */
/*
 * rig.h - Linux's drivers as the two ends of a share
 *
 * What each driver's subsystem does with it, in the subsystem's order and no other: these functions
 * call the driver's operations, and the driver's sources are Linux's, unchanged.
 */
#ifndef UPSTREAM_DRIVERS_RIG_H
#define UPSTREAM_DRIVERS_RIG_H

#include <linux/dma-buf.h>
#include <linux/types.h>

struct device;
struct drm_device;
struct drm_file;

/* A buffer that a driver has exported. */
struct exported {
	struct dma_buf *dmabuf; /* a reference */
	void *own;
};

struct linux_exporter {
	const char *name; /* of the driver's source, without .c */

	/* Fills in *@buffer: @size bytes of @dev's.  Returns 0 or what the driver tells a program. */
	int (*open)(struct exported *buffer, struct device *dev, size_t size);
	void (*close)(struct exported *buffer);
};

/* A buffer that a driver has imported. */
struct imported {
	const struct sg_table *table; /* what the device is told, or NULL for one that copies */
	void *vaddr;                  /* then this */
	void *own[3];
};

struct linux_importer {
	const char *name;
	bool cpu; /* its device's driver copies */

	/*
	 * @dir: what the device will do.  Fills in *@buffer.
	 * Returns 0 or what the driver tells a program.
	 */
	int (*open)(struct imported *buffer, struct dma_buf *dmabuf, struct device *dev,
		    enum dma_data_direction dir);
	void (*close)(struct imported *buffer);
};

/* Ends with a NULL name. */
extern const struct linux_exporter linux_exporters[];
extern const struct linux_importer linux_importers[];

/* The device of udmabuf.c, which belongs to no bus: the one that dma_coerce_mask_and_coherent() was for. */
extern struct device *udmabuf_device;

/* A DRM device of the software kind, made for @dev; see drivers/gem-device.c. */
struct gem_device;
struct gem_device *gem_device_create(struct device *dev);
void gem_device_destroy(struct gem_device *gem);

/** gem_device_drm, gem_device_file - as its ioctls get them: the device, and its one open file */
struct drm_device *gem_device_drm(struct gem_device *gem);
struct drm_file *gem_device_file(struct gem_device *gem);

/** gem_device_new - a new object of @size bytes. Returns 0 or -errno; *@handle is its only owner */
int gem_device_new(struct gem_device *gem, size_t size, u32 *handle);

/** gem_device_export, _import - through drm_prime.c, as a program does it: handle to fd and back */
int gem_device_export(struct gem_device *gem, u32 handle);
int gem_device_import(struct gem_device *gem, int fd, u32 *handle);

/**
 * gem_device_share - a new device with one object of @size bytes, exported; its handle is closed
 *
 * The buffer keeps the object; a program that closes its handle is nothing special.
 * Returns the device or ERR_PTR(-errno); *@dmabuf is the caller's, to put before he destroys it.
 */
struct gem_device *gem_device_share(struct device *dev, size_t size, struct dma_buf **dmabuf);

/** gem_device_table - where @handle's imported memory is, for the device. Valid while the handle is */
const struct sg_table *gem_device_table(struct gem_device *gem, u32 handle);
void gem_device_delete(struct gem_device *gem, u32 handle);

#endif
