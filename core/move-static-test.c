/* SPDX-License-Identifier: MIT */
/*
 * move-static-test.c - a buffer moves under static importers, who never notice
 *
 * The exporter has two places and an engine that copies from one to the other: at once, or when
 * the test lets it, behind a fence.
 */
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "buffer.h"
#include "dma/engine.h"
#include "dma/machine.h"
#include "host/port.h"
#include "mapping-slot.h"
#include "tests/ktap.h"

#define BYTES (2 * PAGE_SIZE)

struct mover {
	/* what the test sets */
	struct dma_buf_ops ops;
	bool slow;                         /* the engine waits for `go` */
	bool breaks;                       /* the engine moves half of the bytes and fails */
	bool moves_in_map, refuses_in_map; /* what map_dma_buf does that it must not, may */
	long timeout;

	/* what the test reads */
	int maps, unmaps, pins, last_error;

	/* its own */
	struct device *engine;
	struct page *place[2];
	struct sg_table table[2];
	struct scatterlist entry[2];
	unsigned int at; /* guarded by the reservation */
	struct completion go;
	struct task_struct *copying;
	struct dma_fence *fence;
	unsigned int to;
};

static struct mover *to_mover(struct dma_buf *dmabuf)
{
	return dmabuf->priv;
}

static int mover_pin(struct dma_buf_attachment *attach)
{
	to_mover(attach->dmabuf)->pins++;
	return 0;
}

static void mover_unpin(struct dma_buf_attachment *attach)
{
	to_mover(attach->dmabuf)->pins--;
}

static int mover_move(struct dma_buf *dmabuf);

static struct sg_table *mover_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct mover *m = to_mover(attach->dmabuf);
	struct sg_table *sgt;

	if (m->moves_in_map)
		m->last_error = mover_move(attach->dmabuf);
	if (m->refuses_in_map)
		return ERR_PTR(-EBUSY);
	sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	if (!sgt)
		return ERR_PTR(-ENOMEM);
	if (sg_alloc_table(sgt, 1, GFP_KERNEL))
		goto free_sgt;
	sg_set_page(sgt->sgl, m->place[m->at], BYTES, 0);
	if (dma_map_sgtable(attach->dev, sgt, dir, 0))
		goto free_table;
	m->maps++;
	return sgt;

free_table:
	sg_free_table(sgt);
free_sgt:
	kfree(sgt);
	return ERR_PTR(-ENOMEM);
}

static void mover_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			enum dma_data_direction dir)
{
	to_mover(attach->dmabuf)->unmaps++;
	dma_unmap_sgtable(attach->dev, sgt, dir, 0);
	sg_free_table(sgt);
	kfree(sgt);
}

static void mover_release(struct dma_buf *dmabuf)
{
	struct mover *m = to_mover(dmabuf);

	for (int i = 0; i < 2; i++) {
		dma_unmap_sgtable(m->engine, &m->table[i], DMA_BIDIRECTIONAL,
				  DMA_ATTR_SKIP_CPU_SYNC);
		__free_pages(m->place[i], 1);
	}
}

/* --- the engine ------------------------------------------------------------------------------- */

static const char *fence_name(struct dma_fence *fence)
{
	return "copy";
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_name,
	.get_timeline_name = fence_name,
};
static DEFINE_SPINLOCK(fence_lock);

static int copy(struct dma_buf *dmabuf, unsigned int to)
{
	struct mover *m = to_mover(dmabuf);
	size_t bytes = m->breaks ? BYTES / 2 : BYTES;
	u8 *buf = kmalloc(BYTES, GFP_KERNEL);
	int ret = -ENOMEM;

	if (!buf)
		return ret;
	ret = dma_buf_begin_exporter_access(dmabuf, m->engine, &m->table[!to], DMA_TO_DEVICE);
	if (ret)
		goto free_buf;
	ret = dma_buf_begin_exporter_access(dmabuf, m->engine, &m->table[to], DMA_FROM_DEVICE);
	if (ret)
		goto end_read;
	ret = dma_engine_read(m->engine, &m->table[!to], 0, buf, bytes);
	if (!ret)
		ret = dma_engine_write(m->engine, &m->table[to], 0, buf, bytes);
	dma_buf_end_exporter_access(dmabuf, m->engine, &m->table[to], DMA_FROM_DEVICE);
end_read:
	dma_buf_end_exporter_access(dmabuf, m->engine, &m->table[!to], DMA_TO_DEVICE);
free_buf:
	kfree(buf);
	return ret ?: m->breaks ? -EIO : 0;
}

