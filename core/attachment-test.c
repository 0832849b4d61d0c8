/* SPDX-License-Identifier: MIT */
/*
 * attachment-test.c - attachments, sets and policies: what is kept, what ends, what is refused
 */
#include <linux/device.h>
#include <linux/dma-cost.h>
#include <linux/dma-mapping.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "buffer.h"
#include "dma/engine.h"
#include "dma/machine.h"
#include "event.h"
#include "host/port.h"
#include "test-exporter.h"
#include "tests/ktap.h"

struct stage {
	struct machine *machine;
	struct device *dev;
	struct test_exporter exporter;
	struct dma_buf *dmabuf;
};

static bool stage_up(struct ktap *t, struct stage *stage, const char *machine,
		     enum dma_buf_policy policy)
{
	dma_buf_set_policy(policy);
	stage->machine = machine_create(machine_type_find(machine), 0);
	if (!KT_CHECK(t, !IS_ERR(stage->machine)))
		return false;
	stage->dev = machine_add_device(stage->machine, "importer",
					machine_type_of(stage->machine)->coherent);
	if (!KT_CHECK(t, !IS_ERR(stage->dev)))
		return false;
	stage->dmabuf = test_export(&stage->exporter, 1);
	return KT_CHECK(t, !IS_ERR(stage->dmabuf));
}

static void stage_down(struct ktap *t, struct stage *stage)
{
	dma_buf_put(stage->dmabuf);
	flush_workqueue(system_wq);
	KT_EQ(t, stage->exporter.releases, 1);
	KT_EQ(t, stage->exporter.attaches, stage->exporter.detaches);
	KT_EQ(t, stage->exporter.maps, stage->exporter.unmaps);
	KT_EQ(t, stage->exporter.pins, stage->exporter.unpins);
	machine_remove_device(stage->dev);
	machine_destroy(stage->machine);
}

/* --- what is kept ----------------------------------------------------------------------------- */

static void second_map_asks_nobody(struct ktap *t)
{
	struct stage stage = { .exporter.ops.may_widen = true };
	struct dma_costs before, cost;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	if (!stage_up(t, &stage, "arm", DMA_BUF_POLICY_CACHED))
		return;
	attach = dma_buf_attach(stage.dmabuf, stage.dev);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);
	KT_CHECK(t, !IS_ERR(sgt));
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_FROM_DEVICE);
	KT_EQ(t, stage.exporter.maps, 1);

	dma_cost_read(&before);
	for (int i = 0; i < 10; i++) {
		sgt = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_FROM_DEVICE);
	}
	dma_cost_since(&before, &cost);
	for (unsigned int i = 0; i < DMA_COST_NR; i++)
		ktap_check(t, !cost.count[i], __FILE__, __LINE__, "a hit cost %llu %s",
			   cost.count[i], dma_cost_name(i));
	dma_buf_detach(stage.dmabuf, attach);
	stage_down(t, &stage);
}

static void reimport_finds_its_mapping(struct ktap *t)
{
	struct stage stage = { .exporter.ops.may_widen = true };

	if (!stage_up(t, &stage, "arm", DMA_BUF_POLICY_CACHED))
		return;
	for (int i = 0; i < 5; i++) {
		struct dma_buf_attachment *attach = dma_buf_attach(stage.dmabuf, stage.dev);
		struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);

		KT_CHECK(t, !IS_ERR(sgt));
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
		dma_buf_detach(stage.dmabuf, attach);
	}
	KT_EQ(t, stage.exporter.maps, 1);
	KT_EQ(t, stage.exporter.attaches, 1);
	KT_EQ(t, stage.exporter.detaches, 0);
	stage_down(t, &stage);
}

static void remap_asks_every_time(struct ktap *t)
{
	struct stage stage = { .exporter.ops.may_widen = true };
	struct dma_buf_attachment *attach;

	if (!stage_up(t, &stage, "arm", DMA_BUF_POLICY_REMAP))
		return;
	attach = dma_buf_attach(stage.dmabuf, stage.dev);
	for (int i = 0; i < 5; i++) {
		struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);

		KT_CHECK(t, !IS_ERR(sgt));
		KT_EQ(t, stage.exporter.maps, i + 1);
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
		KT_EQ(t, stage.exporter.unmaps, i + 1);
	}
	dma_buf_detach(stage.dmabuf, attach);
	KT_EQ(t, stage.exporter.detaches, 1);
	stage_down(t, &stage);
}

