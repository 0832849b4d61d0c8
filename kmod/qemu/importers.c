/* SPDX-License-Identifier: MIT */
/*
 * importers.c - cases of what a wrap does for importers and their exporter, on every machine
 *
 * Where mappings are bounced none is kept, which the counts then say.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define SIZE (64 * 1024)
#define PIECE 4096

/* Is a mapping for DEVICE_PLAIN of an exporter that Linux knows nothing of kept? */
static bool keeps(void)
{
	return strcmp(machine, "swiotlb") && strcmp(machine, "arm64");
}

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

/* Where mappings are not kept, one attachment of udmabuf's has one direction, as without us. */
static void udmabuf_bytes(void)
{
	if (!strcmp(machine, "swiotlb")) {
		skip("Linux itself answers EBUSY to a second direction of a bounced udmabuf");
		return;
	}
	for (enum importer_device device = 0; device < IMPORTER_DEVICES; device++)
		if (has_device(device) && device != DEVICE_NARROW && device != DEVICE_PCI_NARROW)
			same_bytes(wrapped(udma_buffer(SIZE), 0), device);
}

/* --- what is kept ----------------------------------------------------------------------------- */

static int map_once(int fd, enum importer_device device, unsigned int dir, unsigned int flags)
{
	int handle = attach(fd, device, flags), ret;

	if (handle < 0)
		return handle;
	ret = map(handle, dir);
	ret = ret ?: unmap(handle, dir);
	return ret ?: detach(handle);
}

static void attach_per_frame(void)
{
	int inner = own_buffer(SIZE, 0), fd = wrap(inner, 0);

	for (unsigned int i = 0; i < 20; i++)
		check_equal(map_once(fd, DEVICE_PLAIN, TO_DEVICE, 0), 0);
	check_equal(calls_of(inner).mapped, keeps() ? 1 : 20);
	check_equal(calls_of(inner).unmapped, keeps() ? 0 : 20);
	check_equal(counter("maps"), 20);
	check_equal(counter("hits"), keeps() ? 19 : 0);
	check_equal(counter("fresh"), keeps() ? 0 : 20);
	check_equal(map_once(fd, DEVICE_SECOND, TO_DEVICE, 0), 0);
	check_equal(calls_of(inner).mapped, keeps() ? 2 : 21);
	drop(fd);
	check(given_back(inner));
}

static void directions(void)
{
	static const unsigned int dirs[] = { TO_DEVICE, FROM_DEVICE, TO_DEVICE, BOTH, FROM_DEVICE };
	int inner = own_buffer(SIZE, 0), fd = wrap(inner, 0), handle = attach(fd, DEVICE_PLAIN, 0);
	unsigned int asked = 0;

	for (unsigned int i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		check_equal(map(handle, dirs[i]), 0);
		check_equal(unmap(handle, dirs[i]), 0);
		asked |= 1u << dirs[i];
		check_equal(calls_of(inner).directions, asked);
	}
	check_equal(calls_of(inner).mapped, keeps() ? 3 : 5);
	check_equal(map(handle, 3), -EINVAL);
	check_equal(detach(handle), 0);
}

/* Two at a time, of one device and of two; and unmapped in another direction than mapped. */
static void together(void)
{
	int inner = own_buffer(SIZE, 0), fd = wrap(inner, 0);
	int a = attach(fd, DEVICE_PLAIN, 0), b = attach(fd, DEVICE_PLAIN, 0);
	int c = attach(fd, DEVICE_SECOND, 0);

	check_equal(map(a, TO_DEVICE), 0);
	check_equal(map(b, TO_DEVICE), 0);
	check_equal(map(c, FROM_DEVICE), 0);
	check_equal(unmap(a, TO_DEVICE), 0);
	check_equal(map(a, BOTH), 0);
	check_equal(unmap(b, TO_DEVICE), 0);
	check_equal(unmap(c, FROM_DEVICE), 0);
	check_equal(unmap(a, keeps() ? TO_DEVICE : BOTH), 0);
	check_equal(map(b, TO_DEVICE), 0);
	check_equal(detach(a), 0);
	check_equal(calls_of(inner).unmapped, keeps() ? 0 : 4);
	check_equal(unmap(b, TO_DEVICE), 0);
	check_equal(detach(b), 0);
	check_equal(detach(c), 0);
	drop(fd);
	check(given_back(inner));
}

