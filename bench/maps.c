/* SPDX-License-Identifier: MIT */
/*
 * maps.c - rows: importers map, keep, access and lose their mappings; and the bases of all rows
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include <stdlib.h>
#include <string.h>

#include "bench/measure.h"

#define LINE_BYTES 64

/* --- what the loops stand on ------------------------------------------------------------------ */

static void setup_lines(struct work *work)
{
	char *memory =
		bench_checked(aligned_alloc(LINE_BYTES, (size_t)work->n * LINE_BYTES), "lines");

	memset(memory, 0, (size_t)work->n * LINE_BYTES);
	work->priv = memory;
	work->lines = bench_zeroed(work->n * sizeof(*work->lines));
	for (unsigned int i = 0; i < work->n; i++)
		work->lines[i] = (atomic_t *)(memory + (size_t)i * LINE_BYTES);
	bench_shuffle((void **)work->lines, work->n);
}

static void teardown_lines(struct work *work)
{
	free(work->lines);
	free(work->priv);
}

static void setup_subject(struct work *work)
{
	const struct measure *measure = work->measure;

	work->subject = subject_create(measure->kind, measure->machine, measure->n, measure->bytes);
	/* The subject's own list stays in order for its destruction. */
	work->attach = bench_zeroed(work->n * sizeof(*work->attach));
	memcpy(work->attach, work->subject->attach, work->n * sizeof(*work->attach));
	bench_shuffle((void **)work->attach, work->n);
}

static void teardown_subject(struct work *work)
{
	free(work->attach);
	subject_destroy(work->subject);
}

/* All threads take turns among the same attachments. */
static void setup_shared(struct work *work)
{
	if (!work->first) {
		setup_subject(work);
		return;
	}
	work->attach = bench_zeroed(work->n * sizeof(*work->attach));
	memcpy(work->attach, work->first->attach, work->n * sizeof(*work->attach));
	bench_shuffle((void **)work->attach, work->n);
}

static void teardown_shared(struct work *work)
{
	if (work->first)
		free(work->attach);
	else
		teardown_subject(work);
}

/* One mapping that stays. */
static void setup_kept(struct work *work)
{
	setup_subject(work);
	work->priv = bench_checked(
		dma_buf_map_attachment_unlocked(work->attach[0], DMA_BIDIRECTIONAL), "a mapping");
}

static void teardown_kept(struct work *work)
{
	dma_buf_unmap_attachment_unlocked(work->attach[0], work->priv, DMA_BIDIRECTIONAL);
	teardown_subject(work);
}

/* The exporter's own mapping of the buffer. */
static void setup_own(struct work *work)
{
	struct sg_table *sgt = bench_zeroed(sizeof(*sgt));

	setup_subject(work);
	if (sg_alloc_table(sgt, 1, GFP_KERNEL))
		bench_checked(NULL, "a table");
	sg_set_page(sgt->sgl, work->subject->bufs[0]->priv, PAGE_SIZE, 0);
	if (dma_map_sgtable(work->subject->other, sgt, DMA_BIDIRECTIONAL, 0))
		bench_checked(NULL, "a mapping");
	work->priv = sgt;
}

static void teardown_own(struct work *work)
{
	dma_unmap_sgtable(work->subject->other, work->priv, DMA_BIDIRECTIONAL, 0);
	sg_free_table(work->priv);
	free(work->priv);
	teardown_subject(work);
}

/* --- bases ------------------------------------------------------------------------------------ */

static noinline void loop_atomic(struct work *work)
{
	for (u64 i = 0; i < work->pairs; i++) {
		atomic_t *line = work->lines[work_take(work)];

		atomic_fetch_add(1, line);
		atomic_fetch_sub_release(1, line);
	}
}

/*
 * The same with as many instructions between as a map and its unmap have.  Over lines that are not
 * in the cache it shows what those cost by themselves: how far ahead the processor can fetch.
 */
static noinline void loop_atomic_far(struct work *work)
{
	for (u64 i = 0; i < work->pairs; i++) {
		atomic_t *line = work->lines[work_take(work)];

		atomic_fetch_add(1, line);
		asm volatile(".rept 50\n\tnop\n\t.endr");
		atomic_fetch_sub_release(1, line);
	}
}

