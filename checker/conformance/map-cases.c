/* SPDX-License-Identifier: MIT */
/*
 * map-cases.c - what a map asks of the exporter, for each kind of exporter and importer, in which
 * order, and what comes back
 */
#include <linux/sched/signal.h>

#include "world.h"

#define DOC_MAP "drivers/dma-buf/dma-buf.c: dma_buf_map_attachment()"
#define DOC_UNMAP "drivers/dma-buf/dma-buf.c: dma_buf_unmap_attachment()"
#define DOC_UNLOCKED "drivers/dma-buf/dma-buf.c: dma_buf_map_attachment_unlocked()"
#define DOC_OP_MAP "include/linux/dma-buf.h: struct dma_buf_ops, map_dma_buf"
#define DOC_OP_UNMAP "include/linux/dma-buf.h: struct dma_buf_ops, unmap_dma_buf"
#define DOC_OP_PIN "include/linux/dma-buf.h: struct dma_buf_ops, pin"
#define DOC_LOCKS "drivers/dma-buf/dma-buf.c: DOC: locking convention"
#define DOC_DIRECTIONS "Documentation/core-api/dma-api-howto.rst: DMA Direction"
#define DOC_IMPORTER "Documentation/driver-api/dma-buf.rst: Basic Operation and Device DMA Access"

#define KEPT "`map_dma_buf`, `unmap_dma_buf`"
#define WITHOUT_CACHE "6.15 no longer maps at attach"
#define NOT_BOTH "6.15 no longer maps with DMA_BIDIRECTIONAL"
#define WITHOUT_MOVES "7.1 always builds with DMABUF_MOVE_NOTIFY"

static const char *direction_name(enum dma_data_direction dir)
{
	return dir == DMA_TO_DEVICE ? "to" : dir == DMA_FROM_DEVICE ? "from" : "both";
}

static struct sg_table *map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	return dma_buf_map_attachment_unlocked(attach, dir);
}

static void unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		  enum dma_data_direction dir)
{
	dma_buf_unmap_attachment_unlocked(attach, sgt, dir);
}

/* --- what each pair of exporter and importer asks -------------------------------------------- */

/* What is asked at attach, map, unmap, detach and the last put; % is the direction's name. */
struct asked {
	const char *attach, *map, *unmap, *detach, *put;
};

struct pair {
	bool dynamic_exporter, dynamic_importer;
	enum dma_data_direction dir;
	/* by the rule, by those of `otherwise`, of `also` */
	const struct asked *rule, *otherwise, *also;
};

static void log_is(struct world *w, const char *format, enum dma_data_direction dir)
{
	char want[256] = "";

	for (const char *at = format; *at; at++) {
		size_t len = strlen(want);

		if (*at == '%')
			strscpy(want + len, direction_name(dir), sizeof(want) - len);
		else
			want[len] = *at;
	}
	W_LOG(w, want);
}

static void pair_asks(struct world *w)
{
	const struct pair *pair = w->running->data;
	const struct asked *asked = otherwise(w) ? pair->otherwise
				    : also(w)    ? pair->also
						 : pair->rule;
	struct dma_buf *dmabuf =
		world_export(w, pair->dynamic_exporter ? DYNAMIC_EXPORTER : STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, pair->dynamic_importer);
	struct sg_table *sgt;

	log_is(w, asked->attach, pair->dir);
	sgt = world_map(w, attach, pair->dir);
	W_ERR(w, sgt, 0);
	log_is(w, asked->map, pair->dir);
	unmap(attach, sgt, pair->dir);
	log_is(w, asked->unmap, pair->dir);
	dma_buf_detach(dmabuf, attach);
	log_is(w, asked->detach, pair->dir);
	dma_buf_put(dmabuf);
	log_is(w, asked->put, pair->dir);
}

static const struct asked each_time = { "attach", "map:%", "unmap:%", "detach", "release" };
static const struct asked each_time_pinned = { "attach", "pin map:%", "unmap:% unpin", "detach",
					       "release" };
static const struct asked kept = { "attach attach attach", "map:%", "", "",
				   "unmap:% detach detach detach release" };
/* What pins is kept for as long as somebody is attached. */
static const struct asked kept_pinned = { "attach attach attach", "pin map:%", "", "unmap:% unpin",
					  "detach detach detach release" };
