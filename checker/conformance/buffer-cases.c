/* SPDX-License-Identifier: MIT */
/*
 * buffer-cases.c - making a buffer, its descriptors and its references
 */
#include "world.h"

#define DOC_EXPORT "drivers/dma-buf/dma-buf.c: dma_buf_export()"
#define DOC_OPS "include/linux/dma-buf.h: struct dma_buf_ops"
#define DOC_BASICS "drivers/dma-buf/dma-buf.c: DOC: dma buf device access"
#define DOC_FD "drivers/dma-buf/dma-buf.c: dma_buf_fd()"
#define DOC_GET "drivers/dma-buf/dma-buf.c: dma_buf_get()"
#define DOC_PUT "drivers/dma-buf/dma-buf.c: dma_buf_put()"
#define DOC_USERSPACE "Documentation/driver-api/dma-buf.rst: Userspace Interface Notes"

/* --- export ----------------------------------------------------------------------------------- */

/* What an export lacks. */
enum lacks { NO_PRIV, NO_OPS, NO_MAP, NO_UNMAP, NO_RELEASE, NO_PIN, NO_UNPIN };

static void export_lacks(struct world *w)
{
	struct dma_buf_export_info info;
	struct dma_buf_ops ops;
	void *priv;

	world_info(w, DYNAMIC_EXPORTER, &info, &ops);
	priv = info.priv;
	switch (*(const enum lacks *)w->running->data) {
	case NO_PRIV:
		info.priv = NULL;
		break;
	case NO_OPS:
		info.ops = NULL;
		break;
	case NO_MAP:
		ops.map_dma_buf = NULL;
		break;
	case NO_UNMAP:
		ops.unmap_dma_buf = NULL;
		break;
	case NO_RELEASE:
		ops.release = NULL;
		break;
	case NO_PIN:
		ops.pin = NULL;
		break;
	case NO_UNPIN:
		ops.unpin = NULL;
		break;
	}
	world_expect_warn(w);
	W_ERR(w, dma_buf_export(&info), -EINVAL);
	W_LOG(w, "");
	info.priv = priv;
	world_info_done(&info);
}

static void export_fields(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);

	W_EQ(w, dmabuf->size, WORLD_BYTES);
	W_CHECK(w, !strcmp(dmabuf->exp_name, "conformance"));
	W_CHECK(w, dmabuf->ops && dmabuf->ops->map_dma_buf && dmabuf->priv && dmabuf->file);
	W_CHECK(w, list_empty(&dmabuf->attachments));
	dma_buf_put(dmabuf);
}

static void export_asks_nothing(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, DYNAMIC_EXPORTER);

	W_LOG(w, "");
	dma_buf_put(dmabuf);
	W_LOG(w, "release");
}

static void export_own_resv(struct world *w)
{
	struct dma_buf *one = world_export(w, STATIC_EXPORTER);
	struct dma_buf *other = world_export(w, STATIC_EXPORTER);

	W_CHECK(w, one->resv && one->resv != other->resv);
	W_CHECK(w, !dma_resv_is_locked(one->resv));
	W_CHECK(w, dma_resv_test_signaled(one->resv, DMA_RESV_USAGE_BOOKKEEP));
	dma_buf_put(one);
	dma_buf_put(other);
}

static void export_given_resv(struct world *w)
{
	struct dma_resv *resv = world_resv(w);
	struct dma_buf *one, *other;

	one = world_export_resv(w, STATIC_EXPORTER, resv, O_RDWR);
	other = world_export_resv(w, STATIC_EXPORTER, resv, O_RDWR);
	W_CHECK(w, one->resv == resv && other->resv == resv);
	dma_buf_put(one);
	W_CHECK(w, dma_resv_trylock(resv));
	dma_resv_unlock(resv);
	dma_buf_put(other);
}