static noinline void loop_mutex(struct work *work)
{
	static DEFINE_MUTEX(one);

	for (u64 i = 0; i < work->pairs; i++) {
		mutex_lock(&one);
		mutex_unlock(&one);
	}
}

/* --- maps ------------------------------------------------------------------------------------- */

static noinline void loop_unlocked(struct work *work)
{
	for (u64 i = 0; i < work->pairs; i++) {
		struct dma_buf_attachment *attach = work->attach[work_take(work)];
		struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);

		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	}
}

static noinline void loop_locked(struct work *work)
{
	dma_resv_lock(&work->subject->resv, NULL);
	for (u64 i = 0; i < work->pairs; i++) {
		struct dma_buf_attachment *attach = work->attach[work_take(work)];
		struct sg_table *sgt = dma_buf_map_attachment(attach, DMA_TO_DEVICE);

		dma_buf_unmap_attachment(attach, sgt, DMA_TO_DEVICE);
	}
	dma_resv_unlock(&work->subject->resv);
}

static noinline void loop_attach(struct work *work)
{
	struct dma_buf *dmabuf = work->subject->bufs[0];

	for (u64 i = 0; i < work->pairs; i++)
		dma_buf_detach(dmabuf, dma_buf_attach(dmabuf, work->subject->dev));
}

static noinline void loop_attach_no_snoop(struct work *work)
{
	struct dma_buf *dmabuf = work->subject->bufs[0];

	for (u64 i = 0; i < work->pairs; i++)
		dma_buf_detach(dmabuf,
			       dma_buf_attach_no_snoop(dmabuf, work->subject->dev, NULL, NULL));
}

static noinline void loop_reimport(struct work *work)
{
	struct dma_buf *dmabuf = work->subject->bufs[0];

	for (u64 i = 0; i < work->pairs; i++) {
		struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, work->subject->dev);
		struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);

		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
		dma_buf_detach(dmabuf, attach);
	}
}

/* What surrounds a first map is not it. */
static noinline void loop_first_map(struct work *work)
{
	for (u64 i = 0; i < work->pairs; i++) {
		struct dma_buf *dmabuf = subject_buffer(work->subject);
		struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, work->subject->dev);
		struct sg_table *sgt;

		work_start(work);
		sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
		work_stop(work);
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
		dma_buf_detach(dmabuf, attach);
		dma_buf_put(dmabuf);
	}
}

/* --- mappings that stay ----------------------------------------------------------------------- */

static noinline void loop_access(struct work *work)
{
	for (u64 i = 0; i < work->pairs; i++) {
		dma_buf_begin_access(work->attach[0], work->priv, DMA_TO_DEVICE);
		dma_buf_end_access(work->attach[0], work->priv, DMA_TO_DEVICE);
	}
}

static noinline void loop_exporter_access(struct work *work)
{
	struct subject *subject = work->subject;

	for (u64 i = 0; i < work->pairs; i++) {
		dma_buf_begin_exporter_access(subject->bufs[0], subject->other, work->priv,
					      DMA_TO_DEVICE);
		dma_buf_end_exporter_access(subject->bufs[0], subject->other, work->priv,
					    DMA_TO_DEVICE);
	}
}

/* One direction is mapped; the row is the first map for both. */
static noinline void loop_widen(struct work *work)
{
	for (u64 i = 0; i < work->pairs; i++) {
		struct dma_buf *dmabuf = subject_buffer(work->subject);
		struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, work->subject->dev);
		struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);

		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
		work_start(work);
		sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
		work_stop(work);
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
		dma_buf_detach(dmabuf, attach);
		dma_buf_put(dmabuf);
	}
}

/* --- moves ------------------------------------------------------------------------------------ */

static noinline void loop_dynamic_attach(struct work *work)
{
	struct dma_buf *dmabuf = work->subject->bufs[0];

	for (u64 i = 0; i < work->pairs; i++)
		dma_buf_detach(dmabuf, dma_buf_dynamic_attach(dmabuf, work->subject->dev,
							      &subject_importer, NULL));
}