static int copy_thread(void *data)
{
	struct dma_buf *dmabuf = data;
	struct mover *m = to_mover(dmabuf);

	wait_for_completion(&m->go);
	WARN_ON(copy(dmabuf, m->to));
	dma_fence_signal(m->fence);
	while (!kthread_should_stop())
		schedule_timeout_uninterruptible(1);
	return 0;
}

/* Reservation held. */
static int mover_move(struct dma_buf *dmabuf)
{
	struct mover *m = to_mover(dmabuf);
	struct dma_fence *fence = NULL;
	int ret;

	if (m->slow) {
		fence = kzalloc(sizeof(*fence), GFP_KERNEL);
		if (!fence)
			return -ENOMEM;
		dma_fence_init(fence, &fence_ops, &fence_lock, dma_fence_context_alloc(1), 1);
		ret = dma_resv_reserve_fences(dmabuf->resv, 1);
		if (ret)
			goto put_fence;
	}
	ret = dma_buf_move_begin(dmabuf, m->timeout);
	if (ret)
		goto put_fence;
	if (fence) {
		init_completion(&m->go);
		m->fence = fence;
		m->to = !m->at;
		m->at = m->to;
		dma_resv_add_fence(dmabuf->resv, fence, DMA_RESV_USAGE_KERNEL);
		m->copying = kthread_run(copy_thread, dmabuf, "copy");
	} else {
		ret = copy(dmabuf, !m->at);
		if (!ret)
			m->at = !m->at;
	}
	dma_buf_move_end(dmabuf);
	return ret;

put_fence:
	if (fence) {
		dma_fence_signal(fence);
		dma_fence_put(fence);
	}
	return ret;
}

static void copy_join(struct mover *m)
{
	kthread_stop(m->copying);
	dma_fence_put(m->fence);
}

static int move(struct dma_buf *dmabuf)
{
	int ret;

	dma_resv_lock(dmabuf->resv, NULL);
	ret = mover_move(dmabuf);
	dma_resv_unlock(dmabuf->resv);
	return ret;
}

/* --- the stage -------------------------------------------------------------------------------- */

struct stage {
	struct machine *machine;
	struct device *dev[2];
	struct mover mover;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach[2];
	u8 byte; /* what was written last */
};

static void stage_up(struct ktap *t, struct stage *s, const char *machine, bool widens)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	const struct machine_type *type = machine_type_find(machine);
	struct mover *m = &s->mover;

	*s = (struct stage){};
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
	s->machine = machine_create(type, 0);
	s->dev[0] = machine_add_device(s->machine, "first", type->coherent);
	s->dev[1] = machine_add_device(s->machine, "second", true);
	m->engine = machine_add_device(s->machine, "engine", type->coherent);
	for (int i = 0; i < 2; i++) {
		m->place[i] = alloc_pages(GFP_KERNEL | __GFP_ZERO, 1);
		sg_init_table(&m->entry[i], 1);
		sg_set_page(&m->entry[i], m->place[i], BYTES, 0);
		m->table[i] = (struct sg_table){ &m->entry[i], 1, 1 };
		KT_EQ(t,
		      dma_map_sgtable(m->engine, &m->table[i], DMA_BIDIRECTIONAL,
				      DMA_ATTR_SKIP_CPU_SYNC),
		      0);
	}
	m->ops = (struct dma_buf_ops){
		.pin = mover_pin,
		.unpin = mover_unpin,
		.map_dma_buf = mover_map,
		.unmap_dma_buf = mover_unmap,
		.release = mover_release,
		.may_widen = widens,
		.tells_own_access = true,
		.tells_moves = true,
	};
	info.ops = &m->ops;
	info.size = BYTES;
	info.priv = m;
	s->dmabuf = dma_buf_export(&info);
	KT_ASSERT(t, !IS_ERR(s->dmabuf));
	for (int i = 0; i < 2; i++) {
		s->attach[i] = dma_buf_attach(s->dmabuf, s->dev[i]);
		KT_ASSERT(t, !IS_ERR(s->attach[i]));
	}
}

