/* SPDX-License-Identifier: MIT */
/*
 * revoke-test.c - a buffer is taken away from everybody; who does not let go is named and harms nobody
 */
#include <linux/device.h>
#include <linux/dma-fence.h>
#include <linux/iosys-map.h>
#include <linux/jiffies.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "buffer.h"
#include "dma/engine.h"
#include "dma/machine.h"
#include "host/port.h"
#include "test-exporter.h"
#include "tests/ktap.h"

static struct dma_buf_attachment *told;

static void on_move(struct dma_buf_attachment *attach)
{
	dma_resv_assert_held(attach->dmabuf->resv);
	smp_store_release(&told, attach);
}

static const struct dma_buf_attach_ops follows = { .move_notify = on_move };

struct stage {
	struct machine *machine;
	struct device *dev, *other;
	struct test_exporter exporter;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *fixed, *dynamic;
};

static void stage_up(struct ktap *t, struct stage *s, enum dma_buf_policy policy)
{
	*s = (struct stage){ .exporter.ops = { .pin = test_pin, .unpin = test_unpin } };
	s->machine = machine_create(machine_type_find("arm"), 0);
	s->dev = machine_add_device(s->machine, "camera7", false);
	s->other = machine_add_device(s->machine, "display3", false);
	dma_buf_set_policy(policy);
	s->dmabuf = test_export(&s->exporter, 0);
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
	s->fixed = dma_buf_attach(s->dmabuf, s->dev);
	s->dynamic = dma_buf_dynamic_attach(s->dmabuf, s->other, &follows, NULL);
	KT_ASSERT(t, !IS_ERR(s->fixed) && !IS_ERR(s->dynamic));
	told = NULL;
}

static void stage_down(struct ktap *t, struct stage *s)
{
	dma_buf_detach(s->dmabuf, s->dynamic);
	dma_buf_detach(s->dmabuf, s->fixed);
	flush_workqueue(system_wq);
	dma_buf_put(s->dmabuf);
	KT_EQ(t, s->exporter.maps, s->exporter.unmaps);
	KT_EQ(t, s->exporter.pins, s->exporter.unpins);
	KT_EQ(t, s->exporter.attaches, s->exporter.detaches);
	machine_remove_device(s->other);
	machine_remove_device(s->dev);
	machine_destroy(s->machine);
	rcu_barrier();
}

static void both_policies(struct ktap *t, void (*fn)(struct ktap *t, struct stage *s))
{
	for (int policy = 0; policy < 2; policy++) {
		struct stage s;

		stage_up(t, &s, policy);
		fn(t, &s);
		stage_down(t, &s);
	}
}

static void nobody_gets_it_afterwards(struct ktap *t, struct stage *s)
{
	struct iosys_map map;

	KT_EQ(t, PTR_ERR(dma_buf_map_attachment_unlocked(s->fixed, DMA_TO_DEVICE)), -ENODEV);
	KT_EQ(t, PTR_ERR(dma_buf_map_attachment_unlocked(s->dynamic, DMA_TO_DEVICE)), -ENODEV);
	KT_EQ(t, PTR_ERR(dma_buf_attach(s->dmabuf, s->dev)), -ENODEV);
	KT_EQ(t, PTR_ERR(dma_buf_dynamic_attach(s->dmabuf, s->dev, &follows, NULL)), -ENODEV);
	KT_CHECK(t, dma_buf_vmap_unlocked(s->dmabuf, &map) < 0);
}

static void idle_ones(struct ktap *t, struct stage *s)
{
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(s->fixed, DMA_FROM_DEVICE);

	dma_buf_unmap_attachment_unlocked(s->fixed, sgt, DMA_FROM_DEVICE);
	KT_EQ(t, dma_buf_revoke(s->dmabuf, 1), 0);
	KT_CHECK(t, told && told->dev == s->other);
	KT_EQ(t, s->exporter.maps, s->exporter.unmaps);
	KT_EQ(t, s->exporter.pins, s->exporter.unpins);
	nobody_gets_it_afterwards(t, s);
	KT_EQ(t, dma_buf_revoke(s->dmabuf, 1), 0);
}

