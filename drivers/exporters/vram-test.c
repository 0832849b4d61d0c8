/* SPDX-License-Identifier: MIT */
/*
 * vram-test.c - where a buffer is, who makes it move, and that its bytes go along
 */
#include <sys/mman.h>
#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/iosys-map.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "dma/engine.h"
#include "dma/machine.h"
#include "drivers/exporters/vram.h"
#include "host/file.h"
#include "host/memory.h"
#include "host/port.h"
#include "tests/ktap.h"

#define BYTES (3 * PAGE_SIZE)

struct bed {
	struct machine *machine;
	struct device *owner, *other;
	struct vram *vram;
	u8 got[BYTES], want[BYTES];
};

static void bed_init(struct bed *bed, const struct machine_type *type, bool owner_coherent,
		     enum dma_buf_policy policy)
{
	dma_buf_set_policy(policy);
	bed->machine = machine_create(type, 0);
	bed->owner = machine_add_device(bed->machine, "gpu", owner_coherent);
	bed->other = machine_add_device(bed->machine, "encoder", type->coherent);
	bed->vram = vram_create(bed->owner, 2 * BYTES);
	for (size_t i = 0; i < BYTES; i++)
		bed->want[i] = 1 + i % 251;
}

static void bed_fini(struct bed *bed)
{
	vram_destroy(bed->vram);
	machine_remove_device(bed->other);
	machine_remove_device(bed->owner);
	machine_destroy(bed->machine);
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
	rcu_barrier();
}

/* One case on every machine, with either kind of owner, under both policies. */
static void everywhere(struct ktap *t, void (*fn)(struct ktap *t, struct bed *bed))
{
	for (const struct machine_type *type = machine_types; type->name; type++)
		for (unsigned int which = 0; which < 4; which++) {
			struct bed bed;

			bed_init(&bed, type, type->coherent || which & 1, which >> 1);
			fn(t, &bed);
			bed_fini(&bed);
		}
}

static void on_a_phone(struct ktap *t, void (*fn)(struct ktap *t, struct bed *bed))
{
	for (int policy = 0; policy < 2; policy++) {
		struct bed bed;

		bed_init(&bed, machine_type_find("arm"), false, policy);
		fn(t, &bed);
		bed_fini(&bed);
	}
}

static struct dma_buf *in_vram(struct bed *bed)
{
	return vram_allocate(bed->vram, BYTES, VRAM_PLACEMENT_VRAM, NULL);
}

static int move(struct dma_buf *dmabuf, enum vram_placement where)
{
	int ret;

	dma_resv_lock(dmabuf->resv, NULL);
	ret = vram_move(dmabuf, where);
	dma_resv_unlock(dmabuf->resv);
	return ret;
}

static void owner_writes(struct ktap *t, struct bed *bed, struct dma_buf *dmabuf)
{
	KT_EQ(t, vram_begin_access(dmabuf, DMA_FROM_DEVICE), 0);
	KT_EQ(t, vram_write(dmabuf, 0, bed->want, BYTES), 0);
	vram_end_access(dmabuf, DMA_FROM_DEVICE);
}

static bool owner_reads_right(struct ktap *t, struct bed *bed, struct dma_buf *dmabuf)
{
	memset(bed->got, 0xee, BYTES);
	KT_EQ(t, vram_begin_access(dmabuf, DMA_TO_DEVICE), 0);
	KT_EQ(t, vram_read(dmabuf, 0, bed->got, BYTES), 0);
	vram_end_access(dmabuf, DMA_TO_DEVICE);
	return !memcmp(bed->got, bed->want, BYTES);
}

/* --- importers -------------------------------------------------------------------------------- */

static unsigned int notified;
static DECLARE_COMPLETION(notice);

static void on_move(struct dma_buf_attachment *attach)
{
	dma_resv_assert_held(attach->dmabuf->resv);
	notified++;
	complete(&notice);
}

static const struct dma_buf_attach_ops peer_ops = { .allow_peer2peer = true,
						    .move_notify = on_move };
static const struct dma_buf_attach_ops mover_ops = { .move_notify = on_move };

