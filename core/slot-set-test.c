/* SPDX-License-Identifier: MIT */
/*
 * slot-set-test.c - sets of slots against whoever comes at the worst moment
 *
 * The worst moment is a step of the code under test, found by its switch points or by the
 * exporter's ops, so that these races are met every time and not by luck.
 */
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/dma-cost.h>
#include <linux/file.h>
#include <linux/jiffies.h>
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

/* SS5: who could move the buffer looks at its pins, and Linux has none after the detach. */
static void last_detach_unpins(struct ktap *t)
{
	struct stage stage = { .exporter.ops = {
				       .may_widen = true, .pin = test_pin, .unpin = test_unpin } };
	struct dma_buf_attachment *first, *second;

	if (!stage_up(t, &stage, "arm"))
		return;
	for (int round = 1; round <= 3; round++) {
		first = dma_buf_attach(stage.dmabuf, stage.dev);
		second = dma_buf_attach(stage.dmabuf, stage.dev);
		import_once(t, stage.dmabuf, stage.dev);
		KT_EQ(t, stage.exporter.pins - stage.exporter.unpins, 1);
		dma_buf_detach(stage.dmabuf, first);
		KT_EQ(t, stage.exporter.pins - stage.exporter.unpins, 1);
		dma_buf_detach(stage.dmabuf, second);
		KT_EQ(t, stage.exporter.pins, round);
		KT_EQ(t, stage.exporter.unpins, round);
	}
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
	if (!IS_ENABLED(LIBDMABUF_DEBUG_TABLES)) /* there each map makes one */
		KT_EQ(t, port_fault_count(PORT_FAULT_ALLOC), 0);
	dma_buf_unmap_attachment_unlocked(keeper, sgt, DMA_FROM_DEVICE);
	dma_buf_detach(stage.dmabuf, keeper);
	dma_buf_put(stage.dmabuf);
	stage_down(t, &stage);
}

/* --- a device that goes ----------------------------------------------------------------------- */

static struct completion unmapping, device_has_gone;
static void (*count_unmap)(struct dma_buf_attachment *attach, struct sg_table *sgt,
			   enum dma_data_direction dir);

/* The release has come this far when the device goes. */
static void unmap_when_device_goes(struct dma_buf_attachment *attach, struct sg_table *sgt,
				   enum dma_data_direction dir)
{
	complete(&unmapping);
	/* It should wait for us; a while is enough for one that does not. */
	wait_for_completion_timeout(&device_has_gone, HZ / 10);
	count_unmap(attach, sgt, dir);
}

/* A thread is stopped only when it has done its work. */
static struct completion thread_done;

static int until_stopped(void)
{
	complete(&thread_done);
	while (!kthread_should_stop())
		schedule_timeout_uninterruptible(1);
	return 0;
}

static int remove_device(void *arg)
{
	machine_remove_device(arg);
	return until_stopped();
}

static int put_buffer(void *arg)
{
	dma_buf_put(arg);
	return until_stopped();
}

static void join(struct task_struct *task)
{
	wait_for_completion(&thread_done);
	kthread_stop(task);
}

static void device_waits_for_the_release_that_unmaps_it(struct ktap *t)
{
	struct stage stage = { .exporter.ops.may_widen = true };
	struct task_struct *task;

	if (!stage_up(t, &stage, "arm"))
		return;
	import_once(t, stage.dmabuf, stage.dev);
	init_completion(&unmapping);
	init_completion(&device_has_gone);
	count_unmap = stage.exporter.ops.unmap_dma_buf;
	stage.exporter.ops.unmap_dma_buf = unmap_when_device_goes;
	init_completion(&thread_done);
	task = kthread_run(put_buffer, stage.dmabuf, "putter");
	KT_ASSERT(t, !IS_ERR(task));
	wait_for_completion(&unmapping);
	machine_remove_device(stage.dev);
	stage.dev = NULL;
	complete(&device_has_gone);
	join(task);
	stage_down(t, &stage);
}

/* An exporter that wraps another buffer puts it in its detach. */
static void detach_and_put(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct test_exporter *exporter = dmabuf->priv;

	exporter->detaches++;
	dma_buf_put(owned);
}

static void device_gone_may_end_other_buffers(struct ktap *t)
{
	struct stage stage = { .exporter.ops.may_widen = true };
	struct test_exporter inner = { .ops.may_widen = true };

	if (!stage_up(t, &stage, "arm"))
		return;
	owned = test_export(&inner, 0);
	KT_ASSERT(t, !IS_ERR(owned));
	import_once(t, owned, stage.dev);
	import_once(t, stage.dmabuf, stage.dev);
	stage.exporter.ops.detach = detach_and_put;
	machine_remove_device(stage.dev);
	stage.dev = NULL;
	KT_EQ(t, inner.releases, 1);
	KT_EQ(t, inner.maps, inner.unmaps);
	dma_buf_put(stage.dmabuf);
	stage_down(t, &stage);
}

