/* SPDX-License-Identifier: MIT */
/*
 * libdmabuf-check.h - tells `dmabuf check` how to drive a driver that registers nothing it knows
 *
 * What registers a dma-heap or has a struct vb2_mem_ops needs none of this, nor does udmabuf's misc
 * device; another misc device lists its ioctl (DMABUF_CHECK_IOCTLS()).  A struct drm_driver is driven
 * through PRIME: dumb_create() makes objects, gem_prime_import_sg_table() takes others' buffers; its
 * drm_device is new each time, all else in the driver's structure around it is zeros.  A platform
 * driver is probed with a device of the machine, unless it makes one itself.  Any other
 * driver gets an adapter: a C file of its own that includes the driver's source, unchanged, so that
 * its static functions can be called, and ends with DMABUF_CHECK().  That file is what `dmabuf check`
 * is given; examples/check has four.
 *
 *	#include "my_driver.c"
 *	#include <libdmabuf-check.h>
 *
 *	static int check_open(struct check_import *import)
 *	{
 *		struct my_buffer *buffer = my_import(import->dev, import->dmabuf, import->dir);
 *
 *		import->own = buffer;
 *		return PTR_ERR_OR_ZERO(buffer);
 *	}
 *
 *	static int check_access(struct check_import *import)
 *	{
 *		struct my_buffer *buffer = import->own;
 *		struct sg_table *sgt = my_start(buffer);
 *		int ret = IS_ERR(sgt) ? PTR_ERR(sgt) : check_device_runs(import, sgt);
 *
 *		my_stop(buffer);
 *		return ret;
 *	}
 *
 *	static void check_close(struct check_import *import)
 *	{
 *		my_free(import->own);
 *	}
 *
 *	DMABUF_CHECK({
 *		.name = "my_driver",
 *		.open = check_open,
 *		.access = check_access,
 *		.close = check_close,
 *	});
 *
 * The checker calls these in the order a program would cause, from one thread at a time, with no
 * lock held; with --schedules from two, each with an import of its own, or what an exporter's users may
 * do at once.  Each may sleep.  All of a driver's own threads and work items may run meanwhile.
 * A buffer that an importer has may move between its calls, while a job is queued, and beside access()
 * or close() in another thread, as an exporter's move does.
 * A call that fails on its own (0 expected, no failure injected) is told as a finding, with its errno.
 *
 * An adapter is either an exporter (export and release are set), an importer (open and close are
 * set), or a way of its own (run is set); one may be all three.
 */
#ifndef LIBDMABUF_CHECK_H
#define LIBDMABUF_CHECK_H

#include <linux/dma-buf.h>
#include <linux/dma-direction.h>
#include <linux/scatterlist.h>
#include <linux/types.h>

struct dma_fence;

/* A buffer that the driver exports. */
struct check_export {
	/* the checker's */
	struct device *dev; /* whose buffer it is: a device of the machine, or not looked at */
	size_t size;        /* bytes, whole pages */

	/* the driver's */
	struct dma_buf *dmabuf; /* export() gives the checker this reference */
	void *own;
};

/* A buffer of others that the driver imports. */
struct check_import {
	/* the checker's; dmabuf is referenced from before open() until after close() */
	struct dma_buf *dmabuf;
	struct device *dev;
	enum dma_data_direction
		dir; /* what the device will do: TO_DEVICE reads, FROM_DEVICE writes */

	/*
	 * The driver's.  The first two are for one without access(): what its device is told, or,
	 * where the driver copies by the CPU, where.  Valid from open() to close().
	 */
	const struct sg_table *sgt;
	void *vaddr;
	/*
	 * After access(): signals when the job is done; a reference, which the checker puts.  NULL:
	 * it was done when access() returned, or the reservation has its fence.
	 */
	struct dma_fence *fence;
	void *own;

	void *checker; /* leave it alone */
};

/* Which directions an importer takes: bits of 1 << enum dma_data_direction. */
#define CHECK_DIR(dir) (1u << (dir))

struct check_adapter {
	const char *name; /* of this way to drive the driver */