static void kinds(void)
{
	int inner = own_buffer(SIZE, 0);
	int for_static = wrap(inner, DMABUF_CACHE_STATIC);
	int for_dynamic = wrap(inner, DMABUF_CACHE_DYNAMIC);
	int handle;

	check_equal(attach(for_static, DEVICE_PLAIN, IMPORT_DYNAMIC), -EOPNOTSUPP);
	check_equal(attach(for_dynamic, DEVICE_PLAIN, 0), -EOPNOTSUPP);
	check_equal(calls_of(inner).mapped, 0);
	check_equal(map_once(for_static, DEVICE_PLAIN, TO_DEVICE, 0), 0);
	check_equal(map_once(for_dynamic, DEVICE_PLAIN, TO_DEVICE, IMPORT_DYNAMIC), 0);
	check_equal(map_once(for_dynamic, DEVICE_PLAIN, TO_DEVICE, IMPORT_DYNAMIC), 0);
	check_equal(calls_of(inner).mapped, keeps() ? 2 : 3);
	check_equal(calls_of(inner).directions, 1u << TO_DEVICE);

	handle = attach(for_dynamic, DEVICE_PLAIN, IMPORT_DYNAMIC);
	check_equal(importer(&(struct importer_call){ .op = IMPORT_PIN, .handle = handle }), 0);
	check_equal(importer(&(struct importer_call){ .op = IMPORT_UNPIN, .handle = handle }), 0);
	check_equal(detach(handle), 0);
}

/* A dynamic importer may change its table, so none shares his while he is attached. */
static void dynamic_alone(void)
{
	int inner = own_buffer(SIZE, 0), fd = wrap(inner, DMABUF_CACHE_DYNAMIC);
	int a = attach(fd, DEVICE_PLAIN, IMPORT_DYNAMIC),
	    b = attach(fd, DEVICE_PLAIN, IMPORT_DYNAMIC);

	check_equal(map(a, TO_DEVICE), 0);
	check_equal(map(b, TO_DEVICE), 0);
	check_equal(calls_of(inner).mapped, 2);
	check_equal(unmap(a, TO_DEVICE), 0);
	check_equal(unmap(b, TO_DEVICE), 0);
	check_equal(detach(a), 0);
	check_equal(detach(b), 0);
}

/* Does this kernel tell importers that a buffer moves, DMABUF_MOVE_NOTIFY? */
static bool follows(void)
{
	return !strncmp(machine, "uml", strlen("uml"));
}

/*
 * Of an exporter that moves its buffers a kept mapping is a pin, where its importer is not told that
 * they do.
 */
static void pins(unsigned int kind, unsigned int flags)
{
	bool told = follows() && flags & IMPORT_DYNAMIC;
	int inner = own_buffer(SIZE, EXPORT_DYNAMIC), fd = wrap(inner, kind);
	int handle = attach(fd, DEVICE_PLAIN, flags);

	check_equal(calls_of(inner).pinned, 0);
	check_equal(calls_of(inner).mapped, 0);
	if (flags & IMPORT_DYNAMIC) {
		check_equal(importer(&(struct importer_call){ .op = IMPORT_PIN, .handle = handle }),
			    0);
		check_equal(calls_of(inner).pinned, 1);
		check_equal(
			importer(&(struct importer_call){ .op = IMPORT_UNPIN, .handle = handle }),
			0);
		check_equal(calls_of(inner).pinned, 0);
	}
	check_equal(map(handle, TO_DEVICE), 0);
	check((calls_of(inner).pinned > 0) != told);
	check_equal(unmap(handle, TO_DEVICE), 0);
	check_equal(calls_of(inner).pinned, keeps() && !told);
	check_equal(set_parameter("idle_ms", "20"), 0);
	soon(calls_of(inner).unmapped == 1);
	check_equal(calls_of(inner).pinned, 0);

	check_equal(map(handle, FROM_DEVICE), 0);
	sleep_ms(200);
	check((calls_of(inner).pinned > 0) != told, "dropped while in use");
	check_equal(calls_of(inner).unmapped, 1);
	check_equal(unmap(handle, FROM_DEVICE), 0);
	check_equal(detach(handle), 0);
	drop(fd);
	check(given_back(inner));
	check_equal(set_parameter("idle_ms", "0"), 0);
}

