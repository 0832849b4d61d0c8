/* SPDX-License-Identifier: MIT */
/*
 * buffers.c - rows: buffers come and go, programs and the CPU use them
 */
#include <linux/dma-buf.h>
#include <linux/iosys-map.h>
#include <linux/poll.h>
#include <uapi/linux/dma-buf.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench/measure.h"
#include "dma/machine.h"
#include "drivers/exporters/contiguous-heap.h"
#include "drivers/exporters/system-heap.h"
#include "host/file.h"

/* --- what the loops stand on ------------------------------------------------------------------ */

struct place {
	struct dma_buf *dmabuf;
	int fd;
	struct iosys_map map; /* a user who is there all the time */
	struct dma_fence *fence;

	/* With a machine: its device, whose mapping is kept. */
	struct machine *machine;
	struct device *dev;
	struct dma_buf_attachment *attach;
};

static void setup_buffer(struct work *work)
{
	struct place *p = bench_zeroed(sizeof(*p));

	p->dmabuf = bench_checked(system_heap_allocate(work->measure->bytes), "a buffer");
	get_dma_buf(p->dmabuf);
	p->fd = dma_buf_fd(p->dmabuf, O_CLOEXEC);
	if (p->fd < 0)
		bench_checked(NULL, "a descriptor");
	work->priv = p;
}

static void teardown_buffer(struct work *work)
{
	struct place *p = work->priv;

	host_close(p->fd);
	dma_buf_put(p->dmabuf);
	free(p);
}

static void setup_mapped(struct work *work)
{
	struct place *p;

	setup_buffer(work);
	p = work->priv;
	if (dma_buf_vmap_unlocked(p->dmabuf, &p->map))
		bench_checked(NULL, "a vmap");
}

static void teardown_mapped(struct work *work)
{
	struct place *p = work->priv;

	dma_buf_vunmap_unlocked(p->dmabuf, &p->map);
	teardown_buffer(work);
}

static void setup_fenced(struct work *work)
{
	struct place *p;

	setup_buffer(work);
	p = work->priv;
	p->fence = bench_fence(dma_fence_context_alloc(1), 1);
	dma_resv_lock(p->dmabuf->resv, NULL);
	if (dma_resv_reserve_fences(p->dmabuf->resv, 1))
		bench_checked(NULL, "a slot");
	dma_resv_add_fence(p->dmabuf->resv, p->fence, DMA_RESV_USAGE_WRITE);
	dma_resv_unlock(p->dmabuf->resv);
}

static void teardown_fenced(struct work *work)
{
	struct place *p = work->priv;

	bench_fence_end(p->fence);
	teardown_buffer(work);
}

static void setup_shared(struct work *work)
{
	const struct machine_type *type = machine_type_find(work->measure->machine);
	struct sg_table *sgt;
	struct place *p;

	setup_buffer(work);
	p = work->priv;
	p->machine = bench_checked(machine_create(type, 0), "a machine");
	p->dev = bench_checked(machine_add_device(p->machine, "bench", type->coherent), "a device");
	p->attach = bench_checked(dma_buf_attach(p->dmabuf, p->dev), "an attachment");
	sgt = bench_checked(dma_buf_map_attachment_unlocked(p->attach, DMA_BIDIRECTIONAL),
			    "a mapping");
	dma_buf_unmap_attachment_unlocked(p->attach, sgt, DMA_BIDIRECTIONAL);
}

static void teardown_shared(struct work *work)
{
	struct place *p = work->priv, kept = *p;

	dma_buf_detach(p->dmabuf, p->attach);
	teardown_buffer(work);
	machine_remove_device(kept.dev);
	machine_destroy(kept.machine);
}

static void setup_bytes(struct work *work)
{
	work->priv = bench_zeroed(2 * work->measure->bytes);
	memset(work->priv, 1, 2 * work->measure->bytes);
}

static void teardown_bytes(struct work *work)
{
	free(work->priv);
}

/* --- bases ------------------------------------------------------------------------------------ */

static noinline void loop_clear(struct work *work)
{
	for (u64 i = 0; i < work->pairs; i++) {
		memset(work->priv, 0, work->measure->bytes);
		barrier();
	}
}

static noinline void loop_copy(struct work *work)
{
	char *half = (char *)work->priv + work->measure->bytes;

	for (u64 i = 0; i < work->pairs; i++) {
		memcpy(work->priv, half, work->measure->bytes);
		barrier();
	}
}

/* --- buffers come and go ---------------------------------------------------------------------- */

static noinline void loop_heap(struct work *work)
{
	for (u64 i = 0; i < work->pairs; i++)
		dma_buf_put(system_heap_allocate(work->measure->bytes));
}

