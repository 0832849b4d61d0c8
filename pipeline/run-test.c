/* SPDX-License-Identifier: MIT */
#include <linux/err.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dma/cache.h"
#include "dma/machine.h"
#include "host/port.h"
#include "pipeline/run.h"
#include "tests/ktap.h"

static struct y4m_reader reader;
static char error[RUN_ERROR_BYTES];

/* @frames frames of noise, without its last @cut bytes. */
static int noise(const char *header, unsigned int frames, size_t cut)
{
	int fd = memfd_create("run-test", 0);
	uint32_t seed = 1;
	size_t bytes;
	uint8_t *frame;

	if (fd < 0 || dprintf(fd, "YUV4MPEG2 %s\n", header) < 0 || lseek(fd, 0, SEEK_SET) ||
	    y4m_open(&reader, fd, "noise"))
		abort();
	lseek(fd, 0, SEEK_END);
	bytes = reader.format.picture.bytes;
	frame = malloc(bytes);
	while (frames--) {
		for (size_t i = 0; i < bytes; i++) {
			seed = seed * 1664525 + 1013904223;
			frame[i] = seed >> 24;
		}
		if (dprintf(fd, "FRAME\n") < 0 || write(fd, frame, bytes) != (ssize_t)bytes)
			abort();
	}
	free(frame);
	if (ftruncate(fd, lseek(fd, 0, SEEK_END) - cut))
		abort();
	return fd;
}

static struct run_config config_of(const struct machine_type *machine)
{
	return (struct run_config){
		.machine = machine,
		.coherent = STAGE_DEVICES,
		.buffers = 2,
		.fault_frame = RUN_NO_FAULT,
		.seed = 1,
		.out_fd = -1,
		.out_name = "out",
	};
}

static int run(const struct run_config *config, int fd, struct run_result *result)
{
	lseek(fd, 0, SEEK_SET);
	if (y4m_open(&reader, fd, "noise"))
		abort();
	return run_pipeline(config, &reader, result, error);
}

static bool same_costs(const struct dma_costs *a, const struct dma_costs *b)
{
	for (unsigned int i = 0; i < DMA_COST_NR; i++)
		if (i != DMA_COST_PINNED_NS && a->count[i] != b->count[i])
			return false;
	return true;
}

/* Policy, camera style and the encoder's import by number. */
#define VARIANTS (2 * CAMERA_STYLES * STAGE_HALVES)

static void choose_variant(struct run_config *config, unsigned int which)
{
	config->remap = which & 1;
	config->camera = which / 2 % CAMERA_STYLES;
	config->half = which / (2 * CAMERA_STYLES);
}

/* The encoder of `bounce` reaches 4 GiB, and device memory is never bounced. */
static enum stage_half expected_half(const struct run_config *config)
{
	return strcmp(config->machine->name, "bounce") ? config->half : STAGE_HALF_SYSTEM;
}

static void run_everywhere(struct ktap *t, const char *header, unsigned int frames)
{
	int fd = noise(header, frames, 0);

	for (const struct machine_type *type = machine_types; type->name; type++)
		for (unsigned int which = 0; which < VARIANTS; which++) {
			struct run_config config = config_of(type);
			struct run_result result;

			choose_variant(&config, which);
			if (!KT_CHECK(t, !run(&config, fd, &result) && !result.wrong.found &&
						 result.frames == frames))
				fprintf(stderr,
					"# %s on %s, camera %s, half %s%s: %s, wrong at frame "
					"%llu\n",
					header, type->name, camera_style_names[config.camera],
					stage_half_names[config.half],
					config.remap ? ", remap" : "", error,
					(unsigned long long)result.wrong.frame);
			KT_EQ(t, result.half, expected_half(&config));
		}
	close(fd);
}

static void every_format_and_size(struct ktap *t)
{
	static const char *const headers[] = {
		"W1 H1",       "W1 H1 Cmono",  "W2 H3 C444",   "W33 H17 C420jpeg",
		"W31 H5 C422", "W17 H40 C411", "W5 H64 Cmono", "W130 H90 C444",
	};

	for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++)
		run_everywhere(t, headers[i], 5);
}

static void every_number_of_buffers(struct ktap *t)
{
	int fd = noise("W20 H10", 7, 0);

	for (unsigned int buffers = 1; buffers <= 9; buffers++) {
		struct run_config config = config_of(machine_type_find("arm"));
		struct run_result result;

		config.buffers = buffers;
		KT_EQ(t, run(&config, fd, &result), 0);
		KT_EQ(t, result.frames, 7);
		KT_CHECK(t, !result.wrong.found);
		KT_EQ(t, result.steady_frames, buffers < 7 ? 7 - buffers : 0);
	}
	close(fd);
}

