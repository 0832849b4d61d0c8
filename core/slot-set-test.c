/* SPDX-License-Identifier: MIT */
/*
 * slot-set-test.c - sets of slots against whoever comes at the worst moment
 *
 * The worst moment is a step of the code under test, found by its switch points or by the
 * exporter's ops, so that these races are met every time and not by luck.
 */
#include <linux/device.h>
#include <linux/dma-cost.h>
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/workqueue.h>

#include "buffer.h"
#include "dma/engine.h"
#include "dma/machine.h"
#include "host/port.h"
#include "test-exporter.h"
#include "tests/ktap.h"

struct stage {
	struct machine *machine;
	struct device *dev;
	struct test_exporter exporter;
	struct dma_buf *dmabuf;
};

static bool stage_up(struct ktap *t, struct stage *stage, const char *machine)
{
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
	stage->machine = machine_create(machine_type_find(machine), 0);
	if (!KT_CHECK(t, !IS_ERR(stage->machine)))
		return false;
	stage->dev = machine_add_device(stage->machine, "importer",
					machine_type_of(stage->machine)->coherent);
	if (!KT_CHECK(t, !IS_ERR(stage->dev)))
		return false;
	stage->dmabuf = test_export(&stage->exporter, 0);
	return KT_CHECK(t, !IS_ERR(stage->dmabuf));
}

/* The buffer has been put and, unless the test did, the device is removed. */
static void stage_down(struct ktap *t, struct stage *stage)
{
	flush_workqueue(system_wq);
	KT_EQ(t, stage->exporter.releases, 1);
	KT_EQ(t, stage->exporter.attaches, stage->exporter.detaches);
	KT_EQ(t, stage->exporter.maps, stage->exporter.unmaps);
	if (stage->dev)
		machine_remove_device(stage->dev);
	machine_destroy(stage->machine);
}

static void import_once(struct ktap *t, struct dma_buf *dmabuf, struct device *dev)
{
	struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, dev);
	struct sg_table *sgt;

	KT_ASSERT(t, !IS_ERR(attach));
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);
	KT_CHECK(t, !IS_ERR(sgt));
	if (!IS_ERR(sgt))
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_FROM_DEVICE);
	dma_buf_detach(dmabuf, attach);
}

/* --- the reclaimer ---------------------------------------------------------------------------- */

/* The owner who lets go of a busy buffer while the reclaimer looks at it; guarded by nothing: one
 * thread plays both. */
static struct dma_buf *owned;
static bool owner_waits;

static void owner_lets_go(enum port_point_kind kind, const void *addr)
{
	struct dma_buf *dmabuf = owned;

	/* The count is looked at as it is, for file_count() is a switch point too. */
	if (!owner_waits || addr != &dmabuf->file->f_ref || dmabuf->file->f_ref.refs.counter < 2)
		return;
	owner_waits = false;
	dma_resv_unlock(dmabuf->resv);
	dma_buf_put(dmabuf);
}

static void reclaimer_never_holds_the_last_reference(struct ktap *t)
{
	struct stage stage = { .exporter.ops.may_widen = true };

	if (!IS_ENABLED(PORT_POINTS)) {
		ktap_skip(t, "this build has no switch points");
		return;
	}
	if (!stage_up(t, &stage, "arm"))
		return;
	import_once(t, stage.dmabuf, stage.dev);
	owned = stage.dmabuf;
	owner_waits = true;
	dma_resv_lock(owned->resv, NULL);
	port_point_hook = owner_lets_go;
	dma_buf_cache_set_budget(0);
	port_point_hook = NULL;
	dma_buf_cache_set_budget(SIZE_MAX);
	/* It looked at the reservation and left the count alone. */
	if (owner_waits) {
		dma_resv_unlock(owned->resv);
		dma_buf_put(owned);
	}
	stage_down(t, &stage);
}

/* --- who shares ------------------------------------------------------------------------------- */

static void no_move(struct dma_buf_attachment *attach)
{
}

static void importers_of_one_kind_share(struct ktap *t)
{
	static const struct dma_buf_attach_ops kinds[2] = { { .move_notify = no_move },
							    { .move_notify = no_move } };
	struct stage stage = { .exporter.ops.may_widen = true };
	struct dma_buf_attachment *attach, *second;
	int privs[3];

	if (!stage_up(t, &stage, "arm"))
		return;
	for (int i = 0; i < 3; i++) {
		attach = dma_buf_dynamic_attach(stage.dmabuf, stage.dev, &kinds[0], &privs[i]);
		KT_CHECK(t, attach->importer_priv == &privs[i]);
		second = dma_buf_dynamic_attach(stage.dmabuf, stage.dev, &kinds[0], &privs[2 - i]);
		KT_CHECK(t, attach->importer_priv == &privs[i]);
		KT_CHECK(t, second->importer_priv == &privs[2 - i]);
		dma_buf_detach(stage.dmabuf, attach);
		dma_buf_detach(stage.dmabuf, second);
	}
	KT_EQ(t, stage.exporter.attaches, 1);
	attach = dma_buf_dynamic_attach(stage.dmabuf, stage.dev, &kinds[1], &privs[0]);
	KT_EQ(t, stage.exporter.attaches, 2);
	dma_buf_detach(stage.dmabuf, attach);
	dma_buf_put(stage.dmabuf);
	stage_down(t, &stage);
}

/* A display keeps its mapping while a camera attaches for every frame. */
static void reimport_beside_a_user_costs_no_memory(struct ktap *t)
{
	struct stage stage = { .exporter.ops.may_widen = true };
	struct dma_buf_attachment *keeper;
	struct sg_table *sgt;

	if (!stage_up(t, &stage, "arm"))
		return;
	keeper = dma_buf_attach(stage.dmabuf, stage.dev);
	sgt = dma_buf_map_attachment_unlocked(keeper, DMA_FROM_DEVICE);
	import_once(t, stage.dmabuf, stage.dev);
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	for (int i = 0; i < 10; i++)
		import_once(t, stage.dmabuf, stage.dev);
	KT_EQ(t, port_fault_count(PORT_FAULT_ALLOC), 0);
	dma_buf_unmap_attachment_unlocked(keeper, sgt, DMA_FROM_DEVICE);
	dma_buf_detach(stage.dmabuf, keeper);
	dma_buf_put(stage.dmabuf);
	stage_down(t, &stage);
}

KTAP_MAIN(KTAP_CASE(reclaimer_never_holds_the_last_reference),
	  KTAP_CASE(importers_of_one_kind_share), KTAP_CASE(reimport_beside_a_user_costs_no_memory))
