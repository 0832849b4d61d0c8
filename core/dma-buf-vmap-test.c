/* SPDX-License-Identifier: MIT */
/*
 * dma-buf-vmap-test.c - the kernel's mapping: shared, counted, and right without brackets
 */
#include <linux/iosys-map.h>
#include <linux/mm.h>

#include "buffer.h"
#include "dma/engine.h"
#include "dma/machine.h"
#include "host/port.h"
#include "test-exporter.h"
#include "tests/ktap.h"

static int vmaps, vunmaps, refuse_vmap;
static bool vmap_is_iomem;

static int test_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct test_exporter *exporter = dmabuf->priv;

	dma_resv_assert_held(dmabuf->resv);
	if (refuse_vmap)
		return refuse_vmap;
	vmaps++;
	if (vmap_is_iomem)
		iosys_map_set_vaddr_iomem(map, test_bytes(exporter));
	else
		iosys_map_set_vaddr(map, test_bytes(exporter));
	return 0;
}

static void test_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	dma_resv_assert_held(dmabuf->resv);
	vunmaps++;
}

static struct dma_buf *vmap_export(struct test_exporter *exporter)
{
	*exporter = (struct test_exporter){
		.ops = { .may_widen = true,
			 .cpu_access_only_syncs = true,
			 .vmap = test_vmap,
			 .vunmap = test_vunmap },
	};
	vmaps = vunmaps = refuse_vmap = 0;
	vmap_is_iomem = false;
	return test_export(exporter, 0);
}

static int vmap_bracketed_unlocked(struct dma_buf *dmabuf, struct iosys_map *map)
{
	int ret;

	dma_resv_lock(dmabuf->resv, NULL);
	ret = dma_buf_vmap_bracketed(dmabuf, map);
	dma_resv_unlock(dmabuf->resv);
	return ret;
}

/* --- counting --------------------------------------------------------------------------------- */

static void one_map_for_all_users(struct ktap *t)
{
	struct test_exporter exporter;
	struct dma_buf *dmabuf = vmap_export(&exporter);
	struct iosys_map first, second;

	KT_EQ(t, dma_buf_vmap_unlocked(dmabuf, &first), 0);
	KT_EQ(t, vmap_bracketed_unlocked(dmabuf, &second), 0);
	KT_CHECK(t, first.vaddr == test_bytes(&exporter));
	KT_CHECK(t, iosys_map_is_equal(&first, &second));
	KT_EQ(t, vmaps, 1);
	dma_buf_vunmap_unlocked(dmabuf, &first);
	KT_EQ(t, vunmaps, 0);
	dma_buf_vunmap_unlocked(dmabuf, &second);
	KT_EQ(t, vunmaps, 1);

	KT_EQ(t, dma_buf_vmap_unlocked(dmabuf, &first), 0);
	KT_EQ(t, vmaps, 2);
	dma_buf_vunmap_unlocked(dmabuf, &first);
	dma_buf_put(dmabuf);
}

static void refusals_are_passed_on_and_nothing_is_counted(struct ktap *t)
{
	struct test_exporter exporter;
	struct dma_buf *dmabuf = vmap_export(&exporter);
	struct iosys_map map = IOSYS_MAP_INIT_VADDR_IOMEM(&map);

	refuse_vmap = -ENOSPC;
	KT_EQ(t, dma_buf_vmap_unlocked(dmabuf, &map), -ENOSPC);
	KT_CHECK(t, iosys_map_is_null(&map) && !map.is_iomem);
	exporter.ops.vmap = NULL;
	KT_EQ(t, dma_buf_vmap_unlocked(dmabuf, &map), -EINVAL);
	KT_EQ(t, to_buffer(dmabuf)->vmap.users, 0);
	dma_buf_put(dmabuf);
}

static void misuse_is_named(struct ktap *t)
{
	struct test_exporter exporter;
	struct dma_buf *dmabuf = vmap_export(&exporter);
	struct iosys_map map, other = IOSYS_MAP_INIT_VADDR(&other);

	ktap_expect_warn(t, "vmap without a buffer");
	KT_EQ(t, dma_buf_vmap_unlocked(NULL, &map), -EINVAL);
	ktap_expect_warn(t, "vmap without a buffer");
	KT_EQ(t, dma_buf_vmap_unlocked(dmabuf, NULL), -EINVAL);
	ktap_expect_warn(t, "vunmap without a buffer");
	dma_buf_vunmap_unlocked(dmabuf, NULL);
	ktap_expect_warn(t, "vunmap of a buffer that is not mapped");
	dma_buf_vunmap_unlocked(dmabuf, &other);

	KT_EQ(t, dma_buf_vmap_unlocked(dmabuf, &map), 0);
	ktap_expect_warn(t, "vunmap of another map");
	dma_buf_vunmap_unlocked(dmabuf, &other);
	KT_EQ(t, vunmaps, 0);
	ktap_expect_warn(t, "dma_buf_vunmap() must be called with the reservation locked");
	ktap_expect_warn(t, "test_vunmap() must be called with");
	dma_buf_vunmap(dmabuf, &map);
	KT_EQ(t, vunmaps, 1);
	dma_buf_put(dmabuf);
}

