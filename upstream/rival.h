/* SPDX-License-Identifier: MIT */
/*
 * rival.h - the way into a core that was loaded beside ours
 *
 * Each shared object of upstream/Makefile is a world: a host layer, a DMA layer, drivers and Linux
 * 6.12's core, with no symbol but this one.  dlopen(RTLD_NOW | RTLD_LOCAL) and dlsym("rival") find
 * it; worlds share nothing but the process.  They are never unloaded: they have threads.
 *
 * Invariants
 *   RI1  What a world handed out is only given to that world's entries.  Structures are opaque to
 *        others, for each core has its own layout, except those that host/ and dma/ define.
 *   RI2  The table has no entry that a Linux driver could not call.
 *   RI3  Where the core is ours (upstream/own.c) only sizes, name, machine_type_find, heaps and the
 *        main job are set.
 */
#ifndef UPSTREAM_RIVAL_H
#define UPSTREAM_RIVAL_H

#include <linux/dma-cost.h>
#include <linux/dma-direction.h>
#include <linux/types.h>

struct bench_group;
struct conformance_request;
struct device;
struct dma_buf;
struct dma_buf_attach_ops;
struct dma_buf_attachment;
struct dma_buf_export_info;
struct dma_fence;
struct dma_fence_cb;
struct dma_resv;
struct iosys_map;
struct machine;
struct machine_type;
struct memory_row;
struct moves_row;
struct program;
struct run_config;
struct run_result;
struct sg_table;
struct stage_heap;
struct trace;
struct vm_area_struct;
struct ww_acquire_ctx;
struct y4m_reader;

typedef void (*rival_warn_hook_t)(const char *file, int line, const char *text);

struct rival {
	/*
	 * sizes of this structure, of struct run_config, struct run_result, struct
	 * conformance_request and struct trace: who loads it compares
	 */
	size_t rival_bytes, config_bytes, result_bytes, request_bytes, trace_bytes;

	const char *name; /* "linux-6.12" and what the variant adds; NULL: our own core */
	bool move_notify; /* CONFIG_DMABUF_MOVE_NOTIFY */
	bool caches;      /* heaps set cache_sgt_mapping */

	/* buffers */
	struct dma_buf *(*export)(const struct dma_buf_export_info *info);
	int (*fd)(struct dma_buf *dmabuf, int flags);
	struct dma_buf *(*get)(int fd);
	void (*put)(struct dma_buf *dmabuf);
	int (*begin_cpu_access)(struct dma_buf *dmabuf, enum dma_data_direction dir);
	int (*end_cpu_access)(struct dma_buf *dmabuf, enum dma_data_direction dir);
	int (*mmap)(struct dma_buf *dmabuf, struct vm_area_struct *vma, unsigned long pgoff);
	int (*vmap)(struct dma_buf *dmabuf, struct iosys_map *map);
	int (*vmap_unlocked)(struct dma_buf *dmabuf, struct iosys_map *map);
	void (*vunmap)(struct dma_buf *dmabuf, struct iosys_map *map);
	void (*vunmap_unlocked)(struct dma_buf *dmabuf, struct iosys_map *map);
	void (*move_notify_all)(struct dma_buf *dmabuf);
	struct dma_resv *(*resv_of)(struct dma_buf *dmabuf);

	/* attachments */
	struct dma_buf_attachment *(*attach)(struct dma_buf *dmabuf, struct device *dev);
	struct dma_buf_attachment *(*dynamic_attach)(struct dma_buf *dmabuf, struct device *dev,
						     const struct dma_buf_attach_ops *ops,
						     void *priv);
	void (*detach)(struct dma_buf *dmabuf, struct dma_buf_attachment *attach);
	struct sg_table *(*map)(struct dma_buf_attachment *attach, enum dma_data_direction dir);
	struct sg_table *(*map_unlocked)(struct dma_buf_attachment *attach,
					 enum dma_data_direction dir);
	void (*unmap)(struct dma_buf_attachment *attach, struct sg_table *sgt,
		      enum dma_data_direction dir);
	void (*unmap_unlocked)(struct dma_buf_attachment *attach, struct sg_table *sgt,
			       enum dma_data_direction dir);
	int (*pin)(struct dma_buf_attachment *attach);
	void (*unpin)(struct dma_buf_attachment *attach);