static void what_is_only_kept_goes_at_once(struct ktap *t)
{
	both_policies(t, idle_ones);
}

/* Both stay: each is named, and reads and writes what it did until it lets go. */
static void overstayers(struct ktap *t, struct stage *s)
{
	struct sg_table *fixed = dma_buf_map_attachment_unlocked(s->fixed, DMA_FROM_DEVICE);
	struct sg_table *dynamic = dma_buf_map_attachment_unlocked(s->dynamic, DMA_TO_DEVICE);
	int unmaps = s->exporter.unmaps;
	u8 byte = 42;

	KT_EQ(t, dma_buf_revoke(s->dmabuf, 1), -ETIMEDOUT);
	KT_EQ(t, s->exporter.unmaps, unmaps);
	nobody_gets_it_afterwards(t, s);
	KT_EQ(t, dma_engine_write(s->dev, fixed, 0, &byte, 1), 0);
	KT_EQ(t, dma_engine_read(s->other, dynamic, 0, &byte, 1), 0);
	dma_buf_unmap_attachment_unlocked(s->fixed, fixed, DMA_FROM_DEVICE);
	KT_EQ(t, dma_buf_revoke(s->dmabuf, 1), -ETIMEDOUT);
	dma_buf_unmap_attachment_unlocked(s->dynamic, dynamic, DMA_TO_DEVICE);
	flush_workqueue(system_wq);
	KT_EQ(t, dma_buf_revoke(s->dmabuf, 1), 0);
	KT_EQ(t, s->exporter.maps, s->exporter.unmaps);
}

static void who_stays_is_named_and_keeps_his_memory(struct ktap *t)
{
	both_policies(t, overstayers);
}

struct leaver {
	struct stage *s;
	struct sg_table *sgt;
	struct port_thread *thread;
};

static void leave(void *arg)
{
	struct leaver *l = arg;

	while (!smp_load_acquire(&told))
		port_yield();
	dma_buf_unmap_attachment_unlocked(l->s->dynamic, l->sgt, DMA_TO_DEVICE);
}

static void leaves_in_time(struct ktap *t, struct stage *s)
{
	struct sg_table *fixed = dma_buf_map_attachment_unlocked(s->fixed, DMA_FROM_DEVICE);
	struct leaver l = { .s = s };

	l.sgt = dma_buf_map_attachment_unlocked(s->dynamic, DMA_TO_DEVICE);
	l.thread = port_thread_create(leave, &l, "leaver");
	dma_buf_unmap_attachment_unlocked(s->fixed, fixed, DMA_FROM_DEVICE);
	KT_EQ(t, dma_buf_revoke(s->dmabuf, MAX_SCHEDULE_TIMEOUT), 0);
	port_thread_join(l.thread);
}

static void who_unmaps_is_waited_for(struct ktap *t)
{
	both_policies(t, leaves_in_time);
}

static const char *fence_name(struct dma_fence *fence)
{
	return "test";
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_name,
	.get_timeline_name = fence_name,
};
static DEFINE_SPINLOCK(fence_lock);

static void pending_fence(struct ktap *t, struct stage *s)
{
	struct dma_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	dma_fence_init(fence, &fence_ops, &fence_lock, dma_fence_context_alloc(1), 1);
	dma_resv_lock(s->dmabuf->resv, NULL);
	KT_EQ(t, dma_resv_reserve_fences(s->dmabuf->resv, 1), 0);
	dma_resv_add_fence(s->dmabuf->resv, fence, DMA_RESV_USAGE_BOOKKEEP);
	dma_resv_unlock(s->dmabuf->resv);
	KT_EQ(t, dma_buf_revoke(s->dmabuf, 1), -ETIMEDOUT);
	dma_fence_signal(fence);
	dma_fence_put(fence);
	KT_EQ(t, dma_buf_revoke(s->dmabuf, 1), 0);
}

