/* SPDX-License-Identifier: MIT */
/* drive-export.c - a driver as exporter; see drive.h */
#include "checker/check/own.h"

#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/iosys-map.h>
#include <uapi/linux/dma-heap.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "checker/check/bench.h"
#include "checker/check/drive.h"
#include "dma/engine.h"
#include "host/file.h"

/* --- the CPU, as a program or a driver without faults ----------------------------------------- */

/* Where the CPU has the buffer, or NULL. */
struct cpu_view {
	void *vaddr;
	struct iosys_map map;
	int fd;
};

static bool view_open(struct cpu_view *view, struct dma_buf *dmabuf)
{
	void *at;

	*view = (struct cpu_view){ .fd = -1 };
	if (dmabuf->ops->vmap && !dma_buf_vmap_unlocked(dmabuf, &view->map)) {
		view->vaddr = view->map.vaddr;
		return true;
	}
	if (!dmabuf->ops->mmap)
		return false;
	get_dma_buf(dmabuf);
	view->fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (view->fd < 0)
		return false;
	at = host_mmap(view->fd, NULL, dmabuf->size, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	if (IS_ERR(at))
		host_close(view->fd);
	else
		view->vaddr = at;
	return view->vaddr;
}

static void view_close(struct cpu_view *view, struct dma_buf *dmabuf)
{
	if (view->fd < 0) {
		dma_buf_vunmap_unlocked(dmabuf, &view->map);
		return;
	}
	host_munmap(view->vaddr, dmabuf->size);
	host_close(view->fd);
}

static int cpu(struct dma_buf *dmabuf, bool write, u8 *bytes)
{
	enum dma_data_direction dir = write ? DMA_TO_DEVICE : DMA_FROM_DEVICE;
	struct cpu_view view;
	int ret;

	if (!view_open(&view, dmabuf))
		return -ENODEV;
	ret = dma_buf_begin_cpu_access(dmabuf, dir);
	if (!ret && write)
		memcpy(view.vaddr, bytes, BENCH_BYTES);
	else if (!ret)
		memcpy(bytes, view.vaddr, BENCH_BYTES);
	if (!ret)
		ret = dma_buf_end_cpu_access(dmabuf, dir);
	view_close(&view, dmabuf);
	return ret;
}

/* --- a device --------------------------------------------------------------------------------- */

#define TOLD 1 /* it failed, and that is told */

/* Returns 0 or TOLD. */
static int device(struct dma_buf *dmabuf, struct device *dev, const struct sg_table *sgt,
		  bool write, u8 *bytes)
{
	int ret = write ? dma_engine_write(dev, sgt, 0, bytes, BENCH_BYTES)
			: dma_engine_read(dev, sgt, 0, bytes, BENCH_BYTES);
	struct dma_engine_stats stats;

	if (ret == -EINVAL)
		check_found(CHECK_EXP_01, dmabuf, NULL,
			    "the table for %s is shorter than the buffer's %zu bytes",
			    dev_name(dev), dmabuf->size);
	if (ret != -EFAULT)
		return ret ? TOLD : 0;
	dma_engine_stats(dev, &stats);
	check_found(stats.last_fault.reason == DMA_FAULT_PERMISSION ? CHECK_DIR_04 : CHECK_LIFE_01,
		    dmabuf, NULL, "%s cannot %s address %#llx, which the exporter's table has",
		    dev_name(dev), write ? "write" : "read",
		    (unsigned long long)stats.last_fault.addr);
	return TOLD;
}

static void expect(struct dma_buf *dmabuf, enum check_rule rule, const char *who, const u8 *seen,
		   const u8 *want)
{
	size_t at = bench_differ(seen, want, BENCH_BYTES);

	if (at < BENCH_BYTES)
		check_found(rule, dmabuf, NULL,
			    "%s reads %#x at byte %zu of %zu, where %#x was written last", who,
			    seen[at], at, (size_t)BENCH_BYTES, want[at]);
}

/* A device maps, reads or writes, and unmaps. Returns 0, -errno of the map, or TOLD. */
static int device_once(struct dma_buf *dmabuf, struct dma_buf_attachment *attach, bool write,
		       u8 *bytes)
{
	enum dma_data_direction dir = write ? DMA_FROM_DEVICE : DMA_TO_DEVICE;
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, dir);
	int ret;

	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	ret = device(dmabuf, attach->dev, sgt, write, bytes);
	dma_buf_unmap_attachment_unlocked(attach, sgt, dir);
	return ret;
}

/* --- what is tried ---------------------------------------------------------------------------- */