	/* reservations */
	int (*resv_lock)(struct dma_resv *resv, struct ww_acquire_ctx *ctx);
	void (*resv_unlock)(struct dma_resv *resv);
	int (*resv_reserve)(struct dma_resv *resv, unsigned int fences);
	void (*resv_add)(struct dma_resv *resv, struct dma_fence *fence, int usage);
	long (*resv_wait)(struct dma_resv *resv, int usage, bool intr, unsigned long timeout);
	bool (*resv_test)(struct dma_resv *resv, int usage);

	/* fences; fence_new makes one of a context of its own, which nobody but fence_signal ends */
	struct dma_fence *(*fence_new)(void);
	struct dma_fence *(*fence_get)(struct dma_fence *fence);
	void (*fence_put)(struct dma_fence *fence);
	int (*fence_signal)(struct dma_fence *fence);
	bool (*fence_is_signaled)(struct dma_fence *fence);
	long (*fence_wait)(struct dma_fence *fence, bool intr, long timeout);
	int (*sync_file_fd)(struct dma_fence *fence);
	struct dma_fence *(*sync_file_fence)(int fd);

	/* what programs do to descriptors (host/file.h) */
	int (*close)(int fd);
	long (*ioctl)(int fd, unsigned int cmd, unsigned long arg);
	int (*poll)(int fd, __poll_t events, int timeout_ms);

	/* what the world says (host/warn.h), and what its atomic contexts put off (<linux/file.h>) */
	rival_warn_hook_t (*set_warn_hook)(rival_warn_hook_t hook);
	void (*warn_rearm)(void);
	void (*flush_delayed_fput)(void);
	void (*rcu_barrier)(void);

	/* machines (dma/machine.h, dma/engine.h) */
	const struct machine_type *(*machine_type_find)(const char *name);
	struct machine *(*machine_create)(const struct machine_type *type, size_t bounce_bytes);
	void (*machine_destroy)(struct machine *machine);
	struct device *(*machine_add_device)(struct machine *machine, const char *name,
					     bool coherent);
	void (*machine_remove_device)(struct device *dev);
	int (*engine_read)(struct device *dev, const struct sg_table *sgt, size_t offset, void *dst,
			   size_t len);
	int (*engine_write)(struct device *dev, const struct sg_table *sgt, size_t offset,
			    const void *src, size_t len);
	void (*cost_read)(struct dma_costs *costs);

	/* exporters */
	struct dma_buf *(*system_heap_allocate)(size_t bytes);
	void *(*system_heap_vaddr)(struct dma_buf *dmabuf, size_t offset, size_t *len);

	/* the rows of `dmabuf bench` that Linux has, too (bench/measure.h) */
	const struct bench_group *bench_maps, *bench_fences, *bench_resvs;
	void (*bench_memory)(struct memory_row *rows); /* bench/memory.h */
	void (*bench_moves)(const char *machine, bool remap, struct moves_row *row); /* moves.h */

	/* Linux's own exporters (upstream/drivers/heaps.h); ends with a NULL name */
	const struct stage_heap *heaps;

	/* the main job (pipeline/run.h); @config names its machine and its heap by this world's tables */
	int (*run_pipeline)(const struct run_config *config, struct y4m_reader *reader,
			    struct run_result *result, char *error);
	void (*run_result_free)(struct run_result *result);

	/* the conformance cases (checker/conformance/run.h) */
	unsigned int (*run_conformance)(const struct conformance_request *request);

	/* a program of calls, and what the core answered (checker/differential/differential.h) */
	void (*run_differential)(const struct program *program, bool remap, struct trace *trace);
};

#endif
