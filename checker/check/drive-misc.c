/* SPDX-License-Identifier: MIT */
/*
 * drive-misc.c - a misc device whose ioctl gives a program a buffer; see drive.h
 *
 * Which ioctl that is, and where its argument has what, the driver lists (DMABUF_CHECK_IOCTLS()), or
 * it is known here by the device's name.
 */
#include "checker/check/own.h"

#include <linux/miscdevice.h>
#include <linux/udmabuf.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "checker/check/bench.h"
#include "checker/check/drive.h"
#include "checker/check/module.h"
#include "checker/check/watch.h"
#include "dma/view.h"
#include "host/file.h"

/* Those of Linux's. */
static const struct check_ioctl known[] = {
	{
		.node = "udmabuf",
		.request = UDMABUF_CREATE,
		.argument = sizeof(struct udmabuf_create),
		.size = CHECK_FIELD(struct udmabuf_create, size),
		.memory = CHECK_FIELD(struct udmabuf_create, memfd),
	},
	{},
};

/* --- the device ------------------------------------------------------------------------------- */

REAL(misc_register);
REAL(misc_deregister);

#define MISC_DEVICES 8

/* A device that belongs to no bus maps as one of the bench's machine. */
static struct misc_device {
	const struct miscdevice *misc; /* NULL: free */
	struct dma_view view;
} devices[MISC_DEVICES];

static struct misc_device *device_of(const struct miscdevice *misc)
{
	for (unsigned int i = 0; i < MISC_DEVICES; i++)
		if (devices[i].misc == misc)
			return &devices[i];
	return NULL;
}

int misc_register(struct miscdevice *misc)
{
	int ret = real_misc_register(misc);
	struct misc_device *device = ret ? NULL : device_of(NULL);

	if (!device ||
	    dma_view_init(&device->view, bench.machine, misc->this_device, bench.type->coherent))
		return ret;
	device->misc = misc;
	misc->this_device->dma = &device->view;
	return 0;
}

void misc_deregister(struct miscdevice *misc)
{
	struct misc_device *device = device_of(misc);

	if (device) {
		dma_view_close(&device->view);
		misc->this_device->dma = NULL;
	}
	real_misc_deregister(misc);
	if (!device)
		return;
	dma_view_fini(&device->view);
	device->misc = NULL;
}

static bool registered(const char *name)
{
	for (unsigned int i = 0; i < MISC_DEVICES; i++)
		if (devices[i].misc && !strcmp(devices[i].misc->name, name))
			return true;
	return false;
}

/* --- the ioctl -------------------------------------------------------------------------------- */

static const struct check_ioctl *tried;

static void put(u8 *argument, struct check_field field, u64 value)
{
	memcpy(argument + field.at, &value, field.bytes); /* the first bytes are the low ones */
}

/* Memory of a program's, that stays as long as it is. */
static int program_memory(size_t size)
{
	int memfd = memfd_create("program", MFD_ALLOW_SEALING | MFD_CLOEXEC);

	if (memfd < 0 || ftruncate(memfd, size) || fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		abort();
	return memfd;
}

static int misc_export(struct check_export *buffer)
{
	u8 *argument = calloc(1, tried->argument + sizeof(u64));
	int memfd = tried->memory.bytes ? program_memory(buffer->size) : -1, node, fd;
	char path[160];
	long ret;

	put(argument, tried->size, buffer->size);
	put(argument, tried->memory, memfd);
	snprintf(path, sizeof(path), "/dev/%s", tried->node);
	node = host_open(path, O_RDWR);
	ret = node < 0 ? node : host_ioctl(node, tried->request, (unsigned long)argument);
	if (node >= 0)
		host_close(node);
	if (memfd >= 0)
		close(memfd);
	fd = ret;
	if (tried->fd.bytes)
		memcpy(&fd, argument + tried->fd.at, sizeof(fd));
	free(argument);
	if (ret < 0)
		return ret;
	buffer->dmabuf = dma_buf_get(fd);
	host_close(fd);
	return PTR_ERR_OR_ZERO(buffer->dmabuf);
}

static void misc_release(struct check_export *buffer)
{
	dma_buf_put(buffer->dmabuf);
}

const struct check_adapter *drive_misc(unsigned int nr)
{
	static const struct check_ioctl *const nothing = known + ARRAY_SIZE(known) - 1;
	const struct check_ioctl *lists[] = { known, module_ioctls() ?: nothing };
	struct check_adapter *adapter;

	for (unsigned int i = 0; i < ARRAY_SIZE(lists); i++)
		for (tried = lists[i]; tried->node; tried++)
			if (registered(tried->node) && !nr--)
				goto found;
	return NULL;

found:
	adapter = calloc(1, sizeof(*adapter));
	adapter->name = tried->node;
	adapter->export = misc_export;
	adapter->release = misc_release;
	return adapter;
}
