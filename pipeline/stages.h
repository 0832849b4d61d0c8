/* SPDX-License-Identifier: MIT */
/*
 * stages.h - the chain of devices that every frame passes
 *
 *	camera -> isp -> CPU -> gpu -> encoder
 *
 * The camera fills a slot's full-size buffer, the ISP sharpens in it, the CPU draws the frame
 * number into it; the GPU scales it to half into the slot's half-size buffer, one of its own that
 * it exports, which the encoder imports and reads.  Several frames are under way at once, each in a slot of its own; the devices' order
 * within a frame comes from the fences in the buffers' reservations alone.
 *
 * Invariants
 *   ST1  A slot goes round: shoot, draw, finish.  Slots are independent of each other.
 *   ST2  The CPU only writes, within its bracket, and the bracket covers no more than it writes.
 *
 * Context of all: one thread, may sleep, no reservation held.
 */
#ifndef PIPELINE_STAGES_H
#define PIPELINE_STAGES_H

#include <linux/types.h>

#include "drivers/importers/camera.h"
#include "drivers/picture.h"
#include "pipeline/y4m.h"

struct device;
struct dma_buf;
struct dma_fence;
struct machine_type;
struct stages;

enum stage_device { STAGE_CAMERA, STAGE_ISP, STAGE_GPU, STAGE_ENCODER, STAGE_DEVICES };

/** stage_names - "camera", "isp", "gpu", "encoder" */
extern const char *const stage_names[STAGE_DEVICES];

/** stage_find - by name; STAGE_DEVICES if there is none */
enum stage_device stage_find(const char *name);

/* How the encoder imports the GPU's buffers. */
enum stage_half {
	STAGE_HALF_VRAM,   /* in the GPU's memory where it can reach that, following moves */
	STAGE_HALF_SYSTEM, /* statically: they move to system memory, in one piece */
	STAGE_HALVES,
};

/** stage_half_names - "vram", "system" */
extern const char *const stage_half_names[STAGE_HALVES];

/* Who makes the full-size buffers in the place of drivers/exporters/system-heap.h. */
struct stage_heap {
	const char *name;
	/* @bytes of system memory; @dev is of the machine that will use them. Returns ERR_PTR */
	struct dma_buf *(*allocate)(struct device *dev, size_t bytes);
	void (*put)(struct dma_buf *dmabuf);
};

struct stages_config {
	const struct machine_type *machine;
	const struct stage_heap *heap; /* NULL: system-heap */
	enum camera_style camera;
	enum stage_half half;
	size_t vram; /* 0: as much as the half-size buffers need, and only these are in it;
				     * else all are the gpu's, and it has so many bytes */
	enum stage_device coherent; /* this one snoops whatever the machine; STAGE_DEVICES: none */
	unsigned int slots;
	struct picture picture;
};

/* A frame under way.  Memory of the devices' and the lens's, not of the buffers. */
struct stages_slot {
	u64 number;
	char tags[Y4M_HEADER_BYTES];
	u8 *input;  /* what the camera sees */
	u8 *stream; /* what the encoder got */
	struct device_tap tap[STAGE_DEVICES];

	struct dma_buf *full, *half;
	struct dma_fence *fence[STAGE_DEVICES];
};

/**
 * stages_create - a machine, its devices and buffers
 * @failed: on failure says what could not be made
 *
 * Returns ERR_PTR.
 */
struct stages *stages_create(const struct stages_config *config, const char **failed);
void stages_destroy(struct stages *stages);

/** stages_slot - slot @index, 0 to config.slots - 1 */
struct stages_slot *stages_slot(struct stages *stages, unsigned int index);

/** stages_half - where the half-size buffers are now, all of them: for the report */
enum stage_half stages_half(struct stages *stages);

/**
 * stages_move - move each buffer of the gpu's to where it is not, if nobody uses it now
 * Returns how many moved, or will when their fences have signaled.
 */
unsigned int stages_move(struct stages *stages);

/** stages_moves - how often the gpu's buffers have moved, whoever made them, and been copied */
u64 stages_moves(struct stages *stages);

/** stages_device - for whoever wants to break it */
struct device *stages_device(struct stages *stages, enum stage_device which);

/**
 * stages_shoot - queue slot->input to the camera and the result to the ISP
 * stages_draw - draw slot->number when the ISP is done, then queue to GPU and encoder
 *
 * Returns 0, or -errno with *@failed the stage.  Either way the slot must be finished.
 */
int stages_shoot(struct stages *stages, struct stages_slot *slot, const char **failed);
int stages_draw(struct stages *stages, struct stages_slot *slot, const char **failed);

/**
 * stages_finish - wait until no device uses @slot
 *
 * Returns 0, or -errno with *@failed the first stage whose job failed.
 */
int stages_finish(struct stages *stages, struct stages_slot *slot, const char **failed);

#endif
