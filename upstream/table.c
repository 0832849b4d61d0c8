/* SPDX-License-Identifier: MIT */
/* table.c - see rival.h: this world's entries, and the fences that its users make */
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/sync_file.h>

#include "bench/measure.h"
#include "bench/memory.h"
#include "bench/moves.h"
#include "checker/conformance/run.h"
#include "checker/differential/differential.h"
#include "dma/engine.h"
#include "dma/machine.h"
#include "drivers/exporters/system-heap.h"
#include "host/file.h"
#include "host/warn.h"
#include "pipeline/run.h"
#include "upstream/drivers/heaps.h"
#include "upstream/rival.h"

/* --- fences ----------------------------------------------------------------------------------- */

struct rival_fence {
	struct dma_fence fence;
	spinlock_t lock;
};

static const char *fence_name(struct dma_fence *fence)
{
	return "rival";
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_name,
	.get_timeline_name = fence_name,
};

static struct dma_fence *fence_new(void)
{
	struct rival_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	if (!fence)
		return NULL;
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->fence, &fence_ops, &fence->lock, dma_fence_context_alloc(1), 1);
	return &fence->fence;
}

static int sync_file_fd(struct dma_fence *fence)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);
	struct sync_file *file;

	if (fd < 0)
		return fd;
	file = sync_file_create(fence);
	if (!file) {
		put_unused_fd(fd);
		return -ENOMEM;
	}
	fd_install(fd, file->file);
	return fd;
}

/* --- what is inline in Linux, or a field --------------------------------------------------------- */

static int resv_lock(struct dma_resv *resv, struct ww_acquire_ctx *ctx)
{
	return dma_resv_lock(resv, ctx);
}

static void resv_unlock(struct dma_resv *resv)
{
	dma_resv_unlock(resv);
}

static void resv_add(struct dma_resv *resv, struct dma_fence *fence, int usage)
{
	dma_resv_add_fence(resv, fence, usage);
}

static long resv_wait(struct dma_resv *resv, int usage, bool intr, unsigned long timeout)
{
	return dma_resv_wait_timeout(resv, usage, intr, timeout);
}

static bool resv_test(struct dma_resv *resv, int usage)
{
	return dma_resv_test_signaled(resv, usage);
}

static struct dma_resv *resv_of(struct dma_buf *dmabuf)
{
	return dmabuf->resv;
}

static struct dma_fence *fence_get(struct dma_fence *fence)
{
	return dma_fence_get(fence);
}

static void fence_put(struct dma_fence *fence)
{
	dma_fence_put(fence);
}

static bool fence_is_signaled(struct dma_fence *fence)
{
	return dma_fence_is_signaled(fence);
}

/* --- the table -------------------------------------------------------------------------------- */

extern const struct rival rival __attribute__((__visibility__("default")));

const struct rival rival = {
	.rival_bytes = sizeof(struct rival),
	.config_bytes = sizeof(struct run_config),
	.result_bytes = sizeof(struct run_result),
	.request_bytes = sizeof(struct conformance_request),
	.trace_bytes = sizeof(struct trace),
	.name = RIVAL_NAME,
	.move_notify = IS_ENABLED(CONFIG_DMABUF_MOVE_NOTIFY),
	.caches = RIVAL_CACHES,

	.export = dma_buf_export,
	.fd = dma_buf_fd,
	.get = dma_buf_get,
	.put = dma_buf_put,
	.begin_cpu_access = dma_buf_begin_cpu_access,
	.end_cpu_access = dma_buf_end_cpu_access,
	.mmap = dma_buf_mmap,
	.vmap = dma_buf_vmap,
	.vmap_unlocked = dma_buf_vmap_unlocked,
	.vunmap = dma_buf_vunmap,
	.vunmap_unlocked = dma_buf_vunmap_unlocked,
	.move_notify_all = dma_buf_move_notify,
	.resv_of = resv_of,

	.attach = dma_buf_attach,
	.dynamic_attach = dma_buf_dynamic_attach,
	.detach = dma_buf_detach,
	.map = dma_buf_map_attachment,
	.map_unlocked = dma_buf_map_attachment_unlocked,
	.unmap = dma_buf_unmap_attachment,
	.unmap_unlocked = dma_buf_unmap_attachment_unlocked,
	.pin = dma_buf_pin,
	.unpin = dma_buf_unpin,

	.resv_lock = resv_lock,
	.resv_unlock = resv_unlock,
	.resv_reserve = dma_resv_reserve_fences,
	.resv_add = resv_add,
	.resv_wait = resv_wait,
	.resv_test = resv_test,

	.fence_new = fence_new,
	.fence_get = fence_get,
	.fence_put = fence_put,
	.fence_signal = dma_fence_signal,
	.fence_is_signaled = fence_is_signaled,
	.fence_wait = dma_fence_wait_timeout,
	.sync_file_fd = sync_file_fd,
	.sync_file_fence = sync_file_get_fence,

	.close = host_close,
	.ioctl = host_ioctl,
	.poll = host_poll,

	.set_warn_hook = host_set_warn_hook,
	.warn_rearm = host_warn_rearm,
	.flush_delayed_fput = flush_delayed_fput,
	.rcu_barrier = rcu_barrier,

	.machine_type_find = machine_type_find,
	.machine_create = machine_create,
	.machine_destroy = machine_destroy,
	.machine_add_device = machine_add_device,
	.machine_remove_device = machine_remove_device,
	.engine_read = dma_engine_read,
	.engine_write = dma_engine_write,
	.cost_read = dma_cost_read,

	.system_heap_allocate = system_heap_allocate,
	.system_heap_vaddr = system_heap_vaddr,

	.bench_maps = &bench_maps,
	.bench_fences = &bench_fences,
	.bench_resvs = &bench_resvs,
	.bench_memory = bench_memory,
	.bench_moves = bench_moves_run,

	.heaps = linux_heaps,
	.run_pipeline = run_pipeline,
	.run_result_free = run_result_free,

	.run_conformance = conformance_run,
	.run_differential = differential_run,
};