static void two_attachments_of_a_device_share_one_mapping(struct ktap *t)
{
	struct stage stage = { .exporter.ops.may_widen = true };
	struct dma_buf_attachment *a, *b;
	struct sg_table *ta, *tb;

	if (!stage_up(t, &stage, "pc", DMA_BUF_POLICY_CACHED))
		return;
	a = dma_buf_attach(stage.dmabuf, stage.dev);
	b = dma_buf_attach(stage.dmabuf, stage.dev);
	KT_CHECK(t, a != b);
	ta = dma_buf_map_attachment_unlocked(a, DMA_TO_DEVICE);
	tb = dma_buf_map_attachment_unlocked(b, DMA_TO_DEVICE);
	KT_EQ(t, stage.exporter.maps, 1);
	/* The one that goes first leaves the other's mapping alone. */
	dma_buf_unmap_attachment_unlocked(a, ta, DMA_TO_DEVICE);
	dma_buf_detach(stage.dmabuf, a);
	KT_EQ(t, stage.exporter.unmaps, 0);
	dma_buf_unmap_attachment_unlocked(b, tb, DMA_TO_DEVICE);
	dma_buf_detach(stage.dmabuf, b);
	stage_down(t, &stage);
}

/* --- permission ------------------------------------------------------------------------------- */

static void permission_is_what_was_asked_for(struct ktap *t)
{
	struct stage stage = { .exporter.ops.may_widen = true };
	struct dma_buf_attachment *attach;
	struct sg_table *narrow, *wide;
	struct dma_costs before, cost;
	dma_addr_t addr;
	u8 byte = 1;

	if (!stage_up(t, &stage, "arm", DMA_BUF_POLICY_CACHED))
		return;
	attach = dma_buf_attach(stage.dmabuf, stage.dev);
	narrow = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	addr = sg_dma_address(narrow->sgl);
	KT_EQ(t, dma_engine_read(stage.dev, narrow, 0, &byte, 1), 0);
	KT_EQ(t, dma_engine_write(stage.dev, narrow, 0, &byte, 1), -EFAULT);

	dma_cost_read(&before);
	wide = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	dma_cost_since(&before, &cost);
	KT_EQ(t, sg_dma_address(wide->sgl), addr);
	KT_EQ(t, cost.count[DMA_COST_TLB_INVALIDATIONS], 1);
	KT_EQ(t, dma_engine_write(stage.dev, wide, 0, &byte, 1), 0);
	KT_EQ(t, stage.exporter.maps, 1);

	dma_buf_unmap_attachment_unlocked(attach, wide, DMA_BIDIRECTIONAL);
	dma_buf_unmap_attachment_unlocked(attach, narrow, DMA_TO_DEVICE);
	dma_buf_detach(stage.dmabuf, attach);
	stage_down(t, &stage);
	KT_EQ(t, stage.exporter.last_unmap, DMA_BIDIRECTIONAL);
}

static void exporter_that_forbids_widening_is_asked(struct ktap *t)
{
	struct stage stage = {};
	struct dma_buf_attachment *attach;
	struct sg_table *to, *from;

	if (!stage_up(t, &stage, "arm", DMA_BUF_POLICY_CACHED))
		return;
	attach = dma_buf_attach(stage.dmabuf, stage.dev);
	to = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	KT_CHECK(t, !IS_ERR(to));
	stage.exporter.refuse_map = -EPERM;
	KT_EQ(t, PTR_ERR(dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL)), -EPERM);
	stage.exporter.refuse_map = 0;
	from = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);
	KT_CHECK(t, !IS_ERR(from));
	KT_EQ(t, stage.exporter.maps, 2);
	KT_EQ(t, stage.exporter.last_map, DMA_FROM_DEVICE);
	dma_buf_unmap_attachment_unlocked(attach, from, DMA_FROM_DEVICE);
	dma_buf_unmap_attachment_unlocked(attach, to, DMA_TO_DEVICE);
	dma_buf_detach(stage.dmabuf, attach);
	stage_down(t, &stage);
}

/* --- static importers of dynamic exporters ---------------------------------------------------- */

