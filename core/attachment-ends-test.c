/* SPDX-License-Identifier: MIT */
/*
 * attachment-ends-test.c - attachments that are refused, that outlive their device, that end too
 * early or never: each is told, and nothing is left behind
 */
#include <linux/device.h>
#include <linux/workqueue.h>
#include <uapi/linux/dma-buf.h>

#include "buffer.h"
#include "dma/machine.h"
#include "host/file.h"
#include "mapping-slot.h"
#include "test-exporter.h"
#include "tests/ktap.h"

struct stage {
	struct machine *machine;
	struct device *dev;
	struct test_exporter exporter;
	struct dma_buf *dmabuf;
};

static void stage_up(struct ktap *t, struct stage *stage, enum dma_buf_policy policy)
{
	stage->machine = machine_create(machine_type_find("arm"), 0);
	stage->dev = machine_add_device(stage->machine, "importer", false);
	dma_buf_set_policy(policy);
	stage->dmabuf = test_export(&stage->exporter, 0);
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
	KT_CHECK(t, !IS_ERR(stage->dmabuf));
}

/* The buffer has been put. */
static void stage_down(struct ktap *t, struct stage *stage)
{
	flush_workqueue(system_wq);
	KT_EQ(t, stage->exporter.releases, 1);
	KT_EQ(t, stage->exporter.attaches, stage->exporter.detaches);
	KT_EQ(t, stage->exporter.maps, stage->exporter.unmaps);
	KT_EQ(t, stage->exporter.pins, stage->exporter.unpins);
	if (stage->dev)
		machine_remove_device(stage->dev);
	machine_destroy(stage->machine);
}

/* --- refused ---------------------------------------------------------------------------------- */

static int attaches_left;

static int refuse_later(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct test_exporter *exporter = dmabuf->priv;

	if (!attaches_left--)
		return -ENOSPC;
	exporter->attaches++;
	return 0;
}

/* One that is not widened is attached to once for each direction: all of them or none. */
static void an_attachment_refused_later_takes_back_the_first(struct ktap *t)
{
	for (int policy = DMA_BUF_POLICY_CACHED; policy <= DMA_BUF_POLICY_REMAP; policy++) {
		int each = policy == DMA_BUF_POLICY_CACHED ? 3 : 1;

		for (int k = 0; k <= each; k++) {
			struct stage stage = {};
			struct dma_buf_attachment *attach;

			stage_up(t, &stage, policy);
			stage.exporter.ops.attach = refuse_later;
			attaches_left = k;
			attach = dma_buf_attach(stage.dmabuf, stage.dev);
			KT_EQ(t, IS_ERR(attach) ? PTR_ERR(attach) : 0, k < each ? -ENOSPC : 0);
			if (!IS_ERR(attach))
				dma_buf_detach(stage.dmabuf, attach);
			dma_buf_put(stage.dmabuf);
			stage_down(t, &stage);
		}
	}
}

static int refuse_pin(struct dma_buf_attachment *attach)
{
	return -EBUSY;
}

static void a_pin_refused_maps_nothing(struct ktap *t)
{
	for (int policy = DMA_BUF_POLICY_CACHED; policy <= DMA_BUF_POLICY_REMAP; policy++) {
		struct stage stage = { .exporter.ops = { .pin = refuse_pin, .unpin = test_unpin } };
		struct dma_buf_attachment *attach;

		stage_up(t, &stage, policy);
		attach = dma_buf_attach(stage.dmabuf, stage.dev);
		KT_EQ(t, PTR_ERR(dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE)), -EBUSY);
		KT_EQ(t, stage.exporter.maps, 0);
		dma_buf_detach(stage.dmabuf, attach);
		dma_buf_put(stage.dmabuf);
		stage_down(t, &stage);
	}
}

/* --- without its device or buffer ------------------------------------------------------------- */