/* Device, put of another buffer under a reservation: neither waits for the other's lock. */
static void buffer_may_go_under_another_reservation(struct ktap *t)
{
	struct stage stage = { .exporter.ops.may_widen = true };
	struct test_exporter other = { .ops.may_widen = true };
	struct device *second;
	struct task_struct *task;
	struct dma_buf *gone;

	if (!stage_up(t, &stage, "arm"))
		return;
	second = machine_add_device(stage.machine, "second", false);
	KT_ASSERT(t, !IS_ERR(second));
	gone = test_export(&other, 0);
	KT_ASSERT(t, !IS_ERR(gone));
	import_once(t, stage.dmabuf, second);
	dma_resv_lock(stage.dmabuf->resv, NULL);
	init_completion(&thread_done);
	task = kthread_run(remove_device, second, "remover");
	KT_ASSERT(t, !IS_ERR(task));
	schedule_timeout_uninterruptible(2);
	dma_buf_put(gone);
	KT_EQ(t, other.releases, 1);
	dma_resv_unlock(stage.dmabuf->resv);
	join(task);
	dma_buf_put(stage.dmabuf);
	stage_down(t, &stage);
}

/* --- what is kept beside what is not ---------------------------------------------------------- */

static void unkept_mapping_sees_what_a_kept_one_wrote(struct ktap *t)
{
	static const struct dma_buf_attach_ops importer = { .move_notify = no_move };
	struct stage stage = { .exporter.ops = { .pin = test_pin, .unpin = test_unpin } };
	struct dma_buf_attachment *kept, *fresh;
	struct device *snoops;
	struct sg_table *sgt;
	u8 byte = 42;

	if (!stage_up(t, &stage, "arm"))
		return;
	snoops = machine_add_device(stage.machine, "snoops", true);
	KT_ASSERT(t, !IS_ERR(snoops));
	kept = dma_buf_attach(stage.dmabuf, stage.dev);
	fresh = dma_buf_dynamic_attach(stage.dmabuf, snoops, &importer, NULL);
	KT_CHECK(t, kept->set && !fresh->set);
	sgt = dma_buf_map_attachment_unlocked(kept, DMA_FROM_DEVICE);
	KT_EQ(t, dma_engine_write(stage.dev, sgt, 0, &byte, 1), 0);
	dma_buf_unmap_attachment_unlocked(kept, sgt, DMA_FROM_DEVICE);

	byte = 0;
	sgt = dma_buf_map_attachment_unlocked(fresh, DMA_TO_DEVICE);
	KT_EQ(t, dma_engine_read(snoops, sgt, 0, &byte, 1), 0);
	KT_EQ(t, byte, 42);
	dma_buf_unmap_attachment_unlocked(fresh, sgt, DMA_TO_DEVICE);
	dma_buf_detach(stage.dmabuf, fresh);
	dma_buf_detach(stage.dmabuf, kept);
	dma_buf_put(stage.dmabuf);
	machine_remove_device(snoops);
	stage_down(t, &stage);
}

/* --- an exporter's mistakes ------------------------------------------------------------------- */

static void short_table_is_coherent_as_far_as_it_goes(struct ktap *t)
{
	struct stage stage = { .exporter = { .ops.may_widen = true, .lacks = PAGE_SIZE / 2 } };
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	u8 byte = 42;

	if (!stage_up(t, &stage, "bounce"))
		return;
	attach = dma_buf_attach(stage.dmabuf, stage.dev);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	KT_ASSERT(t, !IS_ERR(sgt));
	KT_EQ(t, dma_engine_write(stage.dev, sgt, 9, &byte, 1), 0);
	KT_EQ(t, dma_buf_begin_cpu_access(stage.dmabuf, DMA_BIDIRECTIONAL), 0);
	KT_EQ(t, test_bytes(&stage.exporter)[9], 42);
	test_bytes(&stage.exporter)[9] = 43;
	KT_EQ(t, dma_buf_end_cpu_access(stage.dmabuf, DMA_BIDIRECTIONAL), 0);
	KT_EQ(t, dma_engine_read(stage.dev, sgt, 9, &byte, 1), 0);
	KT_EQ(t, byte, 43);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
	dma_buf_detach(stage.dmabuf, attach);
	dma_buf_put(stage.dmabuf);
	stage_down(t, &stage);
}

KTAP_MAIN(KTAP_CASE(last_detach_unpins), KTAP_CASE(reclaimer_never_holds_the_last_reference),
	  KTAP_CASE(importers_of_one_kind_share), KTAP_CASE(reimport_beside_a_user_costs_no_memory),
	  KTAP_CASE(device_waits_for_the_release_that_unmaps_it),
	  KTAP_CASE(device_gone_may_end_other_buffers),
	  KTAP_CASE(buffer_may_go_under_another_reservation),
	  KTAP_CASE(unkept_mapping_sees_what_a_kept_one_wrote),
	  KTAP_CASE(short_table_is_coherent_as_far_as_it_goes))