/* --- without brackets ------------------------------------------------------------------------- */

enum user { ORDINARY, BRACKETED_WITHOUT_BRACKETS, BRACKETED, STRAY_END, BRACKETED_BESIDE_ORDINARY };

/* The CPU's half of an exchange through @map. */
static void cpu_touches(struct dma_buf *dmabuf, enum user user, struct iosys_map *map, u8 *seen,
			u8 write)
{
	if (user == BRACKETED)
		dma_buf_begin_cpu_access(dmabuf, DMA_BIDIRECTIONAL);
	*seen = *(u8 *)map->vaddr;
	*(u8 *)map->vaddr = write;
	if (user == BRACKETED || user == STRAY_END)
		dma_buf_end_cpu_access(dmabuf, DMA_BIDIRECTIONAL);
}

/* How many of the bytes that CPU and device pass to each other through a kept mapping arrive. */
static int exchange(struct ktap *t, const struct machine_type *type, enum user user)
{
	struct machine *machine = machine_create(type, 0);
	struct device *dev = machine_add_device(machine, "device", type->coherent);
	struct test_exporter exporter;
	struct dma_buf *dmabuf = vmap_export(&exporter);
	struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, dev);
	struct iosys_map map, ordinary;
	int arrived = 0;

	if (user == ORDINARY || user == STRAY_END)
		KT_EQ(t, dma_buf_vmap_unlocked(dmabuf, &map), 0);
	else
		KT_EQ(t, vmap_bracketed_unlocked(dmabuf, &map), 0);
	if (user == BRACKETED_BESIDE_ORDINARY) {
		KT_EQ(t, dma_buf_vmap_unlocked(dmabuf, &ordinary), 0);
		dma_buf_vunmap_unlocked(dmabuf, &ordinary);
	}
	for (u8 round = 1; round < 6; round++) {
		struct sg_table *sgt;
		u8 seen;

		cpu_touches(dmabuf, user, &map, &seen, round);
		arrived += round == 1 || seen == 100 + round - 1;
		sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
		KT_EQ(t, dma_engine_read(dev, sgt, 0, &seen, 1), 0);
		arrived += seen == round;
		seen = 100 + round;
		KT_EQ(t, dma_engine_write(dev, sgt, 0, &seen, 1), 0);
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
	}
	KT_EQ(t, exporter.maps, 1);
	dma_buf_vunmap_unlocked(dmabuf, &map);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
	machine_remove_device(dev);
	machine_destroy(machine);
	return arrived;
}

static void who_never_brackets_is_right(struct ktap *t)
{
	for (const struct machine_type *type = machine_types; type->name; type++) {
		KT_EQ(t, exchange(t, type, ORDINARY), 10);
		KT_EQ(t, exchange(t, type, BRACKETED), 10);
	}
}

static void who_promises_brackets_must_keep_it(struct ktap *t)
{
	KT_CHECK(t, exchange(t, machine_type_find("arm"), BRACKETED_WITHOUT_BRACKETS) < 10);
	KT_CHECK(t, exchange(t, machine_type_find("bounce"), BRACKETED_WITHOUT_BRACKETS) < 10);
}

static void an_end_too_many_does_not_end_the_mistrust(struct ktap *t)
{
	KT_EQ(t, exchange(t, machine_type_find("arm"), STRAY_END), 10);
	KT_EQ(t, exchange(t, machine_type_find("bounce"), STRAY_END), 10);
}

static void mistrust_lasts_to_the_last_user(struct ktap *t)
{
	KT_EQ(t, exchange(t, machine_type_find("arm"), BRACKETED_BESIDE_ORDINARY), 10);
}