	/*
	 * export: a new buffer of buffer->size bytes, as a program gets it.  Returns 0 or -errno.
	 * own_access: optional; the driver's own device, or its CPU, writes @bytes into the whole
	 * buffer or reads it into them, while nobody has it mapped.  Returns 0 or -errno.
	 * move: optional; the buffer goes elsewhere now.  Returns 0 or -errno, -EBUSY while it
	 * cannot (pinned).
	 * release: what ends it for the program; it drops the reference of export().
	 */
	int (*export)(struct check_export *buffer);
	int (*own_access)(struct check_export *buffer, bool write, void *bytes);
	int (*move)(struct check_export *buffer);
	void (*release)(struct check_export *buffer);

	/*
	 * dirs: CHECK_DIR()s, 0 for all three.
	 * open: the driver imports import->dmabuf for import->dev.  Returns 0 or -errno.
	 * access: optional; one job: the device, or the CPU for it, accesses the whole buffer once as
	 * import->dir says.  When the hardware would work it calls check_device_runs() or
	 * check_cpu_copies(), here or later from a thread of the driver's.  Called several times.
	 * Without it the checker has the device work through import->sgt, or import->vaddr.
	 * close: undoes open.
	 */
	unsigned int dirs;
	int (*open)(struct check_import *import);
	int (*access)(struct check_import *import);
	void (*close)(struct check_import *import);

	/*
	 * Whatever else the driver does with a buffer of others, from the first call to the last;
	 * all is given back when it returns.  Returns 0 or -errno.
	 */
	int (*run)(struct device *dev, struct dma_buf *dmabuf);
};

/**
 * DMABUF_CHECK - the adapters of this file, in braces, with commas between; once in a driver
 */
#define DMABUF_CHECK(...)                                    \
	__attribute__((__visibility__("default"), __used__)) \
	const struct check_adapter dmabuf_check_adapters[] = { __VA_ARGS__, {} }
extern const struct check_adapter dmabuf_check_adapters[];

/* A field of an ioctl's argument, of 4 or 8 bytes; none: there is no such field. */
struct check_field {
	unsigned short at, bytes;
};
#define CHECK_FIELD(type, field)                                  \
	{                                                         \
		offsetof(type, field), sizeof(((type *)0)->field) \
	}

/*
 * An ioctl of a misc device that gives a program a new buffer.  A driver that lists it needs no
 * adapter; all other fields of the argument are 0.
 */
struct check_ioctl {
	const char *node; /* its miscdevice's name */
	unsigned int request;
	size_t argument;           /* bytes */
	struct check_field size;   /* in: of the buffer, bytes */
	struct check_field memory; /* in: a memfd of that size, which cannot shrink */
	struct check_field fd;     /* out: the buffer's descriptor; none: the ioctl returns it */
};

/** DMABUF_CHECK_IOCTLS - the same of such ioctls, also in a file of dmabuf-stubs/ */
#define DMABUF_CHECK_IOCTLS(...)                             \
	__attribute__((__visibility__("default"), __used__)) \
	const struct check_ioctl dmabuf_check_ioctls[] = { __VA_ARGS__, {} }
extern const struct check_ioctl dmabuf_check_ioctls[];

/**
 * check_device_runs - the device does the job, through what it was told, before this returns
 * @sgt: only DMA addresses and lengths are used
 *
 * It reads or writes all of the buffer: the checker knows which bytes, and compares.
 * Context: any thread; does not sleep.  Between open() and close().
 * Returns 0, -EFAULT when the device could not (a finding), -EINVAL when @sgt is too short.
 */
int check_device_runs(struct check_import *import, const struct sg_table *sgt);

/** check_cpu_copies - the same where the driver's CPU does the job, at @vaddr */
int check_cpu_copies(struct check_import *import, void *vaddr);

/**
 * check_fd - a new descriptor of import->dmabuf, as a program gives it to a driver
 * check_fd_close - and closes it, when it likes
 *
 * Context: may sleep.  Returns -EMFILE, -ENFILE, -ENOMEM, also when it is made to fail: as any
 * number of no file, the driver refuses that, and closing it does nothing.
 */
int check_fd(struct check_import *import);
void check_fd_close(int fd);

#endif
