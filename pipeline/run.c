/* SPDX-License-Identifier: MIT */
/*
 * run.c - one run: a stream through one machine, one policy and one style, checked and counted
 *
 * Invariants
 *   RN1  Frame n uses slot n % buffers.  Finished <= drawn <= shot <= finished + buffers.
 *   RN2  Frames are finished, and so written, in order; a failure ends the run after those before
 *        it.
 *   RN3  Counters are read with nothing under way, so equal runs count alike.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/ktime.h>

#include "core/event.h"
#include "dma/cache.h"
#include "dma/fault.h"
#include "pipeline/run.h"

struct run {
	const struct run_config *config;
	struct y4m_reader *reader;
	struct run_result *result;
	char *error;

	struct y4m_format half;
	struct reference reference;
	struct stages *stages;
	struct dma_costs before_steady;
	u64 shot, drawn, finished;
};

static int fail(struct run *run, const char *what, int err)
{
	snprintf(run->error, RUN_ERROR_BYTES, "%s: %s", what, strerror(-err));
	return -1;
}

static int fail_frame(struct run *run, u64 frame, const char *stage, int err)
{
	snprintf(run->error, RUN_ERROR_BYTES, "frame %llu: %s: %s", (unsigned long long)frame,
		 stage, strerror(-err));
	return -1;
}

static struct stages_slot *slot_of(struct run *run, u64 frame)
{
	return stages_slot(run->stages, frame % run->config->buffers);
}

/* --- pictures to look at ---------------------------------------------------------------------- */

static int keep_bytes(u8 **to, const u8 *from, size_t bytes)
{
	u8 *copy = realloc(*to, bytes);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, from, bytes);
	*to = copy;
	return 0;
}

/* What was wrong, at the stage where it first was; else what came out. */
static int keep_picture(struct run *run, const struct stages_slot *slot)
{
	struct run_result *result = run->result;
	const struct wrong *wrong = &result->wrong;
	const u8 *got = slot->stream, *want = run->reference.scaled;
	bool full = false;
	int ret;

	if (wrong->found && wrong->frame != slot->number)
		return 0;
	if (wrong->found && wrong->stage == STAGE_ISP) {
		full = true;
		got = wrong->read ? slot->tap[STAGE_ISP].read : slot->tap[STAGE_ISP].wrote;
		want = wrong->read ? slot->input : run->reference.sharpened;
	} else if (wrong->found && wrong->stage == STAGE_GPU && wrong->read) {
		full = true;
		got = slot->tap[STAGE_GPU].read;
		want = run->reference.drawn;
	}
	result->shown = full ? run->reader->format : run->half;
	result->shown_frame = slot->number;
	ret = keep_bytes(&result->got, got, result->shown.picture.bytes);
	if (!ret)
		ret = keep_bytes(&result->want, want, result->shown.picture.bytes);
	return ret;
}

/* --- a frame's way ---------------------------------------------------------------------------- */

static void tell_wrong(struct run *run, const struct stages_slot *slot, const struct wrong *wrong)
{
	bool half = wrong->stage == STAGE_ENCODER || (wrong->stage == STAGE_GPU && !wrong->read);
	char text[160];
	struct event_remark finding = {
		.text = text,
		.dev = stages_device(run->stages, wrong->stage),
	};

	snprintf(text, sizeof(text),
		 "frame %llu: %zu of %zu lines of %d bytes are wrong as the %s %s them",
		 (unsigned long long)slot->number, wrong->lines, wrong->of_lines,
		 REFERENCE_LINE_BYTES, stage_names[wrong->stage], wrong->read ? "read" : "wrote");
	event_tell(EVENT_FINDING, half ? slot->half : slot->full, &finding, 0, 0, 0);
}

static int finish_frame(struct run *run)
{
	struct stages_slot *slot = slot_of(run, run->finished);
	const struct run_config *config = run->config;
	struct run_result *result = run->result;
	struct wrong wrong = {};
	const char *failed;
	int ret = stages_finish(run->stages, slot, &failed);

	run->finished++;
	if (ret)
		return fail_frame(run, slot->number, failed, ret);
	reference_compute(&run->reference, slot->input, slot->number);
	if (!reference_check(&run->reference, slot, &wrong)) {
		result->wrong_frames++;
		tell_wrong(run, slot, &wrong);
		if (!result->wrong.found)
			result->wrong = wrong;
	}
	if (config->keep_picture) {
		ret = keep_picture(run, slot);
		if (ret)
			return fail_frame(run, slot->number, "keeping the picture", ret);
	}
	if (config->out_fd >= 0) {
		ret = y4m_write_frame(config->out_fd, &run->half, slot->stream, slot->tags);
		if (ret)
			return fail_frame(run, slot->number, config->out_name, ret);
	}
	result->frames++;
	if (config->progress)
		config->progress(config, result->frames);
	return 0;
}

static int draw_frame(struct run *run)
{
	const char *failed;
	u64 frame = run->drawn++;
	int ret = stages_draw(run->stages, slot_of(run, frame), &failed);

	return ret ? fail_frame(run, frame, failed, ret) : 0;
}