static noinline void loop_pin(struct work *work)
{
	dma_resv_lock(&work->subject->resv, NULL);
	for (u64 i = 0; i < work->pairs; i++)
		if (!dma_buf_pin(work->attach[0]))
			dma_buf_unpin(work->attach[0]);
	dma_resv_unlock(&work->subject->resv);
}

/* Every importer has mapped since the last move. */
static noinline void loop_move_notify(struct work *work)
{
	dma_resv_lock(&work->subject->resv, NULL);
	for (u64 i = 0; i < work->pairs; i++) {
		for (unsigned int j = 0; j < work->n; j++) {
			struct dma_buf_attachment *attach = work->attach[j];
			struct sg_table *sgt = dma_buf_map_attachment(attach, DMA_TO_DEVICE);

			dma_buf_unmap_attachment(attach, sgt, DMA_TO_DEVICE);
		}
		work_start(work);
		dma_buf_move_notify(work->subject->bufs[0]);
		work_stop(work);
	}
	dma_resv_unlock(&work->subject->resv);
}

static noinline void loop_move(struct work *work)
{
	dma_resv_lock(&work->subject->resv, NULL);
	for (u64 i = 0; i < work->pairs; i++)
		if (!dma_buf_move_begin(work->subject->bufs[0], 0))
			dma_buf_move_end(work->subject->bufs[0]);
	dma_resv_unlock(&work->subject->resv);
}

/* --- rows ------------------------------------------------------------------------------------- */

#define K 1000u

/* Rows over lines, over subjects, over subjects on a machine. */
#define LINES(name_, loop_, n_, ...)                                                            \
	{                                                                                       \
		.name = name_, .loop = loop_, .setup = setup_lines, .teardown = teardown_lines, \
		.n = n_, .threads = 1, __VA_ARGS__                                              \
	}
#define MAPS(name_, loop_, kind_, n_, threads_, bytes_, ...)                               \
	{                                                                                  \
		.name = name_, .loop = loop_, .setup = setup_subject,                      \
		.teardown = teardown_subject, .kind = kind_, .n = n_, .threads = threads_, \
		.bytes = bytes_, __VA_ARGS__                                               \
	}
#define SHARED(n_)                                                                              \
	{                                                                                       \
		.name = "cached_unlocked_shared", .loop = loop_unlocked, .setup = setup_shared, \
		.teardown = teardown_shared, .kind = SUBJECT_OWN, .n = n_, .threads = 2,        \
		.bytes = 4 * KIB, BASE("cached_unlocked", n_, 4 * KIB, 0)                       \
	}
#define FIRST_MAP(machine_)                                                                       \
	MAPS("first_map", loop_first_map, SUBJECT_PLAIN, 1, 1, MIB, BASE("first_map", 1, MIB, 0), \
	     .machine = machine_, .pairs = 20)
#define WIDEN(machine_)                                                                   \
	MAPS("widen", loop_widen, SUBJECT_PLAIN, 1, 1, MIB, BASE("first_map", 1, MIB, 0), \
	     .base_machine = machine_, .machine = machine_, .pairs = 20)
#define MOVE_NOTIFY(n_)                                                                    \
	MAPS("move_notify", loop_move_notify, SUBJECT_MOVES, n_, 1, 4 * KIB, ATOMIC(1, 0), \
	     .pairs = PAIRS_TIMED)
/* Linear: for ten times the importers not more than ten times the cost, and some for the caches. */
#define MOVE(n_, base_n_)                                                                          \
	MAPS("move", loop_move, SUBJECT_MOVED, n_, 1, 4 * KIB, BASE("move", base_n_, 4 * KIB, 12), \
	     .pairs = 20)

