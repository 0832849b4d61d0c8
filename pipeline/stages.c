/* SPDX-License-Identifier: MIT */
/*
 * stages.c - the chain of devices that every frame passes
 */
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/iosys-map.h>
#include <linux/minmax.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/sprintf.h>
#include <linux/string.h>

#include "core/event.h"
#include "dma/machine.h"
#include "drivers/exporters/system-heap.h"
#include "drivers/exporters/vram.h"
#include "drivers/importers/encoder.h"
#include "drivers/importers/gpu.h"
#include "drivers/importers/isp.h"
#include "pipeline/filters.h"
#include "pipeline/stages.h"

const char *const stage_names[STAGE_DEVICES] = {
	[STAGE_CAMERA] = "camera",
	[STAGE_ISP] = "isp",
	[STAGE_GPU] = "gpu",
	[STAGE_ENCODER] = "encoder",
};

const char *const stage_half_names[STAGE_HALVES] = {
	[STAGE_HALF_VRAM] = "vram",
	[STAGE_HALF_SYSTEM] = "system",
};

/* A real machine of this kind is booted with a larger pool when its pictures need one. */
#define BOUNCE_BYTES_LEAST (64UL << 20)
#define BOUNCE_BYTES_MOST (1UL << 30)

struct stages {
	struct stages_config config;
	struct picture half;
	struct machine *machine;
	struct device *dev[STAGE_DEVICES];
	struct vram *vram;
	struct camera *camera;
	struct isp *isp;
	struct gpu *gpu;
	struct encoder *encoder;
	struct stages_slot *slot;
};

enum stage_device stage_find(const char *name)
{
	enum stage_device i;

	for (i = 0; i < STAGE_DEVICES; i++)
		if (!strcmp(stage_names[i], name))
			break;
	return i;
}

struct stages_slot *stages_slot(struct stages *stages, unsigned int index)
{
	return &stages->slot[index];
}

enum stage_half stages_half(struct stages *stages)
{
	for (unsigned int i = 0; i < stages->config.slots; i++)
		if (vram_placement(stages->slot[i].half) != VRAM_PLACEMENT_VRAM)
			return STAGE_HALF_SYSTEM;
	return STAGE_HALF_VRAM;
}

unsigned int stages_move(struct stages *stages)
{
	unsigned int moved = 0;

	for (unsigned int i = 0; i < stages->config.slots; i++) {
		struct dma_buf *both[] = { stages->slot[i].full, stages->slot[i].half };

		for (size_t j = 0; j < ARRAY_SIZE(both); j++) {
			if (vram_owner(both[j]) != stages->dev[STAGE_GPU])
				continue;
			dma_resv_lock(both[j]->resv, NULL);
			moved += !vram_move_async(both[j],
						  vram_placement(both[j]) == VRAM_PLACEMENT_VRAM
							  ? VRAM_PLACEMENT_SYSTEM
							  : VRAM_PLACEMENT_VRAM);
			dma_resv_unlock(both[j]->resv);
		}
	}
	return moved;
}

u64 stages_moves(struct stages *stages)
{
	struct vram_stats stats;

	vram_read_stats(stages->vram, &stats);
	return stats.moves;
}

struct device *stages_device(struct stages *stages, enum stage_device which)
{
	return stages->dev[which];
}

/* --- making and unmaking; each unmake function takes what was made so far --------------------- */

static int make_devices(struct stages *stages)
{
	const struct machine_type *type = stages->config.machine;
	size_t slot_bytes =
		PAGE_ALIGN(stages->config.picture.bytes) * 3 + PAGE_ALIGN(stages->half.bytes) * 2;

	stages->machine = machine_create(type, clamp(2 * slot_bytes * stages->config.slots,
						     BOUNCE_BYTES_LEAST, BOUNCE_BYTES_MOST));
	if (IS_ERR(stages->machine))
		return PTR_ERR(stages->machine);
	for (unsigned int i = 0; i < STAGE_DEVICES; i++) {
		struct device *dev =
			machine_add_device(stages->machine, stage_names[i],
					   type->coherent || i == stages->config.coherent);

		if (IS_ERR(dev))
			return PTR_ERR(dev);
		stages->dev[i] = dev;
	}
	stages->vram = vram_create(
		stages->dev[STAGE_GPU],
		stages->config.vram ?: stages->config.slots * PAGE_ALIGN(stages->half.bytes));
	return PTR_ERR_OR_ZERO(stages->vram);
}

static void unmake_devices(struct stages *stages)
{
	if (!IS_ERR_OR_NULL(stages->vram))
		vram_destroy(stages->vram);
	for (unsigned int i = STAGE_DEVICES; i--;)
		if (stages->dev[i])
			machine_remove_device(stages->dev[i]);
	if (!IS_ERR_OR_NULL(stages->machine))
		machine_destroy(stages->machine);
}