static void export_shared_fences(struct world *w)
{
	struct dma_fence *fence = world_pending_fence(w);
	struct dma_buf *one, *other;
	struct dma_resv *resv = world_resv(w);
	int fd;

	one = world_export_resv(w, STATIC_EXPORTER, resv, O_RDWR);
	other = world_export_resv(w, STATIC_EXPORTER, resv, O_RDWR);
	world_add_fence(w, one->resv, fence, DMA_RESV_USAGE_WRITE);
	fd = dma_buf_fd(other, O_CLOEXEC);
	W_EQ(w, world_poll(fd, EPOLLIN), 0);
	dma_fence_signal(fence);
	W_EQ(w, world_poll(fd, EPOLLIN), EPOLLIN);
	world_close(fd);
	dma_buf_put(one);
}

static void export_dynamic(struct world *w)
{
	struct dma_buf *one = world_export(w, STATIC_EXPORTER);
	struct dma_buf *other = world_export(w, DYNAMIC_EXPORTER);

	W_CHECK(w, !dma_buf_is_dynamic(one));
	W_CHECK(w, dma_buf_is_dynamic(other));
	dma_buf_put(one);
	dma_buf_put(other);
}

static void export_only_mandatory(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, BARE_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);
	struct sg_table *sgt = world_map(w, attach, DMA_BIDIRECTIONAL);

	W_ERR(w, sgt, 0);
	W_EQ(w, dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	W_EQ(w, dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

/* --- descriptors ------------------------------------------------------------------------------ */

static void fd_consumes(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);

	W_CHECK(w, fd >= 0);
	W_EQ(w, file_count(dmabuf->file), 1);
	W_EQ(w, world_close(fd), 0);
	W_EQ(w, world_released(w), 1);
}

static void fd_null(struct world *w)
{
	if (otherwise(w))
		world_expect_warn(w);
	W_EQ(w, dma_buf_fd(NULL, O_CLOEXEC), -EINVAL);
}

static void fd_twice(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	int one, other;

	get_dma_buf(dmabuf);
	one = dma_buf_fd(dmabuf, O_CLOEXEC);
	other = dma_buf_fd(dmabuf, O_CLOEXEC);
	W_CHECK(w, one >= 0 && other >= 0 && one != other);
	world_close(one);
	W_EQ(w, world_released(w), 0);
	world_close(other);
	W_EQ(w, world_released(w), 1);
}

static void get_same(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);

	W_CHECK(w, dma_buf_get(fd) == dmabuf);
	W_EQ(w, file_count(dmabuf->file), 2);
	world_close(fd);
	W_EQ(w, world_released(w), 0);
	dma_buf_put(dmabuf);
}

static void get_closed(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);

	world_close(fd);
	W_ERR(w, dma_buf_get(fd), -EBADF);
}

static void get_negative(struct world *w)
{
	W_ERR(w, dma_buf_get(-1), -EBADF);
}

static void get_other_file(struct world *w)
{
	struct dma_buf_export_sync_file request = { .flags = DMA_BUF_SYNC_READ };
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);

	W_EQ(w, world_ioctl(fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &request), 0);
	W_ERR(w, dma_buf_get(request.fd), -EINVAL);
	world_close(request.fd);
	world_close(fd);
}

static void put_null(struct world *w)
{
	world_expect_warn(w);
	dma_buf_put(NULL);
}

static void put_last(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);

	get_dma_buf(dmabuf);
	dma_buf_put(dmabuf);
	W_LOG(w, "");
	dma_buf_put(dmabuf);
	W_LOG(w, "release");
}

static void put_drops_fences(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);

	world_add_fence(w, dmabuf->resv, world_pending_fence(w), DMA_RESV_USAGE_BOOKKEEP);
	dma_buf_put(dmabuf);
	W_LOG(w, "release");
}

/* --- who keeps a buffer ----------------------------------------------------------------------- */