static void dynamic_exporter(void)
{
	pins(DMABUF_CACHE_STATIC, 0);
	pins(DMABUF_CACHE_DYNAMIC, IMPORT_DYNAMIC);
}

static int move(int fd)
{
	return importer(&(struct importer_call){ .op = IMPORT_MOVE, .fd = fd });
}

static unsigned int told(int handle)
{
	struct importer_call call = { .op = IMPORT_TOLD, .handle = handle };

	check_equal(importer(&call), 0);
	return call.size;
}

static void device_finds(int handle, unsigned int seed)
{
	static uint8_t bytes[PIECE];

	memset(bytes, 0, PIECE);
	check_equal(device_read(handle, PIECE, bytes, PIECE, 0), 0);
	check(is_filled(bytes, PIECE, seed));
}

static void device_fills(int handle, unsigned int seed)
{
	static uint8_t bytes[PIECE];

	fill(bytes, PIECE, seed);
	check_equal(device_write(handle, PIECE, bytes, PIECE, 0), 0);
}

/*
 * A dynamic importer is told of each move, once; what was kept goes, what was in use when it is
 * unmapped, and both are made again where the bytes are.
 */
static void moves(void)
{
	int inner = own_buffer(SIZE, EXPORT_DYNAMIC), fd = wrap(inner, DMABUF_CACHE_DYNAMIC);
	int a = attach(fd, DEVICE_PLAIN, IMPORT_DYNAMIC), b;

	check_equal(map(a, FROM_DEVICE), 0);
	device_fills(a, 1);
	check_equal(unmap(a, FROM_DEVICE), 0);
	check_equal(map(a, TO_DEVICE), 0);
	device_finds(a, 1);
	check_equal(unmap(a, TO_DEVICE), 0);
	check_equal(map(a, TO_DEVICE), 0);
	check_equal(unmap(a, TO_DEVICE), 0);
	check_equal(calls_of(inner).mapped, 2);

	/* Nobody uses it. */
	check_equal(move(inner), 0);
	check_equal(told(a), 1);
	check_equal(calls_of(inner).unmapped, 2);
	check_equal(map(a, TO_DEVICE), 0);
	check_equal(calls_of(inner).mapped, 3);
	device_finds(a, 1);

	/* Mapped for reading, and by another device for writing, which then is kept. */
	b = attach(fd, DEVICE_SECOND, IMPORT_DYNAMIC);
	check_equal(map(b, FROM_DEVICE), 0);
	device_fills(b, 2);
	check_equal(unmap(b, FROM_DEVICE), 0);
	device_finds(a, 2);
	check_equal(move(inner), 0);
	check_equal(told(a), 2);
	check_equal(told(b), 1);
	check_equal(calls_of(inner).unmapped, 3);
	check_equal(unmap(a, TO_DEVICE), 0);
	check_equal(calls_of(inner).unmapped, 4);
	check_equal(map(a, TO_DEVICE), 0);
	check_equal(calls_of(inner).mapped, 5);
	device_finds(a, 2);
	check_equal(unmap(a, TO_DEVICE), 0);
	check_equal(map(b, FROM_DEVICE), 0);
	device_fills(b, 3);
	check_equal(unmap(b, FROM_DEVICE), 0);
	check_equal(calls_of(inner).mapped, 6);

	/* And from then on they are kept, as before. */
	check_equal(map(a, TO_DEVICE), 0);
	device_finds(a, 3);
	check_equal(unmap(a, TO_DEVICE), 0);
	check_equal(calls_of(inner).mapped, 6);
	check_equal(calls_of(inner).unmapped, 4);
	check_equal(calls_of(inner).pinned, 0);

	/* Who has gone is told no more, and a detach of what has moved unmaps it. */
	check_equal(detach(b), 0);
	check_equal(map(a, TO_DEVICE), 0);
	check_equal(move(inner), 0);
	check_equal(detach(a), 0);
	drop(fd);
	check(given_back(inner));
	check_equal(move(inner), 0);
}