static bool importer_reads_right(struct ktap *t, struct bed *bed, struct dma_buf_attachment *attach)
{
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);

	if (!KT_CHECK(t, !IS_ERR(sgt)))
		return false;
	memset(bed->got, 0xee, BYTES);
	KT_EQ(t, sgt->nents, 1);
	KT_EQ(t, dma_engine_read(bed->other, sgt, 0, bed->got, BYTES), 0);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	return !memcmp(bed->got, bed->want, BYTES);
}

static void importer_writes(struct ktap *t, struct bed *bed, struct dma_buf_attachment *attach)
{
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);

	KT_ASSERT(t, !IS_ERR(sgt));
	KT_EQ(t, dma_engine_write(bed->other, sgt, 0, bed->want, BYTES), 0);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_FROM_DEVICE);
}

static void paint(struct bed *bed)
{
	for (size_t i = 0; i < BYTES; i++)
		bed->want[i] = bed->want[i] * 5 + 3;
}

/* Owner and importer hand a picture to each other, again and again. */
static void hand_over(struct ktap *t, struct bed *bed, struct dma_buf *dmabuf,
		      struct dma_buf_attachment *attach)
{
	for (int i = 0; i < 3; i++) {
		paint(bed);
		owner_writes(t, bed, dmabuf);
		KT_CHECK(t, importer_reads_right(t, bed, attach));
		paint(bed);
		importer_writes(t, bed, attach);
		KT_CHECK(t, owner_reads_right(t, bed, dmabuf));
	}
}

static void a_peer_gets_vram(struct ktap *t, struct bed *bed)
{
	bool reaches = machine_type_of(bed->machine)->dma_mask > U32_MAX;
	struct dma_buf *dmabuf = in_vram(bed);
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	KT_EQ(t, dmabuf->size, BYTES);
	KT_EQ(t, vram_placement(dmabuf), VRAM_PLACEMENT_VRAM);
	KT_CHECK(t, vram_owner(dmabuf) == bed->owner);
	attach = dma_buf_dynamic_attach(dmabuf, bed->other, &peer_ops, NULL);
	KT_EQ(t, attach->peer2peer, reaches);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	KT_ASSERT(t, !IS_ERR(sgt));
	KT_EQ(t, sgt->orig_nents, reaches ? 0 : 1);
	KT_EQ(t, sgt->nents, 1);
	KT_EQ(t, sg_dma_len(sgt->sgl), BYTES);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	KT_EQ(t, vram_placement(dmabuf), reaches ? VRAM_PLACEMENT_VRAM : VRAM_PLACEMENT_SYSTEM);
	hand_over(t, bed, dmabuf, attach);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void peers_share_device_memory(struct ktap *t)
{
	everywhere(t, a_peer_gets_vram);
}

static void others_get_system_memory(struct ktap *t, struct bed *bed,
				     const struct dma_buf_attach_ops *ops)
{
	struct dma_buf *dmabuf = in_vram(bed);
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	owner_writes(t, bed, dmabuf);
	attach = dma_buf_dynamic_attach(dmabuf, bed->other, ops, NULL);
	KT_CHECK(t, !attach->peer2peer);
	KT_EQ(t, vram_placement(dmabuf), VRAM_PLACEMENT_VRAM);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	KT_ASSERT(t, !IS_ERR(sgt));
	KT_EQ(t, vram_placement(dmabuf), VRAM_PLACEMENT_SYSTEM);
	KT_EQ(t, sgt->nents, 1);
	KT_EQ(t, sg_dma_len(sgt->sgl), BYTES);
	KT_EQ(t, dma_engine_read(bed->other, sgt, 0, bed->got, BYTES), 0);
	KT_CHECK(t, !memcmp(bed->got, bed->want, BYTES));
	KT_EQ(t, move(dmabuf, VRAM_PLACEMENT_VRAM), ops ? 0 : -EBUSY);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
	hand_over(t, bed, dmabuf, attach);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void who_does_not_follow_moves(struct ktap *t, struct bed *bed)
{
	others_get_system_memory(t, bed, NULL);
}

static void who_cannot_reach_the_window(struct ktap *t, struct bed *bed)
{
	others_get_system_memory(t, bed, &mover_ops);
}

static void others_make_it_move(struct ktap *t)
{
	everywhere(t, who_does_not_follow_moves);
	everywhere(t, who_cannot_reach_the_window);
}

/* Without its brackets the owner's device and an importer see each other's bytes only by luck. */
static bool hand_over_unbracketed(struct ktap *t, struct bed *bed)
{
	struct dma_buf *dmabuf = vram_allocate(bed->vram, BYTES, VRAM_PLACEMENT_SYSTEM, NULL);
	struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, bed->other);
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);

	KT_EQ(t, vram_write(dmabuf, 0, bed->want, BYTES), 0);
	KT_EQ(t, dma_engine_read(bed->other, sgt, 0, bed->got, BYTES), 0);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
	return !memcmp(bed->got, bed->want, BYTES);
}