static const struct asked at_attach = { "attach map:both", "", "", "unmap:both detach", "release" };
static const struct asked at_attach_pinned = { "attach pin map:both", "", "",
					       "unmap:both unpin detach", "release" };

static const struct pair static_on_static[] = {
	{ false, false, DMA_TO_DEVICE, &each_time, &kept, &each_time },
	{ false, false, DMA_FROM_DEVICE, &each_time, &kept, &each_time },
	{ false, false, DMA_BIDIRECTIONAL, &each_time, &kept, &each_time },
};
static const struct pair dynamic_on_static[] = {
	{ false, true, DMA_TO_DEVICE, &each_time, &kept, &at_attach },
	{ false, true, DMA_FROM_DEVICE, &each_time, &kept, &at_attach },
	{ false, true, DMA_BIDIRECTIONAL, &each_time, &kept, &at_attach },
};
static const struct pair static_on_dynamic[] = {
	{ true, false, DMA_TO_DEVICE, &each_time_pinned, &kept_pinned, &at_attach_pinned },
	{ true, false, DMA_FROM_DEVICE, &each_time_pinned, &kept_pinned, &at_attach_pinned },
	{ true, false, DMA_BIDIRECTIONAL, &each_time_pinned, &kept_pinned, &at_attach_pinned },
};
static const struct pair dynamic_on_dynamic[] = {
	{ true, true, DMA_TO_DEVICE, &each_time, &each_time, &each_time_pinned },
	{ true, true, DMA_FROM_DEVICE, &each_time, &each_time, &each_time_pinned },
	{ true, true, DMA_BIDIRECTIONAL, &each_time, &each_time, &each_time_pinned },
};

/* --- what comes back -------------------------------------------------------------------------- */

static void covers(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);
	struct sg_table *sgt = world_map(w, attach, DMA_TO_DEVICE);
	struct scatterlist *sg;
	size_t bytes = 0;
	unsigned int i;

	for_each_sgtable_dma_sg(sgt, sg, i)
		bytes += sg_dma_len(sg);
	W_EQ(w, bytes, WORLD_BYTES);
	W_CHECK(w, sgt->nents && sgt->orig_nents >= sgt->nents);
	unmap(attach, sgt, DMA_TO_DEVICE);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void again_asks_again(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);

	unmap(attach, map(attach, DMA_FROM_DEVICE), DMA_FROM_DEVICE);
	w->log[0] = '\0';
	unmap(attach, map(attach, DMA_FROM_DEVICE), DMA_FROM_DEVICE);
	W_LOG(w, otherwise(w) ? "" : "map:from unmap:from");
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void twice_at_once(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);
	struct sg_table *one, *other;

	world_cpu_writes(world_bytes(dmabuf), 5);
	one = world_map(w, attach, DMA_TO_DEVICE);
	other = world_map(w, attach, DMA_TO_DEVICE);
	W_CHECK(w, !IS_ERR(one) && !IS_ERR(other));
	unmap(attach, one, DMA_TO_DEVICE);
	W_CHECK(w, world_device_reads(w->dev, other, 5));
	unmap(attach, other, DMA_TO_DEVICE);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void two_directions_at_once(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);
	struct sg_table *to = world_map(w, attach, DMA_TO_DEVICE),
			*from = world_map(w, attach, DMA_FROM_DEVICE);

	W_CHECK(w, !IS_ERR(to) && !IS_ERR(from));
	W_LOG(w, otherwise(w) ? "attach attach attach map:to map:from" : "attach map:to map:from");
	W_EQ(w, world_device_writes(w->dev, from, 3), 0);
	unmap(attach, from, DMA_FROM_DEVICE);
	unmap(attach, to, DMA_TO_DEVICE);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void another_direction_later(struct world *w)
{
	static const enum dma_data_direction order[] = { DMA_TO_DEVICE, DMA_FROM_DEVICE,
							 DMA_BIDIRECTIONAL, DMA_TO_DEVICE };
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);

	for (unsigned int i = 0; i < ARRAY_SIZE(order); i++) {
		struct sg_table *sgt = world_map(w, attach, order[i]);

		W_ERR(w, sgt, 0);
		unmap(attach, sgt, order[i]);
	}
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void one_table_twice(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);
	struct sg_table *one, *other;

	w->answer.same_table = true;
	one = world_map(w, attach, DMA_BIDIRECTIONAL);
	other = world_map(w, attach, DMA_BIDIRECTIONAL);
	W_CHECK(w, !IS_ERR(one) && !IS_ERR(other));
	unmap(attach, one, DMA_BIDIRECTIONAL);
	W_EQ(w, world_device_writes(w->dev, other, 9), 0);
	unmap(attach, other, DMA_BIDIRECTIONAL);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void permission_is_the_direction(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);
	struct sg_table *sgt = world_map(w, attach, DMA_TO_DEVICE);

	W_EQ(w, world_device_writes(w->dev, sgt, 1), -EFAULT);
	unmap(attach, sgt, DMA_TO_DEVICE);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void permission_of_a_dynamic_importer(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, true);
	struct sg_table *sgt = world_map(w, attach, DMA_TO_DEVICE);

	W_EQ(w, world_device_writes(w->dev, sgt, 1), otherwise(w) ? 0 : -EFAULT);
	unmap(attach, sgt, DMA_TO_DEVICE);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void exporter_allows_reading_only(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);
	struct sg_table *sgt;

	w->answer.only_reading = true;
	W_ERR(w, map(attach, DMA_FROM_DEVICE), -EACCES);
	sgt = world_map(w, attach, DMA_TO_DEVICE);
	W_ERR(w, sgt, 0);
	W_ERR(w, map(attach, DMA_BIDIRECTIONAL), -EACCES);
	unmap(attach, sgt, DMA_TO_DEVICE);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void dynamic_importer_reads_only(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	w->answer.only_reading = true;
	attach = dma_buf_dynamic_attach(dmabuf, w->dev, &world_importer, w);
	W_ERR(w, attach, otherwise(w) ? -EACCES : 0);
	if (!IS_ERR(attach)) {
		sgt = world_map(w, attach, DMA_TO_DEVICE);
		W_ERR(w, sgt, 0);
		unmap(attach, sgt, DMA_TO_DEVICE);
		dma_buf_detach(dmabuf, attach);
	}
	dma_buf_put(dmabuf);
}