/* What a device writes it finds again, if the buffer has stayed from one map to the other. */
static unsigned int use_while_it_moves(int inner, unsigned int own)
{
	static uint8_t written[PIECE], bytes[PIECE];
	unsigned int stayed = 0;

	for (unsigned int i = 0; i < 100; i++) {
		int fd = wrap(inner, DMABUF_CACHE_DYNAMIC);
		int handle = attach(fd, own % 2 ? DEVICE_SECOND : DEVICE_PLAIN, IMPORT_DYNAMIC);
		unsigned int before = told(handle);

		fill(written, PIECE, i + own * 50);
		check_equal(map(handle, i % 2 ? FROM_DEVICE : BOTH), 0);
		check_equal(device_write(handle, own * PIECE, written, PIECE, 0), 0);
		check_equal(unmap(handle, i % 2 ? FROM_DEVICE : BOTH), 0);
		if (i % 5 == 0)
			sleep_ms(1);
		check_equal(map(handle, TO_DEVICE), 0);
		check_equal(device_read(handle, own * PIECE, bytes, PIECE, 0), 0);
		check_equal(unmap(handle, TO_DEVICE), 0);
		if (told(handle) == before)
			stayed += check(!memcmp(written, bytes, PIECE), "round %u of %u", i, own);
		check_equal(detach(handle), 0);
		drop(fd);
	}
	return stayed;
}

static void moves_while_used(void)
{
	int inner = own_buffer(SIZE, EXPORT_DYNAMIC), status,
	    keep = wrap(inner, DMABUF_CACHE_DYNAMIC);
	unsigned int running = 3, moved = 0;

	for (unsigned int child = 0; child < 3; child++) {
		if (fork())
			continue;
		forked();
		_exit(use_while_it_moves(inner, child) > 10 ? 0 : 1);
	}
	while (running) {
		moved += !move(inner);
		sleep_ms(1);
		while (running && waitpid(-1, &status, WNOHANG) > 0) {
			check_equal(status, 0);
			running--;
		}
	}
	check(moved > 10, "%u moves", moved);
	drop(keep);
	check(given_back(inner));
}

/* A static importer is told nothing, so the buffer stays where it is for it. */
static void stays(void)
{
	int inner = own_buffer(SIZE, EXPORT_DYNAMIC), fd = wrap(inner, 0);
	int handle = attach(fd, DEVICE_PLAIN, 0);

	check_equal(move(inner), 0);
	check_equal(map(handle, FROM_DEVICE), 0);
	device_fills(handle, 1);
	check_equal(move(inner), -EBUSY);
	check_equal(unmap(handle, FROM_DEVICE), 0);
	check_equal(move(inner), keeps() ? -EBUSY : 0);
	check_equal(set_parameter("idle_ms", "20"), 0);
	soon(!move(inner));
	check_equal(set_parameter("idle_ms", "0"), 0);
	check_equal(map(handle, TO_DEVICE), 0);
	device_finds(handle, 1);
	check_equal(unmap(handle, TO_DEVICE), 0);
	check_equal(detach(handle), 0);
}

