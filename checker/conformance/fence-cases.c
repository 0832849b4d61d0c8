/* SPDX-License-Identifier: MIT */
/*
 * fence-cases.c - which call waits for which fences of the buffer's reservation, and when
 */
#include <linux/sync_file.h>

#include "world.h"

#define DOC_MAP "drivers/dma-buf/dma-buf.c: dma_buf_map_attachment()"
#define DOC_CPU "drivers/dma-buf/dma-buf.c: dma_buf_begin_cpu_access()"
#define DOC_POLL "drivers/dma-buf/dma-buf.c: DOC: implicit fence polling"
#define DOC_EXPORT "include/uapi/linux/dma-buf.h: struct dma_buf_export_sync_file"
#define DOC_IMPORT "include/uapi/linux/dma-buf.h: struct dma_buf_import_sync_file"
#define DOC_SYNC "include/uapi/linux/dma-buf.h: struct dma_buf_sync"
#define WITHOUT_MOVES "7.1 always builds with DMABUF_MOVE_NOTIFY"
#define DOC_DYNAMIC "drivers/dma-buf/dma-buf.c: dma_buf_dynamic_attach()"
#define DOC_WAIT "drivers/dma-buf/dma-resv.c: dma_resv_wait_timeout()"

/* --- who waits for whom ----------------------------------------------------------------------- */

enum waiter {
	MAP_STATIC,
	MAP_AGAIN, /* what was mapped before */
	MAP_DYNAMIC,
	BEGIN_READ,
	BEGIN_WRITE,
	BEGIN_BOTH,
	SYNC_READ,
	SYNC_WRITE,
	POLL_IN,
	POLL_OUT,
	EXPORT_READ,
	EXPORT_WRITE,
};

struct row {
	enum waiter waiter;
	enum dma_resv_usage usage;
	bool waits;
};

static void map_once(struct world *w, struct dma_buf_attachment *attach)
{
	struct sg_table *sgt = world_map(w, attach, DMA_BIDIRECTIONAL);

	W_ERR(w, sgt, 0);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
}

static long sync(int fd, u64 flags)
{
	struct dma_buf_sync arg = { .flags = flags };

	return world_ioctl(fd, DMA_BUF_IOCTL_SYNC, &arg);
}

static void map_waits(struct world *w)
{
	const struct row *row = w->running->data;
	bool dynamic = row->waiter == MAP_DYNAMIC;
	struct dma_buf *dmabuf = world_export(w, dynamic ? DYNAMIC_EXPORTER : STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, dynamic);
	struct dma_fence *fence = world_fence(w);

	if (row->waiter == MAP_AGAIN)
		map_once(w, attach);
	world_add_fence(w, dmabuf->resv, fence, row->usage);
	map_once(w, attach);
	W_EQ(w, dma_fence_is_signaled(fence), row->waits);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void cpu_waits(struct world *w)
{
	const struct row *row = w->running->data;
	enum dma_data_direction dir = row->waiter == BEGIN_READ    ? DMA_FROM_DEVICE
				      : row->waiter == BEGIN_WRITE ? DMA_TO_DEVICE
								   : DMA_BIDIRECTIONAL;
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_fence *fence = world_fence(w);

	world_add_fence(w, dmabuf->resv, fence, row->usage);
	W_EQ(w, dma_buf_begin_cpu_access(dmabuf, dir), 0);
	W_EQ(w, dma_fence_is_signaled(fence), row->waits);
	W_EQ(w, dma_buf_end_cpu_access(dmabuf, dir), 0);
	dma_buf_put(dmabuf);
}

static void sync_waits(struct world *w)
{
	const struct row *row = w->running->data;
	u64 flags = row->waiter == SYNC_READ ? DMA_BUF_SYNC_READ : DMA_BUF_SYNC_WRITE;
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_fence *fence = world_fence(w);
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);

	world_add_fence(w, dmabuf->resv, fence, row->usage);
	W_EQ(w, sync(fd, flags | DMA_BUF_SYNC_START), 0);
	W_EQ(w, dma_fence_is_signaled(fence), row->waits);
	W_EQ(w, sync(fd, flags | DMA_BUF_SYNC_END), 0);
	world_close(fd);
}

static void poll_waits(struct world *w)
{
	const struct row *row = w->running->data;
	__poll_t event = row->waiter == POLL_IN ? EPOLLIN : EPOLLOUT;
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_fence *fence = world_pending_fence(w);
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);

	world_add_fence(w, dmabuf->resv, fence, row->usage);
	W_EQ(w, world_poll(fd, event), row->waits ? 0 : event);
	dma_fence_signal(fence);
	W_EQ(w, world_poll(fd, event), event);
	world_close(fd);
}

