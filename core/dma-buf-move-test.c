/* SPDX-License-Identifier: MIT */
/*
 * dma-buf-move-test.c - pin, move_notify: who may call them, and who hears of it
 */
#include <linux/device.h>

#include "buffer.h"
#include "dma/machine.h"
#include "test-exporter.h"
#include "tests/ktap.h"

static int notified;

static void importer_notify(struct dma_buf_attachment *attach)
{
	dma_resv_assert_held(attach->dmabuf->resv);
	notified += *(int *)attach->importer_priv;
}

static const struct dma_buf_attach_ops importer_ops = { .move_notify = importer_notify };

struct stage {
	struct test_exporter exporter;
	struct machine *machine;
	struct device *dev;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *fixed, *follows;
	int priv;
};

static void stage_up(struct stage *stage, bool dynamic, enum dma_buf_policy policy)
{
	*stage = (struct stage){ .priv = 5 };
	if (dynamic) {
		stage->exporter.ops.pin = test_pin;
		stage->exporter.ops.unpin = test_unpin;
	}
	notified = 0;
	stage->machine = machine_create(machine_type_find("arm"), 0);
	stage->dev = machine_add_device(stage->machine, "device", false);
	dma_buf_set_policy(policy);
	stage->dmabuf = test_export(&stage->exporter, 0);
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
	stage->fixed = dma_buf_attach(stage->dmabuf, stage->dev);
	stage->follows =
		dma_buf_dynamic_attach(stage->dmabuf, stage->dev, &importer_ops, &stage->priv);
	dma_resv_lock(stage->dmabuf->resv, NULL);
}

static void stage_down(struct stage *stage)
{
	dma_resv_unlock(stage->dmabuf->resv);
	dma_buf_detach(stage->dmabuf, stage->follows);
	dma_buf_detach(stage->dmabuf, stage->fixed);
	dma_buf_put(stage->dmabuf);
	machine_remove_device(stage->dev);
	machine_destroy(stage->machine);
}

static void who_follows_moves_may_pin(struct ktap *t)
{
	for (int how = 0; how < 4; how++) {
		bool dynamic = how & 1;
		struct stage stage;

		stage_up(&stage, dynamic, how & 2 ? DMA_BUF_POLICY_REMAP : DMA_BUF_POLICY_CACHED);
		KT_EQ(t, dma_buf_pin(stage.follows), 0);
		KT_EQ(t, stage.exporter.pins, dynamic);
		dma_buf_unpin(stage.follows);
		KT_EQ(t, stage.exporter.unpins, dynamic);
		stage_down(&stage);
	}
}

static int refuse_pin(struct dma_buf_attachment *attach)
{
	return -ENOSPC;
}

static void exporters_refusal_is_passed_on(struct ktap *t)
{
	struct stage stage;

	stage_up(&stage, true, DMA_BUF_POLICY_CACHED);
	stage.exporter.ops.pin = refuse_pin;
	KT_EQ(t, dma_buf_pin(stage.follows), -ENOSPC);
	stage_down(&stage);
}

static struct dma_buf_attachment *pinned_by;

static int remember_pin(struct dma_buf_attachment *attach)
{
	pinned_by = attach;
	return 0;
}

static void exporter_is_asked_with_what_it_has_seen(struct ktap *t)
{
	struct dma_buf_attachment *seen;
	struct stage stage;
	bool found = false;

	/* A static exporter's mapping is kept; it gets a pin only now. */
	stage_up(&stage, false, DMA_BUF_POLICY_CACHED);
	stage.exporter.ops.pin = remember_pin;
	KT_EQ(t, dma_buf_pin(stage.follows), 0);
	list_for_each_entry(seen, &stage.dmabuf->attachments, node)
		found |= seen == pinned_by && seen->importer_ops;
	KT_CHECK(t, found);
	stage.exporter.ops.pin = NULL;
	stage_down(&stage);
}

static void who_stays_may_not_pin(struct ktap *t)
{
	struct stage stage;

	stage_up(&stage, true, DMA_BUF_POLICY_CACHED);
	ktap_expect_warn(t, "pin by an importer that does not follow");
	KT_EQ(t, dma_buf_pin(stage.fixed), -EINVAL);
	ktap_expect_warn(t, "unpin by an importer that does not follow");
	dma_buf_unpin(stage.fixed);
	ktap_expect_warn(t, "pin by an importer that does not follow");
	KT_EQ(t, dma_buf_pin(NULL), -EINVAL);
	KT_EQ(t, stage.exporter.pins + stage.exporter.unpins, 0);

	dma_resv_unlock(stage.dmabuf->resv);
	ktap_expect_warn(t, "dma_buf_pin() must be called with the reservation locked");
	ktap_expect_warn(t, "test_pin() must be called with");
	KT_EQ(t, dma_buf_pin(stage.follows), 0);
	dma_resv_lock(stage.dmabuf->resv, NULL);
	dma_buf_unpin(stage.follows);
	stage_down(&stage);
}

static void every_follower_hears_of_a_move_once(struct ktap *t)
{
	struct dma_buf_attachment *second;
	struct stage stage;
	int priv = 100;

	stage_up(&stage, true, DMA_BUF_POLICY_CACHED);
	dma_resv_unlock(stage.dmabuf->resv);
	second = dma_buf_dynamic_attach(stage.dmabuf, stage.dev, &importer_ops, &priv);
	dma_resv_lock(stage.dmabuf->resv, NULL);
	dma_buf_move_notify(stage.dmabuf);
	KT_EQ(t, notified, 105);
	dma_buf_invalidate_mappings(stage.dmabuf);
	KT_EQ(t, notified, 210);
	dma_resv_unlock(stage.dmabuf->resv);
	dma_buf_detach(stage.dmabuf, second);
	dma_resv_lock(stage.dmabuf->resv, NULL);
	dma_buf_move_notify(stage.dmabuf);
	KT_EQ(t, notified, 215);
	stage_down(&stage);
}

static void what_cannot_move_does_not_say_so(struct ktap *t)
{
	struct stage stage;

	stage_up(&stage, false, DMA_BUF_POLICY_CACHED);
	ktap_expect_warn(t, "an exporter without pin says its buffer moves");
	dma_buf_move_notify(stage.dmabuf);
	KT_EQ(t, notified, 0);
	stage_down(&stage);
}

static void revocable_is_who_follows(struct ktap *t)
{
	struct stage stage;

	stage_up(&stage, true, DMA_BUF_POLICY_CACHED);
	KT_CHECK(t, dma_buf_attach_revocable(stage.follows));
	KT_CHECK(t, !dma_buf_attach_revocable(stage.fixed));
	stage_down(&stage);
}

KTAP_MAIN(KTAP_CASE(who_follows_moves_may_pin), KTAP_CASE(exporters_refusal_is_passed_on),
	  KTAP_CASE(exporter_is_asked_with_what_it_has_seen), KTAP_CASE(who_stays_may_not_pin),
	  KTAP_CASE(every_follower_hears_of_a_move_once),
	  KTAP_CASE(what_cannot_move_does_not_say_so), KTAP_CASE(revocable_is_who_follows))
