/* SPDX-License-Identifier: MIT */
/*
 * vram-soak-test.c - buffers move all the time, whoever uses them, and every byte is right
 *
 * Eight importers take buffers in turn: each maps one, reads all of it, writes all of it anew and
 * unmaps.  A lock of the test's own lets one at a time have a buffer, as fences would.  Movers move
 * buffers that nobody gave them; there is room in VRAM for a quarter.
 */
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <stdio.h>

#include "dma/engine.h"
#include "dma/machine.h"
#include "drivers/exporters/vram.h"
#include "host/port.h"
#include "tests/ktap.h"

#define IMPORTERS 8
#define MOVERS 2
#define BYTES PAGE_SIZE

/* How each importer imports. */
enum kind { STATIC, REIMPORT, PEER, FOLLOWS, OWNER, KINDS };
static const enum kind kinds[IMPORTERS] = { STATIC, STATIC, STATIC,  REIMPORT,
					    PEER,   PEER,   FOLLOWS, OWNER };

struct soak {
	struct machine *machine;
	struct device *owner, *dev[IMPORTERS];
	struct vram *vram;
	struct soak_buffer *buffers;
	unsigned int n;
	u64 moves; /* wanted */
	atomic_t stop, errors, wrong[KINDS], uses[KINDS];
};

struct soak_buffer {
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach[IMPORTERS];

	struct mutex lock;
	/* guarded by lock */
	u8 byte;

	/* guarded by the reservation */
	struct sg_table *kept[IMPORTERS];
	bool moved[IMPORTERS];
};

struct worker {
	struct soak *soak;
	unsigned int nr;
	u32 seed;
	u8 bytes[BYTES];
	struct port_thread *thread;
};

static u32 draw(struct worker *w)
{
	w->seed = w->seed * 1664525 + 1013904223;
	return w->seed >> 8;
}

/* --- one access ------------------------------------------------------------------------------- */

static void check(struct worker *w, const struct soak_buffer *b)
{
	for (size_t i = 0; i < BYTES; i++)
		if (w->bytes[i] != b->byte) {
			atomic_inc(&w->soak->wrong[kinds[w->nr]]);
			return;
		}
}

static void read_all(struct worker *w, struct soak_buffer *b, struct sg_table *sgt)
{
	memset(w->bytes, 0xee, BYTES);
	if (dma_engine_read(w->soak->dev[w->nr], sgt, 0, w->bytes, BYTES))
		atomic_inc(&w->soak->errors);
	check(w, b);
}

static void read_and_write(struct worker *w, struct soak_buffer *b, struct sg_table *sgt)
{
	struct device *dev = w->soak->dev[w->nr];

	read_all(w, b, sgt);
	memset(w->bytes, ++b->byte, BYTES);
	if (dma_engine_write(dev, sgt, 0, w->bytes, BYTES))
		atomic_inc(&w->soak->errors);
}

static void use_statically(struct worker *w, struct soak_buffer *b,
			   struct dma_buf_attachment *attach)
{
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);

	if (IS_ERR(sgt)) {
		atomic_inc(&w->soak->errors);
		return;
	}
	read_and_write(w, b, sgt);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
}

static void use_reimported(struct worker *w, struct soak_buffer *b)
{
	struct dma_buf_attachment *attach = dma_buf_attach(b->dmabuf, w->soak->dev[w->nr]);

	if (IS_ERR(attach)) {
		atomic_inc(&w->soak->errors);
		return;
	}
	use_statically(w, b, attach);
	dma_buf_detach(b->dmabuf, attach);
}

static void on_move(struct dma_buf_attachment *attach)
{
	*(bool *)attach->importer_priv = true;
}

static const struct dma_buf_attach_ops peer_ops = { .allow_peer2peer = true,
						    .move_notify = on_move };
static const struct dma_buf_attach_ops follows_ops = { .move_notify = on_move };

static const char *fence_name(struct dma_fence *fence)
{
	return "soak";
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_name,
	.get_timeline_name = fence_name,
};
static DEFINE_SPINLOCK(fence_lock);