/* The same without us: Linux pins and maps for both directions at attach, for as long as that lasts. */
static void dynamic_exporter_unwrapped(void)
{
	int inner = own_buffer(SIZE, EXPORT_DYNAMIC), handle = attach(inner, DEVICE_PLAIN, 0);

	check_equal(calls_of(inner).pinned, 1);
	check_equal(calls_of(inner).directions, 1u << BOTH);
	check_equal(detach(handle), 0);
	check_equal(calls_of(inner).pinned, 0);
}

/* --- for how long ----------------------------------------------------------------------------- */

static void idle(void)
{
	int inner = own_buffer(SIZE, 0), fd = wrap(inner, 0), handle = attach(fd, DEVICE_PLAIN, 0);

	check_equal(map(handle, TO_DEVICE), 0);
	check_equal(unmap(handle, TO_DEVICE), 0);
	sleep_ms(200);
	check_equal(calls_of(inner).unmapped, keeps() ? 0 : 1);
	check_equal(set_parameter("idle_ms", "20"), 0);
	soon(calls_of(inner).unmapped == 1);
	check_equal(detach(handle), 0);
	check_equal(map_once(fd, DEVICE_PLAIN, TO_DEVICE, 0), 0);
	soon(calls_of(inner).unmapped == 2);
	check(given_back(inner));
	check_equal(set_parameter("idle_ms", "0"), 0);
}

static void budget(void)
{
	int inner[4], fd[4];

	check_equal(set_parameter("budget_mb", "1"), 0);
	for (unsigned int i = 0; i < 4; i++) {
		inner[i] = own_buffer(512 * 1024, 0);
		fd[i] = wrap(inner[i], 0);
		check_equal(map_once(fd[i], DEVICE_PLAIN, TO_DEVICE, 0), 0);
	}
	for (unsigned int i = 0; i < 4; i++)
		check_equal(calls_of(inner[i]).unmapped, keeps() ? i < 2 : 1);
	/* Who comes back takes no more of it. */
	for (unsigned int i = 0; keeps() && i < 8; i++)
		check_equal(map_once(fd[3], DEVICE_PLAIN, TO_DEVICE, 0), 0);
	check_equal(calls_of(inner[3]).unmapped, keeps() ? 0 : 1);
	check_equal(calls_of(inner[2]).unmapped, keeps() ? 0 : 1);
	check_equal(set_parameter("budget_mb", "256"), 0);
}

static void memory_short(void)
{
	int inner = own_buffer(SIZE, 0), fd = wrap(inner, 0), handle;

	check_equal(map_once(fd, DEVICE_PLAIN, TO_DEVICE, 0), 0);
	check_equal(write_file("/proc/sys/vm/drop_caches", "2"), 0);
	soon(calls_of(inner).unmapped == 1);

	handle = attach(fd, DEVICE_PLAIN, 0);
	check_equal(map(handle, TO_DEVICE), 0);
	check_equal(write_file("/proc/sys/vm/drop_caches", "2"), 0);
	sleep_ms(50);
	check_equal(calls_of(inner).unmapped, 1);
	check_equal(unmap(handle, TO_DEVICE), 0);
	check_equal(detach(handle), 0);
}

static void driver_unbinds(void)
{
	int inner = own_buffer(SIZE, 0), fd = wrap(inner, 0), handle;

	check_equal(map_once(fd, DEVICE_PLAIN, TO_DEVICE, 0), 0);
	check_equal(map_once(fd, DEVICE_SECOND, TO_DEVICE, 0), 0);
	check_equal(write_file("/sys/bus/platform/drivers/importer/unbind", "importer.1"), 0);
	check_equal(calls_of(inner).mapped, 2);
	check_equal(calls_of(inner).unmapped, keeps() ? 1 : 2);
	check_equal(write_file("/sys/bus/platform/drivers/importer/bind", "importer.1"), 0);
	check_equal(map_once(fd, DEVICE_SECOND, TO_DEVICE, 0), 0);
	check_equal(calls_of(inner).mapped, 3);

	/* The driver was still attached: at its detach, and not when that has been long enough. */
	handle = attach(fd, DEVICE_SECOND, 0);
	check_equal(write_file("/sys/bus/platform/drivers/importer/unbind", "importer.1"), 0);
	check_equal(calls_of(inner).unmapped, keeps() ? 1 : 3);
	check_equal(detach(handle), 0);
	check_equal(calls_of(inner).unmapped, keeps() ? 2 : 3);
	check_equal(write_file("/sys/bus/platform/drivers/importer/bind", "importer.1"), 0);
}