static void unbracketed_accesses_show(struct ktap *t)
{
	static const struct {
		const char *machine;
		bool owner_coherent, right;
	} rows[] = {
		{ "pc", true, true },          { "pc-iommu", true, true },
		{ "arm", true, false },        { "arm", false, true },
		{ "arm-direct", true, false }, { "arm-direct", false, true },
		{ "bounce", true, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bed bed;

		bed_init(&bed, machine_type_find(rows[i].machine), rows[i].owner_coherent,
			 DMA_BUF_POLICY_CACHED);
		KT_EQ(t, hand_over_unbracketed(t, &bed), rows[i].right);
		bed_fini(&bed);
	}
}

/* --- moves ------------------------------------------------------------------------------------ */

static void to_and_fro(struct ktap *t, struct bed *bed)
{
	struct dma_buf *dmabuf = in_vram(bed);
	struct dma_buf_attachment *attach =
		dma_buf_dynamic_attach(dmabuf, bed->other, &peer_ops, NULL);

	notified = 0;
	reinit_completion(&notice);
	for (unsigned int i = 0; i < 4; i++) {
		enum vram_placement where = i & 1 ? VRAM_PLACEMENT_VRAM : VRAM_PLACEMENT_SYSTEM;

		paint(bed);
		if (i & 2)
			importer_writes(t, bed, attach);
		else
			owner_writes(t, bed, dmabuf);
		notified = 0;
		/* An importer that cannot reach the window has made it move already. */
		KT_EQ(t, move(dmabuf, where), 0);
		KT_EQ(t, vram_placement(dmabuf), where);
		KT_CHECK(t, notified <= 1);
		KT_CHECK(t, owner_reads_right(t, bed, dmabuf));
		KT_CHECK(t, importer_reads_right(t, bed, attach));
	}
	KT_EQ(t, move(dmabuf, vram_placement(dmabuf)), 0);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void moves_keep_the_bytes(struct ktap *t)
{
	everywhere(t, to_and_fro);
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

static int mover_thread(void *data)
{
	long ret = move(data, VRAM_PLACEMENT_SYSTEM);

	while (!kthread_should_stop())
		cond_resched();
	return ret;
}

/* The importer is told first; what it then still does is over before a byte moves. */
static void waits_for_fences(struct ktap *t, struct bed *bed)
{
	struct dma_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);
	struct dma_buf *dmabuf = in_vram(bed);
	struct dma_buf_attachment *attach =
		dma_buf_dynamic_attach(dmabuf, bed->other, &peer_ops, NULL);
	struct task_struct *mover;
	struct sg_table *sgt;

	reinit_completion(&notice);
	dma_fence_init(fence, &fence_ops, &fence_lock, dma_fence_context_alloc(1), 1);
	dma_resv_lock(dmabuf->resv, NULL);
	sgt = dma_buf_map_attachment(attach, DMA_FROM_DEVICE);
	KT_EQ(t, dma_resv_reserve_fences(dmabuf->resv, 1), 0);
	dma_resv_add_fence(dmabuf->resv, fence, DMA_RESV_USAGE_BOOKKEEP);
	dma_resv_unlock(dmabuf->resv);
	mover = kthread_run(mover_thread, dmabuf, "mover");
	wait_for_completion(&notice);
	KT_EQ(t, dma_engine_write(bed->other, sgt, 0, bed->want, BYTES), 0);
	dma_fence_signal(fence);
	dma_fence_put(fence);
	KT_EQ(t, kthread_stop(mover), 0);
	KT_EQ(t, vram_placement(dmabuf), VRAM_PLACEMENT_SYSTEM);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_FROM_DEVICE);
	KT_CHECK(t, importer_reads_right(t, bed, attach));
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void moves_wait_for_fences(struct ktap *t)
{
	on_a_phone(t, waits_for_fences);
}

/* VRAM has room for two.  A third gets what a moved one had, but not while that is still mapped. */
static void overstays(struct ktap *t, struct bed *bed)
{
	struct dma_buf *dmabuf = in_vram(bed), *second = in_vram(bed), *third;
	struct dma_buf_attachment *attach =
		dma_buf_dynamic_attach(dmabuf, bed->other, &peer_ops, NULL);
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);

	owner_writes(t, bed, dmabuf);
	KT_EQ(t, move(dmabuf, VRAM_PLACEMENT_SYSTEM), 0);
	dma_resv_lock(second->resv, NULL);
	KT_EQ(t, vram_pin(second), 0);
	dma_resv_unlock(second->resv);
	third = in_vram(bed);
	KT_EQ(t, vram_placement(third), VRAM_PLACEMENT_SYSTEM);
	/* Late writes change nobody's bytes. */
	memset(bed->got, 0x77, BYTES);
	KT_EQ(t, dma_engine_write(bed->other, sgt, 0, bed->got, BYTES), 0);
	KT_CHECK(t, owner_reads_right(t, bed, dmabuf));
	KT_EQ(t, move(third, VRAM_PLACEMENT_VRAM), -ENOSPC);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
	KT_EQ(t, move(third, VRAM_PLACEMENT_VRAM), 0);
	dma_resv_lock(second->resv, NULL);
	vram_unpin(second);
	dma_resv_unlock(second->resv);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
	dma_buf_put(second);
	dma_buf_put(third);
}

static void late_importers_harm_nobody(struct ktap *t)
{
	on_a_phone(t, overstays);
}

/* --- placement -------------------------------------------------------------------------------- */

static void sizes(struct ktap *t)
{
	struct dma_buf *dmabuf;
	struct bed bed;

	bed_init(&bed, machine_types, true, DMA_BUF_POLICY_CACHED);
	KT_EQ(t, PTR_ERR(vram_create(bed.owner, 0)), -EINVAL);
	KT_EQ(t, PTR_ERR(vram_allocate(bed.vram, 0, VRAM_PLACEMENT_VRAM, NULL)), -EINVAL);
	KT_EQ(t, PTR_ERR(vram_allocate(bed.vram, 4UL << 30, VRAM_PLACEMENT_VRAM, NULL)), -EINVAL);
	dmabuf = vram_allocate(bed.vram, 1, VRAM_PLACEMENT_VRAM, NULL);
	KT_ASSERT(t, !IS_ERR(dmabuf));
	KT_EQ(t, dmabuf->size, PAGE_SIZE);
	KT_EQ(t, vram_begin_access(dmabuf, DMA_BIDIRECTIONAL), 0);
	KT_EQ(t, vram_write(dmabuf, PAGE_SIZE - 1, bed.want, 1), 0);
	KT_EQ(t, vram_write(dmabuf, PAGE_SIZE - 1, bed.want, 2), -EINVAL);
	KT_EQ(t, vram_read(dmabuf, PAGE_SIZE + 1, bed.got, 0), -EINVAL);
	vram_end_access(dmabuf, DMA_BIDIRECTIONAL);
	dma_buf_put(dmabuf);
	/* Half of an 8K picture, in one piece. */
	dmabuf = vram_allocate(bed.vram, 3840 * 2160 * 3 / 2, VRAM_PLACEMENT_VRAM, NULL);
	KT_ASSERT(t, !IS_ERR(dmabuf));
	KT_EQ(t, vram_placement(dmabuf), VRAM_PLACEMENT_SYSTEM);
	dma_buf_put(dmabuf);
	bed_fini(&bed);
}

static u8 first_byte(struct ktap *t, struct dma_buf *dmabuf)
{
	u8 byte = 0xee;

	KT_EQ(t, vram_begin_access(dmabuf, DMA_TO_DEVICE), 0);
	KT_EQ(t, vram_read(dmabuf, 0, &byte, 1), 0);
	vram_end_access(dmabuf, DMA_TO_DEVICE);
	return byte;
}

/* Pages of VRAM by the buffer that has them, first fit: whatever is freed is found again. */
static void ranges_never_overlap(struct ktap *t)
{
	struct dma_buf *buffer[8] = {};
	u8 mark[8] = {};
	u32 seed = 1;
	struct bed bed;

	bed_init(&bed, machine_types, true, DMA_BUF_POLICY_CACHED);
	for (unsigned int round = 0; round < 2000; round++) {
		unsigned int i;
		u8 byte = round | 1;

		seed = seed * 1664525 + 1013904223;
		i = seed >> 29;
		if (buffer[i]) {
			KT_EQ(t, first_byte(t, buffer[i]), mark[i]);
			dma_buf_put(buffer[i]);
			buffer[i] = NULL;
			continue;
		}
		buffer[i] = vram_allocate(bed.vram, (1 + (seed >> 20) % 3) * PAGE_SIZE,
					  VRAM_PLACEMENT_VRAM, NULL);
		KT_EQ(t, first_byte(t, buffer[i]), 0);
		mark[i] = byte;
		KT_EQ(t, vram_begin_access(buffer[i], DMA_FROM_DEVICE), 0);
		for (size_t at = 0; at < buffer[i]->size; at += PAGE_SIZE)
			KT_EQ(t, vram_write(buffer[i], at, &byte, 1), 0);
		vram_end_access(buffer[i], DMA_FROM_DEVICE);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(buffer); i++)
		if (buffer[i])
			dma_buf_put(buffer[i]);
	/* All of it merges again. */
	buffer[0] = vram_allocate(bed.vram, 2 * BYTES, VRAM_PLACEMENT_VRAM, NULL);
	KT_EQ(t, vram_placement(buffer[0]), VRAM_PLACEMENT_VRAM);
	dma_buf_put(buffer[0]);
	bed_fini(&bed);
}

static void nobodys_bytes_show(struct ktap *t, struct bed *bed)
{
	memset(bed->want, 0xaa, BYTES);
	for (unsigned int where = 0; where < 2; where++) {
		struct dma_buf *dmabuf = vram_allocate(bed->vram, BYTES, where, NULL);

		KT_EQ(t, vram_placement(dmabuf), where);
		owner_writes(t, bed, dmabuf);
		dma_buf_put(dmabuf);
	}
	memset(bed->want, 0, BYTES);
	for (unsigned int where = 0; where < 2; where++) {
		struct dma_buf *dmabuf = vram_allocate(bed->vram, BYTES, where, NULL);
		struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, bed->other);

		KT_CHECK(t, owner_reads_right(t, bed, dmabuf));
		KT_CHECK(t, importer_reads_right(t, bed, attach));
		dma_buf_detach(dmabuf, attach);
		dma_buf_put(dmabuf);
	}
}

