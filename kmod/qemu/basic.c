/* SPDX-License-Identifier: MIT */
/*
 * basic.c - cases of what a wrap promises, on every machine
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

#define SIZE (64 * 1024)
#define PIECE 4096

/* What a device reads of a buffer the CPU has filled; and what the CPU reads that it wrote. */
static void same_bytes(int fd, enum importer_device device)
{
	static uint8_t bytes[PIECE];
	uint8_t *cpu = map_cpu(fd, SIZE, true);
	int handle = attach(fd, device, 0);

	if (!check(cpu != MAP_FAILED) || !check(handle >= 0, "%s", strerror(-handle)))
		return;
	for (unsigned int round = 0; round < 3; round++) {
		check_equal(cpu_begin(fd, true, true), 0);
		fill(cpu, SIZE, round);
		check_equal(cpu_end(fd, true, true), 0);

		check_equal(map(handle, TO_DEVICE), 0);
		for (size_t at = 0; at < SIZE; at += PIECE) {
			check_equal(device_read(handle, at, bytes, PIECE, 0), 0);
			if (!check(!memcmp(bytes, cpu + at, PIECE), "at %zu of round %u", at,
				   round))
				break;
		}
		check_equal(unmap(handle, TO_DEVICE), 0);

		check_equal(map(handle, FROM_DEVICE), 0);
		for (size_t at = 0; at < SIZE; at += PIECE) {
			fill(bytes, PIECE, 100 + round + at / PIECE);
			check_equal(device_write(handle, at, bytes, PIECE, 0), 0);
		}
		check_equal(unmap(handle, FROM_DEVICE), 0);

		check_equal(cpu_begin(fd, true, false), 0);
		for (size_t at = 0; at < SIZE; at += PIECE)
			if (!check(is_filled(cpu + at, PIECE, 100 + round + at / PIECE), "at %zu",
				   at))
				break;
		check_equal(cpu_end(fd, true, false), 0);
	}
	check_equal(detach(handle), 0);
	munmap(cpu, SIZE);
}

static void unwrapped_bytes(void)
{
	for (enum importer_device device = 0; device < IMPORTER_DEVICES; device++)
		if (has_device(device))
			same_bytes(heap_buffer(SIZE), device);
}

static void wrapped_bytes(void)
{
	for (enum importer_device device = 0; device < IMPORTER_DEVICES; device++)
		if (has_device(device))
			same_bytes(wrapped(heap_buffer(SIZE), 0), device);
}

static void rmmod(void)
{
	int fd = wrapped(heap_buffer(SIZE), 0);

	check(fd >= 0, "%s", strerror(-fd));
	check_equal(unload("dmabuf_cache"), -EAGAIN);
	drop(fd);
	check_equal(unload("dmabuf_cache"), 0);
	check_equal(access("/dev/dmabuf-cache", F_OK), -1);
	check_equal(load("dmabuf-cache", ""), 0);
}

const struct guest_case basic_cases[] = {
	{ "unwrapped_same_bytes", unwrapped_bytes, NULL },
	{ "wrapped_same_bytes", wrapped_bytes, NULL },
	{ "rmmod_answers_busy_while_a_wrap_lives", rmmod, NULL },
	{ NULL, NULL, NULL },
};

const struct guest_case machine_cases[] = { { NULL, NULL, NULL } };
const struct guest_case driver_cases[] = { { NULL, NULL, NULL } };
const struct guest_case cost_cases[] = { { NULL, NULL, NULL } };