static void export_has(struct world *w)
{
	const struct row *row = w->running->data;
	struct dma_buf_export_sync_file request = {
		.flags = row->waiter == EXPORT_READ ? DMA_BUF_SYNC_READ : DMA_BUF_SYNC_WRITE,
	};
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_fence *fence = world_pending_fence(w), *exported;
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);

	world_add_fence(w, dmabuf->resv, fence, row->usage);
	W_EQ(w, world_ioctl(fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &request), 0);
	exported = sync_file_get_fence(request.fd);
	W_CHECK(w, exported);
	W_EQ(w, dma_fence_is_signaled(exported), !row->waits);
	dma_fence_put(exported);
	world_close(request.fd);
	world_close(fd);
}

/* --- several fences --------------------------------------------------------------------------- */

static void waits_for_all(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_fence *fences[3];

	for (unsigned int i = 0; i < ARRAY_SIZE(fences); i++) {
		fences[i] = world_fence(w);
		world_add_fence(w, dmabuf->resv, fences[i], DMA_RESV_USAGE_WRITE);
	}
	W_EQ(w, dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(fences); i++)
		W_CHECK(w, dma_fence_is_signaled(fences[i]));
	W_EQ(w, dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	dma_buf_put(dmabuf);
}

static void signaled_is_no_wait(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_fence *fence = world_pending_fence(w);

	world_add_fence(w, dmabuf->resv, fence, DMA_RESV_USAGE_KERNEL);
	dma_fence_signal(fence);
	W_EQ(w, dma_buf_begin_cpu_access(dmabuf, DMA_TO_DEVICE), 0);
	W_EQ(w, dma_buf_end_cpu_access(dmabuf, DMA_TO_DEVICE), 0);
	W_LOG(w, "begin:to end:to");
	dma_buf_put(dmabuf);
}

static void error_is_no_error(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_fence *fence = world_pending_fence(w);

	dma_fence_set_error(fence, -EIO);
	world_add_fence(w, dmabuf->resv, fence, DMA_RESV_USAGE_WRITE);
	dma_fence_signal(fence);
	W_EQ(w, dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	W_EQ(w, dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	dma_buf_put(dmabuf);
}

/* --- order ------------------------------------------------------------------------------------ */

static void map_before_wait(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);
	struct sg_table *sgt;

	w->log[0] = '\0';
	world_add_fence(w, dmabuf->resv, world_fence(w), DMA_RESV_USAGE_KERNEL);
	sgt = world_map(w, attach, DMA_TO_DEVICE);
	W_LOG(w, "map:to wait");
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void begin_before_wait(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);

	world_add_fence(w, dmabuf->resv, world_fence(w), DMA_RESV_USAGE_WRITE);
	W_EQ(w, dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	W_LOG(w, "begin:from wait");
	W_EQ(w, dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	W_LOG(w, "end:from");
	dma_buf_put(dmabuf);
}

static void begin_interrupted(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);

	world_add_fence(w, dmabuf->resv, world_pending_fence(w), DMA_RESV_USAGE_WRITE);
	world_interrupt(w);
	W_EQ(w, dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE), -ERESTARTSYS);
	world_calm(w);
	W_LOG(w, otherwise(w) ? "begin:from end:from" : "begin:from");
	dma_buf_put(dmabuf);
}

static void sync_interrupted(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);

	world_add_fence(w, dmabuf->resv, world_pending_fence(w), DMA_RESV_USAGE_WRITE);
	world_interrupt(w);
	W_EQ(w, sync(fd, DMA_BUF_SYNC_READ | DMA_BUF_SYNC_START), -ERESTARTSYS);
	world_calm(w);
	W_LOG(w, otherwise(w) ? "begin:from end:from" : "begin:from");
	world_close(fd);
}

static void interrupted_end_waits_not(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);

	W_EQ(w, dma_buf_begin_cpu_access(dmabuf, DMA_TO_DEVICE), 0);
	world_add_fence(w, dmabuf->resv, world_pending_fence(w), DMA_RESV_USAGE_KERNEL);
	world_interrupt(w);
	W_EQ(w, dma_buf_end_cpu_access(dmabuf, DMA_TO_DEVICE), 0);
	world_calm(w);
	dma_buf_put(dmabuf);
}

static void unmap_waits_not(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);
	struct sg_table *sgt = world_map(w, attach, DMA_TO_DEVICE);

	/* Who waited for it would hang. */
	world_add_fence(w, dmabuf->resv, world_pending_fence(w), DMA_RESV_USAGE_KERNEL);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

/* --- what programs bring ---------------------------------------------------------------------- */