static noinline void loop_contiguous(struct work *work)
{
	for (u64 i = 0; i < work->pairs; i++)
		dma_buf_put(contiguous_heap_allocate(work->measure->bytes));
}

static noinline void loop_get_put(struct work *work)
{
	struct place *p = work->priv;

	for (u64 i = 0; i < work->pairs; i++) {
		get_dma_buf(p->dmabuf);
		dma_buf_put(p->dmabuf);
	}
}

static noinline void loop_fd(struct work *work)
{
	struct place *p = work->priv;

	for (u64 i = 0; i < work->pairs; i++) {
		get_dma_buf(p->dmabuf);
		host_close(dma_buf_fd(p->dmabuf, O_CLOEXEC));
	}
}

static noinline void loop_fd_get(struct work *work)
{
	struct place *p = work->priv;

	for (u64 i = 0; i < work->pairs; i++)
		dma_buf_put(dma_buf_get(p->fd));
}

/* --- programs --------------------------------------------------------------------------------- */

static noinline void loop_mmap(struct work *work)
{
	struct place *p = work->priv;
	size_t bytes = work->measure->bytes;

	for (u64 i = 0; i < work->pairs; i++)
		host_munmap(host_mmap(p->fd, NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, 0),
			    bytes);
}

static noinline void loop_sync(struct work *work)
{
	struct place *p = work->priv;

	for (u64 i = 0; i < work->pairs; i++) {
		struct dma_buf_sync sync = { DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ };

		host_ioctl(p->fd, DMA_BUF_IOCTL_SYNC, (unsigned long)&sync);
		sync.flags = DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ;
		host_ioctl(p->fd, DMA_BUF_IOCTL_SYNC, (unsigned long)&sync);
	}
}

static noinline void loop_poll(struct work *work)
{
	struct place *p = work->priv;

	for (u64 i = 0; i < work->pairs; i++)
		host_poll(p->fd, EPOLLIN, 0);
}

/* --- the CPU ---------------------------------------------------------------------------------- */

static noinline void loop_cpu(struct work *work)
{
	struct place *p = work->priv;

	for (u64 i = 0; i < work->pairs; i++) {
		dma_buf_begin_cpu_access(p->dmabuf, DMA_FROM_DEVICE);
		dma_buf_end_cpu_access(p->dmabuf, DMA_FROM_DEVICE);
	}
}

static noinline void loop_cpu_partial(struct work *work)
{
	struct place *p = work->priv;

	for (u64 i = 0; i < work->pairs; i++) {
		dma_buf_begin_cpu_access_partial(p->dmabuf, DMA_FROM_DEVICE, 128, 64);
		dma_buf_end_cpu_access_partial(p->dmabuf, DMA_FROM_DEVICE, 128, 64);
	}
}

/* The device writes, then the CPU reads what it wrote: a frame. */
static noinline void loop_frame(struct work *work)
{
	struct place *p = work->priv;

	for (u64 i = 0; i < work->pairs; i++) {
		struct sg_table *sgt = dma_buf_map_attachment_unlocked(p->attach, DMA_FROM_DEVICE);

		dma_buf_unmap_attachment_unlocked(p->attach, sgt, DMA_FROM_DEVICE);
		dma_buf_begin_cpu_access(p->dmabuf, DMA_FROM_DEVICE);
		dma_buf_end_cpu_access(p->dmabuf, DMA_FROM_DEVICE);
	}
}

/* The same, but the CPU reads one line of it. */
static noinline void loop_frame_partial(struct work *work)
{
	struct place *p = work->priv;

	for (u64 i = 0; i < work->pairs; i++) {
		struct sg_table *sgt = dma_buf_map_attachment_unlocked(p->attach, DMA_FROM_DEVICE);

		dma_buf_unmap_attachment_unlocked(p->attach, sgt, DMA_FROM_DEVICE);
		dma_buf_begin_cpu_access_partial(p->dmabuf, DMA_FROM_DEVICE, 128, 64);
		dma_buf_end_cpu_access_partial(p->dmabuf, DMA_FROM_DEVICE, 128, 64);
	}
}

static noinline void loop_vmap(struct work *work)
{
	struct place *p = work->priv;

	for (u64 i = 0; i < work->pairs; i++) {
		struct iosys_map map;

		if (!dma_buf_vmap_unlocked(p->dmabuf, &map))
			dma_buf_vunmap_unlocked(p->dmabuf, &map);
	}
}

static noinline void loop_vmap_locked(struct work *work)
{
	struct place *p = work->priv;

	dma_resv_lock(p->dmabuf->resv, NULL);
	for (u64 i = 0; i < work->pairs; i++) {
		struct iosys_map map;

		if (!dma_buf_vmap(p->dmabuf, &map))
			dma_buf_vunmap(p->dmabuf, &map);
	}
	dma_resv_unlock(p->dmabuf->resv);
}

