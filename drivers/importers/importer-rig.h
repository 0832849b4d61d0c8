/* SPDX-License-Identifier: MIT */
/*
 * importer-rig.h - for the importers' tests: a machine, a device, and a CPU that looks into buffers
 */
#ifndef DRIVERS_IMPORTERS_IMPORTER_RIG_H
#define DRIVERS_IMPORTERS_IMPORTER_RIG_H

#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "dma/fault.h"
#include "dma/machine.h"
#include "drivers/exporters/contiguous-heap.h"
#include "drivers/exporters/system-heap.h"
#include "drivers/picture.h"
#include "tests/ktap.h"

/* Odd everywhere, and with rows that share cache lines and pages. */
#define RIG_WIDTH 97
#define RIG_HEIGHT 61

/* More operations than any job asks for: all of them are dropped. */
#define RIG_ALL_SYNCS 1000

struct rig {
	struct machine *machine;
	struct device *dev;
	struct picture picture, half;
	u8 *bytes, *got;
};

static inline struct picture rig_picture(void)
{
	struct picture picture = {};

	picture_add_plane(&picture, RIG_WIDTH, RIG_HEIGHT);
	picture_add_plane(&picture, (RIG_WIDTH + 1) / 2, (RIG_HEIGHT + 1) / 2);
	picture_add_plane(&picture, (RIG_WIDTH + 1) / 2, (RIG_HEIGHT + 1) / 2);
	return picture;
}

/* Fills rig->bytes so that no two pictures and no neighbouring bytes are alike. */
static inline void rig_paint(struct rig *rig, u32 seed)
{
	for (size_t i = 0; i < rig->picture.bytes; i++) {
		seed = seed * 1103515245 + 12345;
		rig->bytes[i] = seed >> 16;
	}
}

static inline void rig_init(struct rig *rig, const struct machine_type *type, bool remap)
{
	dma_buf_set_policy(remap ? DMA_BUF_POLICY_REMAP : DMA_BUF_POLICY_CACHED);
	rig->machine = machine_create(type, 0);
	rig->dev = machine_add_device(rig->machine, "device", type->coherent);
	rig->picture = rig_picture();
	picture_half(&rig->picture, &rig->half);
	rig->bytes = kzalloc(rig->picture.bytes, GFP_KERNEL);
	rig->got = kzalloc(rig->picture.bytes, GFP_KERNEL);
	rig_paint(rig, 1);
}

static inline void rig_fini(struct rig *rig)
{
	dma_fault_skip_sync(rig->dev, 0);
	machine_remove_device(rig->dev);
	machine_destroy(rig->machine);
	kfree(rig->bytes);
	kfree(rig->got);
	rcu_barrier();
}

/* Copies between the buffer and @bytes, piece by piece. */
static inline void rig_copy(struct dma_buf *dmabuf, u8 *bytes, size_t count, bool to_buffer)
{
	for (size_t at = 0, len; at < count; at += len) {
		u8 *piece = contiguous_heap_owns(dmabuf) ? contiguous_heap_vaddr(dmabuf, at, &len)
							 : system_heap_vaddr(dmabuf, at, &len);

		len = min(len, count - at);
		memcpy(to_buffer ? piece : bytes + at, to_buffer ? bytes + at : piece, len);
	}
}

/* The CPU writes rig->bytes into @dmabuf, within a bracket. */
static inline void rig_cpu_write(struct ktap *t, struct rig *rig, struct dma_buf *dmabuf)
{
	KT_EQ(t, dma_buf_begin_cpu_access(dmabuf, DMA_TO_DEVICE), 0);
	rig_copy(dmabuf, rig->bytes, rig->picture.bytes, true);
	KT_EQ(t, dma_buf_end_cpu_access(dmabuf, DMA_TO_DEVICE), 0);
}

/* The CPU reads @count bytes of @dmabuf into rig->got, within a bracket, which waits for fences. */
static inline void rig_cpu_read(struct ktap *t, struct rig *rig, struct dma_buf *dmabuf,
				size_t count)
{
	KT_EQ(t, dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	rig_copy(dmabuf, rig->got, count, false);
	KT_EQ(t, dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
}

/* Waits and puts. Returns 0 or the job's error, or the error that stands for the fence. */
static inline int rig_wait(struct dma_fence *fence)
{
	int status;

	if (IS_ERR(fence))
		return PTR_ERR(fence);
	dma_fence_wait(fence, false);
	status = dma_fence_get_status(fence);
	dma_fence_put(fence);
	return status < 0 ? status : 0;
}

/* One case on every machine under both policies. */
static inline void rig_everywhere(struct ktap *t, void (*fn)(struct ktap *t, struct rig *rig))
{
	for (const struct machine_type *type = machine_types; type->name; type++)
		for (int remap = 0; remap < 2; remap++) {
			struct rig rig;

			rig_init(&rig, type, remap);
			fn(t, &rig);
			rig_fini(&rig);
		}
}

/*
 * One case on every machine, mapped for each access and with the device's cache operations dropped:
 * @fn returns whether the bytes were right, and they may only be where devices see what the CPU
 * sees.
 */
static inline void rig_without_syncs(struct ktap *t, bool (*fn)(struct ktap *t, struct rig *rig))
{
	for (const struct machine_type *type = machine_types; type->name; type++) {
		bool transparent = type->coherent && (type->iommu || type->dma_mask > U32_MAX);
		struct rig rig;

		rig_init(&rig, type, true);
		KT_EQ(t, fn(t, &rig), transparent);
		rig_fini(&rig);
	}
}

#endif
