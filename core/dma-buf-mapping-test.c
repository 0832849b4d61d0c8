/* SPDX-License-Identifier: MIT */
/*
 * dma-buf-mapping-test.c - tables of device memory: what is in them, who gets none, what is undone
 */
#include <linux/dma-buf-mapping.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/scatterlist.h>
#include <linux/string.h>

#include "dma/engine.h"
#include "dma/machine.h"
#include "dma/window.h"
#include "host/port.h"
#include "test-exporter.h"
#include "tests/ktap.h"

struct stage {
	struct machine *machine;
	struct device *owner, *peer;
	struct dma_window *window;
	struct test_exporter exporter;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment attach; /* the exporter's side of one */
};

static void stage_up(struct ktap *t, struct stage *stage, const struct machine_type *type,
		     size_t bytes)
{
	*stage = (struct stage){ .machine = machine_create(type, 0) };
	stage->owner = machine_add_device(stage->machine, "owner", type->coherent);
	stage->peer = machine_add_device(stage->machine, "peer", type->coherent);
	stage->window = dma_window_create(stage->owner, bytes);
	stage->dmabuf = test_export(&stage->exporter, 0);
	KT_CHECK(t, !IS_ERR(stage->window) && !IS_ERR(stage->dmabuf));
	stage->attach = (struct dma_buf_attachment){ .dmabuf = stage->dmabuf, .dev = stage->peer };
	dma_resv_lock(stage->dmabuf->resv, NULL);
}

static void stage_down(struct stage *stage)
{
	dma_resv_unlock(stage->dmabuf->resv);
	dma_buf_put(stage->dmabuf);
	machine_remove_device(stage->peer);
	machine_remove_device(stage->owner);
	machine_destroy(stage->machine);
}

static struct sg_table *map(struct stage *stage, struct phys_vec *vec, size_t nr, size_t size)
{
	return dma_buf_phys_vec_to_sgt(&stage->attach, dma_window_provider(stage->window), vec, nr,
				       size, DMA_BIDIRECTIONAL);
}

static bool reaches(const struct machine_type *type)
{
	return type->iommu || type->dma_mask > DMA_BIT_MASK(32);
}

/* Two ranges in the other order; bytes come and go there, and no page is to be found. */
static void ranges_in_the_buffers_order(struct ktap *t)
{
	for (const struct machine_type *type = machine_types; type->name; type++) {
		struct phys_vec vec[2];
		struct scatterlist *sg;
		struct sg_table *sgt;
		struct stage stage;
		unsigned int i;
		size_t bytes = 0;
		u8 *cpu, byte = 9;

		stage_up(t, &stage, type, 8 * PAGE_SIZE);
		cpu = (u8 *)dma_window_iomem(stage.window);
		vec[0] = (struct phys_vec){ dma_window_start(stage.window) + 5 * PAGE_SIZE,
					    3 * PAGE_SIZE };
		vec[1] = (struct phys_vec){ dma_window_start(stage.window), 2 * PAGE_SIZE };
		dma_set_max_seg_size(stage.peer, 2 * PAGE_SIZE + 1);
		sgt = map(&stage, vec, 2, 5 * PAGE_SIZE);
		if (!reaches(type)) {
			KT_EQ(t, PTR_ERR(sgt), -EINVAL);
			stage_down(&stage);
			continue;
		}
		KT_ASSERT(t, !IS_ERR(sgt));
		KT_EQ(t, sgt->orig_nents, 0);
		KT_EQ(t, sgt->nents, 3);
		for_each_sgtable_dma_sg(sgt, sg, i) {
			KT_CHECK(t, !sg_page(sg) && !sg->length);
			KT_CHECK(t, sg_dma_len(sg) <= 2 * PAGE_SIZE);
			bytes += sg_dma_len(sg);
		}
		KT_EQ(t, bytes, 5 * PAGE_SIZE);
		KT_EQ(t, dma_engine_write(stage.peer, sgt, 3 * PAGE_SIZE - 1, &byte, 1), 0);
		KT_EQ(t, cpu[8 * PAGE_SIZE - 1], 9);
		cpu[0] = 11;
		KT_EQ(t, dma_engine_read(stage.peer, sgt, 3 * PAGE_SIZE, &byte, 1), 0);
		KT_EQ(t, byte, 11);
		dma_sync_sgtable_for_device(stage.peer, sgt, DMA_BIDIRECTIONAL);
		dma_sync_sgtable_for_cpu(stage.peer, sgt, DMA_BIDIRECTIONAL);
		/* an importer that trims */
		sg_dma_address(sgt->sgl) += 64;
		sg_dma_len(sgt->sgl) = 1;
		dma_buf_free_sgt(&stage.attach, sgt, DMA_BIDIRECTIONAL);
		stage_down(&stage);
	}
}