static const struct measure measures[] = {
	LINES("atomic_pair", loop_atomic, 1),
	LINES("atomic_pair", loop_atomic, K),
	LINES("atomic_pair", loop_atomic, 100 * K),
	LINES("atomic_pair_far", loop_atomic_far, 100 * K, ATOMIC(100 * K, 0)),
	{ .name = "mutex_pair", .loop = loop_mutex, .n = 1, .threads = 1, ATOMIC(1, 0) },
	MAPS("cached_unlocked", loop_unlocked, SUBJECT_PLAIN, 1, 1, 4 * KIB, ATOMIC(1, 1.5)),
	MAPS("cached_unlocked", loop_unlocked, SUBJECT_PLAIN, 10, 1, 4 * KIB, ATOMIC(1, 1.5)),
	MAPS("cached_unlocked", loop_unlocked, SUBJECT_PLAIN, K, 1, 4 * KIB, ATOMIC(K, 1.5)),
	MAPS("cached_unlocked", loop_unlocked, SUBJECT_PLAIN, 100 * K, 1, 4 * KIB,
	     ATOMIC(100 * K, 1.5)),
	MAPS("cached_unlocked", loop_unlocked, SUBJECT_PLAIN, 1, 1, MIB,
	     BASE("cached_unlocked", 1, 4 * KIB, 1.2)),
	MAPS("cached_unlocked", loop_unlocked, SUBJECT_PLAIN, 1, 1, 16 * MIB,
	     BASE("cached_unlocked", 1, 4 * KIB, 1.2)),
	MAPS("cached_unlocked", loop_unlocked, SUBJECT_PLAIN, 1, 1, GIB,
	     BASE("cached_unlocked", 1, 4 * KIB, 1.2)),
	MAPS("cached_unlocked", loop_unlocked, SUBJECT_PLAIN, 1, 2, 4 * KIB,
	     BASE("cached_unlocked", 1, 4 * KIB, 1.5)),
	MAPS("cached_unlocked", loop_unlocked, SUBJECT_PLAIN, 10, 2, 4 * KIB,
	     BASE("cached_unlocked", 10, 4 * KIB, 1.5)),
	MAPS("cached_unlocked", loop_unlocked, SUBJECT_PLAIN, K, 2, 4 * KIB,
	     BASE("cached_unlocked", K, 4 * KIB, 1.5)),
	MAPS("cached_unlocked", loop_unlocked, SUBJECT_PLAIN, 100 * K, 2, 4 * KIB,
	     BASE("cached_unlocked", 100 * K, 4 * KIB, 1.5)),
	SHARED(10),
	SHARED(K),
	SHARED(100 * K),
	MAPS("cached_unlocked_directory", loop_unlocked, SUBJECT_DIRECTORY, 1, 1, 4 * KIB,
	     ATOMIC(1, 1.5)),
	MAPS("cached_unlocked_directory", loop_unlocked, SUBJECT_DIRECTORY, 100 * K, 1, 4 * KIB,
	     ATOMIC(100 * K, 0)),
	MAPS("cached_unlocked_mixed", loop_unlocked, SUBJECT_MIXED, 1, 1, 4 * KIB, ATOMIC(1, 0)),
	MAPS("cached_unlocked_one_buffer", loop_unlocked, SUBJECT_ONE, K, 1, 4 * KIB, ATOMIC(K, 0)),
	MAPS("cached_locked", loop_locked, SUBJECT_PLAIN, 1, 1, 4 * KIB, ATOMIC(1, 0.75)),
	MAPS("cached_locked", loop_locked, SUBJECT_PLAIN, K, 1, 4 * KIB, ATOMIC(K, 0.75)),
	MAPS("cached_locked", loop_locked, SUBJECT_PLAIN, 100 * K, 1, 4 * KIB,
	     ATOMIC(100 * K, 0.75)),
	MAPS("cached_locked", loop_locked, SUBJECT_PLAIN, K, 2, 4 * KIB,
	     BASE("cached_locked", K, 4 * KIB, 1.5)),
	MAPS("cached_locked_directory", loop_locked, SUBJECT_DIRECTORY, 1, 1, 4 * KIB,
	     ATOMIC(1, 1.25)),
	MAPS("attach_detach", loop_attach, SUBJECT_PLAIN, 1, 1, 4 * KIB, ATOMIC(1, 0)),
	MAPS("reimport", loop_reimport, SUBJECT_PLAIN, 1, 1, 4 * KIB, ATOMIC(1, 0)),
	MAPS("reimport", loop_reimport, SUBJECT_PLAIN, 1, 1, 16 * MIB,
	     BASE("reimport", 1, 4 * KIB, 1.2)),
	MAPS("reimport", loop_reimport, SUBJECT_PLAIN, 1, 1, GIB,
	     BASE("reimport", 1, 4 * KIB, 1.2)),
	MAPS("first_map", loop_first_map, SUBJECT_PLAIN, 1, 1, 4 * KIB, ATOMIC(1, 0), .pairs = 200),
	MAPS("first_map", loop_first_map, SUBJECT_PLAIN, 1, 1, MIB, ATOMIC(1, 0), .pairs = 20),
	MAPS("first_map", loop_first_map, SUBJECT_PLAIN, 1, 1, 64 * MIB, ATOMIC(1, 0), .pairs = 1),
	MAPS("first_map", loop_first_map, SUBJECT_PLAIN, 1, 1, GIB, ATOMIC(1, 0), .pairs = 1),

	{ .name = "access",
	  .loop = loop_access,
	  .setup = setup_kept,
	  .teardown = teardown_kept,
	  .kind = SUBJECT_PLAIN,
	  .n = 1,
	  .threads = 1,
	  .bytes = 4 * KIB,
	  BASE("cached_unlocked", 1, 4 * KIB, 0) },
	{ .name = "access_directory",
	  .loop = loop_access,
	  .setup = setup_kept,
	  .teardown = teardown_kept,
	  .kind = SUBJECT_DIRECTORY,
	  .n = 1,
	  .threads = 1,
	  .bytes = 4 * KIB,
	  BASE("cached_unlocked_directory", 1, 4 * KIB, 0) },
	{ .name = "exporter_access",
	  .loop = loop_exporter_access,
	  .setup = setup_own,
	  .teardown = teardown_own,
	  .kind = SUBJECT_MIXED,
	  .n = 1,
	  .threads = 1,
	  .bytes = 4 * KIB,
	  ATOMIC(1, 0),
	  .pairs = PAIRS_TIMED },
	MAPS("remap", loop_unlocked, SUBJECT_REMAP, 1, 1, 4 * KIB,
	     BASE("cached_unlocked", 1, 4 * KIB, 0), .pairs = PAIRS_TIMED),
	MAPS("remap", loop_unlocked, SUBJECT_REMAP, 1, 1, 16 * MIB,
	     BASE("cached_unlocked", 1, 16 * MIB, 0), .pairs = PAIRS_TIMED),
	FIRST_MAP("pc"),
	FIRST_MAP("pc-iommu"),
	FIRST_MAP("arm"),
	FIRST_MAP("arm-direct"),
	FIRST_MAP("bounce"),
	WIDEN("pc"),
	WIDEN("pc-iommu"),
	WIDEN("arm"),
	WIDEN("arm-direct"),
	WIDEN("bounce"),
	MAPS("attach_no_snoop_detach", loop_attach_no_snoop, SUBJECT_PLAIN, 1, 1, 4 * KIB,
	     ATOMIC(1, 0), .pairs = PAIRS_TIMED),
	MAPS("dynamic_attach_detach", loop_dynamic_attach, SUBJECT_MOVES, 1, 1, 4 * KIB,
	     ATOMIC(1, 0), .pairs = PAIRS_TIMED),
	MAPS("pin", loop_pin, SUBJECT_MOVES, 1, 1, 4 * KIB, ATOMIC(1, 0), .pairs = PAIRS_TIMED),
	MOVE_NOTIFY(1),
	MOVE_NOTIFY(10),
	MOVE_NOTIFY(100),
	MAPS("move", loop_move, SUBJECT_MOVED, 1, 1, 4 * KIB, ATOMIC(1, 0), .pairs = 20),
	MOVE(10, 1),
	MOVE(100, 10),
};

const struct bench_group bench_maps = { measures, ARRAY_SIZE(measures) };