static void static_importer_pins_while_mapped(struct ktap *t)
{
	for (int policy = DMA_BUF_POLICY_CACHED; policy <= DMA_BUF_POLICY_REMAP; policy++) {
		struct stage stage = { .exporter.ops = { .pin = test_pin, .unpin = test_unpin } };
		struct dma_buf_attachment *attach;
		struct sg_table *sgt;

		if (!stage_up(t, &stage, "pc", policy))
			return;
		attach = dma_buf_attach(stage.dmabuf, stage.dev);
		KT_EQ(t, stage.exporter.pins, 0);
		sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
		KT_EQ(t, stage.exporter.pins, 1);
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
		KT_EQ(t, stage.exporter.unpins, policy == DMA_BUF_POLICY_REMAP);
		dma_buf_detach(stage.dmabuf, attach);
		stage_down(t, &stage);
	}
}

static void failed_map_unpins(struct ktap *t)
{
	for (int policy = DMA_BUF_POLICY_CACHED; policy <= DMA_BUF_POLICY_REMAP; policy++) {
		struct stage stage = { .exporter.ops = { .pin = test_pin, .unpin = test_unpin } };
		struct dma_buf_attachment *attach;

		if (!stage_up(t, &stage, "pc", policy))
			return;
		attach = dma_buf_attach(stage.dmabuf, stage.dev);
		stage.exporter.refuse_map = -EBUSY;
		KT_EQ(t, PTR_ERR(dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE)), -EBUSY);
		KT_EQ(t, stage.exporter.unpins, 1);
		dma_buf_detach(stage.dmabuf, attach);
		stage_down(t, &stage);
	}
}

static void no_move(struct dma_buf_attachment *attach)
{
}

static void dynamic_importer_of_static_exporter_is_kept(struct ktap *t)
{
	static const struct dma_buf_attach_ops importer = { .move_notify = no_move };
	struct stage stage = { .exporter.ops.may_widen = true };
	struct dma_buf_attachment *attach;

	if (!stage_up(t, &stage, "pc", DMA_BUF_POLICY_CACHED))
		return;
	attach = dma_buf_dynamic_attach(stage.dmabuf, stage.dev, &importer, NULL);
	KT_CHECK(t, dma_buf_attachment_is_dynamic(attach));
	for (int i = 0; i < 3; i++) {
		struct sg_table *sgt;

		dma_resv_lock(stage.dmabuf->resv, NULL);
		sgt = dma_buf_map_attachment(attach, DMA_BIDIRECTIONAL);
		dma_buf_unmap_attachment(attach, sgt, DMA_BIDIRECTIONAL);
		dma_resv_unlock(stage.dmabuf->resv);
	}
	KT_EQ(t, stage.exporter.maps, 1);
	dma_buf_detach(stage.dmabuf, attach);
	stage_down(t, &stage);
}

/* --- misuse ----------------------------------------------------------------------------------- */

static void detach_while_mapped_keeps_memory(struct ktap *t)
{
	for (int policy = DMA_BUF_POLICY_CACHED; policy <= DMA_BUF_POLICY_REMAP; policy++) {
		struct stage stage = { .exporter.ops.may_widen = true };
		struct dma_buf_attachment *attach;
		struct sg_table *sgt;
		u8 byte = 42;

		if (!stage_up(t, &stage, "arm", policy))
			return;
		attach = dma_buf_attach(stage.dmabuf, stage.dev);
		sgt = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);
		ktap_expect_warn(t, "detach while mapped");
		dma_buf_detach(stage.dmabuf, attach);
		dma_buf_put(stage.dmabuf);
		flush_workqueue(system_wq);
		KT_EQ(t, stage.exporter.releases, 0);
		KT_EQ(t, dma_engine_write(stage.dev, sgt, 0, &byte, 1), 0);

		/* The unmap that should have come first ends it all. */
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_FROM_DEVICE);
		flush_workqueue(system_wq);
		KT_EQ(t, stage.exporter.releases, 1);
		KT_EQ(t, stage.exporter.maps, stage.exporter.unmaps);
		KT_EQ(t, stage.exporter.attaches, stage.exporter.detaches);
		machine_remove_device(stage.dev);
		machine_destroy(stage.machine);
	}
}

