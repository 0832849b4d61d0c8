/* SPDX-License-Identifier: MIT */
/*
 * debug-table-test.c - importers that look where they should not: caught with debug_tables, not
 * noticed without
 */
#include <linux/device.h>
#include <linux/kernel.h>

#include "buffer.h"
#include "dma/engine.h"
#include "dma/machine.h"
#include "host/port.h"
#include "test-exporter.h"
#include "tests/ktap.h"

#define CATCHES IS_ENABLED(LIBDMABUF_DEBUG_TABLES)

struct stage {
	struct test_exporter exporter;
	struct machine *machine;
	struct device *dev;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
};

static void stage_up(struct stage *stage, enum dma_buf_policy policy)
{
	*stage = (struct stage){ .exporter.ops.may_widen = true };
	stage->machine = machine_create(machine_type_find("arm"), 0);
	stage->dev = machine_add_device(stage->machine, "device", false);
	dma_buf_set_policy(policy);
	stage->dmabuf = test_export(&stage->exporter, 0);
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
	stage->attach = dma_buf_attach(stage->dmabuf, stage->dev);
}

static void stage_down(struct stage *stage)
{
	dma_buf_detach(stage->dmabuf, stage->attach);
	dma_buf_put(stage->dmabuf);
	machine_remove_device(stage->dev);
	machine_destroy(stage->machine);
}

static void pages_are_not_shown(struct ktap *t)
{
	for (int policy = DMA_BUF_POLICY_CACHED; policy <= DMA_BUF_POLICY_REMAP; policy++) {
		struct sg_table *sgt;
		struct stage stage;
		u8 byte = 0;

		stage_up(&stage, policy);
		test_bytes(&stage.exporter)[9] = 77;
		sgt = dma_buf_map_attachment_unlocked(stage.attach, DMA_TO_DEVICE);
		KT_EQ(t, !sg_page(sgt->sgl), CATCHES);
		KT_EQ(t, !sgt->sgl->length, CATCHES);
		KT_EQ(t, sg_dma_len(sgt->sgl), PAGE_SIZE);
		KT_EQ(t, dma_engine_read(stage.dev, sgt, 9, &byte, 1), 0);
		KT_EQ(t, byte, 77);
		dma_buf_unmap_attachment_unlocked(stage.attach, sgt, DMA_TO_DEVICE);
		stage_down(&stage);
	}
}

static void a_device_faults_after_unmap(struct ktap *t)
{
	struct sg_table *sgt, *again;
	struct stage stage;
	u8 byte = 0;

	stage_up(&stage, DMA_BUF_POLICY_CACHED);
	sgt = dma_buf_map_attachment_unlocked(stage.attach, DMA_TO_DEVICE);
	dma_buf_unmap_attachment_unlocked(stage.attach, sgt, DMA_TO_DEVICE);
	KT_EQ(t, dma_engine_read(stage.dev, sgt, 0, &byte, 1) != 0, CATCHES);

	/* Another user's map does not bring it back. */
	again = dma_buf_map_attachment_unlocked(stage.attach, DMA_TO_DEVICE);
	KT_EQ(t, dma_engine_read(stage.dev, sgt, 0, &byte, 1) != 0, CATCHES);
	KT_EQ(t, dma_engine_read(stage.dev, again, 0, &byte, 1), 0);
	dma_buf_unmap_attachment_unlocked(stage.attach, again, DMA_TO_DEVICE);
	stage_down(&stage);
}

static void unmaps_too_many_are_told(struct ktap *t)
{
	struct sg_table *first, *second;
	struct stage stage;

	if (!CATCHES) {
		ktap_skip(t, "this build shows all users one table");
		return;
	}
	stage_up(&stage, DMA_BUF_POLICY_CACHED);
	first = dma_buf_map_attachment_unlocked(stage.attach, DMA_TO_DEVICE);
	second = dma_buf_map_attachment_unlocked(stage.attach, DMA_TO_DEVICE);
	KT_CHECK(t, first != second);
	dma_buf_unmap_attachment_unlocked(stage.attach, first, DMA_TO_DEVICE);
	ktap_expect_warn(t, "unmap of a table that is not mapped");
	dma_buf_unmap_attachment_unlocked(stage.attach, first, DMA_TO_DEVICE);
	ktap_expect_warn(t, "begin_access of a table that is not mapped");
	dma_buf_begin_access(stage.attach, first, DMA_TO_DEVICE);
	ktap_expect_warn(t, "end_access of a table that is not mapped");
	dma_buf_end_access(stage.attach, first, DMA_TO_DEVICE);
	dma_buf_unmap_attachment_unlocked(stage.attach, second, DMA_TO_DEVICE);
	stage_down(&stage);
}