/* Finish all that is under way. */
static int drain(struct run *run)
{
	int ret = 0;

	while (!ret && run->drawn < run->shot)
		ret = draw_frame(run);
	while (!ret && run->finished < run->drawn)
		ret = finish_frame(run);
	return ret;
}

/* After a failure: wait for the devices, forget the frames. */
static void abandon(struct run *run)
{
	const char *failed;

	for (; run->finished < run->shot; run->finished++)
		stages_finish(run->stages, slot_of(run, run->finished), &failed);
}

/* What happens between frames, with nothing under way. */
static int prepare_frame(struct run *run)
{
	const struct run_config *config = run->config;
	struct device *encoder = stages_device(run->stages, STAGE_ENCODER);
	u64 frame = run->shot;
	int ret;

	if (config->fault_frame != RUN_NO_FAULT &&
	    (frame == config->fault_frame || frame == config->fault_frame + 1)) {
		ret = drain(run);
		if (ret)
			return ret;
		dma_fault_skip_sync(encoder, frame == config->fault_frame ? 1 : 0);
	}
	if (frame == config->buffers) {
		ret = drain(run);
		if (ret)
			return ret;
		dma_cost_read(&run->before_steady);
	}
	if (config->move_every && frame && frame % config->move_every == 0)
		stages_move(run->stages);
	if (frame - run->finished == config->buffers)
		return finish_frame(run);
	return 0;
}

static int run_frames(struct run *run)
{
	const struct run_config *config = run->config;
	int ret;

	while (!config->frames || run->shot < config->frames) {
		struct stages_slot *slot;
		const char *failed;

		ret = prepare_frame(run);
		if (ret)
			return ret;
		slot = slot_of(run, run->shot);
		ret = y4m_read(run->reader, slot->input, slot->tags);
		if (ret < 0) {
			ret = drain(run);
			if (!ret)
				snprintf(run->error, RUN_ERROR_BYTES, "%s", run->reader->error);
			return -1;
		}
		if (!ret)
			break;
		slot->number = run->shot++;
		ret = stages_shoot(run->stages, slot, &failed);
		if (ret)
			return fail_frame(run, slot->number, failed, ret);
		/* Half of the slots stand before the CPU, half behind it. */
		if (run->shot - run->drawn > config->buffers / 2)
			ret = draw_frame(run);
		if (ret)
			return ret;
	}
	return drain(run);
}

static void count_steady(struct run *run)
{
	struct run_result *result = run->result;

	if (result->frames <= run->config->buffers)
		return;
	result->steady_frames = result->frames - run->config->buffers;
	dma_cost_since(&run->before_steady, &result->steady);
}

static int run_stages(struct run *run)
{
	const struct run_config *config = run->config;
	struct stages_config stages = {
		.machine = config->machine,
		.heap = config->heap,
		.camera = config->camera,
		.half = config->half,
		.vram = config->vram,
		.coherent = config->coherent,
		.slots = config->buffers,
		.picture = run->reader->format.picture,
	};
	const char *failed;
	ktime_t start;
	int ret;

	run->stages = stages_create(&stages, &failed);
	if (IS_ERR(run->stages))
		return fail(run, failed, PTR_ERR(run->stages));
	if (config->fault_frame != RUN_NO_FAULT)
		cache_adversary(config->seed);
	start = ktime_get();
	ret = run_frames(run);
	if (ret)
		abandon(run);
	run->result->ns = ktime_to_ns(ktime_sub(ktime_get(), start));
	count_steady(run);
	run->result->half = stages_half(run->stages);
	run->result->moves = stages_moves(run->stages);
	if (config->fault_frame != RUN_NO_FAULT) {
		run->result->dropped = dma_fault_skipped(stages_device(run->stages, STAGE_ENCODER));
		dma_fault_skip_sync(stages_device(run->stages, STAGE_ENCODER), 0);
		cache_adversary(0);
	}
	stages_destroy(run->stages);
	return ret;
}

int run_pipeline(const struct run_config *config, struct y4m_reader *reader,
		 struct run_result *result, char error[RUN_ERROR_BYTES])
{
	struct run run = {
		.config = config,
		.reader = reader,
		.result = result,
		.error = error,
	};
	struct dma_costs before;
	int ret;

	*result = (struct run_result){};
	error[0] = '\0';
	y4m_half(&reader->format, &run.half);
	if (config->out_fd >= 0) {
		ret = y4m_write_header(config->out_fd, &run.half);
		if (ret)
			return fail(&run, config->out_name, ret);
	}
	ret = reference_init(&run.reference, &reader->format.picture);
	if (ret)
		return fail(&run, "memory for the reference", ret);
	dma_buf_set_policy(config->remap ? DMA_BUF_POLICY_REMAP : DMA_BUF_POLICY_CACHED);
	dma_buf_count_pinned(true);
	dma_cost_read(&before);
	ret = run_stages(&run);
	dma_cost_since(&before, &result->costs);
	dma_buf_count_pinned(false);
	reference_fini(&run.reference);
	if (!ret && !result->frames) {
		snprintf(error, RUN_ERROR_BYTES, "%s: byte %llu: the stream has no frame",
			 reader->name, (unsigned long long)reader->at);
		return -1;
	}
	return ret;
}

void run_result_free(struct run_result *result)
{
	free(result->got);
	free(result->want);
	result->got = result->want = NULL;
}