/* An importer's mistake; Linux then never unmaps. */
static void detached_while_mapped(void)
{
	int inner = own_buffer(SIZE, 0), fd = wrap(inner, 0), handle = attach(fd, DEVICE_PLAIN, 0);

	if (!keeps()) {
		skip("an exporter's mapping that is not kept is lost, as without the module");
		detach(handle);
		return;
	}
	check_equal(map(handle, FROM_DEVICE), 0);
	check_equal(detach(handle), 0);
	check_equal(map_once(fd, DEVICE_PLAIN, FROM_DEVICE, 0), 0);
	drop(fd);
	check(given_back(inner));
	check_equal(calls_of(inner).mapped, 1);
}

/* The exporter's descriptor and the wrap's are closed while an importer uses the buffer. */
static void closed_while_used(void)
{
	static uint8_t bytes[PIECE];
	int fd = wrapped(heap_buffer(SIZE), 0), handle = attach(fd, DEVICE_PLAIN, 0);

	check_equal(map(handle, BOTH), 0);
	drop(fd);
	check_equal(unload("dmabuf_cache"), -EAGAIN);
	fill(bytes, PIECE, 5);
	check_equal(device_write(handle, PIECE, bytes, PIECE, 0), 0);
	check_equal(unmap(handle, BOTH), 0);
	check_equal(map(handle, TO_DEVICE), 0);
	memset(bytes, 0, PIECE);
	check_equal(device_read(handle, PIECE, bytes, PIECE, 0), 0);
	check(is_filled(bytes, PIECE, 5));
	check_equal(unmap(handle, TO_DEVICE), 0);
	check_equal(detach(handle), 0);
	check_equal(unload("dmabuf_cache"), 0);
	check_equal(reload(), 0);
}

const struct guest_case importer_cases[] = {
	{ "unwrapped_same_bytes", unwrapped_bytes, NULL },
	{ "wrapped_same_bytes", wrapped_bytes, NULL },
	{ "wrapped_udmabuf_same_bytes", udmabuf_bytes, NULL },
	{ "who_attaches_for_each_frame_hits", attach_per_frame, NULL },
	{ "each_direction_is_mapped_as_asked", directions, NULL },
	{ "several_map_at_once", together, NULL },
	{ "a_wrap_refuses_the_other_kind_of_importer", kinds, NULL },
	{ "dynamic_importers_share_no_table", dynamic_alone, NULL },
	{ "a_dynamic_exporter_is_pinned_only_while_mapped_or_kept", dynamic_exporter, NULL },
	{ "a_move_is_followed", moves, "uml uml-faults" },
	{ "processes_map_while_the_buffer_moves", moves_while_used, "uml uml-faults" },
	{ "a_static_importers_buffer_stays_until_it_is_idle", stays, NULL },
	{ "unwrapped_it_is_pinned_from_attach_to_detach", dynamic_exporter_unwrapped, NULL },
	{ "idle_mappings_go_after_idle_ms", idle, NULL },
	{ "idle_mappings_fit_a_users_budget", budget, NULL },
	{ "idle_mappings_go_when_memory_is_short", memory_short, NULL },
	{ "mappings_go_when_the_driver_unbinds", driver_unbinds, NULL },
	{ "detached_while_mapped_is_unmapped", detached_while_mapped, NULL },
	{ "descriptors_closed_while_used", closed_while_used, NULL },
	{ NULL, NULL, NULL },
};