static int make_drivers(struct stages *stages)
{
	stages->camera = camera_create(stages->dev[STAGE_CAMERA], stages->config.camera);
	if (IS_ERR(stages->camera))
		return PTR_ERR(stages->camera);
	stages->isp = isp_create(stages->dev[STAGE_ISP]);
	if (IS_ERR(stages->isp))
		return PTR_ERR(stages->isp);
	stages->gpu = gpu_create(stages->dev[STAGE_GPU]);
	if (IS_ERR(stages->gpu))
		return PTR_ERR(stages->gpu);
	gpu_pull(stages->gpu, stages->config.vram);
	stages->encoder = encoder_create(stages->dev[STAGE_ENCODER],
					 stages->config.half == STAGE_HALF_VRAM ? ENCODER_PEER
					 : stages->config.vram                  ? ENCODER_JOB
										: ENCODER_STATIC);
	return PTR_ERR_OR_ZERO(stages->encoder);
}

static void unmake_drivers(struct stages *stages)
{
	if (!IS_ERR_OR_NULL(stages->encoder))
		encoder_destroy(stages->encoder);
	if (!IS_ERR_OR_NULL(stages->gpu))
		gpu_destroy(stages->gpu);
	if (!IS_ERR_OR_NULL(stages->isp))
		isp_destroy(stages->isp);
	if (!IS_ERR_OR_NULL(stages->camera))
		camera_destroy(stages->camera);
}

/* For whoever listens. */
static void name_buffer(struct dma_buf *dmabuf, const char *what, size_t number)
{
	char name[32];

	snprintf(name, sizeof(name), "%s %zu", what, number);
	event_tell(EVENT_NAME, dmabuf, name, 0, 0, 0);
}

static int make_slot(struct stages *stages, struct stages_slot *slot)
{
	size_t full = stages->config.picture.bytes, half = stages->half.bytes;
	u8 **memory[] = { &slot->input, &slot->tap[STAGE_CAMERA].wrote, &slot->tap[STAGE_ISP].read,
			  &slot->tap[STAGE_ISP].wrote, &slot->tap[STAGE_GPU].read };

	for (size_t i = 0; i < ARRAY_SIZE(memory); i++) {
		*memory[i] = kvzalloc(full, GFP_KERNEL);
		if (!*memory[i])
			return -ENOMEM;
	}
	slot->tap[STAGE_GPU].wrote = kvzalloc(half, GFP_KERNEL);
	slot->stream = kvzalloc(half, GFP_KERNEL);
	if (!slot->tap[STAGE_GPU].wrote || !slot->stream)
		return -ENOMEM;

	if (stages->config.vram)
		slot->full = vram_allocate(stages->vram, full, VRAM_PLACEMENT_SYSTEM, NULL);
	else if (stages->config.heap)
		slot->full = stages->config.heap->allocate(stages->dev[STAGE_CAMERA], full);
	else
		slot->full = system_heap_allocate(full);
	if (IS_ERR(slot->full))
		return PTR_ERR(slot->full);
	slot->half = vram_allocate(stages->vram, half, VRAM_PLACEMENT_VRAM, NULL);
	if (IS_ERR(slot->half))
		return PTR_ERR(slot->half);
	name_buffer(slot->full, "full", slot - stages->slot);
	name_buffer(slot->half, "half", slot - stages->slot);
	return 0;
}

static void unmake_slot(const struct stages *stages, struct stages_slot *slot)
{
	if (!IS_ERR_OR_NULL(slot->half))
		dma_buf_put(slot->half);
	if (!IS_ERR_OR_NULL(slot->full)) {
		if (stages->config.heap && !stages->config.vram)
			stages->config.heap->put(slot->full);
		else
			dma_buf_put(slot->full);
	}
	for (unsigned int i = 0; i < STAGE_DEVICES; i++) {
		kvfree(slot->tap[i].read);
		kvfree(slot->tap[i].wrote);
	}
	kvfree(slot->stream);
	kvfree(slot->input);
}

struct stages *stages_create(const struct stages_config *config, const char **failed)
{
	struct stages *stages = kzalloc(sizeof(*stages), GFP_KERNEL);
	int ret = -ENOMEM;

	*failed = "memory for the chain";
	if (!stages)
		return ERR_PTR(-ENOMEM);
	stages->config = *config;
	picture_half(&config->picture, &stages->half);
	stages->slot = kcalloc(config->slots, sizeof(*stages->slot), GFP_KERNEL);
	if (!stages->slot)
		goto fail;
	*failed = "the machine";
	ret = make_devices(stages);
	if (ret)
		goto fail;
	*failed = "the drivers";
	ret = make_drivers(stages);
	if (ret)
		goto fail;
	*failed = "the buffers";
	for (unsigned int i = 0; i < config->slots; i++) {
		ret = make_slot(stages, &stages->slot[i]);
		if (ret)
			goto fail;
	}
	*failed = NULL;
	return stages;

fail:
	stages_destroy(stages);
	return ERR_PTR(ret);
}