/* Reservation held.  Whoever moves the buffer from now on waits for it. */
static struct dma_fence *add_fence(struct dma_buf *dmabuf)
{
	struct dma_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	if (!fence || dma_resv_reserve_fences(dmabuf->resv, 1)) {
		kfree(fence);
		return NULL;
	}
	dma_fence_init(fence, &fence_ops, &fence_lock, dma_fence_context_alloc(1), 1);
	dma_resv_add_fence(dmabuf->resv, fence, DMA_RESV_USAGE_WRITE);
	return fence;
}

static void end_fence(struct dma_fence *fence)
{
	dma_fence_signal(fence);
	dma_fence_put(fence);
}

/*
 * Reservation held.  A mapping of a place that the buffer has left is exchanged.  One that is kept,
 * though others write, only reads: a fresh mapping that writes takes all of its bytes for newer when
 * it goes.
 */
static struct sg_table *keep_mapping(struct soak_buffer *b, unsigned int nr)
{
	struct dma_buf_attachment *attach = b->attach[nr];
	struct sg_table *sgt = b->kept[nr];

	if (sgt && b->moved[nr]) {
		dma_buf_unmap_attachment(attach, sgt, DMA_TO_DEVICE);
		b->kept[nr] = sgt = NULL;
	}
	if (!sgt) {
		sgt = dma_buf_map_attachment(attach, DMA_TO_DEVICE);
		/* The map itself may have made it move. */
		b->moved[nr] = false;
	}
	if (IS_ERR(sgt))
		return NULL;
	b->kept[nr] = sgt;
	return sgt;
}

static void use_dynamically(struct worker *w, struct soak_buffer *b)
{
	struct dma_buf_attachment *attach = b->attach[w->nr];
	bool keeps = kinds[w->nr] == PEER;
	struct dma_fence *fence = NULL;
	struct sg_table *sgt;

	dma_resv_lock(b->dmabuf->resv, NULL);
	sgt = keeps ? keep_mapping(b, w->nr) : dma_buf_map_attachment(attach, DMA_BIDIRECTIONAL);
	if (!IS_ERR_OR_NULL(sgt)) {
		dma_resv_wait_timeout(b->dmabuf->resv, DMA_RESV_USAGE_KERNEL, false,
				      MAX_SCHEDULE_TIMEOUT);
		fence = add_fence(b->dmabuf);
	}
	dma_resv_unlock(b->dmabuf->resv);
	if (!fence) {
		atomic_inc(&w->soak->errors);
		return;
	}
	if (keeps) {
		dma_buf_begin_access(attach, sgt, DMA_TO_DEVICE);
		read_all(w, b, sgt);
		dma_buf_end_access(attach, sgt, DMA_TO_DEVICE);
	} else {
		read_and_write(w, b, sgt);
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
	}
	end_fence(fence);
}

static void use_as_owner(struct worker *w, struct soak_buffer *b)
{
	struct vram_access access;
	struct dma_fence *fence;

	dma_resv_lock(b->dmabuf->resv, NULL);
	vram_access_prepare(&access, b->dmabuf, DMA_BIDIRECTIONAL, draw(w) & 1);
	dma_resv_wait_timeout(b->dmabuf->resv, DMA_RESV_USAGE_KERNEL, false, MAX_SCHEDULE_TIMEOUT);
	fence = add_fence(b->dmabuf);
	dma_resv_unlock(b->dmabuf->resv);
	if (!fence || vram_access_begin(&access)) {
		atomic_inc(&w->soak->errors);
		goto done;
	}
	if (vram_access_read(&access, 0, w->bytes, BYTES))
		atomic_inc(&w->soak->errors);
	check(w, b);
	memset(w->bytes, ++b->byte, BYTES);
	if (vram_access_write(&access, 0, w->bytes, BYTES))
		atomic_inc(&w->soak->errors);
	vram_access_end(&access);
done:
	vram_access_done(&access);
	if (fence)
		end_fence(fence);
}