static void windows_hold_nothing_open(struct ktap *t)
{
	struct test_exporter exporter;
	struct dma_buf *dmabuf = vmap_export(&exporter);
	struct coherence *coherence = &to_buffer(dmabuf)->coherence;
	struct iosys_map map;

	for (int iomem = 0; iomem < 2; iomem++) {
		vmap_is_iomem = iomem;
		KT_EQ(t, dma_buf_vmap_unlocked(dmabuf, &map), 0);
		KT_EQ(t, map.is_iomem, iomem);
		coherence_lock(coherence);
		KT_EQ(t, coherence_open_at(coherence, 0, COHERENCE_WRITE),
		      iomem ? 0 : COHERENCE_SET_C);
		coherence_unlock(coherence);
		dma_buf_vunmap_unlocked(dmabuf, &map);
	}
	dma_buf_put(dmabuf);
}

static void failing_allocations_leave_nothing(struct ktap *t)
{
	struct test_exporter exporter;
	struct dma_buf *dmabuf = vmap_export(&exporter);
	struct iosys_map first, map;
	int ret, failed = 0;

	for (int beside = 0; beside < 2; beside++) {
		if (beside)
			KT_EQ(t, vmap_bracketed_unlocked(dmabuf, &first), 0);
		for (int k = 1; k < 100; k++) {
			port_fail_nth(PORT_FAULT_ALLOC, k);
			ret = dma_buf_vmap_unlocked(dmabuf, &map);
			port_fail_nth(PORT_FAULT_ALLOC, 0);
			if (!ret)
				break;
			failed++;
			KT_EQ(t, ret, -ENOMEM);
			KT_CHECK(t, iosys_map_is_null(&map));
			KT_EQ(t, vmaps - vunmaps, beside);
		}
		dma_buf_vunmap_unlocked(dmabuf, &map);
		if (beside)
			dma_buf_vunmap_unlocked(dmabuf, &first);
		KT_EQ(t, vmaps, vunmaps);
	}
	KT_CHECK(t, failed >= 2);
	dma_buf_put(dmabuf);
}

/* Two who never bracket: mistrusted once, until the last has gone. */
static void users_without_brackets_share_the_mistrust(struct ktap *t)
{
	struct test_exporter exporter;
	struct dma_buf *dmabuf = vmap_export(&exporter);
	struct coherence *coherence = &to_buffer(dmabuf)->coherence;
	struct iosys_map first, second;

	dma_resv_lock(dmabuf->resv, NULL);
	KT_EQ(t, dma_buf_vmap(dmabuf, &first), 0);
	KT_EQ(t, dma_buf_vmap(dmabuf, &second), 0);
	KT_CHECK(t, iosys_map_is_equal(&first, &second));
	for (int users = 2; users >= 0; users--) {
		coherence_lock(coherence);
		KT_EQ(t, coherence_open_at(coherence, 0, COHERENCE_WRITE),
		      users ? COHERENCE_SET_C : 0);
		coherence_unlock(coherence);
		if (users)
			dma_buf_vunmap(dmabuf, &second);
	}
	KT_EQ(t, vunmaps, 1);
	dma_resv_unlock(dmabuf->resv);
	dma_buf_put(dmabuf);
}

/* An exporter may have nothing to undo, also when the directory has no memory for the mistrust. */
static void an_exporter_without_vunmap(struct ktap *t)
{
	struct test_exporter exporter;
	struct dma_buf *dmabuf = vmap_export(&exporter);
	struct iosys_map map;
	int ret = -1, failed = 0;

	exporter.ops.vunmap = NULL;
	for (int k = 1; ret && k < 100; k++) {
		port_fail_nth(PORT_FAULT_ALLOC, k);
		ret = dma_buf_vmap_unlocked(dmabuf, &map);
		port_fail_nth(PORT_FAULT_ALLOC, 0);
		failed += !!ret;
	}
	KT_EQ(t, ret, 0);
	KT_CHECK(t, failed);
	KT_EQ(t, to_buffer(dmabuf)->vmap.users, 1);
	dma_buf_vunmap_unlocked(dmabuf, &map);
	KT_EQ(t, to_buffer(dmabuf)->vmap.users, 0);
	KT_EQ(t, vunmaps, 0);
	dma_buf_put(dmabuf);
}

KTAP_MAIN(KTAP_CASE(one_map_for_all_users),
	  KTAP_CASE(refusals_are_passed_on_and_nothing_is_counted), KTAP_CASE(misuse_is_named),
	  KTAP_CASE(who_never_brackets_is_right), KTAP_CASE(who_promises_brackets_must_keep_it),
	  KTAP_CASE(an_end_too_many_does_not_end_the_mistrust),
	  KTAP_CASE(mistrust_lasts_to_the_last_user), KTAP_CASE(windows_hold_nothing_open),
	  KTAP_CASE(failing_allocations_leave_nothing),
	  KTAP_CASE(users_without_brackets_share_the_mistrust),
	  KTAP_CASE(an_exporter_without_vunmap))