static void stage_down(struct ktap *t, struct stage *s)
{
	for (int i = 0; i < 2; i++)
		if (s->attach[i])
			dma_buf_detach(s->dmabuf, s->attach[i]);
	flush_workqueue(system_wq);
	dma_buf_put(s->dmabuf);
	KT_EQ(t, s->mover.pins, 0);
	KT_EQ(t, s->mover.maps, s->mover.unmaps);
	machine_remove_device(s->mover.engine);
	machine_remove_device(s->dev[1]);
	machine_remove_device(s->dev[0]);
	machine_destroy(s->machine);
	rcu_barrier();
}

static struct sg_table *map(struct ktap *t, struct stage *s, int who, enum dma_data_direction dir)
{
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(s->attach[who], dir);

	KT_CHECK(t, !IS_ERR(sgt));
	return sgt;
}

static void unmap(struct stage *s, int who, struct sg_table *sgt, enum dma_data_direction dir)
{
	dma_buf_unmap_attachment_unlocked(s->attach[who], sgt, dir);
}

static void write(struct ktap *t, struct stage *s, int who)
{
	struct sg_table *sgt = map(t, s, who, DMA_FROM_DEVICE);
	u8 bytes[BYTES];

	memset(bytes, ++s->byte, BYTES);
	KT_EQ(t, dma_engine_write(s->dev[who], sgt, 0, bytes, BYTES), 0);
	unmap(s, who, sgt, DMA_FROM_DEVICE);
}

static bool all_are(struct ktap *t, struct device *dev, struct sg_table *sgt, u8 byte)
{
	u8 bytes[BYTES];

	KT_EQ(t, dma_engine_read(dev, sgt, 0, bytes, BYTES), 0);
	for (size_t i = 0; i < BYTES; i++)
		if (bytes[i] != byte)
			return false;
	return true;
}

static bool reads_right(struct ktap *t, struct stage *s, int who)
{
	struct sg_table *sgt = map(t, s, who, DMA_TO_DEVICE);
	bool right = all_are(t, s->dev[who], sgt, s->byte);

	unmap(s, who, sgt, DMA_TO_DEVICE);
	return right;
}

/* --- what static importers see ---------------------------------------------------------------- */

/* The second device snoops where the first does not: what one wrote the other reads after a move. */
static void bytes_go_along(struct ktap *t)
{
	for (const struct machine_type *type = machine_types; type->name; type++)
		for (int widens = 0; widens < 2; widens++) {
			struct stage s;
			int maps;

			stage_up(t, &s, type->name, widens);
			for (int i = 0; i < 8; i++) {
				write(t, &s, i & 1);
				KT_EQ(t, move(s.dmabuf), 0);
				KT_CHECK(t, reads_right(t, &s, 0));
				KT_CHECK(t, reads_right(t, &s, 1));
			}
			KT_EQ(t, s.mover.pins, 0);
			/* Made anew by the move, not by the maps. */
			KT_EQ(t, move(s.dmabuf), 0);
			maps = s.mover.maps;
			write(t, &s, 0);
			KT_CHECK(t, reads_right(t, &s, 1));
			KT_EQ(t, s.mover.maps, maps);
			stage_down(t, &s);
		}
}

