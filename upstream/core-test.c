/* SPDX-License-Identifier: MIT */
/*
 * core-test.c - Linux 6.12's core beside ours in one process: it runs, and asks exporters what Linux's
 * documentation of 6.12 says it asks
 *
 * Compiled with Linux's headers, for its layouts; everything of Linux's is called through a table
 * (upstream/rival.h).  The process's own core is ours: the harness stands on its host layer.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/poll.h>
#include <linux/scatterlist.h>
#include <uapi/linux/dma-buf.h>

#include "host/warn.h"
#include "tests/ktap.h"
#include "upstream/rival.h"

static const char *const variants[] = { "linux-6.12", "linux-6.12-notify", "linux-6.12-cached",
					"linux-6.12-cached-notify" };

/* What it WARNs counts as if our own core had. */
static const struct rival *load(struct ktap *t, const char *name)
{
	rival_warn_hook_t hook = host_set_warn_hook(NULL);
	const struct rival *rival = NULL;
	char path[4096];
	void *object;

	host_set_warn_hook(hook);
	snprintf(path, sizeof(path), "%s/%s.so", getenv("RIVAL"), name);
	object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (object)
		rival = dlsym(object, "rival");
	if (!ktap_check(t, rival, __FILE__, __LINE__, "%s: %s", path, dlerror()))
		return NULL;
	rival->set_warn_hook(hook);
	rival->warn_rearm();
	return rival;
}

/* --- an exporter that counts ------------------------------------------------------------------ */

struct counts {
	int pins, unpins, maps, unmaps, releases;
	enum dma_data_direction dir; /* of the last map */
};

static struct counts counts;
static struct sg_table table;

static int count_pin(struct dma_buf_attachment *attach)
{
	counts.pins++;
	return 0;
}

static void count_unpin(struct dma_buf_attachment *attach)
{
	counts.unpins++;
}

static struct sg_table *count_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	counts.maps++;
	counts.dir = dir;
	return &table;
}

static void count_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			enum dma_data_direction dir)
{
	counts.unmaps++;
}

static void count_release(struct dma_buf *dmabuf)
{
	counts.releases++;
}

static void count_move_notify(struct dma_buf_attachment *attach)
{
}

static const struct dma_buf_ops static_ops = {
	.map_dma_buf = count_map,
	.unmap_dma_buf = count_unmap,
	.release = count_release,
};

static const struct dma_buf_ops cached_ops = {
	.cache_sgt_mapping = true,
	.map_dma_buf = count_map,
	.unmap_dma_buf = count_unmap,
	.release = count_release,
};

static const struct dma_buf_ops dynamic_ops = {
	.pin = count_pin,
	.unpin = count_unpin,
	.map_dma_buf = count_map,
	.unmap_dma_buf = count_unmap,
	.release = count_release,
};

static const struct dma_buf_attach_ops follows = { .move_notify = count_move_notify };

static struct dma_buf *export(const struct rival *rival, const struct dma_buf_ops *ops)
{
	struct dma_buf_export_info info = {
		.exp_name = "counts",
		.ops = ops,
		.size = 4096,
		.flags = O_RDWR,
		.priv = &counts,
	};

	counts = (struct counts){};
	return rival->export(&info);
}

/* --- what the core asks of the exporter, step by step ----------------------------------------- */

/* The counters after attach, map, unmap and detach: pins, maps, unmaps, unpins. */
struct expected {
	const char *what;
	const struct dma_buf_ops *ops;
	bool dynamic;
	int notify; /* MOVE_NOTIFY must be this; -1: either */
	int attached[4], mapped[4], unmapped[4], detached[4];
	enum dma_data_direction dir; /* the exporter is asked for, when DMA_TO_DEVICE is mapped */
};

/* clang-format off */
static const struct expected expected[] = {
	{ "static exporter, static importer", &static_ops, false, -1,
	  { 0, 0, 0, 0 }, { 0, 1, 0, 0 }, { 0, 1, 1, 0 }, { 0, 1, 1, 0 }, DMA_TO_DEVICE },
	{ "exporter that lets cache, static importer", &cached_ops, false, -1,
	  { 0, 0, 0, 0 }, { 0, 1, 0, 0 }, { 0, 1, 0, 0 }, { 0, 1, 1, 0 }, DMA_TO_DEVICE },
	{ "dynamic exporter, static importer", &dynamic_ops, false, -1,
	  { 1, 1, 0, 0 }, { 1, 1, 0, 0 }, { 1, 1, 0, 0 }, { 1, 1, 1, 1 }, DMA_BIDIRECTIONAL },
	{ "static exporter, dynamic importer", &static_ops, true, -1,
	  { 0, 1, 0, 0 }, { 0, 1, 0, 0 }, { 0, 1, 0, 0 }, { 0, 1, 1, 0 }, DMA_BIDIRECTIONAL },
	{ "dynamic exporter, dynamic importer, MOVE_NOTIFY off", &dynamic_ops, true, 0,
	  { 0, 0, 0, 0 }, { 1, 1, 0, 0 }, { 1, 1, 1, 1 }, { 1, 1, 1, 1 }, DMA_TO_DEVICE },
	{ "dynamic exporter, dynamic importer, MOVE_NOTIFY on", &dynamic_ops, true, 1,
	  { 0, 0, 0, 0 }, { 0, 1, 0, 0 }, { 0, 1, 1, 0 }, { 0, 1, 1, 0 }, DMA_TO_DEVICE },
};
/* clang-format on */