static void new_buffers_are_zero(struct ktap *t)
{
	everywhere(t, nobodys_bytes_show);
}

/* On a display: who cannot follow is refused, and nothing moves. */
static void pinned_in_vram(struct ktap *t)
{
	struct dma_buf_attachment *attach, *peer;
	struct sg_table *sgt;
	struct dma_buf *dmabuf;
	struct bed bed;
	int fd;

	bed_init(&bed, machine_type_find("arm"), false, DMA_BUF_POLICY_CACHED);
	dmabuf = vram_allocate(bed.vram, BYTES, VRAM_PLACEMENT_SYSTEM, NULL);
	owner_writes(t, &bed, dmabuf);
	dma_resv_lock(dmabuf->resv, NULL);
	KT_EQ(t, vram_pin(dmabuf), 0);
	dma_resv_unlock(dmabuf->resv);
	KT_EQ(t, vram_placement(dmabuf), VRAM_PLACEMENT_VRAM);
	attach = dma_buf_attach(dmabuf, bed.other);
	KT_EQ(t, PTR_ERR(dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE)), -EBUSY);
	peer = dma_buf_dynamic_attach(dmabuf, bed.other, &peer_ops, NULL);
	KT_CHECK(t, importer_reads_right(t, &bed, peer));
	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, BYTES, PROT_READ, MAP_SHARED, 0)), -EBUSY);
	KT_EQ(t, move(dmabuf, VRAM_PLACEMENT_SYSTEM), -EBUSY);
	dma_resv_lock(dmabuf->resv, NULL);
	/* One that follows moves pins where the buffer is. */
	KT_EQ(t, dma_buf_pin(peer), 0);
	vram_unpin(dmabuf);
	KT_EQ(t, vram_move(dmabuf, VRAM_PLACEMENT_SYSTEM), -EBUSY);
	dma_buf_unpin(peer);
	dma_resv_unlock(dmabuf->resv);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	KT_EQ(t, IS_ERR(sgt), false);
	KT_EQ(t, vram_placement(dmabuf), VRAM_PLACEMENT_SYSTEM);
	dma_resv_lock(dmabuf->resv, NULL);
	KT_EQ(t, vram_pin(dmabuf), -EBUSY);
	dma_resv_unlock(dmabuf->resv);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	dma_buf_detach(dmabuf, attach);
	dma_buf_detach(dmabuf, peer);
	dma_resv_lock(dmabuf->resv, NULL);
	/* The static importer's pin went with its detach. */
	ktap_expect_warn(t, "not pinned");
	vram_unpin(dmabuf);
	KT_EQ(t, vram_pin(dmabuf), 0);
	vram_unpin(dmabuf);
	dma_resv_unlock(dmabuf->resv);
	host_close(fd);
	bed_fini(&bed);
}