/* --- errors ----------------------------------------------------------------------------------- */

static void refused(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);
	struct sg_table *sgt;

	w->answer.map = *(const int *)w->running->data;
	W_ERR(w, map(attach, DMA_FROM_DEVICE), w->answer.map);
	w->answer.map = 0;
	sgt = world_map(w, attach, DMA_FROM_DEVICE);
	W_ERR(w, sgt, 0);
	unmap(attach, sgt, DMA_FROM_DEVICE);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void null_table(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);

	w->answer.map_null = true;
	W_ERR(w, map(attach, DMA_FROM_DEVICE), -ENOMEM);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void null_attachment(struct world *w)
{
	world_expect_warn(w);
	W_ERR(w, dma_buf_map_attachment(NULL, DMA_TO_DEVICE), -EINVAL);
}

static void null_attachment_unlocked(struct world *w)
{
	world_expect_warn(w);
	W_ERR(w, map(NULL, DMA_TO_DEVICE), -EINVAL);
}

static void unmap_null(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);

	world_expect_warn(w);
	unmap(attach, NULL, DMA_TO_DEVICE);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void unmap_null_attachment(struct world *w)
{
	struct sg_table sgt = {};

	world_expect_warn(w);
	unmap(NULL, &sgt, DMA_TO_DEVICE);
}

static void no_direction(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);

	world_expect_warn(w);
	W_ERR(w, map(attach, DMA_NONE), -EINVAL);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void unmap_twice(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);
	struct sg_table *sgt = world_map(w, attach, DMA_TO_DEVICE);

	unmap(attach, sgt, DMA_TO_DEVICE);
	world_expect_warn(w);
	unmap(attach, sgt, DMA_TO_DEVICE);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void unmap_other_direction(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);
	struct sg_table *sgt = world_map(w, attach, DMA_FROM_DEVICE);

	world_expect_warn(w);
	unmap(attach, sgt, DMA_BIDIRECTIONAL);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void interrupted(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);

	world_add_fence(w, dmabuf->resv, world_pending_fence(w), DMA_RESV_USAGE_KERNEL);
	w->log[0] = '\0';
	world_interrupt(w);
	W_ERR(w, map(attach, DMA_FROM_DEVICE), -ERESTARTSYS);
	world_calm(w);
	W_LOG(w, otherwise(w) ? "map:from" : "map:from unmap:from");
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

