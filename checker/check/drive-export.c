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
#include "checker/check/drive-export.h"
#include "checker/check/drive.h"
#include "checker/check/watch.h"
#include "dma/engine.h"
#include "host/file.h"

/* --- the CPU, as a program or a driver without faults ----------------------------------------- */

bool view_open(struct cpu_view *view, struct dma_buf *dmabuf)
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

void view_close(struct cpu_view *view, struct dma_buf *dmabuf)
{
	if (view->fd < 0) {
		dma_buf_vunmap_unlocked(dmabuf, &view->map);
		return;
	}
	host_munmap(view->vaddr, dmabuf->size);
	host_close(view->fd);
}

int subject_cpu(struct subject *s, bool write)
{
	enum dma_data_direction dir = write ? DMA_TO_DEVICE : DMA_FROM_DEVICE;
	struct cpu_view view;
	int ret;

	if (!view_open(&view, s->dmabuf))
		return -ENODEV;
	ret = dma_buf_begin_cpu_access(s->dmabuf, dir);
	if (!ret && write)
		memcpy(view.vaddr, s->bytes, BENCH_BYTES);
	else if (!ret)
		memcpy(s->seen, view.vaddr, BENCH_BYTES);
	if (!ret)
		ret = dma_buf_end_cpu_access(s->dmabuf, dir);
	view_close(&view, s->dmabuf);
	return ret;
}

/* --- a device --------------------------------------------------------------------------------- */

int subject_device(struct subject *s, struct device *dev, const struct sg_table *sgt, bool write)
{
	int ret = write ? dma_engine_write(dev, sgt, 0, s->bytes, BENCH_BYTES)
			: dma_engine_read(dev, sgt, 0, s->seen, BENCH_BYTES);
	struct dma_engine_stats stats;
	struct check_state state;

	if (ret == -EINVAL)
		check_found(CHECK_EXP_01, s->dmabuf, watch_last(&state),
			    "the table for %s is shorter than the buffer's %zu bytes",
			    dev_name(dev), s->dmabuf->size);
	if (ret != -EFAULT)
		return ret ? SUBJECT_TOLD : 0;
	dma_engine_stats(dev, &stats);
	check_found(stats.last_fault.reason == DMA_FAULT_PERMISSION ? s->denied : s->fault,
		    s->dmabuf, watch_last(&state),
		    "%s cannot %s address %#llx, which the exporter's table has", dev_name(dev),
		    write ? "write" : "read", (unsigned long long)stats.last_fault.addr);
	return SUBJECT_TOLD;
}

void subject_expect(struct subject *s, enum check_rule rule, const char *who)
{
	struct check_state state;
	size_t at = bench_differ(s->seen, s->bytes, BENCH_BYTES);

	if (at < BENCH_BYTES)
		check_found(rule, s->dmabuf, watch_last(&state),
			    "%s reads %#x at byte %zu of %zu, where %#x was written last", who,
			    s->seen[at], at, (size_t)BENCH_BYTES, s->bytes[at]);
}

int subject_device_once(struct subject *s, struct dma_buf_attachment *attach, bool write)
{
	enum dma_data_direction dir = write ? DMA_FROM_DEVICE : DMA_TO_DEVICE;
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, dir);
	int ret;

	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	ret = subject_device(s, attach->dev, sgt, write);
	dma_buf_unmap_attachment_unlocked(attach, sgt, dir);
	return ret;
}

bool subject_failed(struct subject *s, const char *what, int ret)
{
	return ret == SUBJECT_TOLD || drive_failed(s->dmabuf, s->adapter->name, what, ret);
}

void subject_fill(struct subject *s, unsigned int salt)
{
	bench_fill(s->bytes, BENCH_BYTES, salt);
}

/* --- what is tried ---------------------------------------------------------------------------- */

void subject_kept(struct subject *s, struct device *dev, const struct sg_table *sgt,
		  enum check_rule reads, enum check_rule writes)
{
	if (!subject_failed(s, "begin_cpu_access", subject_cpu(s, true)) &&
	    !subject_device(s, dev, sgt, false))
		subject_expect(s, reads, "the device");
	for (size_t i = 0; i < BENCH_BYTES; i++)
		s->bytes[i] ^= 0x55;
	if (!subject_device(s, dev, sgt, true) &&
	    !subject_failed(s, "begin_cpu_access", subject_cpu(s, false)))
		subject_expect(s, writes, "the CPU");
}

void subject_by_turns(struct subject *s, struct dma_buf_attachment *attach)
{
	subject_fill(s, 1);
	if (!subject_failed(s, "begin_cpu_access", subject_cpu(s, true)) &&
	    !subject_failed(s, "map_dma_buf", subject_device_once(s, attach, false)))
		subject_expect(s, CHECK_COH_01, "the device");
	subject_fill(s, 2);
	if (!subject_failed(s, "map_dma_buf", subject_device_once(s, attach, true)) &&
	    !subject_failed(s, "begin_cpu_access", subject_cpu(s, false)))
		subject_expect(s, CHECK_COH_02, "the CPU");
}

static void mapped_each_time(struct subject *s)
{
	subject_by_turns(s, s->attach);
}

/* The same direction twice: who keeps a table that was unmapped has to sync it again. */
static void mapped_again(struct subject *s)
{
	for (unsigned int i = 0; i < 2; i++) {
		subject_fill(s, 5 + i);
		if (!subject_failed(s, "begin_cpu_access", subject_cpu(s, true)) &&
		    !subject_failed(s, "map_dma_buf", subject_device_once(s, s->attach, false)))
			subject_expect(s, CHECK_COH_01, "the device");
	}
}

/* One mapping is kept, the CPU brackets its accesses between the device's. */
static void mapping_kept(struct subject *s)
{
	struct sg_table *sgt;

	sgt = dma_buf_map_attachment_unlocked(s->attach, DMA_BIDIRECTIONAL);
	if (subject_failed(s, "map_dma_buf", PTR_ERR_OR_ZERO(sgt)))
		return;
	for (unsigned int i = 0; i < 2; i++) {
		subject_fill(s, 10 + i);
		subject_kept(s, s->attach->dev, sgt, CHECK_COH_03, CHECK_COH_04);
	}
	dma_buf_unmap_attachment_unlocked(s->attach, sgt, DMA_BIDIRECTIONAL);
}

void subject_try(struct subject *s, const char *what, void (*scene)(struct subject *s))
{
	check_at("%s exports: %s", s->adapter->name, what);
	s->buffer = (struct check_export){ .dev = bench.other, .size = BENCH_BYTES };
	s->fault = CHECK_LIFE_01;
	s->denied = CHECK_DIR_04;
	s->dmabuf = NULL;
	if (subject_failed(s, "export", s->adapter->export(&s->buffer)))
		return;
	s->dmabuf = s->buffer.dmabuf;
	s->attach = dma_buf_attach(s->dmabuf, bench.dev);
	if (!subject_failed(s, "attach", PTR_ERR_OR_ZERO(s->attach))) {
		scene(s);
		dma_buf_detach(s->dmabuf, s->attach);
	}
	check_at("%s exports: release, after: %s", s->adapter->name, what);
	s->adapter->release(&s->buffer);
	flush_delayed_fput();
}

void drive_exporter(const struct check_adapter *adapter)
{
	struct subject *s = calloc(1, sizeof(*s));

	s->adapter = adapter;
	subject_try(s, "a device maps for each access", mapped_each_time);
	subject_try(s, "a device maps again as it did before", mapped_again);
	subject_try(s, "a device keeps its mapping", mapping_kept);
	drive_scenes(s);
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