static void every_device_coherent_in_turn(struct ktap *t)
{
	static const char *const machines[] = { "arm", "arm-direct" };
	int fd = noise("W64 H48", 6, 0);

	for (unsigned int device = 0; device <= STAGE_DEVICES; device++)
		for (unsigned int which = 0; which < 2 * VARIANTS; which++) {
			struct run_config config =
				config_of(machine_type_find(machines[which & 1]));
			struct run_result result;

			config.coherent = device;
			choose_variant(&config, which / 2);
			KT_EQ(t, run(&config, fd, &result), 0);
			KT_CHECK(t, !result.wrong.found);
		}
	close(fd);
}

static void the_frames_asked_for(struct ktap *t)
{
	struct run_config config = config_of(machine_type_find("pc"));
	struct run_result result;
	int fd = noise("W8 H8", 5, 0);

	config.frames = 3;
	KT_EQ(t, run(&config, fd, &result), 0);
	KT_EQ(t, result.frames, 3);
	close(fd);
}

/* Nothing but the lines that the CPU touches, once each way. */
static void cached_costs_after_the_first_round(struct ktap *t)
{
	struct run_config config = config_of(machine_type_find("arm"));
	int fd = noise("W128 H128", 10, 0);
	struct run_result result, again;
	const u64 *count = result.steady.count;
	u64 lines;

	KT_EQ(t, run(&config, fd, &result), 0);
	KT_EQ(t, result.steady_frames, 8);
	KT_EQ(t, count[DMA_COST_SG_ENTRIES], 0);
	KT_EQ(t, count[DMA_COST_IOMMU_WRITES], 0);
	KT_EQ(t, count[DMA_COST_TLB_INVALIDATIONS], 0);
	KT_EQ(t, count[DMA_COST_BYTES_BOUNCED], 0);
	/* One digit at scale 1: nine rows of 128 bytes, from byte 2 of the first to byte 8. */
	lines = 8 * 128 / CACHE_LINE_BYTES + 1;
	KT_EQ(t, count[DMA_COST_BYTES_CLEANED] + count[DMA_COST_BYTES_INVALIDATED],
	      8 * 2 * lines * CACHE_LINE_BYTES);

	KT_EQ(t, run(&config, fd, &again), 0);
	KT_CHECK(t, same_costs(&result.steady, &again.steady));
	config.remap = true;
	KT_EQ(t, run(&config, fd, &again), 0);
	KT_CHECK(t, again.steady.count[DMA_COST_SG_ENTRIES] > 0);
	KT_CHECK(t, again.steady.count[DMA_COST_IOMMU_WRITES] > 0);
	KT_CHECK(t, again.steady.count[DMA_COST_BYTES_CLEANED] > count[DMA_COST_BYTES_CLEANED]);
	close(fd);
}

/* The GPU's write passes over the half picture twice, and once for the encoder; nothing is mapped. */
static void cached_costs_of_system_memory(struct ktap *t)
{
	struct run_config config = config_of(machine_type_find("arm"));
	int fd = noise("W128 H128 Cmono", 10, 0);
	struct run_result vram, system;
	u64 half = 8 * 64 * 64;

	KT_EQ(t, run(&config, fd, &vram), 0);
	config.half = STAGE_HALF_SYSTEM;
	KT_EQ(t, run(&config, fd, &system), 0);
	KT_EQ(t, system.steady.count[DMA_COST_SG_ENTRIES], 0);
	KT_EQ(t, system.steady.count[DMA_COST_IOMMU_WRITES], 0);
	KT_EQ(t,
	      system.steady.count[DMA_COST_BYTES_CLEANED] -
		      vram.steady.count[DMA_COST_BYTES_CLEANED],
	      2 * half);
	KT_EQ(t,
	      system.steady.count[DMA_COST_BYTES_INVALIDATED] -
		      vram.steady.count[DMA_COST_BYTES_INVALIDATED],
	      half);
	close(fd);
}

static void a_skipped_sync_shows_on_arm_only(struct ktap *t)
{
	int fd = noise("W160 H120", 9, 0);

	for (u64 seed = 1; seed <= 5; seed++) {
		struct run_config config = config_of(machine_type_find("arm"));
		struct run_result result;
		const struct wrong *wrong = &result.wrong;

		config.coherent = STAGE_GPU;
		config.half = STAGE_HALF_SYSTEM;
		config.fault_frame = 4;
		config.seed = seed;
		config.remap = seed & 1;
		config.keep_picture = true;
		KT_EQ(t, run(&config, fd, &result), 0);
		KT_EQ(t, result.dropped, 1);
		KT_CHECK(t, wrong->found && wrong->frame == 4 && wrong->stage == STAGE_ENCODER);
		KT_CHECK(t, 10 * wrong->lines >= wrong->of_lines &&
				    10 * wrong->lines <= 9 * wrong->of_lines);
		KT_EQ(t, result.wrong_frames, 1);
		KT_EQ(t, result.shown_frame, 4);
		KT_CHECK(t, result.got[wrong->byte] != result.want[wrong->byte]);
		KT_CHECK(t, !memcmp(result.got, result.want, wrong->byte));
		run_result_free(&result);

		config.machine = machine_type_find("pc");
		config.coherent = STAGE_DEVICES;
		KT_EQ(t, run(&config, fd, &result), 0);
		KT_CHECK(t, !wrong->found && !result.dropped);
		run_result_free(&result);
	}
	close(fd);
}