/* --- locks ------------------------------------------------------------------------------------ */

static void held(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);
	struct sg_table *sgt;

	dma_resv_lock(dmabuf->resv, NULL);
	sgt = dma_buf_map_attachment(attach, DMA_BIDIRECTIONAL);
	W_ERR(w, sgt, 0);
	W_CHECK(w, dma_resv_is_locked(dmabuf->resv));
	dma_buf_unmap_attachment(attach, sgt, DMA_BIDIRECTIONAL);
	W_CHECK(w, dma_resv_is_locked(dmabuf->resv));
	dma_resv_unlock(dmabuf->resv);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void unlocked(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, DYNAMIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, true);
	struct sg_table *sgt = world_map(w, attach, DMA_BIDIRECTIONAL);

	W_ERR(w, sgt, 0);
	W_CHECK(w, !dma_resv_is_locked(dmabuf->resv));
	unmap(attach, sgt, DMA_BIDIRECTIONAL);
	W_CHECK(w, !dma_resv_is_locked(dmabuf->resv));
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void refused_unlocks(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);

	w->answer.map = -EIO;
	W_ERR(w, map(attach, DMA_TO_DEVICE), -EIO);
	W_CHECK(w, !dma_resv_is_locked(dmabuf->resv));
	dma_resv_lock(dmabuf->resv, NULL);
	W_ERR(w, dma_buf_map_attachment(attach, DMA_TO_DEVICE), -EIO);
	W_CHECK(w, dma_resv_is_locked(dmabuf->resv));
	dma_resv_unlock(dmabuf->resv);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void mixed_lock_variants(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);
	struct sg_table *sgt = world_map(w, attach, DMA_TO_DEVICE);

	dma_resv_lock(dmabuf->resv, NULL);
	dma_buf_unmap_attachment(attach, sgt, DMA_TO_DEVICE);
	sgt = dma_buf_map_attachment(attach, DMA_TO_DEVICE);
	dma_resv_unlock(dmabuf->resv);
	W_ERR(w, sgt, 0);
	unmap(attach, sgt, DMA_TO_DEVICE);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

/* --- several ---------------------------------------------------------------------------------- */

static void buffers_of_one_reservation(struct world *w)
{
	struct dma_buf_attachment *first, *second;
	struct sg_table *one, *other;
	struct dma_buf *a, *b;
	struct dma_resv *resv = world_resv(w);

	a = world_export_resv(w, STATIC_EXPORTER, resv, O_RDWR);
	b = world_export_resv(w, STATIC_EXPORTER, resv, O_RDWR);
	first = world_attach(w, a, false);
	second = world_attach(w, b, false);
	dma_resv_lock(resv, NULL);
	one = dma_buf_map_attachment(first, DMA_FROM_DEVICE);
	other = dma_buf_map_attachment(second, DMA_TO_DEVICE);
	W_CHECK(w, !IS_ERR(one) && !IS_ERR(other));
	dma_buf_unmap_attachment(first, one, DMA_FROM_DEVICE);
	dma_buf_unmap_attachment(second, other, DMA_TO_DEVICE);
	dma_resv_unlock(resv);
	dma_buf_detach(a, first);
	dma_buf_detach(b, second);
	dma_buf_put(a);
	dma_buf_put(b);
}

static void trimmed_table(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *one = world_attach_device(w, dmabuf, w->dev);
	struct dma_buf_attachment *other = world_attach_device(w, dmabuf, w->dev);
	struct sg_table *trimmed = world_map(w, one, DMA_TO_DEVICE),
			*whole = world_map(w, other, DMA_TO_DEVICE);
	bool one_table = otherwise(w) && !IS_ENABLED(LIBDMABUF_DEBUG_TABLES);
	unsigned int len = sg_dma_len(trimmed->sgl);

	/* As RDMA's umem does; before its unmap it puts back what was there. */
	sg_dma_len(trimmed->sgl) = 64;
	W_EQ(w, sg_dma_len(whole->sgl) == len, !one_table);
	sg_dma_len(trimmed->sgl) = len;
	unmap(one, trimmed, DMA_TO_DEVICE);
	unmap(other, whole, DMA_TO_DEVICE);
	dma_buf_detach(dmabuf, one);
	dma_buf_detach(dmabuf, other);
	dma_buf_put(dmabuf);
}

#define ERRNO(e) (&(const int){ e })