static void quarantined_device_attaches_anew(struct ktap *t)
{
	struct stage stage = { .exporter.ops.may_widen = true };
	struct dma_buf_attachment *old, *new;
	struct sg_table *sgt, *again;

	if (!stage_up(t, &stage, "pc", DMA_BUF_POLICY_CACHED))
		return;
	old = dma_buf_attach(stage.dmabuf, stage.dev);
	sgt = dma_buf_map_attachment_unlocked(old, DMA_TO_DEVICE);
	ktap_expect_warn(t, "detach while mapped");
	dma_buf_detach(stage.dmabuf, old);
	KT_EQ(t, PTR_ERR(dma_buf_map_attachment_unlocked(old, DMA_TO_DEVICE)), -ENODEV);

	new = dma_buf_attach(stage.dmabuf, stage.dev);
	again = dma_buf_map_attachment_unlocked(new, DMA_TO_DEVICE);
	KT_CHECK(t, !IS_ERR(again));
	dma_buf_unmap_attachment_unlocked(new, again, DMA_TO_DEVICE);
	dma_buf_detach(stage.dmabuf, new);
	dma_buf_unmap_attachment_unlocked(old, sgt, DMA_TO_DEVICE);
	flush_workqueue(system_wq);
	stage_down(t, &stage);
}

/* With a table for each map an unmap too many is found out sooner. */
#define TOO_MANY (IS_ENABLED(LIBDMABUF_DEBUG_TABLES) ? "not mapped" : "more often than mapped")

static void unmap_without_map_warns(struct ktap *t)
{
	static const char *const wanted[] = { TOO_MANY, "not mapped" };

	for (int policy = DMA_BUF_POLICY_CACHED; policy <= DMA_BUF_POLICY_REMAP; policy++) {
		struct stage stage = { .exporter.ops.may_widen = true };
		struct dma_buf_attachment *attach;
		struct sg_table *sgt;

		if (!stage_up(t, &stage, "pc", policy))
			return;
		attach = dma_buf_attach(stage.dmabuf, stage.dev);
		sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
		ktap_expect_warn(t, wanted[policy]);
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
		ktap_expect_warn(t, wanted[policy]);
		dma_resv_lock(stage.dmabuf->resv, NULL);
		dma_buf_unmap_attachment(attach, sgt, DMA_TO_DEVICE);
		dma_resv_unlock(stage.dmabuf->resv);
		dma_buf_detach(stage.dmabuf, attach);
		stage_down(t, &stage);
	}
}

static void unmap_with_another_direction_warns(struct ktap *t)
{
	for (int policy = DMA_BUF_POLICY_CACHED; policy <= DMA_BUF_POLICY_REMAP; policy++) {
		struct stage stage = {};
		struct dma_buf_attachment *attach;
		struct sg_table *sgt;

		if (!stage_up(t, &stage, "pc", policy))
			return;
		attach = dma_buf_attach(stage.dmabuf, stage.dev);
		sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
		ktap_expect_warn(t, "unmap with direction");
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_FROM_DEVICE);
		dma_buf_detach(stage.dmabuf, attach);
		stage_down(t, &stage);
		KT_EQ(t, stage.exporter.last_unmap, DMA_TO_DEVICE);
	}
}

static void null_and_nonsense_are_refused(struct ktap *t)
{
	static const struct dma_buf_attach_ops no_notify = {};
	struct stage stage = {};
	struct dma_buf_export_info info = {};
	struct dma_buf_attachment *attach;

	if (!stage_up(t, &stage, "pc", DMA_BUF_POLICY_CACHED))
		return;
	ktap_expect_warn(t, "attach without");
	KT_EQ(t, PTR_ERR(dma_buf_attach(NULL, stage.dev)), -EINVAL);
	ktap_expect_warn(t, "attach without");
	KT_EQ(t, PTR_ERR(dma_buf_attach(stage.dmabuf, NULL)), -EINVAL);
	ktap_expect_warn(t, "move_notify");
	KT_EQ(t, PTR_ERR(dma_buf_dynamic_attach(stage.dmabuf, stage.dev, &no_notify, NULL)),
	      -EINVAL);
	ktap_expect_warn(t, "map without");
	KT_EQ(t, PTR_ERR(dma_buf_map_attachment_unlocked(NULL, DMA_TO_DEVICE)), -EINVAL);
	attach = dma_buf_attach(stage.dmabuf, stage.dev);
	ktap_expect_warn(t, "map without");
	KT_EQ(t, PTR_ERR(dma_buf_map_attachment_unlocked(attach, DMA_NONE)), -EINVAL);
	ktap_expect_warn(t, "unmap without");
	dma_buf_unmap_attachment_unlocked(attach, NULL, DMA_TO_DEVICE);
	ktap_expect_warn(t, "not this buffer's");
	dma_buf_detach(NULL, attach);
	dma_buf_detach(stage.dmabuf, attach);
	ktap_expect_warn(t, "export without");
	KT_EQ(t, PTR_ERR(dma_buf_export(&info)), -EINVAL);
	ktap_expect_warn(t, "put of no buffer");
	dma_buf_put(NULL);
	stage_down(t, &stage);
}