static void failing_allocations_leave_nothing_mapped(struct ktap *t)
{
	for (int policy = DMA_BUF_POLICY_CACHED; policy <= DMA_BUF_POLICY_REMAP; policy++) {
		struct sg_table *sgt;
		struct stage stage;
		int failed = 0;

		stage_up(&stage, policy);
		for (int k = 1; k < 100; k++) {
			port_fail_nth(PORT_FAULT_ALLOC, k);
			sgt = dma_buf_map_attachment_unlocked(stage.attach, DMA_TO_DEVICE);
			port_fail_nth(PORT_FAULT_ALLOC, 0);
			if (!IS_ERR(sgt))
				break;
			KT_EQ(t, PTR_ERR(sgt), -ENOMEM);
			failed++;
		}
		KT_CHECK(t, failed >= 2);
		dma_buf_unmap_attachment_unlocked(stage.attach, sgt, DMA_TO_DEVICE);
		stage_down(&stage);
	}
}

/* A table is its attachment's: another's unmap does not take it, nor does an access through it. */
static void tables_of_another_are_told(struct ktap *t)
{
	struct dma_buf_attachment *other;
	struct sg_table *sgt;
	struct stage stage;

	if (!CATCHES) {
		ktap_skip(t, "this build shows all users one table");
		return;
	}
	stage_up(&stage, DMA_BUF_POLICY_CACHED);
	other = dma_buf_attach(stage.dmabuf, stage.dev);
	sgt = dma_buf_map_attachment_unlocked(stage.attach, DMA_TO_DEVICE);
	ktap_expect_warn(t, "unmap of a table that is not mapped");
	dma_buf_unmap_attachment_unlocked(other, sgt, DMA_TO_DEVICE);
	ktap_expect_warn(t, "begin_access of a table that is not mapped");
	dma_buf_begin_access(other, sgt, DMA_TO_DEVICE);
	dma_buf_begin_access(stage.attach, sgt, DMA_TO_DEVICE);
	dma_buf_end_access(stage.attach, sgt, DMA_TO_DEVICE);
	dma_buf_unmap_attachment_unlocked(stage.attach, sgt, DMA_TO_DEVICE);
	dma_buf_detach(stage.dmabuf, other);
	stage_down(&stage);
}

/* Old tables are freed after a while; who uses the table of each map never notices. */
static void many_maps_leave_few_tables(struct ktap *t)
{
	struct sg_table *kept, *sgt;
	struct stage stage;
	u8 byte;

	stage_up(&stage, DMA_BUF_POLICY_CACHED);
	kept = dma_buf_map_attachment_unlocked(stage.attach, DMA_TO_DEVICE);
	for (int i = 0; i < 300; i++) {
		sgt = dma_buf_map_attachment_unlocked(stage.attach, DMA_TO_DEVICE);
		KT_EQ(t, dma_engine_read(stage.dev, sgt, 0, &byte, 1), 0);
		dma_buf_unmap_attachment_unlocked(stage.attach, sgt, DMA_TO_DEVICE);
	}
	KT_EQ(t, dma_engine_read(stage.dev, kept, 0, &byte, 1), 0);
	dma_buf_unmap_attachment_unlocked(stage.attach, kept, DMA_TO_DEVICE);
	stage_down(&stage);
}

/* What is mapped already fails for want of its own table only, and counts nobody in. */
static void a_table_not_shown_is_not_mapped(struct ktap *t)
{
	struct sg_table *kept, *sgt;
	struct stage stage;
	int failed = 0;

	stage_up(&stage, DMA_BUF_POLICY_CACHED);
	kept = dma_buf_map_attachment_unlocked(stage.attach, DMA_TO_DEVICE);
	for (int k = 1; k < 10; k++) {
		port_fail_nth(PORT_FAULT_ALLOC, k);
		sgt = dma_buf_map_attachment_unlocked(stage.attach, DMA_TO_DEVICE);
		port_fail_nth(PORT_FAULT_ALLOC, 0);
		if (!IS_ERR(sgt))
			break;
		KT_EQ(t, PTR_ERR(sgt), -ENOMEM);
		failed++;
	}
	KT_EQ(t, failed, CATCHES ? 2 : 0);
	dma_buf_unmap_attachment_unlocked(stage.attach, sgt, DMA_TO_DEVICE);
	dma_buf_unmap_attachment_unlocked(stage.attach, kept, DMA_TO_DEVICE);
	stage_down(&stage);
}

KTAP_MAIN(KTAP_CASE(pages_are_not_shown), KTAP_CASE(a_device_faults_after_unmap),
	  KTAP_CASE(unmaps_too_many_are_told), KTAP_CASE(failing_allocations_leave_nothing_mapped),
	  KTAP_CASE(tables_of_another_are_told), KTAP_CASE(many_maps_leave_few_tables),
	  KTAP_CASE(a_table_not_shown_is_not_mapped))