/* --- threads ---------------------------------------------------------------------------------- */

static void work(void *arg)
{
	struct worker *w = arg;
	struct soak *soak = w->soak;

	while (!atomic_read(&soak->stop)) {
		struct soak_buffer *b = &soak->buffers[draw(w) % soak->n];

		mutex_lock(&b->lock);
		switch (kinds[w->nr]) {
		case STATIC:
			use_statically(w, b, b->attach[w->nr]);
			break;
		case REIMPORT:
			use_reimported(w, b);
			break;
		case OWNER:
			use_as_owner(w, b);
			break;
		default:
			use_dynamically(w, b);
		}
		mutex_unlock(&b->lock);
		atomic_inc(&soak->uses[kinds[w->nr]]);
	}
}

static void move(void *arg)
{
	struct worker *w = arg;
	struct soak *soak = w->soak;

	while (!atomic_read(&soak->stop)) {
		struct dma_buf *dmabuf = soak->buffers[draw(w) % soak->n].dmabuf;
		struct vram_stats stats;
		int ret;

		dma_resv_lock(dmabuf->resv, NULL);
		ret = vram_move_async(dmabuf, draw(w) & 1);
		dma_resv_unlock(dmabuf->resv);
		if (ret && ret != -EBUSY && ret != -ENOSPC)
			atomic_inc(&soak->errors);
		vram_read_stats(soak->vram, &stats);
		if (stats.moves >= soak->moves)
			atomic_set(&soak->stop, 1);
	}
}

/* --- the stage -------------------------------------------------------------------------------- */

static void attach_all(struct ktap *t, struct soak *soak, struct soak_buffer *b)
{
	for (unsigned int i = 0; i < IMPORTERS; i++) {
		struct device *dev = soak->dev[i];

		if (kinds[i] == REIMPORT || kinds[i] == OWNER)
			continue;
		if (kinds[i] == STATIC)
			b->attach[i] = dma_buf_attach(b->dmabuf, dev);
		else
			b->attach[i] = dma_buf_dynamic_attach(
				b->dmabuf, dev, kinds[i] == PEER ? &peer_ops : &follows_ops,
				&b->moved[i]);
		KT_CHECK(t, !IS_ERR(b->attach[i]));
	}
}

static void detach_all(struct soak_buffer *b)
{
	for (unsigned int i = 0; i < IMPORTERS; i++) {
		if (b->kept[i])
			dma_buf_unmap_attachment_unlocked(b->attach[i], b->kept[i], DMA_TO_DEVICE);
		if (b->attach[i])
			dma_buf_detach(b->dmabuf, b->attach[i]);
	}
}

static void soak_up(struct ktap *t, struct soak *soak, const struct machine_type *type,
		    enum dma_buf_policy policy, unsigned int n)
{
	*soak = (struct soak){ .n = n };
	dma_buf_set_policy(policy);
	soak->machine = machine_create(type, 0);
	soak->owner = machine_add_device(soak->machine, "gpu", type->coherent);
	soak->vram = vram_create(soak->owner, n / 4 * BYTES);
	/* Every second one snoops where the machine's do not. */
	for (unsigned int i = 0; i < IMPORTERS; i++)
		soak->dev[i] =
			machine_add_device(soak->machine, "importer", type->coherent || i & 1);
	soak->buffers = kvzalloc(n * sizeof(*soak->buffers), GFP_KERNEL);
	for (unsigned int i = 0; i < n; i++) {
		struct soak_buffer *b = &soak->buffers[i];

		mutex_init(&b->lock);
		b->dmabuf = vram_allocate(soak->vram, BYTES, VRAM_PLACEMENT_VRAM, NULL);
		KT_CHECK(t, !IS_ERR(b->dmabuf));
		attach_all(t, soak, b);
	}
}