static void reservation_rules_are_asserted(struct ktap *t)
{
	struct stage stage = {};
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	if (!stage_up(t, &stage, "pc", DMA_BUF_POLICY_REMAP))
		return;
	attach = dma_buf_attach(stage.dmabuf, stage.dev);

	/* Must be held: the exporter's op asserts it too. */
	for (int i = 0; i < 2; i++)
		ktap_expect_warn(t, "reservation locked");
	sgt = dma_buf_map_attachment(attach, DMA_TO_DEVICE);
	KT_CHECK(t, !IS_ERR(sgt));
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);

	/* Must not be held: begin_access would wait for it. */
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	dma_resv_lock(stage.dmabuf->resv, NULL);
	ktap_expect_warn(t, "takes the reservation");
	dma_buf_begin_access(attach, sgt, DMA_TO_DEVICE);
	dma_resv_unlock(stage.dmabuf->resv);
	dma_buf_end_access(attach, sgt, DMA_TO_DEVICE);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	dma_buf_detach(stage.dmabuf, attach);
	stage_down(t, &stage);
}

static void hot_paths_assert_in_checking_builds(struct ktap *t)
{
	struct stage stage = { .exporter.ops.may_widen = true };
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	if (!IS_ENABLED(LIBDMABUF_CHECKS)) {
		ktap_skip(t, "this build does not check the hot paths");
		return;
	}
	if (!stage_up(t, &stage, "pc", DMA_BUF_POLICY_CACHED))
		return;
	attach = dma_buf_attach(stage.dmabuf, stage.dev);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	ktap_expect_warn(t, "reservation locked");
	dma_buf_unmap_attachment(attach, sgt, DMA_TO_DEVICE);

	dma_resv_lock(stage.dmabuf->resv, NULL);
	ktap_expect_warn(t, "takes the reservation");
	KT_EQ(t, PTR_ERR(dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE)), -EDEADLK);
	dma_resv_unlock(stage.dmabuf->resv);
	dma_buf_detach(stage.dmabuf, attach);
	stage_down(t, &stage);
}

/* --- what is told ----------------------------------------------------------------------------- */

static void pinned_time_survives_an_unmap_too_many(struct ktap *t)
{
	struct stage stage = { .exporter.ops.may_widen = true };
	struct dma_buf_attachment *attach;
	struct dma_costs before, cost;
	struct sg_table *sgt;

	dma_buf_count_pinned(true);
	if (!stage_up(t, &stage, "pc", DMA_BUF_POLICY_CACHED))
		return;
	attach = dma_buf_attach(stage.dmabuf, stage.dev);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	ktap_expect_warn(t, TOO_MANY);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);

	dma_cost_read(&before);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	schedule_timeout_uninterruptible(1);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	dma_cost_since(&before, &cost);
	KT_CHECK(t, cost.count[DMA_COST_PINNED_NS]);
	dma_buf_detach(stage.dmabuf, attach);
	stage_down(t, &stage);
	dma_buf_count_pinned(false);
}

static int tables; /* built and not torn down, as it is told */
static void count_tables(const struct event *event)
{
	tables += (event->kind == EVENT_BUILD) - (event->kind == EVENT_TEARDOWN);
}

static const char *fence_name(struct dma_fence *fence)
{
	return "test";
}

static const struct dma_fence_ops fence_ops = { .get_driver_name = fence_name,
						.get_timeline_name = fence_name };

