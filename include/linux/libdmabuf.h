/* SPDX-License-Identifier: MIT */
/*
 * libdmabuf.h - where a driver meets the programs' API of <libdmabuf.h>
 *
 * Buffers meet at a descriptor: dma_buf_fd() here, libdmabuf_buffer_import() there, or the other
 * way round with dma_buf_get().  Devices meet here.
 *
 * DIFFERS: Linux has no such header; there a bus hands devices to drivers.
 */
#ifndef _LINUX_LIBDMABUF_H
#define _LINUX_LIBDMABUF_H

#include <linux/types.h>

struct device;
struct libdmabuf_device;

/**
 * libdmabuf_device_of - the device that drivers know by this handle
 *
 * Context: any.
 * Ownership: the handle's; valid until libdmabuf_device_remove().  get_device() keeps it longer.
 */
struct device *libdmabuf_device_of(struct libdmabuf_device *device);

#endif