static void check_step(struct ktap *t, const struct expected *row, const char *step,
		       const int want[4])
{
	ktap_check(t,
		   counts.pins == want[0] && counts.maps == want[1] && counts.unmaps == want[2] &&
			   counts.unpins == want[3],
		   __FILE__, __LINE__, "%s, after %s: pin %d map %d unmap %d unpin %d", row->what,
		   step, counts.pins, counts.maps, counts.unmaps, counts.unpins);
}

static void check_row(struct ktap *t, const struct rival *rival, struct device *dev,
		      const struct expected *row)
{
	struct dma_buf *dmabuf = export(rival, row->ops);
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	KT_ASSERT(t, !IS_ERR(dmabuf));
	attach = row->dynamic ? rival->dynamic_attach(dmabuf, dev, &follows, NULL)
			      : rival->attach(dmabuf, dev);
	KT_ASSERT(t, !IS_ERR(attach));
	check_step(t, row, "attach", row->attached);
	sgt = rival->map_unlocked(attach, DMA_TO_DEVICE);
	KT_EQ(t, sgt == &table, 1);
	check_step(t, row, "map", row->mapped);
	KT_EQ(t, counts.dir, row->dir);
	rival->unmap_unlocked(attach, sgt, DMA_TO_DEVICE);
	check_step(t, row, "unmap", row->unmapped);
	rival->detach(dmabuf, attach);
	check_step(t, row, "detach", row->detached);
	rival->put(dmabuf);
	KT_EQ(t, counts.releases, 1);
}

/* A world's machine with one device. */
struct bed {
	const struct rival *rival;
	struct machine *machine;
	struct device *dev;
};

static bool bed_make(struct ktap *t, struct bed *bed, const char *variant, const char *machine)
{
	bed->rival = load(t, variant);
	if (!bed->rival)
		return false;
	bed->machine = bed->rival->machine_create(bed->rival->machine_type_find(machine), 0);
	if (!KT_CHECK(t, !IS_ERR(bed->machine)))
		return false;
	bed->dev = bed->rival->machine_add_device(bed->machine, "device", true);
	return KT_CHECK(t, !IS_ERR(bed->dev));
}

static void bed_unmake(struct bed *bed)
{
	bed->rival->machine_remove_device(bed->dev);
	bed->rival->machine_destroy(bed->machine);
}

static void asks_as_documented(struct ktap *t)
{
	for (size_t v = 0; v < ARRAY_SIZE(variants); v++) {
		struct bed bed;

		if (!bed_make(t, &bed, variants[v], "pc"))
			return;
		KT_EQ(t, strcmp(bed.rival->name, variants[v]), 0);
		KT_EQ(t, bed.rival->move_notify, strstr(variants[v], "notify") != NULL);
		for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
			if (expected[i].notify < 0 || expected[i].notify == bed.rival->move_notify)
				check_row(t, bed.rival, bed.dev, &expected[i]);
		bed_unmake(&bed);
	}
}

static void a_kept_mapping_has_one_direction(struct ktap *t)
{
	struct dma_buf_attachment *attach;
	struct dma_buf *dmabuf;
	struct bed bed;

	if (!bed_make(t, &bed, "linux-6.12", "pc"))
		return;
	dmabuf = export(bed.rival, &cached_ops);
	attach = bed.rival->attach(dmabuf, bed.dev);
	KT_EQ(t, bed.rival->map_unlocked(attach, DMA_TO_DEVICE) == &table, 1);
	bed.rival->unmap_unlocked(attach, &table, DMA_TO_DEVICE);
	KT_EQ(t, PTR_ERR(bed.rival->map_unlocked(attach, DMA_FROM_DEVICE)), -EBUSY);
	KT_EQ(t, bed.rival->map_unlocked(attach, DMA_TO_DEVICE) == &table, 1);
	KT_EQ(t, counts.maps, 1);
	bed.rival->unmap_unlocked(attach, &table, DMA_TO_DEVICE);
	bed.rival->detach(dmabuf, attach);
	bed.rival->put(dmabuf);
	bed_unmake(&bed);
}

/* --- bytes ------------------------------------------------------------------------------------ */