/* An interrupted map is not in use; only policy `cached` keeps what was built, and its pin. */
static void interrupted_map_leaves_nothing(struct ktap *t)
{
	for (int policy = DMA_BUF_POLICY_CACHED; policy <= DMA_BUF_POLICY_REMAP; policy++) {
		struct stage stage = { .exporter.ops = { .pin = test_pin, .unpin = test_unpin } };
		struct dma_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);
		struct dma_buf_attachment *attach;
		static DEFINE_SPINLOCK(lock);

		if (!stage_up(t, &stage, "pc", policy))
			return;
		dma_fence_init(fence, &fence_ops, &lock, dma_fence_context_alloc(1), 1);
		dma_resv_lock(stage.dmabuf->resv, NULL);
		KT_EQ(t, dma_resv_reserve_fences(stage.dmabuf->resv, 1), 0);
		dma_resv_add_fence(stage.dmabuf->resv, fence, DMA_RESV_USAGE_KERNEL);
		dma_resv_unlock(stage.dmabuf->resv);

		tables = 0;
		event_listener = count_tables;
		attach = dma_buf_attach(stage.dmabuf, stage.dev);
		for (int held = 0; held < 2; held++) {
			struct sg_table *sgt;

			if (held)
				dma_resv_lock(stage.dmabuf->resv, NULL);
			port_fail_nth(PORT_FAULT_WAIT, 1);
			sgt = held ? dma_buf_map_attachment(attach, DMA_TO_DEVICE)
				   : dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
			port_fail_nth(PORT_FAULT_WAIT, 0);
			KT_EQ(t, PTR_ERR(sgt), -ERESTARTSYS);
			if (held)
				dma_resv_unlock(stage.dmabuf->resv);
			KT_EQ(t, tables, policy == DMA_BUF_POLICY_CACHED);
			KT_EQ(t, stage.exporter.pins - stage.exporter.unpins, tables);
		}
		dma_fence_signal(fence);
		dma_fence_put(fence);
		dma_buf_detach(stage.dmabuf, attach);
		stage_down(t, &stage);
		KT_EQ(t, tables, 0);
		event_listener = NULL;
	}
}

/* --- ends ------------------------------------------------------------------------------------- */

static void budget_ends_the_oldest_idle_mapping(struct ktap *t)
{
	struct stage stage = { .exporter.ops.may_widen = true };
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	struct device *second;

	if (!stage_up(t, &stage, "pc", DMA_BUF_POLICY_CACHED))
		return;
	second = machine_add_device(stage.machine, "second", true);
	for (int i = 0; i < 2; i++) {
		attach = dma_buf_attach(stage.dmabuf, i ? second : stage.dev);
		sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
		dma_buf_detach(stage.dmabuf, attach);
	}
	KT_EQ(t, stage.exporter.unmaps, 0);
	dma_buf_cache_set_budget(stage.dmabuf->size);
	KT_EQ(t, stage.exporter.unmaps, 1);

	/* The younger one is still there, and an active one is never taken. */
	attach = dma_buf_attach(stage.dmabuf, second);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	KT_EQ(t, stage.exporter.maps, 2);
	dma_buf_cache_set_budget(0);
	KT_EQ(t, stage.exporter.unmaps, 1);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	dma_buf_detach(stage.dmabuf, attach);
	KT_EQ(t, stage.exporter.unmaps, 2);
	dma_buf_cache_set_budget(SIZE_MAX);
	machine_remove_device(second);
	stage_down(t, &stage);
}

static void device_that_goes_takes_its_idle_mappings(struct ktap *t)
{
	struct stage stage = { .exporter.ops.may_widen = true };
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	struct device *second;

	if (!stage_up(t, &stage, "arm", DMA_BUF_POLICY_CACHED))
		return;
	second = machine_add_device(stage.machine, "second", false);
	attach = dma_buf_attach(stage.dmabuf, second);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_FROM_DEVICE);
	dma_buf_detach(stage.dmabuf, attach);
	KT_EQ(t, stage.exporter.unmaps, 0);
	machine_remove_device(second);
	KT_EQ(t, stage.exporter.unmaps, 1);
	KT_EQ(t, stage.exporter.detaches, 1);
	stage_down(t, &stage);
}