struct subject {
	const struct check_adapter *adapter;
	struct check_export buffer;
	struct dma_buf *dmabuf;
	u8 bytes[BENCH_BYTES], seen[BENCH_BYTES];
};

static bool failed(struct subject *s, const char *what, int ret)
{
	return ret == TOLD || drive_failed(s->dmabuf, s->adapter->name, what, ret);
}

/* Each access has a mapping of its own. */
static void mapped_each_time(struct subject *s, struct dma_buf_attachment *attach)
{
	check_at("%s exports: a device maps for each access", s->adapter->name);
	bench_fill(s->bytes, BENCH_BYTES, 1);
	if (!failed(s, "begin_cpu_access", cpu(s->dmabuf, true, s->bytes)) &&
	    !failed(s, "map_dma_buf", device_once(s->dmabuf, attach, false, s->seen)))
		expect(s->dmabuf, CHECK_COH_01, "the device", s->seen, s->bytes);
	bench_fill(s->bytes, BENCH_BYTES, 2);
	if (!failed(s, "map_dma_buf", device_once(s->dmabuf, attach, true, s->bytes)) &&
	    !failed(s, "begin_cpu_access", cpu(s->dmabuf, false, s->seen)))
		expect(s->dmabuf, CHECK_COH_02, "the CPU", s->seen, s->bytes);
}

/* One mapping is kept, the CPU brackets its accesses between the device's. */
static void mapping_kept(struct subject *s, struct dma_buf_attachment *attach)
{
	struct sg_table *sgt;

	check_at("%s exports: a device keeps its mapping", s->adapter->name);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	if (failed(s, "map_dma_buf", PTR_ERR_OR_ZERO(sgt)))
		return;
	for (unsigned int i = 0; i < 2; i++) {
		bench_fill(s->bytes, BENCH_BYTES, 10 + i);
		if (!failed(s, "begin_cpu_access", cpu(s->dmabuf, true, s->bytes)) &&
		    !device(s->dmabuf, attach->dev, sgt, false, s->seen))
			expect(s->dmabuf, CHECK_COH_03, "the device", s->seen, s->bytes);
		bench_fill(s->bytes, BENCH_BYTES, 20 + i);
		if (!device(s->dmabuf, attach->dev, sgt, true, s->bytes) &&
		    !failed(s, "begin_cpu_access", cpu(s->dmabuf, false, s->seen)))
			expect(s->dmabuf, CHECK_COH_04, "the CPU", s->seen, s->bytes);
	}
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
}

static void with_buffer(struct subject *s)
{
	struct dma_buf_attachment *attach = dma_buf_attach(s->dmabuf, bench.dev);

	if (failed(s, "attach", PTR_ERR_OR_ZERO(attach)))
		return;
	mapped_each_time(s, attach);
	mapping_kept(s, attach);
	dma_buf_detach(s->dmabuf, attach);
}

void drive_exporter(const struct check_adapter *adapter)
{
	struct subject *s = calloc(1, sizeof(*s));

	s->adapter = adapter;
	s->buffer.dev = bench.other;
	s->buffer.size = BENCH_BYTES;
	check_at("%s exports", adapter->name);
	if (!failed(s, "export", adapter->export(&s->buffer))) {
		s->dmabuf = s->buffer.dmabuf;
		with_buffer(s);
		check_at("%s exports: release", adapter->name);
		adapter->release(&s->buffer);
	}
	free(s);
}

/* --- heaps ------------------------------------------------------------------------------------ */

struct heap {
	struct check_adapter adapter;
	char path[160];
};

static const struct heap *heap_tried;

static int heap_export(struct check_export *buffer)
{
	struct dma_heap_allocation_data data = {
		.len = buffer->size,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	int heap = host_open(heap_tried->path, O_RDWR), ret;

	if (heap < 0)
		return heap;
	ret = host_ioctl(heap, DMA_HEAP_IOCTL_ALLOC, (unsigned long)&data);
	host_close(heap);
	if (ret)
		return ret;
	buffer->dmabuf = dma_buf_get(data.fd);
	host_close(data.fd);
	return PTR_ERR_OR_ZERO(buffer->dmabuf);
}

static void heap_release(struct check_export *buffer)
{
	dma_buf_put(buffer->dmabuf);
}

const struct check_adapter *drive_heap(const char *name)
{
	struct heap *heap = calloc(1, sizeof(*heap));

	if (!heap)
		return NULL;
	snprintf(heap->path, sizeof(heap->path), "/dev/dma_heap/%s", name);
	heap->adapter = (struct check_adapter){
		.name = strdup(name),
		.export = heap_export,
		.release = heap_release,
	};
	heap_tried = heap;
	return &heap->adapter;
}