/* Two buffers of one reservation: what is held and waited for is both's, what moves is one's. */
static void share_a_reservation(struct ktap *t, struct bed *bed)
{
	struct dma_buf *a, *b;
	struct dma_buf_attachment *attach;
	struct dma_resv resv;

	dma_resv_init(&resv);
	a = vram_allocate(bed->vram, BYTES, VRAM_PLACEMENT_VRAM, &resv);
	b = vram_allocate(bed->vram, BYTES, VRAM_PLACEMENT_VRAM, &resv);
	KT_CHECK(t, a->resv == &resv && b->resv == &resv);
	owner_writes(t, bed, a);
	owner_writes(t, bed, b);
	attach = dma_buf_attach(b, bed->other);
	KT_CHECK(t, importer_reads_right(t, bed, attach));
	KT_EQ(t, vram_placement(a), VRAM_PLACEMENT_VRAM);
	KT_EQ(t, vram_placement(b), VRAM_PLACEMENT_SYSTEM);
	dma_resv_lock(&resv, NULL);
	KT_EQ(t, vram_move(a, VRAM_PLACEMENT_SYSTEM), 0);
	KT_EQ(t, vram_move(a, VRAM_PLACEMENT_VRAM), 0);
	dma_resv_unlock(&resv);
	KT_CHECK(t, owner_reads_right(t, bed, a));
	KT_CHECK(t, owner_reads_right(t, bed, b));
	dma_buf_detach(b, attach);
	dma_buf_put(a);
	dma_buf_put(b);
	dma_resv_fini(&resv);
}