static void bytes_survive_reclaim(struct ktap *t)
{
	struct stage stage = { .exporter.ops.may_widen = true };
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	u8 byte = 7;

	if (!stage_up(t, &stage, "arm", DMA_BUF_POLICY_CACHED))
		return;
	attach = dma_buf_attach(stage.dmabuf, stage.dev);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);
	KT_EQ(t, dma_engine_write(stage.dev, sgt, 100, &byte, 1), 0);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_FROM_DEVICE);
	dma_buf_detach(stage.dmabuf, attach);
	dma_buf_cache_set_budget(0);
	dma_buf_cache_set_budget(SIZE_MAX);
	KT_EQ(t, stage.exporter.unmaps, 1);

	KT_EQ(t, dma_buf_begin_cpu_access(stage.dmabuf, DMA_FROM_DEVICE), 0);
	KT_EQ(t, test_bytes(&stage.exporter)[100], 7);
	KT_EQ(t, dma_buf_end_cpu_access(stage.dmabuf, DMA_FROM_DEVICE), 0);
	stage_down(t, &stage);
}

static void reservation_may_be_shared(struct ktap *t)
{
	struct test_exporter other = { .ops.may_widen = true };
	struct stage stage = { .exporter.ops.may_widen = true };
	struct dma_resv resv;
	struct dma_buf *second;
	struct dma_buf_attachment *a, *b;
	struct sg_table *ta, *tb;

	dma_resv_init(&resv);
	stage.exporter.resv = &resv;
	other.resv = &resv;
	if (!stage_up(t, &stage, "pc", DMA_BUF_POLICY_CACHED))
		return;
	second = test_export(&other, 0);
	KT_ASSERT(t, !IS_ERR(second));
	KT_CHECK(t, second->resv == stage.dmabuf->resv);
	a = dma_buf_attach(stage.dmabuf, stage.dev);
	b = dma_buf_attach(second, stage.dev);
	dma_resv_lock(&resv, NULL);
	ta = dma_buf_map_attachment(a, DMA_TO_DEVICE);
	tb = dma_buf_map_attachment(b, DMA_TO_DEVICE);
	KT_CHECK(t, !IS_ERR(ta) && !IS_ERR(tb));
	dma_buf_unmap_attachment(b, tb, DMA_TO_DEVICE);
	dma_buf_unmap_attachment(a, ta, DMA_TO_DEVICE);
	dma_resv_unlock(&resv);
	dma_buf_detach(second, b);
	dma_buf_detach(stage.dmabuf, a);
	dma_buf_put(second);
	stage_down(t, &stage);
	dma_resv_fini(&resv);
}

/* --- every allocation fails ------------------------------------------------------------------- */

/* Export, attach, map in two directions, unmap, detach; -ENOMEM or success, and nothing is left of
 * it. */
static int whole_life(struct ktap *t, struct device *dev, bool widen)
{
	struct test_exporter exporter = { .ops.may_widen = widen };
	struct dma_buf *dmabuf = test_export(&exporter, 0);
	struct dma_buf_attachment *attach;
	struct sg_table *to, *both;
	int ret;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	attach = dma_buf_attach(dmabuf, dev);
	ret = PTR_ERR_OR_ZERO(attach);
	if (ret)
		goto put;
	to = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	ret = PTR_ERR_OR_ZERO(to);
	if (ret)
		goto detach;
	both = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	ret = PTR_ERR_OR_ZERO(both);
	if (ret)
		goto unmap;
	ret = dma_buf_begin_cpu_access_partial(dmabuf, DMA_BIDIRECTIONAL, 128, 64);
	if (!ret)
		dma_buf_end_cpu_access_partial(dmabuf, DMA_BIDIRECTIONAL, 128, 64);
	dma_buf_unmap_attachment_unlocked(attach, both, DMA_BIDIRECTIONAL);
unmap:
	dma_buf_unmap_attachment_unlocked(attach, to, DMA_TO_DEVICE);
detach:
	dma_buf_detach(dmabuf, attach);
put:
	dma_buf_put(dmabuf);
	KT_EQ(t, exporter.maps, exporter.unmaps);
	KT_EQ(t, exporter.attaches, exporter.detaches);
	KT_EQ(t, exporter.releases, 1);
	return ret;
}