static void attach_keeps_nothing(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);
	struct sg_table *sgt;

	W_EQ(w, file_count(dmabuf->file), 1);
	sgt = world_map(w, attach, DMA_TO_DEVICE);
	W_EQ(w, file_count(dmabuf->file), 1);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	dma_buf_detach(dmabuf, attach);
	W_EQ(w, file_count(dmabuf->file), 1);
	dma_buf_put(dmabuf);
}

static void vmap_keeps_nothing(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct iosys_map map;

	W_EQ(w, dma_buf_vmap_unlocked(dmabuf, &map), 0);
	W_EQ(w, file_count(dmabuf->file), 1);
	dma_buf_vunmap_unlocked(dmabuf, &map);
	dma_buf_put(dmabuf);
}

static void mmap_keeps(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	void *at = world_mmap(fd, WORLD_BYTES, true, 0);

	W_ERR(w, at, 0);
	W_EQ(w, file_count(dmabuf->file), 2);
	world_close(fd);
	W_EQ(w, world_released(w), 0);
	world_munmap(at, WORLD_BYTES);
	W_EQ(w, world_released(w), 1);
}

static void cpu_access_keeps_nothing(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);

	W_EQ(w, dma_buf_begin_cpu_access(dmabuf, DMA_BIDIRECTIONAL), 0);
	W_EQ(w, file_count(dmabuf->file), 1);
	W_EQ(w, dma_buf_end_cpu_access(dmabuf, DMA_BIDIRECTIONAL), 0);
	dma_buf_put(dmabuf);
}

static void sync_file_keeps_no_buffer(struct world *w)
{
	struct dma_buf_export_sync_file request = { .flags = DMA_BUF_SYNC_RW };
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);

	world_add_fence(w, dmabuf->resv, world_pending_fence(w), DMA_RESV_USAGE_READ);
	W_EQ(w, world_ioctl(fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &request), 0);
	W_EQ(w, file_count(dmabuf->file), 1);
	world_close(fd);
	W_EQ(w, world_released(w), 1);
	world_close(request.fd);
}

static void poll_keeps(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_fence *fence = world_pending_fence(w);
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);

	world_add_fence(w, dmabuf->resv, fence, DMA_RESV_USAGE_WRITE);
	W_EQ(w, world_poll(fd, EPOLLIN), 0);
	W_EQ(w, file_count(dmabuf->file), 2);
	/* A second question hangs on the same callback. */
	W_EQ(w, world_poll(fd, EPOLLIN), 0);
	W_EQ(w, file_count(dmabuf->file), 2);
	world_close(fd);
	W_EQ(w, world_released(w), 0);
	dma_fence_signal(fence);
	flush_delayed_fput();
	W_EQ(w, world_released(w), 1);
}