/* A sync_file of @fence; the buffer that it was made of has gone again. */
static int sync_file_of(struct world *w, struct dma_fence *fence)
{
	struct dma_buf_export_sync_file request = { .flags = DMA_BUF_SYNC_RW };
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);

	world_add_fence(w, dmabuf->resv, fence, DMA_RESV_USAGE_WRITE);
	W_EQ(w, world_ioctl(fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &request), 0);
	world_close(fd);
	w->log[0] = '\0';
	return request.fd;
}

static void imported(struct world *w)
{
	const struct row *row = w->running->data;
	struct dma_fence *fence = world_pending_fence(w);
	struct dma_buf_import_sync_file request = {
		.flags = row->usage == DMA_RESV_USAGE_READ ? DMA_BUF_SYNC_READ : DMA_BUF_SYNC_WRITE,
		.fd = sync_file_of(w, fence),
	};
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);

	W_EQ(w, world_ioctl(fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &request), 0);
	W_CHECK(w, !dma_resv_is_locked(dmabuf->resv));
	W_EQ(w, dma_resv_test_signaled(dmabuf->resv, row->usage), false);
	W_EQ(w, dma_resv_test_signaled(dmabuf->resv, row->usage - 1), true);
	dma_fence_signal(fence);
	W_EQ(w, dma_resv_test_signaled(dmabuf->resv, DMA_RESV_USAGE_BOOKKEEP), true);
	world_close(request.fd);
	world_close(fd);
}

static void imported_two_in_one(struct world *w)
{
	struct dma_fence *one = world_pending_fence(w), *other = world_pending_fence(w);
	struct dma_buf_export_sync_file exported = { .flags = DMA_BUF_SYNC_RW };
	struct dma_buf *from = world_export(w, STATIC_EXPORTER);
	struct dma_buf *to = world_export(w, STATIC_EXPORTER);
	struct dma_buf_import_sync_file request = { .flags = DMA_BUF_SYNC_WRITE };
	int from_fd = dma_buf_fd(from, O_CLOEXEC), to_fd = dma_buf_fd(to, O_CLOEXEC);

	world_add_fence(w, from->resv, one, DMA_RESV_USAGE_WRITE);
	world_add_fence(w, from->resv, other, DMA_RESV_USAGE_READ);
	W_EQ(w, world_ioctl(from_fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &exported), 0);
	request.fd = exported.fd;
	W_EQ(w, world_ioctl(to_fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &request), 0);
	dma_fence_signal(one);
	W_EQ(w, dma_resv_test_signaled(to->resv, DMA_RESV_USAGE_WRITE), false);
	dma_fence_signal(other);
	W_EQ(w, dma_resv_test_signaled(to->resv, DMA_RESV_USAGE_WRITE), true);
	world_close(exported.fd);
	world_close(from_fd);
	world_close(to_fd);
}

static void exported_is_a_snapshot(struct world *w)
{
	struct dma_buf_export_sync_file request = { .flags = DMA_BUF_SYNC_RW };
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	struct dma_fence *exported;

	W_EQ(w, world_ioctl(fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &request), 0);
	world_add_fence(w, dmabuf->resv, world_pending_fence(w), DMA_RESV_USAGE_WRITE);
	exported = sync_file_get_fence(request.fd);
	W_CHECK(w, exported && dma_fence_is_signaled(exported));
	dma_fence_put(exported);
	world_close(request.fd);
	world_close(fd);
}

/* One row for each usage; LAST is the last that is waited for, or -1. */
#define ROW(NAME, USAGE, RULE, DOC, RUN, WAITER, LAST, ...)                                     \
	{                                                                                       \
		"fence." NAME, RULE, DOC, RUN,                                                  \
			&(const struct row){ WAITER, USAGE, (int)USAGE <= LAST }, ##__VA_ARGS__ \
	}