static void ranges_over_4_gib_are_split(struct ktap *t)
{
	for (const struct machine_type *type = machine_types; type->name; type++) {
		size_t size = (4UL << 30) + 2 * PAGE_SIZE;
		struct phys_vec vec;
		struct sg_table *sgt;
		struct stage stage;
		u8 byte = 5;

		if (!reaches(type))
			continue;
		stage_up(t, &stage, type, size);
		vec = (struct phys_vec){ dma_window_start(stage.window), size };
		sgt = map(&stage, &vec, 1, size);
		KT_ASSERT(t, !IS_ERR(sgt));
		KT_EQ(t, sgt->nents, 2);
		KT_EQ(t, sg_dma_len(sgt->sgl), UINT_MAX & PAGE_MASK);
		KT_EQ(t, sg_dma_len(sg_next(sgt->sgl)), 3 * PAGE_SIZE);
		KT_EQ(t, dma_engine_write(stage.peer, sgt, size - 1, &byte, 1), 0);
		KT_EQ(t, ((u8 *)dma_window_iomem(stage.window))[size - 1], 5);
		dma_buf_free_sgt(&stage.attach, sgt, DMA_BIDIRECTIONAL);
		stage_down(&stage);
	}
}

static void nonsense_is_refused(struct ktap *t)
{
	struct phys_vec vec[2];
	struct stage stage;
	phys_addr_t at;

	stage_up(t, &stage, machine_type_find("arm"), 8 * PAGE_SIZE);
	at = dma_window_start(stage.window);
	vec[0] = (struct phys_vec){ at, PAGE_SIZE };
	vec[1] = (struct phys_vec){ at + PAGE_SIZE, PAGE_SIZE };
	KT_EQ(t, PTR_ERR(map(&stage, vec, 2, PAGE_SIZE)), -EINVAL);
	KT_EQ(t, PTR_ERR(map(&stage, vec, 0, 0)), -EINVAL);
	vec[1].len = 0;
	KT_EQ(t, PTR_ERR(map(&stage, vec, 2, PAGE_SIZE)), -EINVAL);
	vec[1].len = 100;
	KT_EQ(t, PTR_ERR(map(&stage, vec, 2, PAGE_SIZE + 100)), -EINVAL);
	vec[1].len = -PAGE_SIZE;
	KT_EQ(t, PTR_ERR(map(&stage, vec, 2, 0)), -EINVAL);
	ktap_expect_warn(t, "!attach");
	KT_EQ(t,
	      PTR_ERR(dma_buf_phys_vec_to_sgt(&stage.attach, NULL, vec, 1, PAGE_SIZE,
					      DMA_TO_DEVICE)),
	      -EINVAL);
	ktap_expect_warn(t, "!attach || !sgt");
	dma_buf_free_sgt(&stage.attach, NULL, DMA_TO_DEVICE);
	stage_down(&stage);
}

static void each_failing_allocation_is_undone(struct ktap *t)
{
	for (const struct machine_type *type = machine_types; type->name; type++) {
		struct phys_vec vec[2];
		struct sg_table *sgt;
		struct stage stage;
		unsigned int k;

		if (!reaches(type))
			continue;
		stage_up(t, &stage, type, 8 * PAGE_SIZE);
		vec[0] = (struct phys_vec){ dma_window_start(stage.window), PAGE_SIZE };
		vec[1] = (struct phys_vec){ dma_window_start(stage.window), 2 * PAGE_SIZE };
		for (k = 1; k < 100; k++) {
			port_fail_nth(PORT_FAULT_ALLOC, k);
			sgt = map(&stage, vec, 2, 3 * PAGE_SIZE);
			port_fail_nth(PORT_FAULT_ALLOC, 0);
			if (!IS_ERR(sgt))
				break;
			KT_EQ(t, PTR_ERR(sgt), -ENOMEM);
		}
		KT_CHECK(t, k > 4 && k < 100);
		dma_buf_free_sgt(&stage.attach, sgt, DMA_BIDIRECTIONAL);
		/* the peer goes without a WARN: nothing is left mapped */
		stage_down(&stage);
	}
}

/* More pieces than a table can count: refused before anything is allocated for them. */
static void more_entries_than_a_table_has(struct ktap *t)
{
	const size_t bytes = SIZE_MAX & PAGE_MASK;
	struct phys_vec vec, two[2];
	struct stage stage;

	stage_up(t, &stage, machine_type_find("arm"), PAGE_SIZE);
	vec = (struct phys_vec){ 0, bytes };
	KT_EQ(t, PTR_ERR(map(&stage, &vec, 1, bytes)), -EINVAL);
	two[0] = (struct phys_vec){ 0, bytes - PAGE_SIZE };
	two[1] = (struct phys_vec){ dma_window_start(stage.window), PAGE_SIZE };
	KT_EQ(t, PTR_ERR(map(&stage, two, 2, bytes)), -EINVAL);
	stage_down(&stage);
}

KTAP_MAIN(KTAP_CASE(ranges_in_the_buffers_order), KTAP_CASE(ranges_over_4_gib_are_split),
	  KTAP_CASE(nonsense_is_refused), KTAP_CASE(each_failing_allocation_is_undone),
	  KTAP_CASE(more_entries_than_a_table_has))