static const struct world_case cases[] = {
	{ "buffer.export_without_priv", "an export without priv is refused with -EINVAL",
	  DOC_EXPORT, export_lacks, &(const enum lacks){ NO_PRIV } },
	{ "buffer.export_without_ops", "an export without ops is refused with -EINVAL", DOC_EXPORT,
	  export_lacks, &(const enum lacks){ NO_OPS } },
	{ "buffer.export_without_map", "map_dma_buf is mandatory", DOC_OPS, export_lacks,
	  &(const enum lacks){ NO_MAP } },
	{ "buffer.export_without_unmap", "unmap_dma_buf is mandatory", DOC_OPS, export_lacks,
	  &(const enum lacks){ NO_UNMAP } },
	{ "buffer.export_without_release", "release is mandatory", DOC_OPS, export_lacks,
	  &(const enum lacks){ NO_RELEASE } },
	{ "buffer.export_unpin_without_pin", "unpin without pin is refused with -EINVAL",
	  DOC_EXPORT, export_lacks, &(const enum lacks){ NO_PIN } },
	{ "buffer.export_pin_without_unpin", "pin without unpin is refused with -EINVAL",
	  DOC_EXPORT, export_lacks, &(const enum lacks){ NO_UNPIN } },
	{ "buffer.export_fields", "the buffer has what the exporter gave", DOC_EXPORT,
	  export_fields },
	{ "buffer.export_asks_nothing", "an export calls no op, its last put only release",
	  DOC_EXPORT, export_asks_nothing },
	{ "buffer.export_own_resv",
	  "without a reservation each buffer gets an empty one of its own",
	  "include/linux/dma-buf.h: struct dma_buf_export_info, resv", export_own_resv },
	{ "buffer.export_given_resv",
	  "several buffers may have one reservation, which outlives each of them",
	  "include/linux/dma-buf.h: struct dma_buf_export_info, resv", export_given_resv },
	{ "buffer.export_shared_fences", "buffers with one reservation have the same fences",
	  "include/linux/dma-buf.h: struct dma_buf, resv", export_shared_fences },
	{ "buffer.export_dynamic", "a buffer is dynamic when its exporter has pin",
	  "include/linux/dma-buf.h: dma_buf_is_dynamic()", export_dynamic },
	{ "buffer.export_only_mandatory",
	  "an exporter with map_dma_buf, unmap_dma_buf and release only can be used", DOC_OPS,
	  export_only_mandatory },
	{ "buffer.fd_consumes_reference",
	  "a descriptor takes over the caller's reference; closing it releases the buffer", DOC_FD,
	  fd_consumes },
	{ "buffer.fd_null", "no buffer: -EINVAL", DOC_FD, fd_null,
	  .otherwise = { OURS_CACHED | OURS_REMAP, "`dma_buf_fd()` of no buffer" } },
	{ "buffer.fd_twice", "several descriptors are as many references", DOC_BASICS, fd_twice },
	{ "buffer.get_same", "a descriptor gives the buffer it was made of, and a reference",
	  DOC_GET, get_same },
	{ "buffer.get_closed", "a closed descriptor: -EBADF", DOC_GET, get_closed },
	{ "buffer.get_negative", "a number that is no descriptor: -EBADF", DOC_GET, get_negative },
	{ "buffer.get_other_file", "a descriptor of another file: -EINVAL", DOC_GET,
	  get_other_file },
	{ "buffer.put_null", "a put of no buffer warns and does nothing", DOC_PUT, put_null },
	{ "buffer.put_last", "release is called by the last put and by no other", DOC_OPS,
	  put_last },
	{ "buffer.put_drops_fences",
	  "a buffer may go while fences are in its reservation; their references go with it",
	  "drivers/dma-buf/dma-resv.c: dma_resv_fini()", put_drops_fences },
	{ "buffer.attach_keeps_nothing", "neither attach nor map takes a reference of the buffer",
	  "drivers/dma-buf/dma-buf.c: dma_buf_attach()", attach_keeps_nothing },
	{ "buffer.vmap_keeps_nothing", "a vmap takes no reference of the buffer",
	  "drivers/dma-buf/dma-buf.c: dma_buf_vmap()", vmap_keeps_nothing },
	{ "buffer.mmap_keeps",
	  "a program's mapping keeps the buffer after its descriptor is closed", DOC_USERSPACE,
	  mmap_keeps },
	{ "buffer.cpu_access_keeps_nothing", "an open CPU access takes no reference",
	  "drivers/dma-buf/dma-buf.c: dma_buf_begin_cpu_access()", cpu_access_keeps_nothing },
	{ "buffer.sync_file_keeps_no_buffer",
	  "a sync_file made of a buffer has its fences, not the buffer",
	  "drivers/dma-buf/dma-buf.c: DOC: implicit fence polling", sync_file_keeps_no_buffer },
	{ "buffer.poll_keeps",
	  "a poll that waits keeps the file until its fence signals, once however often it is "
	  "asked",
	  "drivers/dma-buf/dma-buf.c: DOC: implicit fence polling", poll_keeps },
};

const struct world_group buffer_group = { "buffer", cases, ARRAY_SIZE(cases) };