static void a_device_goes_before_its_importers(struct ktap *t)
{
	struct dma_buf_attachment *attach[2];
	struct stage stage = {};
	struct sg_table *sgt;

	stage_up(t, &stage, DMA_BUF_POLICY_CACHED);
	for (int i = 0; i < 2; i++)
		attach[i] = dma_buf_attach(stage.dmabuf, stage.dev);
	sgt = dma_buf_map_attachment_unlocked(attach[0], DMA_TO_DEVICE);
	dma_buf_unmap_attachment_unlocked(attach[0], sgt, DMA_TO_DEVICE);
	get_device(stage.dev);
	ktap_expect_warn(t, "device importer goes while attached to a test buffer");
	machine_remove_device(stage.dev);
	/* what was kept is gone, and nothing can be mapped any more */
	KT_EQ(t, stage.exporter.unmaps, 1);
	KT_EQ(t, PTR_ERR(dma_buf_map_attachment_unlocked(attach[1], DMA_TO_DEVICE)), -ENODEV);
	for (int i = 0; i < 2; i++) {
		KT_EQ(t, stage.exporter.detaches, 0);
		dma_buf_detach(stage.dmabuf, attach[i]);
	}
	KT_EQ(t, stage.exporter.detaches, 3);
	put_device(stage.dev);
	stage.dev = NULL;
	dma_buf_put(stage.dmabuf);
	stage_down(t, &stage);
}

static void a_buffer_goes_before_its_importers(struct ktap *t)
{
	struct dma_buf_attachment forgotten = {};
	struct stage stage = {};

	stage_up(t, &stage, DMA_BUF_POLICY_CACHED);
	KT_CHECK(t, !IS_ERR(dma_buf_attach(stage.dmabuf, stage.dev)));
	ktap_expect_warn(t, "released while importer is attached");
	dma_buf_put(stage.dmabuf);
	stage_down(t, &stage);

	stage = (struct stage){};
	stage_up(t, &stage, DMA_BUF_POLICY_REMAP);
	list_add(&forgotten.node, &stage.dmabuf->attachments);
	ktap_expect_warn(t, "released while attached");
	dma_buf_put(stage.dmabuf);
	stage_down(t, &stage);
}

/* --- detached too early ----------------------------------------------------------------------- */

static void the_last_of_two_unmaps_ends_it(struct ktap *t)
{
	for (int policy = DMA_BUF_POLICY_CACHED; policy <= DMA_BUF_POLICY_REMAP; policy++) {
		struct dma_buf_attachment *attach;
		struct sg_table *to, *from;
		struct stage stage = {};

		stage_up(t, &stage, policy);
		attach = dma_buf_attach(stage.dmabuf, stage.dev);
		to = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
		from = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);
		ktap_expect_warn(t, "detach while mapped: importer still uses a buffer of test");
		dma_buf_detach(stage.dmabuf, attach);
		dma_buf_put(stage.dmabuf);
		dma_buf_unmap_attachment_unlocked(attach, to, DMA_TO_DEVICE);
		flush_workqueue(system_wq);
		KT_EQ(t, stage.exporter.unmaps, 1);
		KT_EQ(t, stage.exporter.releases, 0);
		dma_buf_unmap_attachment_unlocked(attach, from, DMA_FROM_DEVICE);
		stage_down(t, &stage);
	}
}

/* --- unmapped as something else --------------------------------------------------------------- */

/* In one slot for all directions the head tells; the count that was taken is given back. */
static void another_direction_ends_the_same_mapping(struct ktap *t)
{
	for (int held = 0; held < 2; held++) {
		struct stage stage = { .exporter.ops.may_widen = true };
		struct dma_buf_attachment *attach;
		struct sg_table *sgt;

		stage_up(t, &stage, DMA_BUF_POLICY_CACHED);
		attach = dma_buf_attach(stage.dmabuf, stage.dev);
		ktap_expect_warn(t, "unmap with direction 2 of a mapping made with another");
		if (held) {
			dma_resv_lock(stage.dmabuf->resv, NULL);
			sgt = dma_buf_map_attachment(attach, DMA_TO_DEVICE);
			dma_buf_unmap_attachment(attach, sgt, DMA_FROM_DEVICE);
			dma_resv_unlock(stage.dmabuf->resv);
		} else {
			sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
			dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_FROM_DEVICE);
		}
		KT_CHECK(t, !mapping_slot_active(attach->slot[0]));
		dma_buf_detach(stage.dmabuf, attach);
		dma_buf_put(stage.dmabuf);
		stage_down(t, &stage);
	}
}