void stages_destroy(struct stages *stages)
{
	unmake_drivers(stages);
	for (unsigned int i = 0; stages->slot && i < stages->config.slots; i++)
		unmake_slot(stages, &stages->slot[i]);
	unmake_devices(stages);
	kfree(stages->slot);
	kfree(stages);
	rcu_barrier();
}

/* --- a frame's way ---------------------------------------------------------------------------- */

static int keep_fence(struct stages_slot *slot, enum stage_device which, struct dma_fence *fence,
		      const char **failed)
{
	if (IS_ERR(fence)) {
		*failed = stage_names[which];
		return PTR_ERR(fence);
	}
	slot->fence[which] = fence;
	return 0;
}

int stages_shoot(struct stages *stages, struct stages_slot *slot, const char **failed)
{
	const struct picture *picture = &stages->config.picture;
	int ret;

	event_tell(EVENT_CONTENT, slot->full, NULL, slot->number, 0, 0);
	event_tell(EVENT_CONTENT, slot->half, NULL, slot->number, 0, 0);
	ret = keep_fence(slot, STAGE_CAMERA,
			 camera_queue(stages->camera, slot->full, picture, slot->input,
				      &slot->tap[STAGE_CAMERA]),
			 failed);
	if (ret)
		return ret;
	return keep_fence(slot, STAGE_ISP,
			  isp_sharpen(stages->isp, slot->full, picture, &slot->tap[STAGE_ISP]),
			  failed);
}

/*
 * The system heap's pages need not be contiguous, so a line may come in pieces.
 * @all: the whole buffer, of another exporter; else NULL
 */
static void draw_line(struct dma_buf *dmabuf, u8 *all, const struct number_box *box, size_t line,
		      u32 y)
{
	u32 x = box->x, end = box->x + box->width;

	while (x < end) {
		size_t len = end - x;
		u8 *bytes = all ? all + line + x : system_heap_vaddr(dmabuf, line + x, &len);
		u32 part = min_t(size_t, len, end - x);

		if (!bytes)
			return;
		filter_draw_line(box, y, bytes, x, part);
		x += part;
	}
}

/* The CPU has the buffer between its brackets. */
static int draw_box(struct stages *stages, struct stages_slot *slot, const struct number_box *box)
{
	const struct picture_plane *plane = &stages->config.picture.plane[0];
	bool mapped = stages->config.heap || stages->config.vram;
	struct iosys_map map = {};
	int ret = 0;

	if (mapped)
		ret = dma_buf_vmap_unlocked(slot->full, &map);
	if (ret)
		return ret;
	for (u32 y = box->y; y < box->y + box->height; y++)
		draw_line(slot->full, map.vaddr, box, picture_line(plane, y), y);
	if (mapped)
		dma_buf_vunmap_unlocked(slot->full, &map);
	return 0;
}

static int draw_number(struct stages *stages, struct stages_slot *slot)
{
	const struct picture_plane *plane = &stages->config.picture.plane[0];
	struct number_box box = filter_number_box(&stages->config.picture, slot->number);
	size_t first = picture_line(plane, box.y) + box.x, bytes;
	int ret, end;

	if (!box.width || !box.height)
		return 0;
	bytes = (size_t)(box.height - 1) * plane->width + box.width;
	ret = dma_buf_begin_cpu_access_partial(slot->full, DMA_TO_DEVICE, first, bytes);
	if (ret)
		return ret;
	ret = draw_box(stages, slot, &box);
	end = dma_buf_end_cpu_access_partial(slot->full, DMA_TO_DEVICE, first, bytes);
	return ret ?: end;
}

int stages_draw(struct stages *stages, struct stages_slot *slot, const char **failed)
{
	int ret = draw_number(stages, slot);

	if (ret) {
		*failed = "cpu";
		return ret;
	}
	ret = keep_fence(slot, STAGE_GPU,
			 gpu_scale(stages->gpu, slot->full, slot->half, &stages->config.picture,
				   &slot->tap[STAGE_GPU]),
			 failed);
	if (ret)
		return ret;
	return keep_fence(slot, STAGE_ENCODER,
			  encoder_encode(stages->encoder, slot->half, &stages->half, slot->stream),
			  failed);
}

int stages_finish(struct stages *stages, struct stages_slot *slot, const char **failed)
{
	int ret = 0;

	for (unsigned int i = 0; i < STAGE_DEVICES; i++) {
		struct dma_fence *fence = slot->fence[i];
		int status;

		if (!fence)
			continue;
		dma_fence_wait(fence, false);
		status = dma_fence_get_status(fence);
		if (!ret && status < 0) {
			ret = status;
			*failed = stage_names[i];
		}
		dma_fence_put(fence);
		slot->fence[i] = NULL;
	}
	return ret;
}