static void check_bytes(struct ktap *t, struct bed *bed)
{
	static const char written[] = "what the device wrote";
	struct dma_buf *dmabuf = bed->rival->system_heap_allocate(3 * 4096);
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	size_t len;
	char *bytes;

	KT_ASSERT(t, !IS_ERR(dmabuf));
	attach = bed->rival->attach(dmabuf, bed->dev);
	KT_ASSERT(t, !IS_ERR(attach));
	sgt = bed->rival->map_unlocked(attach, DMA_FROM_DEVICE);
	KT_ASSERT(t, !IS_ERR(sgt));
	KT_EQ(t, bed->rival->engine_write(bed->dev, sgt, 4090, written, sizeof(written)), 0);
	bed->rival->unmap_unlocked(attach, sgt, DMA_FROM_DEVICE);

	KT_EQ(t, bed->rival->begin_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	for (size_t i = 0; i < sizeof(written); i++) {
		bytes = bed->rival->system_heap_vaddr(dmabuf, 4090 + i, &len);
		KT_EQ(t, *bytes, written[i]);
	}
	KT_EQ(t, bed->rival->end_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	bed->rival->detach(dmabuf, attach);
	bed->rival->put(dmabuf);
}

static void a_device_writes_and_the_cpu_reads(struct ktap *t)
{
	static const char *const machines[] = { "pc", "pc-iommu", "arm", "arm-direct", "bounce" };

	for (size_t v = 0; v < ARRAY_SIZE(variants); v++)
		for (size_t m = 0; m < ARRAY_SIZE(machines); m++) {
			struct bed bed;

			if (!bed_make(t, &bed, variants[v], machines[m]))
				return;
			check_bytes(t, &bed);
			bed_unmake(&bed);
		}
}

/* --- files and fences ------------------------------------------------------------------------- */

/* Somebody writes until it signals. */
static struct dma_fence *write_fence(struct ktap *t, const struct rival *rival,
				     struct dma_buf *dmabuf)
{
	struct dma_resv *resv = rival->resv_of(dmabuf);
	struct dma_fence *fence = rival->fence_new();

	if (!fence)
		return NULL;
	KT_EQ(t, rival->resv_lock(resv, NULL), 0);
	KT_EQ(t, rival->resv_reserve(resv, 1), 0);
	rival->resv_add(resv, fence, DMA_RESV_USAGE_WRITE);
	rival->resv_unlock(resv);
	return fence;
}

static void the_last_reference_goes_under_a_fences_lock(struct ktap *t)
{
	const struct rival *rival = load(t, "linux-6.12");
	struct dma_fence *fence;
	struct dma_buf *dmabuf;
	int fd;

	KT_ASSERT(t, rival);
	dmabuf = export(rival, &static_ops);
	fence = write_fence(t, rival, dmabuf);
	KT_ASSERT(t, fence);

	fd = rival->fd(dmabuf, O_CLOEXEC);
	KT_EQ(t, fd >= 0, 1);
	KT_EQ(t, rival->poll(fd, EPOLLIN, 0), 0);
	KT_EQ(t, rival->close(fd), 0);
	KT_EQ(t, counts.releases, 0);
	rival->fence_signal(fence);
	rival->flush_delayed_fput();
	KT_EQ(t, counts.releases, 1);
	rival->fence_put(fence);
}

static void a_program_asks_for_a_buffers_fences(struct ktap *t)
{
	struct dma_buf_export_sync_file arg = { .flags = DMA_BUF_SYNC_RW, .fd = -1 };
	const struct rival *rival = load(t, "linux-6.12");
	struct dma_fence *fence, *again;
	struct dma_buf *dmabuf;
	int fd;

	KT_ASSERT(t, rival);
	dmabuf = export(rival, &static_ops);
	fence = write_fence(t, rival, dmabuf);
	KT_ASSERT(t, fence);

	fd = rival->fd(dmabuf, O_CLOEXEC);
	KT_EQ(t, rival->ioctl(fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, (unsigned long)&arg), 0);
	KT_EQ(t, rival->poll(arg.fd, EPOLLIN, 0), 0);
	again = rival->sync_file_fence(arg.fd);
	KT_EQ(t, again == fence, 1);
	rival->fence_signal(fence);
	KT_EQ(t, rival->poll(arg.fd, EPOLLIN, 0), EPOLLIN);
	rival->fence_put(again);
	rival->fence_put(fence);
	KT_EQ(t, rival->close(arg.fd), 0);
	KT_EQ(t, rival->close(fd), 0);
	KT_EQ(t, counts.releases, 1);
}

static void descriptors_are_a_worlds_own(struct ktap *t)
{
	const struct rival *one = load(t, "linux-6.12"), *other = load(t, "linux-6.12-notify");
	struct dma_buf *dmabuf, *again;
	int fd;

	KT_ASSERT(t, one && other && one != other);
	dmabuf = export(one, &static_ops);
	fd = one->fd(dmabuf, O_CLOEXEC);
	KT_EQ(t, PTR_ERR(other->get(fd)), -EBADF);
	again = one->get(fd);
	KT_EQ(t, again == dmabuf, 1);
	one->put(again);
	KT_EQ(t, one->close(fd), 0);
	KT_EQ(t, counts.releases, 1);
}

KTAP_MAIN(KTAP_CASE(asks_as_documented), KTAP_CASE(a_kept_mapping_has_one_direction),
	  KTAP_CASE(a_device_writes_and_the_cpu_reads),
	  KTAP_CASE(the_last_reference_goes_under_a_fences_lock),
	  KTAP_CASE(a_program_asks_for_a_buffers_fences), KTAP_CASE(descriptors_are_a_worlds_own))