static void hostile_caches_change_nothing(struct ktap *t)
{
	int fd = noise("W64 H48", 6, 0);

	for (const struct machine_type *type = machine_types; type->name; type++)
		for (unsigned int which = 0; which < VARIANTS; which++) {
			struct run_config config = config_of(type);
			struct run_result result;

			choose_variant(&config, which);
			cache_adversary(which + 1);
			KT_EQ(t, run(&config, fd, &result), 0);
			KT_CHECK(t, !result.wrong.found);
			cache_adversary(0);
		}
	close(fd);
}

static void frames_before_a_broken_one_are_whole(struct ktap *t)
{
	struct run_config config = config_of(machine_type_find("arm"));
	struct y4m_reader *out = malloc(sizeof(*out));
	char tags[Y4M_HEADER_BYTES];
	struct run_result result;
	uint8_t frame[64];
	int fd = noise("W8 H8 Cmono", 6, 1), frames = 0;

	config.out_fd = memfd_create("out", 0);
	config.buffers = 4;
	KT_EQ(t, run(&config, fd, &result), -1);
	KT_CHECK(t, strstr(error, "63 of the 64 bytes of frame 5"));
	KT_EQ(t, result.frames, 5);
	lseek(config.out_fd, 0, SEEK_SET);
	KT_EQ(t, y4m_open(out, config.out_fd, "out"), 0);
	while (y4m_read(out, frame, tags) > 0)
		frames++;
	KT_EQ(t, frames, 5);
	free(out);
	close(config.out_fd);
	close(fd);
}

static void a_stream_without_frames(struct ktap *t)
{
	struct run_config config = config_of(machine_type_find("pc"));
	struct run_result result;
	int fd = noise("W8 H8", 0, 0);

	KT_EQ(t, run(&config, fd, &result), -1);
	KT_CHECK(t, strstr(error, "no frame"));
	close(fd);
}

static void an_output_that_fails(struct ktap *t)
{
	struct run_config config = config_of(machine_type_find("pc"));
	struct run_result result;
	int fd = noise("W8 H8", 3, 0), out;

	out = open("/dev/full", O_WRONLY);
	if (out < 0) {
		ktap_skip(t, "no /dev/full");
		close(fd);
		return;
	}
	config.out_fd = out;
	KT_EQ(t, run(&config, fd, &result), -1);
	KT_CHECK(t, !strcmp(error, "out: No space left on device"));
	close(out);
	close(fd);
}

/* Those of this thread: building machine, drivers and buffers, importing, submitting. */
static void sweep_allocations(struct ktap *t, enum stage_half half)
{
	struct run_config config = config_of(machine_type_find("arm"));
	struct run_result result;
	int fd = noise("W4 H4", 2, 0), ret, k = 0;

	config.buffers = 1;
	config.camera = CAMERA_REIMPORT;
	config.half = half;
	do {
		lseek(fd, 0, SEEK_SET);
		if (y4m_open(&reader, fd, "noise"))
			abort();
		port_fail_nth(PORT_FAULT_ALLOC, ++k);
		ret = run_pipeline(&config, &reader, &result, error);
		port_fail_nth(PORT_FAULT_ALLOC, 0);
		KT_CHECK(t, ret ? strstr(error, "Cannot allocate memory") != NULL
				: !result.wrong.found);
	} while (ret && k < 10000);
	KT_CHECK(t, k > 20);
	close(fd);
}

static void every_allocation_may_fail(struct ktap *t)
{
	sweep_allocations(t, STAGE_HALF_VRAM);
	sweep_allocations(t, STAGE_HALF_SYSTEM);
}

KTAP_MAIN(KTAP_CASE(every_format_and_size), KTAP_CASE(every_number_of_buffers),
	  KTAP_CASE(every_device_coherent_in_turn), KTAP_CASE(the_frames_asked_for),
	  KTAP_CASE(cached_costs_after_the_first_round), KTAP_CASE(cached_costs_of_system_memory),
	  KTAP_CASE(a_skipped_sync_shows_on_arm_only), KTAP_CASE(hostile_caches_change_nothing),
	  KTAP_CASE(frames_before_a_broken_one_are_whole), KTAP_CASE(a_stream_without_frames),
	  KTAP_CASE(an_output_that_fails), KTAP_CASE(every_allocation_may_fail))
