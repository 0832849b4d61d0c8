/* SPDX-License-Identifier: MIT */
/* drive-permission.c - does an exporter give more than was asked for? see drive.h */
#include "checker/check/own.h"

#include <linux/err.h>
#include <linux/file.h>
#include <uapi/linux/dma-heap.h>

#include <stdio.h>
#include <sys/mman.h>

#include "checker/check/bench.h"
#include "checker/check/drive.h"
#include "dma/engine.h"
#include "host/file.h"

/* --- a device --------------------------------------------------------------------------------- */

static int touches(const struct sg_table *sgt, bool write)
{
	u8 byte = 0;

	return write ? dma_engine_write(bench.dev, sgt, 0, &byte, 1)
		     : dma_engine_read(bench.dev, sgt, 0, &byte, 1);
}

/* The buffer is new: nothing was asked for before that might still be allowed. */
static void one_direction(const struct check_adapter *adapter, struct dma_buf *dmabuf,
			  enum dma_data_direction dir)
{
	struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, bench.dev);
	bool reads = dir == DMA_TO_DEVICE;
	struct sg_table *sgt;

	if (drive_failed(dmabuf, adapter->name, "attach", PTR_ERR_OR_ZERO(attach)))
		return;
	sgt = dma_buf_map_attachment_unlocked(attach, dir);
	if (drive_failed(dmabuf, adapter->name, "map_dma_buf", PTR_ERR_OR_ZERO(sgt)))
		goto detach;
	/* What cannot even do what was asked for is not wider but another. */
	if (!touches(sgt, !reads) && !touches(sgt, reads))
		check_found(CHECK_PERM_01, dmabuf, NULL,
			    "the device can %s what was mapped %s for it, and nothing else before",
			    reads ? "write" : "read", reads ? "TO_DEVICE" : "FROM_DEVICE");
	dma_buf_unmap_attachment_unlocked(attach, sgt, dir);
detach:
	dma_buf_detach(dmabuf, attach);
}

void drive_permission(const struct check_adapter *adapter)
{
	static const enum dma_data_direction dirs[] = { DMA_TO_DEVICE, DMA_FROM_DEVICE };
	struct check_export buffer;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		buffer = (struct check_export){ .dev = bench.other, .size = BENCH_BYTES };
		check_at("%s exports: the device tries what it did not ask for", adapter->name);
		if (drive_failed(NULL, adapter->name, "export", adapter->export(&buffer)))
			return;
		one_direction(adapter, buffer.dmabuf, dirs[i]);
		adapter->release(&buffer);
	}
}

/* --- a program -------------------------------------------------------------------------------- */

/* A descriptor of a new buffer, or -errno. */
static int allocate(const char *heap_name, unsigned int flags)
{
	struct dma_heap_allocation_data data = { .len = BENCH_BYTES,
						 .fd_flags = flags | O_CLOEXEC };
	char path[160];
	int heap, ret;

	snprintf(path, sizeof(path), "/dev/dma_heap/%s", heap_name);
	heap = host_open(path, O_RDWR);
	if (heap < 0)
		return heap;
	ret = host_ioctl(heap, DMA_HEAP_IOCTL_ALLOC, (unsigned long)&data);
	host_close(heap);
	return ret ?: (int)data.fd;
}

static void may_not_write(const char *heap_name, int fd)
{
	struct dma_buf *dmabuf = dma_buf_get(fd);
	void *at;

	if (IS_ERR(dmabuf))
		return;
	if (dmabuf->file->f_mode & FMODE_WRITE)
		check_found(CHECK_PERM_02, dmabuf, NULL,
			    "heap %s was asked for O_RDONLY, and the descriptor may write",
			    heap_name);
	at = dmabuf->ops->mmap ? host_mmap(fd, NULL, dmabuf->size, PROT_READ, MAP_SHARED, 0)
			       : ERR_PTR(-ENODEV);
	if (!IS_ERR(at)) {
		if (!(dmabuf->file->f_mode & FMODE_WRITE) &&
		    !mprotect(at, PAGE_SIZE, PROT_READ | PROT_WRITE))
			check_found(CHECK_PERM_03, dmabuf, NULL,
				    "a mapping of a read-only descriptor of heap %s becomes "
				    "writable by mprotect()",
				    heap_name);
		host_munmap(at, dmabuf->size);
	}
	dma_buf_put(dmabuf);
}

static size_t first_nonzero(const u8 *bytes, size_t size)
{
	size_t i = 0;

	while (i < size && !bytes[i])
		i++;
	return i;
}

/* What is there already when a program maps it. @fill: leave something for who comes next. */
static void is_clear(const char *heap_name, int fd, bool fill)
{
	u8 *at = host_mmap(fd, NULL, BENCH_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	struct dma_buf *dmabuf;
	size_t first;

	if (IS_ERR(at))
		return;
	dmabuf = dma_buf_get(fd);
	if (!dma_buf_begin_cpu_access(dmabuf, DMA_BIDIRECTIONAL)) {
		first = first_nonzero(at, BENCH_BYTES);
		if (first < BENCH_BYTES)
			check_found(CHECK_PERM_04, dmabuf, NULL,
				    "a new buffer of heap %s has %#x at byte %zu", heap_name,
				    at[first], first);
		if (fill)
			memset(at, 0x5e, BENCH_BYTES);
		dma_buf_end_cpu_access(dmabuf, DMA_BIDIRECTIONAL);
	}
	dma_buf_put(dmabuf);
	host_munmap(at, BENCH_BYTES);
}

void drive_heap_permission(const char *heap_name)
{
	int fd;

	check_at("heap %s: a program asks for a buffer to read", heap_name);
	fd = allocate(heap_name, O_RDONLY);
	if (!drive_failed(NULL, heap_name, "allocate O_RDONLY", fd < 0 ? fd : 0)) {
		may_not_write(heap_name, fd);
		host_close(fd);
	}
	for (unsigned int i = 0; i < 3; i++) {
		check_at("heap %s: a program looks at what it was given", heap_name);
		fd = allocate(heap_name, O_RDWR);
		if (drive_failed(NULL, heap_name, "allocate", fd < 0 ? fd : 0))
			return;
		is_clear(heap_name, fd, i < 2);
		host_close(fd);
	}
}
