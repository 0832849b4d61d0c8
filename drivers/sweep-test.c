/* SPDX-License-Identifier: MIT */
/*
 * sweep-test.c - our exporters, and what programs do through libdmabuf.h, failing at each point
 */
#include <sys/mman.h>

#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/iosys-map.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "dma/engine.h"
#include "dma/machine.h"
#include "drivers/exporters/contiguous-heap.h"
#include "drivers/exporters/system-heap.h"
#include "host/file.h"
#include "include/libdmabuf.h"
#include "tests/ktap.h"
#include "tests/sweep.h"

#define MACHINES 5
#define HEAPS 2
#define BYTES (20 * PAGE_SIZE) /* a piece of 64 KiB and four of 4 */

static struct dma_buf *allocate(unsigned int variant)
{
	return variant / MACHINES % HEAPS ? contiguous_heap_allocate(BYTES)
					  : system_heap_allocate(BYTES);
}

static int device_writes(struct dma_buf *dmabuf, struct device *dev, u8 value)
{
	struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, dev);
	struct sg_table *table;
	int ret;

	if (IS_ERR(attach))
		return PTR_ERR(attach);
	table = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);
	ret = PTR_ERR_OR_ZERO(table);
	if (!ret) {
		if (dma_engine_write(dev, table, BYTES - 1, &value, 1))
			ret = SWEEP_WRONG_BYTES;
		dma_buf_unmap_attachment_unlocked(attach, table, DMA_FROM_DEVICE);
	}
	dma_buf_detach(dmabuf, attach);
	return ret;
}

static int cpu_reads(struct dma_buf *dmabuf, u8 value)
{
	struct iosys_map map;
	int ret = dma_buf_vmap_unlocked(dmabuf, &map), end;

	if (ret)
		return ret;
	ret = dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE);
	if (!ret) {
		if (((u8 *)map.vaddr)[BYTES - 1] != value)
			ret = SWEEP_WRONG_BYTES;
		end = dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE);
		ret = ret ?: end;
	}
	dma_buf_vunmap_unlocked(dmabuf, &map);
	return ret;
}

static int program_reads(struct dma_buf *dmabuf, u8 value)
{
	struct dma_buf_sync sync = { .flags = DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ };
	int fd, ret;
	u8 *at;

	get_dma_buf(dmabuf);
	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (fd < 0) {
		dma_buf_put(dmabuf);
		return fd;
	}
	at = host_mmap(fd, NULL, BYTES, PROT_READ, MAP_SHARED, 0);
	if (IS_ERR(at)) {
		host_close(fd);
		return PTR_ERR(at);
	}
	ret = host_ioctl(fd, DMA_BUF_IOCTL_SYNC, (unsigned long)&sync);
	if (!ret && at[BYTES - 1] != value)
		ret = SWEEP_WRONG_BYTES;
	sync.flags = DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ;
	if (!ret) {
		ret = host_ioctl(fd, DMA_BUF_IOCTL_SYNC, (unsigned long)&sync);
		/* What could not be read has ended nothing. */
		if (ret == -EFAULT) {
			port_fail_nth(PORT_FAULT_COPY, 0);
			host_ioctl(fd, DMA_BUF_IOCTL_SYNC, (unsigned long)&sync);
		}
	}
	while (host_munmap(at, BYTES)) {
		ret = ret ?: -ENOMEM;
		port_fail_nth(PORT_FAULT_MAP, 0);
	}
	host_close(fd);
	return ret;
}

static int use_buffer(struct device *dev, unsigned int variant)
{
	struct dma_buf *dmabuf = allocate(variant);
	int ret;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	ret = device_writes(dmabuf, dev, 7);
	if (!ret)
		ret = cpu_reads(dmabuf, 7);
	if (!ret)
		ret = program_reads(dmabuf, 7);
	dma_buf_put(dmabuf);
	return ret;
}