#define ROWS(NAME, RULE, DOC, RUN, WAITER, LAST, ...)                                            \
	ROW(NAME "_kernel", DMA_RESV_USAGE_KERNEL, RULE, DOC, RUN, WAITER, LAST, ##__VA_ARGS__), \
		ROW(NAME "_write", DMA_RESV_USAGE_WRITE, RULE, DOC, RUN, WAITER, LAST,           \
		    ##__VA_ARGS__),                                                              \
		ROW(NAME "_read", DMA_RESV_USAGE_READ, RULE, DOC, RUN, WAITER, LAST,             \
		    ##__VA_ARGS__),                                                              \
		ROW(NAME "_bookkeep", DMA_RESV_USAGE_BOOKKEEP, RULE, DOC, RUN, WAITER, LAST,     \
		    ##__VA_ARGS__)

static const struct world_case cases[] = {
	ROWS("map", "a static importer's map waits for fences of usage KERNEL, no others", DOC_MAP,
	     map_waits, MAP_STATIC, DMA_RESV_USAGE_KERNEL),
	ROWS("map_again", "every later map waits for them, too", DOC_MAP, map_waits, MAP_AGAIN,
	     DMA_RESV_USAGE_KERNEL),
	ROWS("map_dynamic", "a dynamic importer's map waits for none: the importer does",
	     DOC_DYNAMIC, map_waits, MAP_DYNAMIC, -1, .otherwise = { LINUX_6_12, WITHOUT_MOVES }),
	ROWS("begin_read", "a CPU that reads waits for writers", DOC_CPU, cpu_waits, BEGIN_READ,
	     DMA_RESV_USAGE_WRITE),
	ROWS("begin_write", "a CPU that writes waits for writers and readers", DOC_CPU, cpu_waits,
	     BEGIN_WRITE, DMA_RESV_USAGE_READ),
	ROWS("begin_both", "a CPU that does both waits for writers and readers", DOC_CPU, cpu_waits,
	     BEGIN_BOTH, DMA_RESV_USAGE_READ),
	ROWS("sync_read", "DMA_BUF_SYNC_READ waits for writers", DOC_SYNC, sync_waits, SYNC_READ,
	     DMA_RESV_USAGE_WRITE),
	ROWS("sync_write", "DMA_BUF_SYNC_WRITE waits for writers and readers", DOC_SYNC, sync_waits,
	     SYNC_WRITE, DMA_RESV_USAGE_READ),
	ROWS("poll_in", "EPOLLIN holds when writers are done", DOC_POLL, poll_waits, POLL_IN,
	     DMA_RESV_USAGE_WRITE),
	ROWS("poll_out", "EPOLLOUT holds when writers and readers are done", DOC_POLL, poll_waits,
	     POLL_OUT, DMA_RESV_USAGE_READ),
	ROWS("export_read", "a sync_file to read has the writers' fences", DOC_EXPORT, export_has,
	     EXPORT_READ, DMA_RESV_USAGE_WRITE),
	ROWS("export_write", "a sync_file to write has the writers' and the readers' fences",
	     DOC_EXPORT, export_has, EXPORT_WRITE, DMA_RESV_USAGE_READ),
	{ "fence.waits_for_all", "every fence is waited for, not the first only", DOC_WAIT,
	  waits_for_all },
	{ "fence.signaled_is_no_wait", "a fence that is signaled is not waited for", DOC_WAIT,
	  signaled_is_no_wait },
	{ "fence.error_is_no_error", "a fence's error does not fail who waited for it", DOC_WAIT,
	  error_is_no_error },
	{ "fence.map_before_wait",
	  "map asks the exporter, which may add fences, and waits afterwards", DOC_MAP,
	  map_before_wait },
	{ "fence.begin_before_wait",
	  "begin_cpu_access asks the exporter first, who may do better, and waits afterwards",
	  DOC_CPU, begin_before_wait },
	{ "fence.begin_interrupted", "an interrupted wait is -ERESTARTSYS",
	  "include/linux/dma-buf.h: struct dma_buf_ops, begin_cpu_access", begin_interrupted,
	  .otherwise = { OURS_CACHED | OURS_REMAP,
			 "`begin_cpu_access` whose wait is interrupted" } },
	{ "fence.sync_interrupted", "an interrupted DMA_BUF_IOCTL_SYNC is -ERESTARTSYS", DOC_SYNC,
	  sync_interrupted,
	  .otherwise = { OURS_CACHED | OURS_REMAP,
			 "`begin_cpu_access` whose wait is interrupted" } },
	{ "fence.end_waits_not", "end_cpu_access waits for nothing",
	  "drivers/dma-buf/dma-buf.c: dma_buf_end_cpu_access()", interrupted_end_waits_not },
	{ "fence.unmap_waits_not", "neither unmap nor detach nor put waits for fences",
	  "drivers/dma-buf/dma-buf.c: dma_buf_unmap_attachment()", unmap_waits_not },
	{ "fence.import_read", "an imported fence of a reader is of usage READ", DOC_IMPORT,
	  imported, &(const struct row){ .usage = DMA_RESV_USAGE_READ } },
	{ "fence.import_write", "an imported fence of a writer is of usage WRITE", DOC_IMPORT,
	  imported, &(const struct row){ .usage = DMA_RESV_USAGE_WRITE } },
	{ "fence.import_two_in_one", "all fences of a sync_file are imported", DOC_IMPORT,
	  imported_two_in_one },
	{ "fence.export_is_a_snapshot",
	  "fences that come later are not in a sync_file; one of none is signaled", DOC_EXPORT,
	  exported_is_a_snapshot },
};

const struct world_group fence_group = { "fence", cases, ARRAY_SIZE(cases) };