static void buffers_may_share_a_reservation(struct ktap *t)
{
	on_a_phone(t, share_a_reservation);
}

/* --- the CPU ---------------------------------------------------------------------------------- */

static void vmap_stays(struct ktap *t, struct bed *bed)
{
	for (unsigned int where = 0; where < 2; where++) {
		struct dma_buf *dmabuf = vram_allocate(bed->vram, BYTES, where, NULL);
		struct iosys_map map;

		paint(bed);
		KT_EQ(t, dma_buf_vmap_unlocked(dmabuf, &map), 0);
		KT_EQ(t, map.is_iomem, where == VRAM_PLACEMENT_VRAM);
		KT_EQ(t, move(dmabuf, !where), -EBUSY);
		KT_EQ(t, dma_buf_begin_cpu_access(dmabuf, DMA_TO_DEVICE), 0);
		iosys_map_memcpy_to(&map, 0, bed->want, BYTES);
		KT_EQ(t, dma_buf_end_cpu_access(dmabuf, DMA_TO_DEVICE), 0);
		KT_CHECK(t, owner_reads_right(t, bed, dmabuf));
		paint(bed);
		owner_writes(t, bed, dmabuf);
		KT_EQ(t, dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
		iosys_map_memcpy_from(bed->got, &map, 0, BYTES);
		KT_EQ(t, dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
		KT_CHECK(t, !memcmp(bed->got, bed->want, BYTES));
		dma_buf_vunmap_unlocked(dmabuf, &map);
		KT_EQ(t, move(dmabuf, !where), 0);
		dma_buf_put(dmabuf);
	}
}

static void a_vmap_is_of_either_place(struct ktap *t)
{
	everywhere(t, vmap_stays);
}

static void mmap_brings_it(struct ktap *t, struct bed *bed)
{
	struct dma_buf *dmabuf = in_vram(bed);
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	u8 *at;

	owner_writes(t, bed, dmabuf);
	at = host_mmap(fd, NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, PAGE_SIZE);
	KT_ASSERT(t, !IS_ERR(at));
	KT_EQ(t, vram_placement(dmabuf), VRAM_PLACEMENT_SYSTEM);
	KT_EQ(t, dma_buf_begin_cpu_access(dmabuf, DMA_BIDIRECTIONAL), 0);
	KT_CHECK(t, !memcmp(at, bed->want + PAGE_SIZE, 2 * PAGE_SIZE));
	bed->want[PAGE_SIZE + 7] = at[7] = 99;
	KT_EQ(t, dma_buf_end_cpu_access(dmabuf, DMA_BIDIRECTIONAL), 0);
	KT_CHECK(t, owner_reads_right(t, bed, dmabuf));
	/* Split in two: it stays until the last piece goes. */
	KT_EQ(t, host_munmap(at, PAGE_SIZE), 0);
	KT_EQ(t, move(dmabuf, VRAM_PLACEMENT_VRAM), -EBUSY);
	KT_EQ(t, host_munmap(at + PAGE_SIZE, PAGE_SIZE), 0);
	KT_EQ(t, move(dmabuf, VRAM_PLACEMENT_VRAM), 0);
	KT_CHECK(t, owner_reads_right(t, bed, dmabuf));
	host_close(fd);
}

static void programs_bring_it_to_system_memory(struct ktap *t)
{
	everywhere(t, mmap_brings_it);
}

/* Somebody follows moves and stays mapped; the CPU's brackets are for him, too. */
static void bracket_beside_a_mapping(struct ktap *t, struct bed *bed)
{
	struct dma_buf *dmabuf = vram_allocate(bed->vram, BYTES, VRAM_PLACEMENT_SYSTEM, NULL);
	struct dma_buf_attachment *attach =
		dma_buf_dynamic_attach(dmabuf, bed->other, &peer_ops, NULL);
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	struct iosys_map map;

	KT_EQ(t, dma_buf_vmap_unlocked(dmabuf, &map), 0);
	KT_EQ(t, dma_buf_begin_cpu_access(dmabuf, DMA_BIDIRECTIONAL), 0);
	iosys_map_memcpy_to(&map, 0, bed->want, BYTES);
	KT_EQ(t, dma_buf_end_cpu_access(dmabuf, DMA_BIDIRECTIONAL), 0);
	KT_EQ(t, dma_engine_read(bed->other, sgt, 0, bed->got, BYTES), 0);
	KT_CHECK(t, !memcmp(bed->got, bed->want, BYTES));
	paint(bed);
	KT_EQ(t, dma_engine_write(bed->other, sgt, 0, bed->want, BYTES), 0);
	KT_EQ(t, dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	iosys_map_memcpy_from(bed->got, &map, 0, BYTES);
	KT_EQ(t, dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	KT_CHECK(t, !memcmp(bed->got, bed->want, BYTES));
	dma_buf_vunmap_unlocked(dmabuf, &map);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void cpu_access_syncs_who_is_mapped(struct ktap *t)
{
	everywhere(t, bracket_beside_a_mapping);
}

/* --- failures --------------------------------------------------------------------------------- */

static void failing_allocations_leave_nothing(struct ktap *t)
{
	struct host_memory_stats before, after;
	struct bed bed;

	bed_init(&bed, machine_type_find("arm"), false, DMA_BUF_POLICY_CACHED);
	host_memory_stats(&before);
	for (unsigned int where = 0; where < 2; where++) {
		struct dma_buf *dmabuf = NULL;
		int k;

		for (k = 1; k < 50; k++) {
			port_fail_nth(PORT_FAULT_ALLOC, k);
			dmabuf = vram_allocate(bed.vram, BYTES, where, NULL);
			port_fail_nth(PORT_FAULT_ALLOC, 0);
			if (!IS_ERR(dmabuf))
				break;
			KT_EQ(t, PTR_ERR(dmabuf), -ENOMEM);
		}
		KT_CHECK(t, k > 3 && k < 50);
		KT_EQ(t, vram_placement(dmabuf), where);
		dma_buf_put(dmabuf);
	}
	rcu_barrier();
	host_memory_stats(&after);
	KT_EQ(t, after.pages_used, before.pages_used);
	bed_fini(&bed);
}

/* Whatever fails, the bytes are there, and nothing is mapped or pinned. */
static void failing_moves_change_nothing(struct ktap *t, struct bed *bed)
{
	struct dma_buf *dmabuf = in_vram(bed);
	struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, bed->other);
	struct sg_table *sgt = NULL;
	int k, ret;

	owner_writes(t, bed, dmabuf);
	for (k = 1; k < 80; k++) {
		port_fail_nth(PORT_FAULT_ALLOC, k);
		sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
		port_fail_nth(PORT_FAULT_ALLOC, 0);
		if (!IS_ERR(sgt))
			break;
		KT_EQ(t, PTR_ERR(sgt), -ENOMEM);
		KT_CHECK(t, owner_reads_right(t, bed, dmabuf));
		/* The importer's own copy of the table comes after a mapping that is kept. */
		ret = move(dmabuf, VRAM_PLACEMENT_VRAM);
		KT_CHECK(t, !ret || (IS_ENABLED(LIBDMABUF_DEBUG_TABLES) && ret == -EBUSY));
	}
	KT_CHECK(t, k > 5 && k < 80);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	KT_CHECK(t, importer_reads_right(t, bed, attach));
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void failures_on_the_way(struct ktap *t)
{
	everywhere(t, failing_moves_change_nothing);
}

KTAP_MAIN(KTAP_CASE(peers_share_device_memory), KTAP_CASE(others_make_it_move),
	  KTAP_CASE(unbracketed_accesses_show), KTAP_CASE(moves_keep_the_bytes),
	  KTAP_CASE(moves_wait_for_fences), KTAP_CASE(late_importers_harm_nobody), KTAP_CASE(sizes),
	  KTAP_CASE(ranges_never_overlap), KTAP_CASE(new_buffers_are_zero),
	  KTAP_CASE(pinned_in_vram), KTAP_CASE(buffers_may_share_a_reservation),
	  KTAP_CASE(a_vmap_is_of_either_place), KTAP_CASE(programs_bring_it_to_system_memory),
	  KTAP_CASE(cpu_access_syncs_who_is_mapped), KTAP_CASE(failing_allocations_leave_nothing),
	  KTAP_CASE(failures_on_the_way))