static struct sg_table *the_table;
static struct sg_table *(*real_map)(struct dma_buf_attachment *attach, enum dma_data_direction dir);
static int table_users, unmapped[3];

static struct sg_table *map_once(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	if (!table_users++)
		the_table = real_map(attach, DMA_BIDIRECTIONAL);
	return the_table;
}

static void (*real_unmap)(struct dma_buf_attachment *attach, struct sg_table *sgt,
			  enum dma_data_direction dir);

static void unmap_once(struct dma_buf_attachment *attach, struct sg_table *sgt,
		       enum dma_data_direction dir)
{
	unmapped[dir]++;
	if (!--table_users)
		real_unmap(attach, sgt, DMA_BIDIRECTIONAL);
}

/* An exporter may return one table for all maps: the direction tells which is unmapped. */
static void one_table_for_three_maps(struct ktap *t)
{
	static const enum dma_data_direction dirs[] = { DMA_TO_DEVICE, DMA_FROM_DEVICE,
							DMA_BIDIRECTIONAL };
	struct dma_buf_attachment *attach;
	struct sg_table *sgt[3];
	struct stage stage = {};

	stage_up(t, &stage, DMA_BUF_POLICY_REMAP);
	real_map = stage.exporter.ops.map_dma_buf;
	real_unmap = stage.exporter.ops.unmap_dma_buf;
	stage.exporter.ops.map_dma_buf = map_once;
	stage.exporter.ops.unmap_dma_buf = unmap_once;
	memset(unmapped, 0, sizeof(unmapped));
	attach = dma_buf_attach(stage.dmabuf, stage.dev);
	for (int i = 0; i < 3; i++) {
		sgt[i] = dma_buf_map_attachment_unlocked(attach, dirs[i]);
		KT_CHECK(t, IS_ENABLED(LIBDMABUF_DEBUG_TABLES) || sgt[i] == the_table);
	}
	for (int i = 0; i < 3; i++) {
		dma_buf_unmap_attachment_unlocked(attach, sgt[i], dirs[i]);
		KT_EQ(t, unmapped[dirs[i]], 1);
	}
	dma_buf_detach(stage.dmabuf, attach);
	dma_buf_put(stage.dmabuf);
	stage_down(t, &stage);
}

/* --- by who holds the reservation, by whom nothing was told ------------------------------------ */

static void who_holds_the_reservation_is_refused(struct ktap *t)
{
	struct dma_buf_export_sync_file request = { .flags = DMA_BUF_SYNC_READ, .fd = -1 };
	struct dma_buf_import_sync_file fence = { .flags = DMA_BUF_SYNC_READ, .fd = -1 };
	struct vm_area_struct vma = { .vm_start = 0, .vm_end = PAGE_SIZE };
	struct stage stage = {};
	int fd;

	stage_up(t, &stage, DMA_BUF_POLICY_CACHED);
	fd = dma_buf_fd(stage.dmabuf, O_CLOEXEC);
	dma_resv_lock(stage.dmabuf->resv, NULL);
	ktap_expect_warn(t, "reservation");
	KT_EQ(t, host_ioctl(fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, (unsigned long)&request), -EDEADLK);
	ktap_expect_warn(t, "reservation");
	KT_EQ(t, host_ioctl(fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, (unsigned long)&fence), -EDEADLK);
	ktap_expect_warn(t, "reservation");
	KT_EQ(t, dma_buf_mmap(stage.dmabuf, &vma, 0), -EDEADLK);
	dma_resv_unlock(stage.dmabuf->resv);
	KT_EQ(t, host_close(fd), 0);
	stage_down(t, &stage);
}