static void fences_come_first(struct ktap *t)
{
	both_policies(t, pending_fence);
}

/* A killed mapping's user, its attachment and the buffer go in any order. */
static void detach_and_put_first(struct ktap *t)
{
	struct sg_table *sgt;
	struct stage s;

	stage_up(t, &s, DMA_BUF_POLICY_CACHED);
	sgt = dma_buf_map_attachment_unlocked(s.fixed, DMA_FROM_DEVICE);
	KT_EQ(t, dma_buf_revoke(s.dmabuf, 1), -ETIMEDOUT);
	dma_buf_detach(s.dmabuf, s.dynamic);
	dma_buf_detach(s.dmabuf, s.fixed); /* who overstays was named */
	dma_buf_put(s.dmabuf);
	KT_EQ(t, s.exporter.releases, 0);
	dma_buf_unmap_attachment_unlocked(s.fixed, sgt, DMA_FROM_DEVICE);
	flush_workqueue(system_wq);
	KT_EQ(t, s.exporter.releases, 1);
	KT_EQ(t, s.exporter.maps, s.exporter.unmaps);
	machine_remove_device(s.other);
	machine_remove_device(s.dev);
	machine_destroy(s.machine);
	rcu_barrier();
}

static int only_revocable(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	return dma_buf_attach_revocable(attach) ? 0 : -EOPNOTSUPP;
}

static void an_exporter_may_refuse_who_cannot_be_told(struct ktap *t)
{
	struct stage s;

	stage_up(t, &s, DMA_BUF_POLICY_REMAP);
	s.exporter.ops.attach = only_revocable;
	s.exporter.ops.detach = NULL;
	KT_EQ(t, PTR_ERR(dma_buf_attach(s.dmabuf, s.dev)), -EOPNOTSUPP);
	s.exporter.detaches += 2;
	dma_buf_detach(s.dmabuf, dma_buf_dynamic_attach(s.dmabuf, s.dev, &follows, NULL));
	stage_down(t, &s);
}

/* Whether it could move or not; and then it neither moves nor gets a new importer. */
static void what_is_revoked_has_no_future(struct ktap *t)
{
	for (unsigned int moves = 0; moves < 2; moves++) {
		struct test_exporter exporter = {};
		struct dma_buf *dmabuf;
		struct stage s;

		stage_up(t, &s, DMA_BUF_POLICY_CACHED);
		if (moves)
			exporter.ops = (struct dma_buf_ops){ .pin = test_pin,
							     .unpin = test_unpin,
							     .tells_moves = true };
		dmabuf = test_export(&exporter, 0);
		KT_EQ(t, dma_buf_revoke(dmabuf, 0), 0);
		KT_EQ(t, PTR_ERR(dma_buf_attach(dmabuf, s.dev)), -ENODEV);
		KT_EQ(t, PTR_ERR(dma_buf_dynamic_attach(dmabuf, s.dev, &follows, NULL)), -ENODEV);
		if (moves) {
			dma_resv_lock(dmabuf->resv, NULL);
			KT_EQ(t, dma_buf_move_begin(dmabuf, 0), -ENODEV);
			dma_resv_unlock(dmabuf->resv);
		}
		dma_buf_put(dmabuf);
		stage_down(t, &s);
	}
}

KTAP_MAIN(KTAP_CASE(what_is_only_kept_goes_at_once),
	  KTAP_CASE(who_stays_is_named_and_keeps_his_memory), KTAP_CASE(who_unmaps_is_waited_for),
	  KTAP_CASE(fences_come_first), KTAP_CASE(detach_and_put_first),
	  KTAP_CASE(an_exporter_may_refuse_who_cannot_be_told),
	  KTAP_CASE(what_is_revoked_has_no_future))