static void moves_between_maps_and_not_during(struct ktap *t)
{
	struct sg_table *sgt;
	struct stage s;

	stage_up(t, &s, "arm", true);
	for (int held = 0; held < 2; held++) {
		if (held)
			dma_resv_lock(s.dmabuf->resv, NULL);
		sgt = held ? dma_buf_map_attachment(s.attach[0], DMA_TO_DEVICE)
			   : map(t, &s, 0, DMA_TO_DEVICE);
		if (held)
			dma_resv_unlock(s.dmabuf->resv);
		KT_EQ(t, move(s.dmabuf), -EBUSY);
		s.mover.timeout = 1;
		KT_EQ(t, move(s.dmabuf), -EBUSY);
		s.mover.timeout = 0;
		KT_CHECK(t, all_are(t, s.dev[0], sgt, s.byte));
		unmap(&s, 0, sgt, DMA_TO_DEVICE);
		KT_EQ(t, move(s.dmabuf), 0);
		write(t, &s, 1);
	}
	/* A mapping that is only kept is in nobody's way, and is made anew too. */
	dma_buf_detach(s.dmabuf, s.attach[0]);
	KT_EQ(t, move(s.dmabuf), 0);
	s.attach[0] = dma_buf_attach(s.dmabuf, s.dev[0]);
	KT_CHECK(t, reads_right(t, &s, 0));
	stage_down(t, &s);
}

struct unmapper {
	struct stage *s;
	struct sg_table *sgt;
	struct port_thread *thread;
};

/* Comes when the mover sleeps. */
static void unmap_when_wanted(void *arg)
{
	struct unmapper *u = arg;
	struct mapping_slot *slot = u->s->attach[0]->slot[DMA_TO_DEVICE];

	while (!(atomic_read(&slot->word) & SLOT_WANT))
		port_yield();
	unmap(u->s, 0, u->sgt, DMA_TO_DEVICE);
}

static void a_bounded_wait_is_the_exporters_choice(struct ktap *t)
{
	struct unmapper u;
	struct stage s;

	stage_up(t, &s, "arm", true);
	write(t, &s, 1);
	u = (struct unmapper){ .s = &s, .sgt = map(t, &s, 0, DMA_TO_DEVICE) };
	s.mover.timeout = MAX_SCHEDULE_TIMEOUT;
	u.thread = port_thread_create(unmap_when_wanted, &u, "unmapper");
	KT_EQ(t, move(s.dmabuf), 0);
	port_thread_join(u.thread);
	KT_CHECK(t, reads_right(t, &s, 0));
	stage_down(t, &s);
}

/* Detached while mapped: its user still reaches the old place. */
static void a_quarantined_mapping_is_in_the_way(struct ktap *t)
{
	struct sg_table *sgt;
	struct stage s;

	stage_up(t, &s, "arm", true);
	write(t, &s, 0);
	sgt = map(t, &s, 0, DMA_TO_DEVICE);
	ktap_expect_warn(t, "detach while mapped");
	dma_buf_detach(s.dmabuf, s.attach[0]);
	s.mover.timeout = 1;
	KT_EQ(t, move(s.dmabuf), -EBUSY);
	unmap(&s, 0, sgt, DMA_TO_DEVICE);
	s.attach[0] = NULL;
	flush_workqueue(system_wq);
	KT_EQ(t, move(s.dmabuf), 0);
	KT_CHECK(t, reads_right(t, &s, 1));
	stage_down(t, &s);
}

/* --- a slow engine ---------------------------------------------------------------------------- */

struct reader {
	struct ktap *t;
	struct stage *s;
	struct sg_table *sgt;
	atomic_t done;
	struct port_thread *thread;
};

static void map_meanwhile(void *arg)
{
	struct reader *r = arg;

	r->sgt = dma_buf_map_attachment_unlocked(r->s->attach[0], DMA_TO_DEVICE);
	atomic_set_release(&r->done, 1);
}