static noinline void loop_vmap_bracketed(struct work *work)
{
	struct place *p = work->priv;

	dma_resv_lock(p->dmabuf->resv, NULL);
	for (u64 i = 0; i < work->pairs; i++) {
		struct iosys_map map;

		if (!dma_buf_vmap_bracketed(p->dmabuf, &map))
			dma_buf_vunmap(p->dmabuf, &map);
	}
	dma_resv_unlock(p->dmabuf->resv);
}

/* --- rows ------------------------------------------------------------------------------------- */

#define ROW(name_, loop_, kind_, bytes_, ...)                                        \
	{                                                                            \
		.name = name_, .loop = loop_, .setup = setup_##kind_,                \
		.teardown = teardown_##kind_, .n = 1, .threads = 1, .bytes = bytes_, \
		.pairs = PAIRS_TIMED, __VA_ARGS__                                    \
	}
#define HEAP(name_, loop_, bytes_)                                                   \
	{                                                                            \
		.name = name_, .loop = loop_, .n = 1, .threads = 1, .bytes = bytes_, \
		.pairs = PAIRS_TIMED, BASE("clear", 1, bytes_, 0)                    \
	}
#define CLEAR(bytes_) ROW("clear", loop_clear, bytes, bytes_, ATOMIC(1, 0))
#define CPU(name_, loop_, machine_, bytes_) \
	ROW(name_, loop_, shared, bytes_, ATOMIC(1, 0), .machine = machine_)

static const struct measure measures[] = {
	CLEAR(4 * KIB),
	CLEAR(64 * KIB),
	CLEAR(MIB),
	CLEAR(16 * MIB),
	ROW("copy", loop_copy, bytes, 4 * KIB, ATOMIC(1, 0)),
	ROW("copy", loop_copy, bytes, MIB, ATOMIC(1, 0)),
	HEAP("system_heap", loop_heap, 4 * KIB),
	HEAP("system_heap", loop_heap, 64 * KIB),
	HEAP("system_heap", loop_heap, MIB),
	HEAP("system_heap", loop_heap, 16 * MIB),
	HEAP("contiguous_heap", loop_contiguous, 4 * KIB),
	HEAP("contiguous_heap", loop_contiguous, MIB),

	ROW("buffer_get_put", loop_get_put, buffer, 4 * KIB, ATOMIC(1, 0)),
	ROW("buffer_fd", loop_fd, buffer, 4 * KIB, ATOMIC(1, 0)),
	ROW("buffer_fd_get", loop_fd_get, buffer, 4 * KIB, ATOMIC(1, 0)),
	ROW("mmap", loop_mmap, buffer, 4 * KIB, ATOMIC(1, 0)),
	ROW("mmap", loop_mmap, buffer, MIB, BASE("mmap", 1, 4 * KIB, 0)),
	ROW("sync_ioctl", loop_sync, buffer, 4 * KIB, ATOMIC(1, 0)),
	ROW("poll", loop_poll, buffer, 4 * KIB, ATOMIC(1, 0)),
	ROW("poll_fenced", loop_poll, fenced, 4 * KIB, BASE("poll", 1, 4 * KIB, 0)),
	ROW("vmap", loop_vmap, buffer, 4 * KIB, ATOMIC(1, 0)),
	ROW("vmap", loop_vmap, buffer, MIB, BASE("vmap", 1, 4 * KIB, 0)),
	ROW("vmap_again", loop_vmap, mapped, MIB, ATOMIC(1, 0)),
	ROW("vmap_again_locked", loop_vmap_locked, mapped, MIB, ATOMIC(1, 0)),
	ROW("vmap_bracketed", loop_vmap_bracketed, buffer, MIB, BASE("vmap", 1, MIB, 0)),

	CPU("cpu_access", loop_cpu, "pc", 64 * KIB),
	CPU("cpu_access", loop_cpu, "arm", 64 * KIB),
	CPU("cpu_access_partial", loop_cpu_partial, "pc", 64 * KIB),
	CPU("cpu_access_partial", loop_cpu_partial, "arm", 64 * KIB),
	CPU("frame", loop_frame, "pc", 64 * KIB),
	CPU("frame", loop_frame, "arm", 64 * KIB),
	CPU("frame", loop_frame, "bounce", 64 * KIB),
	CPU("frame_partial", loop_frame_partial, "pc", 64 * KIB),
	CPU("frame_partial", loop_frame_partial, "arm", 64 * KIB),
	CPU("frame_partial", loop_frame_partial, "bounce", 64 * KIB),
};

const struct bench_group bench_buffers = { measures, ARRAY_SIZE(measures) };