static const struct world_case cases[] = {
	{ "map.static_on_static_to",
	  "a static exporter is asked at each map and unmap, with the importer's direction",
	  DOC_OP_MAP, pair_asks, &static_on_static[0], .otherwise = { OURS_CACHED, KEPT } },
	{ "map.static_on_static_from",
	  "a static exporter is asked at each map and unmap, with the importer's direction",
	  DOC_OP_MAP, pair_asks, &static_on_static[1], .otherwise = { OURS_CACHED, KEPT } },
	{ "map.static_on_static_both",
	  "a static exporter is asked at each map and unmap, with the importer's direction",
	  DOC_OP_MAP, pair_asks, &static_on_static[2], .otherwise = { OURS_CACHED, KEPT } },
	{ "map.dynamic_on_static_to",
	  "an exporter that never moves is asked as by static importers", DOC_OP_MAP, pair_asks,
	  &dynamic_on_static[0], .otherwise = { OURS_CACHED, KEPT },
	  .also = { LINUX_CACHES, WITHOUT_CACHE } },
	{ "map.dynamic_on_static_from",
	  "an exporter that never moves is asked as by static importers", DOC_OP_MAP, pair_asks,
	  &dynamic_on_static[1], .otherwise = { OURS_CACHED, KEPT },
	  .also = { LINUX_CACHES, WITHOUT_CACHE } },
	{ "map.dynamic_on_static_both",
	  "an exporter that never moves is asked as by static importers", DOC_OP_MAP, pair_asks,
	  &dynamic_on_static[2], .otherwise = { OURS_CACHED, KEPT },
	  .also = { LINUX_CACHES, WITHOUT_CACHE } },
	{ "map.static_on_dynamic_to",
	  "a static importer of a buffer that moves pins it for as long as it is mapped",
	  DOC_OP_PIN, pair_asks, &static_on_dynamic[0], .otherwise = { OURS_CACHED, KEPT },
	  .also = { LINUX_CACHES, WITHOUT_CACHE } },
	{ "map.static_on_dynamic_from",
	  "a static importer of a buffer that moves pins it for as long as it is mapped",
	  DOC_OP_PIN, pair_asks, &static_on_dynamic[1], .otherwise = { OURS_CACHED, KEPT },
	  .also = { LINUX_CACHES, WITHOUT_CACHE } },
	{ "map.static_on_dynamic_both",
	  "a static importer of a buffer that moves pins it for as long as it is mapped",
	  DOC_OP_PIN, pair_asks, &static_on_dynamic[2], .otherwise = { OURS_CACHED, KEPT },
	  .also = { LINUX_CACHES, WITHOUT_CACHE } },
	{ "map.dynamic_on_dynamic_to", "who follows moves pins nothing", DOC_OP_PIN, pair_asks,
	  &dynamic_on_dynamic[0], .also = { LINUX_6_12, WITHOUT_MOVES } },
	{ "map.dynamic_on_dynamic_from", "who follows moves pins nothing", DOC_OP_PIN, pair_asks,
	  &dynamic_on_dynamic[1], .also = { LINUX_6_12, WITHOUT_MOVES } },
	{ "map.dynamic_on_dynamic_both", "who follows moves pins nothing", DOC_OP_PIN, pair_asks,
	  &dynamic_on_dynamic[2], .also = { LINUX_6_12, WITHOUT_MOVES } },
	{ "map.covers_the_buffer", "the table's DMA lengths add up to the buffer's size",
	  DOC_OP_MAP, covers },
	{ "map.again_asks_again", "every map asks the exporter for a mapping", DOC_MAP,
	  again_asks_again, .otherwise = { OURS_CACHED, KEPT } },
	{ "map.twice_at_once",
	  "two maps of one attachment may be in use; the first unmap leaves the other",
	  DOC_IMPORTER, twice_at_once },
	{ "map.two_directions_at_once",
	  "two maps with different directions may be in use if the exporter allows it", DOC_MAP,
	  two_directions_at_once, .otherwise = { OURS_CACHED, KEPT } },
	{ "map.another_direction_later", "an attachment is not bound to its first direction",
	  DOC_MAP, another_direction_later },
	{ "map.one_table_twice",
	  "an exporter may return one table for several maps; each is unmapped", DOC_OP_MAP,
	  one_table_twice },
	{ "map.permission_is_the_direction",
	  "behind an IOMMU a device mapped DMA_TO_DEVICE cannot write", DOC_DIRECTIONS,
	  permission_is_the_direction },
	{ "map.permission_of_a_dynamic_importer",
	  "behind an IOMMU a dynamic importer mapped DMA_TO_DEVICE cannot write, either",
	  DOC_DIRECTIONS, permission_of_a_dynamic_importer,
	  .otherwise = { LINUX_CACHES, NOT_BOTH } },
	{ "map.exporter_allows_reading_only",
	  "an exporter may refuse a direction and serve another, on one attachment", DOC_OP_MAP,
	  exporter_allows_reading_only },
	{ "map.dynamic_importer_reads_only",
	  "an exporter is asked for the importer's direction, not for more", DOC_OP_MAP,
	  dynamic_importer_reads_only, .otherwise = { LINUX_CACHES, NOT_BOTH } },
	{ "map.refused_eintr", "-EINTR of map_dma_buf is passed on", DOC_OP_MAP, refused,
	  ERRNO(-EINTR) },
	{ "map.refused_eagain", "-EAGAIN of map_dma_buf is passed on", DOC_OP_MAP, refused,
	  ERRNO(-EAGAIN) },
	{ "map.refused_enomem", "-ENOMEM of map_dma_buf is passed on", DOC_OP_MAP, refused,
	  ERRNO(-ENOMEM) },
	{ "map.refused_ebusy", "-EBUSY of map_dma_buf is passed on", DOC_OP_MAP, refused,
	  ERRNO(-EBUSY) },
	{ "map.refused_eio", "any errno of map_dma_buf is passed on, and the next map is new",
	  DOC_OP_MAP, refused, ERRNO(-EIO) },
	{ "map.null_table", "NULL of map_dma_buf is -ENOMEM", DOC_MAP, null_table },
	{ "map.null_attachment", "no attachment: a WARN and -EINVAL", DOC_MAP, null_attachment },
	{ "map.null_attachment_unlocked", "no attachment: a WARN and -EINVAL", DOC_UNLOCKED,
	  null_attachment_unlocked },
	{ "map.unmap_null_table", "an unmap of no table warns and does nothing", DOC_UNMAP,
	  unmap_null },
	{ "map.unmap_null_attachment", "an unmap of no attachment warns and does nothing",
	  DOC_UNMAP, unmap_null_attachment },
	{ "map.no_direction", "DMA_NONE is no direction of a mapping",
	  "include/linux/dma-direction.h: valid_dma_direction()", no_direction,
	  .not_on = { LINUX_ALL, "BUG, or the exporter's business" } },
	{ "map.unmap_twice", "a mapping is unmapped once", DOC_OP_UNMAP, unmap_twice,
	  .not_on = { LINUX_ALL, "the exporter's table is used after it was freed" } },
	{ "map.unmap_other_direction", "a mapping is unmapped with the direction of its map",
	  DOC_UNMAP, unmap_other_direction,
	  .not_on = { LINUX_ALL, "the wrong direction reaches the exporter" } },
	{ "map.interrupted",
	  "a map whose wait for KERNEL fences is interrupted is undone: -ERESTARTSYS", DOC_MAP,
	  interrupted, .otherwise = { OURS_CACHED, KEPT } },
	{ "map.held", "map and unmap of who holds the reservation leave it held", DOC_LOCKS, held },
	{ "map.unlocked", "the _unlocked ones leave it not held", DOC_LOCKS, unlocked,
	  .otherwise = { LINUX_6_12, WITHOUT_MOVES } },
	{ "map.refused_keeps_lock_state", "nor does an error change who holds it", DOC_LOCKS,
	  refused_unlocks },
	{ "map.mixed_lock_variants", "either unmap takes what either map returned", DOC_LOCKS,
	  mixed_lock_variants },
	{ "map.buffers_of_one_reservation",
	  "buffers that share a reservation are mapped under one hold of it", DOC_LOCKS,
	  buffers_of_one_reservation },
	{ "map.trimmed_table", "an importer that trims the table it got changes nobody else's",
	  "drivers/infiniband/core/umem_dmabuf.c: ib_umem_dmabuf_map_pages()", trimmed_table,
	  .otherwise = { OURS_CACHED, "sg_table given to an importer" } },
};

const struct world_group map_group = { "map", cases, ARRAY_SIZE(cases) };