static bool waits_for_kernel(const struct reader *r)
{
	u32 word = atomic_read(&r->s->attach[0]->slot[DMA_TO_DEVICE]->word);

	return word & SLOT_KERNEL && word & SLOT_COUNTS;
}

static void a_hit_waits_for_the_copy(struct ktap *t)
{
	for (const struct machine_type *type = machine_types; type->name; type++) {
		struct stage s;
		struct reader r = { .t = t, .s = &s };
		struct sg_table *unwaited;

		stage_up(t, &s, type->name, true);
		write(t, &s, 0);
		KT_CHECK(t, reads_right(t, &s, 0));
		s.mover.slow = true;
		KT_EQ(t, move(s.dmabuf), 0);
		r.thread = port_thread_create(map_meanwhile, &r, "reader");
		while (!waits_for_kernel(&r) && !atomic_read(&r.done))
			port_yield();
		KT_CHECK(t, !atomic_read(&r.done));
		/* What he would read who did not wait: the mapping is there, the bytes are not. */
		unwaited = &s.attach[0]->slot[DMA_TO_DEVICE]->head[SLOT_HEAD_READ];
		KT_CHECK(t, !all_are(t, s.dev[0], unwaited, s.byte));
		KT_CHECK(t, !atomic_read(&r.done));
		complete(&s.mover.go);
		port_thread_join(r.thread);
		KT_ASSERT(t, !IS_ERR(r.sgt));
		KT_CHECK(t, all_are(t, s.dev[0], r.sgt, s.byte));
		unmap(&s, 0, r.sgt, DMA_TO_DEVICE);
		copy_join(&s.mover);
		KT_CHECK(t, reads_right(t, &s, 1));
		stage_down(t, &s);
	}
}

/* --- what goes wrong -------------------------------------------------------------------------- */

static void a_broken_engine_leaves_the_old_place(struct ktap *t)
{
	struct stage s;
	unsigned int at;

	stage_up(t, &s, "arm", false);
	write(t, &s, 0);
	KT_CHECK(t, reads_right(t, &s, 1));
	at = s.mover.at;
	s.mover.breaks = true;
	KT_EQ(t, move(s.dmabuf), -EIO);
	KT_EQ(t, s.mover.at, at);
	KT_CHECK(t, reads_right(t, &s, 0));
	KT_CHECK(t, reads_right(t, &s, 1));
	s.mover.breaks = false;
	KT_EQ(t, move(s.dmabuf), 0);
	KT_CHECK(t, reads_right(t, &s, 0));
	stage_down(t, &s);
}

static void what_is_refused_anew_is_asked_for_again(struct ktap *t)
{
	struct stage s;

	stage_up(t, &s, "arm", false);
	write(t, &s, 0);
	KT_CHECK(t, reads_right(t, &s, 1));
	s.mover.refuses_in_map = true;
	KT_EQ(t, move(s.dmabuf), 0);
	KT_EQ(t, PTR_ERR(dma_buf_map_attachment_unlocked(s.attach[1], DMA_TO_DEVICE)), -EBUSY);
	s.mover.refuses_in_map = false;
	KT_CHECK(t, reads_right(t, &s, 0));
	KT_CHECK(t, reads_right(t, &s, 1));
	stage_down(t, &s);
}

static void moving_while_it_moves_is_refused(struct ktap *t)
{
	struct stage s;

	stage_up(t, &s, "arm", true);
	/* Asked for the first time map_dma_buf may move... */
	s.mover.moves_in_map = true;
	write(t, &s, 0);
	KT_EQ(t, s.mover.last_error, 0);
	/* ...but not when the end of a move asks. */
	ktap_expect_warn(t, "begins within its move");
	KT_EQ(t, move(s.dmabuf), 0);
	KT_EQ(t, s.mover.last_error, -EDEADLK);
	s.mover.moves_in_map = false;
	KT_CHECK(t, reads_right(t, &s, 0));

	dma_resv_lock(s.dmabuf->resv, NULL);
	ktap_expect_warn(t, "end of a move that has not begun");
	dma_buf_move_end(s.dmabuf);
	dma_resv_unlock(s.dmabuf->resv);
	stage_down(t, &s);
}