/* What is not kept needs nobody to tell of accesses. */
static void an_exporter_that_tells_nothing_under_remap(struct ktap *t)
{
	struct stage stage = { .exporter.blind = true };
	struct coherence *coherence;

	stage_up(t, &stage, DMA_BUF_POLICY_REMAP);
	coherence = &to_buffer(stage.dmabuf)->coherence;
	coherence_lock(coherence);
	KT_EQ(t, coherence_open_at(coherence, 0, COHERENCE_WRITE), 0);
	coherence_unlock(coherence);
	dma_buf_put(stage.dmabuf);
	stage_down(t, &stage);
}

static void an_end_of_no_access_is_told(struct ktap *t)
{
	struct dma_buf_attachment *attach;
	struct stage stage = {};

	stage_up(t, &stage, DMA_BUF_POLICY_CACHED);
	attach = dma_buf_attach(stage.dmabuf, stage.dev);
	ktap_expect_warn(t, "end_access without an attachment, a table or a direction");
	dma_buf_end_access(attach, NULL, DMA_TO_DEVICE);
	dma_buf_detach(stage.dmabuf, attach);
	dma_buf_put(stage.dmabuf);
	stage_down(t, &stage);
}

static void nobody_moves(struct dma_buf_attachment *attach)
{
}

/* What the importer says of itself, the exporter sees in its attachment and the importer in its. */
static void peers_are_told(struct ktap *t)
{
	static struct dma_buf_attach_ops ops = { .move_notify = nobody_moves };

	for (int how = 0; how < 4; how++) {
		struct dma_buf_attachment *attach;
		struct stage stage = {};

		ops.allow_peer2peer = how & 1;
		stage_up(t, &stage, how & 2 ? DMA_BUF_POLICY_REMAP : DMA_BUF_POLICY_CACHED);
		attach = dma_buf_dynamic_attach(stage.dmabuf, stage.dev, &ops, NULL);
		KT_EQ(t, attach->peer2peer, how & 1);
		dma_buf_detach(stage.dmabuf, attach);
		dma_buf_put(stage.dmabuf);
		stage_down(t, &stage);
	}
}

static void an_unmap_without_the_reservation_is_told(struct ktap *t)
{
	struct dma_buf_attachment *attach;
	struct stage stage = {};
	struct sg_table *sgt;

	stage_up(t, &stage, DMA_BUF_POLICY_REMAP);
	attach = dma_buf_attach(stage.dmabuf, stage.dev);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	ktap_expect_warn(t, "remap_unmap() must be called with the reservation locked");
	ktap_expect_warn(t, "test_unmap() must be called with the reservation locked");
	dma_buf_unmap_attachment(attach, sgt, DMA_TO_DEVICE);
	dma_buf_detach(stage.dmabuf, attach);
	dma_buf_put(stage.dmabuf);
	stage_down(t, &stage);
}

KTAP_MAIN(KTAP_CASE(an_attachment_refused_later_takes_back_the_first),
	  KTAP_CASE(a_pin_refused_maps_nothing), KTAP_CASE(a_device_goes_before_its_importers),
	  KTAP_CASE(a_buffer_goes_before_its_importers), KTAP_CASE(the_last_of_two_unmaps_ends_it),
	  KTAP_CASE(another_direction_ends_the_same_mapping), KTAP_CASE(one_table_for_three_maps),
	  KTAP_CASE(who_holds_the_reservation_is_refused),
	  KTAP_CASE(an_exporter_that_tells_nothing_under_remap),
	  KTAP_CASE(an_end_of_no_access_is_told), KTAP_CASE(peers_are_told),
	  KTAP_CASE(an_unmap_without_the_reservation_is_told))