static void soak_down(struct soak *soak)
{
	for (unsigned int i = 0; i < soak->n; i++) {
		detach_all(&soak->buffers[i]);
		dma_buf_put(soak->buffers[i].dmabuf);
		mutex_destroy(&soak->buffers[i].lock);
	}
	kvfree(soak->buffers);
	vram_destroy(soak->vram);
	for (unsigned int i = 0; i < IMPORTERS; i++)
		machine_remove_device(soak->dev[i]);
	machine_remove_device(soak->owner);
	machine_destroy(soak->machine);
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
	rcu_barrier();
}

/* As remarks of KTAP: docs/generated/soak.txt. */
static void print_head(void)
{
	printf("# %-11s %-6s %7s %7s %9s %8s %8s %8s %8s %8s %6s %8s %6s\n", "machine", "policy",
	       "buffers", "moves", "evictions", "static", "reimport", "peer", "follows", "owner",
	       "wrong", "pinned", "s");
}

/* Uses are of all bytes of a buffer; "pinned" is the part of the time that the exporter was told so. */
static void print_row(struct soak *soak, const struct machine_type *type,
		      enum dma_buf_policy policy, const struct vram_stats *stats, ktime_t took)
{
	int wrong = 0;

	for (unsigned int i = 0; i < KINDS; i++)
		wrong += atomic_read(&soak->wrong[i]);
	printf("# %-11s %-6s %7u %7llu %9llu %8d %8d %8d %8d %8d %6d %7.2f%% %6.1f\n", type->name,
	       policy == DMA_BUF_POLICY_REMAP ? "remap" : "cached", soak->n,
	       (unsigned long long)stats->moves, (unsigned long long)stats->evictions,
	       atomic_read(&soak->uses[STATIC]), atomic_read(&soak->uses[REIMPORT]),
	       atomic_read(&soak->uses[PEER]), atomic_read(&soak->uses[FOLLOWS]),
	       atomic_read(&soak->uses[OWNER]), wrong, 100.0 * stats->pinned_ns / took / soak->n,
	       took / 1e9);
}

static void run(struct ktap *t, const struct machine_type *type, enum dma_buf_policy policy,
		unsigned int buffers, u64 moves)
{
	static struct worker workers[IMPORTERS + MOVERS];
	struct vram_stats stats;
	struct soak soak;

	ktime_t start = ktime_get();

	soak_up(t, &soak, type, policy, buffers);
	vram_read_stats(soak.vram, &stats);
	soak.moves = stats.moves + moves;
	for (unsigned int i = 0; i < IMPORTERS + MOVERS; i++) {
		struct worker *w = &workers[i];

		w->soak = &soak;
		w->nr = i;
		w->seed = i + 1;
		w->thread = port_thread_create(i < IMPORTERS ? work : move, w,
					       i < IMPORTERS ? "importer" : "mover");
	}
	for (unsigned int i = 0; i < IMPORTERS + MOVERS; i++)
		port_thread_join(workers[i].thread);
	KT_EQ(t, atomic_read(&soak.errors), 0);
	vram_read_stats(soak.vram, &stats);
	KT_CHECK(t, stats.moves >= soak.moves);
	KT_CHECK(t, stats.evictions > 0);
	KT_EQ(t, stats.copied_by_cpu, 0);
	for (unsigned int i = 0; i < KINDS; i++) {
		KT_EQ(t, atomic_read(&soak.wrong[i]), 0);
		KT_CHECK(t, atomic_read(&soak.uses[i]) > 0);
	}
	print_row(&soak, type, policy, &stats, ktime_get() - start);
	soak_down(&soak);
}

static void every_byte_is_right_wherever_it_is(struct ktap *t)
{
	u64 moves = ktap_long ? 1000000 : 10000;
	unsigned int runs = 0;

	for (const struct machine_type *type = machine_types; type->name; type++)
		runs += 2;
	print_head();
	for (const struct machine_type *type = machine_types; type->name; type++)
		for (int policy = 0; policy < 2; policy++)
			run(t, type, policy, ktap_long ? 1000 : 64, moves / runs);
}

KTAP_MAIN(KTAP_CASE(every_byte_is_right_wherever_it_is))