static int answer;

static void calls_back(struct dma_buf_attachment *attach)
{
	struct dma_buf *dmabuf = attach->dmabuf;
	struct sg_table *sgt = dma_buf_map_attachment(attach, DMA_TO_DEVICE);

	answer = PTR_ERR(sgt);
	if (dma_buf_pin(attach) != -EBUSY)
		answer = 0;
	if (dma_buf_move_begin(dmabuf, 0) != -EDEADLK)
		answer = 0;
	dma_buf_move_notify(dmabuf); /* would call this for ever */
}

static void importers_do_not_call_back(struct ktap *t)
{
	static const struct dma_buf_attach_ops ops = { .move_notify = calls_back };
	struct dma_buf_attachment *attach;
	struct stage s;

	stage_up(t, &s, "arm", true);
	write(t, &s, 0);
	attach = dma_buf_dynamic_attach(s.dmabuf, s.dev[1], &ops, NULL);
	answer = 0;
	ktap_expect_warn(t, "while it is told that it moves");
	ktap_expect_warn(t, "while it is told that it moves");
	ktap_expect_warn(t, "begins within its move");
	ktap_expect_warn(t, "begins within its move");
	KT_EQ(t, move(s.dmabuf), 0);
	KT_EQ(t, answer, -EBUSY);
	KT_EQ(t, s.mover.pins, 0);
	KT_CHECK(t, reads_right(t, &s, 0));
	dma_buf_detach(s.dmabuf, attach);
	stage_down(t, &s);
}

/* Whichever allocation fails, the bytes are there; what is missing is made by who needs it. */
static void without_memory_nothing_is_lost(struct ktap *t)
{
	unsigned int failed = 0, k;
	struct stage s;
	int ret;

	stage_up(t, &s, "bounce", false);
	for (k = 1; k < 60; k++) {
		write(t, &s, k & 1);
		KT_CHECK(t, reads_right(t, &s, !(k & 1)));
		port_fail_nth(PORT_FAULT_ALLOC, k);
		ret = move(s.dmabuf);
		failed += !!ret;
		KT_CHECK(t, !ret || ret == -ENOMEM);
		port_fail_nth(PORT_FAULT_ALLOC, 0);
		KT_CHECK(t, reads_right(t, &s, 0));
		KT_CHECK(t, reads_right(t, &s, 1));
	}
	KT_CHECK(t, failed >= 2);
	stage_down(t, &s);
}

static void export_wants_pin_too(struct ktap *t)
{
	struct dma_buf_ops ops = { .map_dma_buf = mover_map,
				   .unmap_dma_buf = mover_unmap,
				   .release = mover_release,
				   .tells_moves = true };
	DEFINE_DMA_BUF_EXPORT_INFO(info);

	info.ops = &ops;
	info.size = BYTES;
	info.priv = &ops;
	ktap_expect_warn(t, "tells_moves, but without pin");
	KT_EQ(t, PTR_ERR(dma_buf_export(&info)), -EINVAL);
}

KTAP_MAIN(KTAP_CASE(bytes_go_along), KTAP_CASE(moves_between_maps_and_not_during),
	  KTAP_CASE(a_bounded_wait_is_the_exporters_choice),
	  KTAP_CASE(a_quarantined_mapping_is_in_the_way), KTAP_CASE(a_hit_waits_for_the_copy),
	  KTAP_CASE(a_broken_engine_leaves_the_old_place),
	  KTAP_CASE(what_is_refused_anew_is_asked_for_again),
	  KTAP_CASE(moving_while_it_moves_is_refused), KTAP_CASE(importers_do_not_call_back),
	  KTAP_CASE(without_memory_nothing_is_lost), KTAP_CASE(export_wants_pin_too))