static void every_allocation_may_fail(struct ktap *t)
{
	for (const struct machine_type *type = machine_types; type->name; type++) {
		struct machine *machine = machine_create(type, 0);
		struct device *dev = machine_add_device(machine, "importer", type->coherent);

		for (int how = 0; how < 4; how++) {
			u64 k = 1;
			int ret;

			dma_buf_set_policy(how & 1 ? DMA_BUF_POLICY_REMAP : DMA_BUF_POLICY_CACHED);
			KT_EQ(t, whole_life(t, dev, how & 2), 0);
			do {
				port_fail_nth(PORT_FAULT_ALLOC, k++);
				ret = whole_life(t, dev, how & 2);
				port_fail_nth(PORT_FAULT_ALLOC, 0);
				KT_CHECK(t, ret == 0 || ret == -ENOMEM);
			} while (ret && k < 1000);
			KT_CHECK(t, k > 5 && k < 1000);
		}
		machine_remove_device(dev);
		machine_destroy(machine);
	}
}

/* --- threads ---------------------------------------------------------------------------------- */

struct racer {
	struct stage *stage;
	int rounds;
	bool read;
};

static int race_imports(void *arg)
{
	struct racer *racer = arg;

	for (int i = 0; i < racer->rounds; i++) {
		enum dma_data_direction dir = racer->read ? DMA_TO_DEVICE : DMA_FROM_DEVICE;
		struct dma_buf_attachment *attach =
			dma_buf_attach(racer->stage->dmabuf, racer->stage->dev);
		struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, dir);
		u8 byte;

		if (!IS_ERR(sgt)) {
			if (racer->read)
				dma_engine_read(racer->stage->dev, sgt, 0, &byte, 1);
			dma_buf_unmap_attachment_unlocked(attach, sgt, dir);
		}
		dma_buf_detach(racer->stage->dmabuf, attach);
	}
	while (!kthread_should_stop())
		schedule_timeout_uninterruptible(1);
	return 0;
}

static void importers_race_with_reclaim(struct ktap *t)
{
	struct stage stage = { .exporter.ops.may_widen = true };
	int rounds = ktap_long ? 20000 : 500;
	struct racer racers[] = { { &stage, rounds, true },
				  { &stage, rounds, false },
				  { &stage, rounds, true } };
	struct task_struct *tasks[ARRAY_SIZE(racers)];

	if (!stage_up(t, &stage, "arm", DMA_BUF_POLICY_CACHED))
		return;
	for (unsigned int i = 0; i < ARRAY_SIZE(racers); i++) {
		tasks[i] = kthread_run(race_imports, &racers[i], "racer");
		KT_ASSERT(t, !IS_ERR(tasks[i]));
	}
	for (int i = 0; i < rounds / 10; i++) {
		dma_buf_cache_set_budget(0);
		dma_buf_cache_set_budget(SIZE_MAX);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(racers); i++)
		kthread_stop(tasks[i]);
	stage_down(t, &stage);
}

KTAP_MAIN(KTAP_CASE(second_map_asks_nobody), KTAP_CASE(reimport_finds_its_mapping),
	  KTAP_CASE(remap_asks_every_time),
	  KTAP_CASE(two_attachments_of_a_device_share_one_mapping),
	  KTAP_CASE(permission_is_what_was_asked_for),
	  KTAP_CASE(exporter_that_forbids_widening_is_asked),
	  KTAP_CASE(static_importer_pins_while_mapped), KTAP_CASE(failed_map_unpins),
	  KTAP_CASE(dynamic_importer_of_static_exporter_is_kept),
	  KTAP_CASE(detach_while_mapped_keeps_memory), KTAP_CASE(quarantined_device_attaches_anew),
	  KTAP_CASE(unmap_without_map_warns), KTAP_CASE(unmap_with_another_direction_warns),
	  KTAP_CASE(null_and_nonsense_are_refused), KTAP_CASE(reservation_rules_are_asserted),
	  KTAP_CASE(hot_paths_assert_in_checking_builds),
	  KTAP_CASE(pinned_time_survives_an_unmap_too_many),
	  KTAP_CASE(interrupted_map_leaves_nothing), KTAP_CASE(budget_ends_the_oldest_idle_mapping),
	  KTAP_CASE(device_that_goes_takes_its_idle_mappings), KTAP_CASE(bytes_survive_reclaim),
	  KTAP_CASE(reservation_may_be_shared), KTAP_CASE(every_allocation_may_fail),
	  KTAP_CASE(importers_race_with_reclaim))