/* @variant: machine, heap, policy */
static int heaps(unsigned int variant)
{
	const struct machine_type *type = &machine_types[variant % MACHINES];
	struct machine *machine = machine_create(type, 64 * PAGE_SIZE);
	struct device *dev;
	int ret;

	if (IS_ERR(machine))
		return PTR_ERR(machine);
	dev = machine_add_device(machine, "swept", type->coherent);
	ret = PTR_ERR_OR_ZERO(dev);
	if (variant / MACHINES / HEAPS)
		dma_buf_set_policy(DMA_BUF_POLICY_REMAP);
	if (!ret)
		ret = use_buffer(dev, variant);
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
	machine_remove_device(dev);
	machine_destroy(machine);
	return ret;
}

/* --- libdmabuf.h ------------------------------------------------------------------------------ */

static int attached(struct libdmabuf_attachment *attachment, struct libdmabuf_buffer *buffer)
{
	u8 byte = 9, *at;
	int ret = libdmabuf_map(attachment, LIBDMABUF_WRITE);

	if (!ret)
		ret = libdmabuf_device_write(attachment, 1, &byte, 1);
	if (!ret)
		ret = libdmabuf_unmap(attachment);
	if (!ret)
		ret = libdmabuf_cpu_begin(buffer, LIBDMABUF_READ);
	if (ret)
		return ret;
	at = libdmabuf_buffer_vaddr(buffer, 1, NULL);
	ret = at && *at == 9 ? 0 : SWEEP_WRONG_BYTES;
	return ret ?: libdmabuf_cpu_end(buffer, LIBDMABUF_READ);
}

static int program(unsigned int variant)
{
	struct libdmabuf_buffer *buffer = NULL, *again = NULL;
	struct libdmabuf_attachment *attachment = NULL;
	struct libdmabuf_machine *machine = NULL;
	struct libdmabuf_device *device = NULL;
	int ret, fd = -1;

	ret = libdmabuf_machine_create(libdmabuf_machine_name(variant), &machine);
	if (!ret)
		ret = libdmabuf_device_add(machine, "swept", LIBDMABUF_SNOOPING_DEFAULT, &device);
	if (!ret)
		ret = libdmabuf_buffer_create(BYTES, &buffer);
	if (!ret)
		ret = fd = libdmabuf_buffer_fd(buffer);
	if (ret >= 0)
		ret = libdmabuf_buffer_import(fd, &again);
	if (!ret)
		ret = libdmabuf_attach(device, again, &attachment);
	if (!ret)
		ret = attached(attachment, again);
	libdmabuf_detach(attachment);
	libdmabuf_buffer_close(again);
	if (fd >= 0)
		libdmabuf_fd_close(fd);
	libdmabuf_buffer_close(buffer);
	libdmabuf_device_remove(device);
	libdmabuf_machine_destroy(machine);
	return ret;
}

/* @variant: which heap */
static int heap_by_name(unsigned int variant)
{
	static const char *const names[HEAPS] = { "system", "default_cma_region" };
	struct libdmabuf_buffer *buffer;
	int fd = libdmabuf_heap_open(names[variant]), ret;

	if (fd < 0)
		return fd;
	ret = libdmabuf_fd_close(fd);
	if (!ret)
		ret = libdmabuf_buffer_create_from(names[variant], BYTES, &buffer);
	if (!ret)
		libdmabuf_buffer_close(buffer);
	return ret;
}

/* Cold ones come first: after another nobody is. */
static const struct sweep_scenario scenarios[] = {
	{ "a program, first use", program, MACHINES, .cold = true },
	{ "a heap by its name, first use", heap_by_name, HEAPS, .cold = true },
	{ "a program", program, MACHINES },
	{ "a heap by its name", heap_by_name, HEAPS },
	{ "both heaps, both policies", heaps, MACHINES *HEAPS * 2 },
};

static void operations_fail_anywhere(struct ktap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++)
		sweep_check(t, &scenarios[i]);
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = { KTAP_CASE(operations_fail_anywhere) };

	if (argc == 2 && !strcmp(argv[1], "--table"))
		return sweep_table(scenarios, ARRAY_SIZE(scenarios), "drivers");
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
