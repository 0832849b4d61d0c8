/* SPDX-License-Identifier: MIT */
/*
 * machines.c - cases of what one kind of machine adds: permission, bounce slots, caches that devices
 * do not look into
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

#define SIZE (64 * 1024)
#define PIECE 4096

/* --- an IOMMU --------------------------------------------------------------------------------- */

static struct importer_call mapped(int handle, unsigned int dir)
{
	struct importer_call call = { .op = IMPORT_MAP, .handle = handle, .dir = dir };

	check_equal(importer(&call), 0);
	return call;
}

/* The device's own engine, behind the IOMMU; a hit at the same address each time. */
static void engine(void)
{
	static uint8_t bytes[PIECE];
	int fd = wrapped(heap_buffer(SIZE), 0), handle = attach(fd, DEVICE_PCI, 0);
	uint8_t *cpu = map_cpu(fd, SIZE, true);
	struct importer_call first, second;

	fill(cpu, SIZE, 1);
	first = mapped(handle, BOTH);
	check_equal(device_read(handle, PIECE, bytes, PIECE, IMPORT_ENGINE), 0);
	check(!memcmp(bytes, cpu + PIECE, PIECE));
	fill(bytes, PIECE, 2);
	check_equal(device_write(handle, 3 * PIECE, bytes, PIECE, IMPORT_ENGINE), 0);
	check_equal(unmap(handle, BOTH), 0);
	check(is_filled(cpu + 3 * PIECE, PIECE, 2));
	second = mapped(handle, BOTH);
	check(first.dma == second.dma || !strcmp(machine, "swiotlb"));
	check_equal(unmap(handle, BOTH), 0);
	check_equal(detach(handle), 0);
	munmap(cpu, SIZE);
}

/*
 * While a mapping for writing is kept, one for reading lets the device write nothing: it is another,
 * at another address.
 */
static void permission(void)
{
	static uint8_t bytes[PIECE];
	int fd = wrapped(heap_buffer(SIZE), 0), reader = attach(fd, DEVICE_PCI, 0);
	int writer = attach(fd, DEVICE_PCI, 0);
	uint8_t *cpu = map_cpu(fd, SIZE, true);
	struct importer_call for_reading, for_writing;

	fill(cpu, SIZE, 1);
	for_writing = mapped(writer, FROM_DEVICE);
	for_reading = mapped(reader, TO_DEVICE);
	check(for_writing.dma != for_reading.dma);
	memset(bytes, 0x55, PIECE);
	check_equal(device_write(reader, 0, bytes, PIECE, IMPORT_ENGINE), 0);
	check(cpu[0] == DIFFERENT(1, 0), "a device has written through a mapping made for reading");
	check_equal(device_write(writer, 0, bytes, PIECE, IMPORT_ENGINE), 0);
	check(cpu[0] == 0x55);
	check_equal(unmap(reader, TO_DEVICE), 0);
	check_equal(unmap(writer, FROM_DEVICE), 0);
	check_equal(detach(reader), 0);
	check_equal(detach(writer), 0);
	munmap(cpu, SIZE);
}

/* Once it has been idle the device reaches the buffer no more. */
static void revoked(void)
{
	static uint8_t bytes[PIECE];
	int fd = wrapped(heap_buffer(SIZE), 0), handle = attach(fd, DEVICE_PCI, 0);
	uint8_t *cpu = map_cpu(fd, SIZE, true);

	fill(cpu, SIZE, 1);
	mapped(handle, FROM_DEVICE);
	check_equal(unmap(handle, FROM_DEVICE), 0);
	check(listed("from-device"));
	check_equal(set_parameter("idle_ms", "20"), 0);
	soon(!listed("from-device"));
	check_equal(set_parameter("idle_ms", "0"), 0);
	mapped(handle, TO_DEVICE);
	check_equal(device_read(handle, 0, bytes, PIECE, IMPORT_ENGINE), 0);
	check(is_filled(bytes, PIECE, 1));
	check_equal(unmap(handle, TO_DEVICE), 0);
	check_equal(detach(handle), 0);
	munmap(cpu, SIZE);
}

/* What an IOMMU joins keeps its length and its bytes. */
static void joined(void)
{
	static uint8_t bytes[PIECE], expected[PIECE];
	size_t size = 1 << 20;
	int fd = wrapped(udma_buffer(size), 0), handle = attach(fd, DEVICE_PCI, 0);
	uint8_t *cpu = map_cpu(fd, size, true);
	struct importer_call call;

	for (size_t i = 0; i < size; i++)
		cpu[i] = DIFFERENT(i / PIECE, i);
	call = mapped(handle, TO_DEVICE);
	check(call.nents < call.orig_nents, "%u entries of %u", call.nents, call.orig_nents);
	for (size_t at = PIECE / 2; at + PIECE < size; at += 37 * PIECE) {
		memcpy(expected, cpu + at, PIECE);
		check_equal(device_read(handle, at, bytes, PIECE, 0), 0);
		check(!memcmp(bytes, expected, PIECE), "at %zu", at);
	}
	check_equal(unmap(handle, TO_DEVICE), 0);
	check_equal(detach(handle), 0);
	munmap(cpu, size);
}

/* --- bounce slots ----------------------------------------------------------------------------- */

static bool bounced(int fd, enum importer_device device)
{
	int handle = attach(fd, device, 0);
	struct importer_call call = mapped(handle, TO_DEVICE);

	check_equal(unmap(handle, TO_DEVICE), 0);
	check_equal(detach(handle), 0);
	return call.bounced;
}

/* Of the same device a buffer it cannot reach is mapped afresh; others are kept. */
static void narrow_device(void)
{
	static uint8_t bytes[PIECE];
	int fd = wrapped(heap_buffer(SIZE), 0), handle;
	uint8_t *cpu = map_cpu(fd, SIZE, true);

	check(bounced(fd, DEVICE_NARROW));
	check(listed("importer.2 static: fresh"));
	check(bounced(fd, DEVICE_NARROW));
	check_equal(counter("fresh"), 2);
	check(!bounced(fd, DEVICE_PLAIN));
	check(listed("importer.0 static: kept"));

	/* While it is mapped, the exporter is who can sync its slot. */
	handle = attach(fd, DEVICE_NARROW, 0);
	mapped(handle, BOTH);
	fill(bytes, PIECE, 8);
	check_equal(device_write(handle, PIECE, bytes, PIECE, 0), 0);
	check_equal(cpu_begin(fd, true, true), 0);
	check(is_filled(cpu + PIECE, PIECE, 8));
	fill(cpu + PIECE, PIECE, 9);
	check_equal(cpu_end(fd, true, true), 0);
	check_equal(device_read(handle, PIECE, bytes, PIECE, 0), 0);
	check(is_filled(bytes, PIECE, 9));
	check_equal(unmap(handle, BOTH), 0);
	check_equal(detach(handle), 0);
	munmap(cpu, SIZE);
}

/*
 * A bounced device beside one that is not: each finds what the other wrote, where a fresh mapping
 * does, which is from its map on.
 */
static void beside_bounced(void)
{
	static uint8_t bytes[PIECE];
	int fd = wrapped(heap_buffer(SIZE), 0);
	int wide = attach(fd, DEVICE_PLAIN, 0), narrow = attach(fd, DEVICE_NARROW, 0);

	for (unsigned int round = 1; round < 20; round++) {
		mapped(wide, BOTH);
		fill(bytes, PIECE, round);
		check_equal(device_write(wide, PIECE, bytes, PIECE, 0), 0);
		mapped(narrow, BOTH);
		memset(bytes, 0, PIECE);
		check_equal(device_read(narrow, PIECE, bytes, PIECE, 0), 0);
		check(is_filled(bytes, PIECE, round));
		fill(bytes, PIECE, round + 100);
		check_equal(device_write(narrow, 2 * PIECE, bytes, PIECE, 0), 0);
		check_equal(unmap(narrow, BOTH), 0);
		memset(bytes, 0, PIECE);
		check_equal(device_read(wide, 2 * PIECE, bytes, PIECE, 0), 0);
		check(is_filled(bytes, PIECE, round + 100));
		check_equal(unmap(wide, BOTH), 0);
	}
	check_equal(detach(wide), 0);
	check_equal(detach(narrow), 0);
}

/* --- devices that do not snoop ------------------------------------------------------------------ */

static const char *done(void)
{
	static struct trace_entry entries[64];
	static char text[65];
	int n = trace(entries, 64), used = 0;

	if (n < 0)
		return "no trace";
	for (int i = 0; i < n; i++) {
		if (!entries[i].for_device && entries[i].dir == TO_DEVICE)
			continue;
		check_equal(entries[i].size, SIZE);
		text[used++] = entries[i].for_device ? 'c' : 'i';
	}
	text[used] = '\0';
	return used ? text : "-";
}

/* An agent of the specification's is a device with a direction, or the CPU. */
static int step(int fd, const int *handles, const char *agent, char mode, bool begins)
{
	unsigned int dir = mode == 'R' ? TO_DEVICE : mode == 'W' ? FROM_DEVICE : BOTH;
	int handle;

	if (!strcmp(agent, "cpu"))
		return begins ? cpu_begin(fd, mode != 'W', mode != 'R')
			      : cpu_end(fd, mode != 'W', mode != 'R');
	handle = !strcmp(agent, "co") ? handles[6] : handles[3 * (agent[2] - '1') + dir];
	return begins ? map(handle, dir) : unmap(handle, dir);
}

static int prepare(const char *agents, int *handles)
{
	int inner = heap_buffer(SIZE), fd = wrap(inner, 0);

	if (!strstr(agents, ",u"))
		drop(inner);
	for (unsigned int i = 0; i < 7; i++)
		handles[i] = attach(fd,
				    i < 3   ? DEVICE_PLAIN
				    : i < 6 ? DEVICE_SECOND
					    : DEVICE_PCI,
				    0);
	return fd;
}

static void forget(int fd, const int *handles)
{
	for (unsigned int i = 0; fd >= 0 && i < 7; i++)
		detach(handles[i]);
	drop(fd);
}

/* Every cache operation the kernel does, against what checker/coherence-spec.py does. */
static void maintenance(void)
{
	FILE *programs = fopen("/programs", "r");
	char line[100], agent[10], when[10], expected[20], mode, name[60] = "";
	unsigned int steps = 0, number = 0, right = 0;
	int handles[7], fd = -1;

	if (!check(programs))
		return;
	while (fgets(line, sizeof(line), programs)) {
		if (sscanf(line, "program %59s", name) == 1) {
			forget(fd, handles);
			fd = prepare(name, handles);
			number = 0;
			continue;
		}
		if (sscanf(line, "%9s %c %9s %19s", agent, &mode, when, expected) != 4)
			continue;
		number++;
		steps++;
		check_equal(step(fd, handles, agent, mode, !strcmp(when, "begin")), 0);
		if (!strcmp(expected, "?"))
			done();
		else
			right += check(!strcmp(done(), expected), "%s step %u: %s", name, number,
				       line);
	}
	forget(fd, handles);
	fclose(programs);
	say("%u steps, %u compared and right", steps, right);
}

/* Frames handed from device to device cost nothing, where Linux cleans and invalidates each time. */
static void streaming(void)
{
	int inner = heap_buffer(SIZE), fd = wrap(inner, 0);
	int camera = attach(inner, DEVICE_PLAIN, 0), encoder = attach(inner, DEVICE_SECOND, 0);

	done();
	for (unsigned int frame = 0; frame < 4; frame++) {
		mapped(camera, FROM_DEVICE);
		unmap(camera, FROM_DEVICE);
		mapped(encoder, TO_DEVICE);
		unmap(encoder, TO_DEVICE);
		check(!strcmp(done(), "cic"), "unwrapped");
	}
	detach(camera);
	detach(encoder);
	drop(inner);

	camera = attach(fd, DEVICE_PLAIN, 0);
	encoder = attach(fd, DEVICE_SECOND, 0);
	for (unsigned int frame = 0; frame < 20; frame++) {
		const char *what;

		mapped(camera, FROM_DEVICE);
		unmap(camera, FROM_DEVICE);
		mapped(encoder, TO_DEVICE);
		unmap(encoder, TO_DEVICE);
		detach(encoder);
		encoder = attach(fd, DEVICE_SECOND, 0);
		what = done();
		check(!frame || !strcmp(what, "-"), "frame %u: %s", frame, what);
	}
	detach(camera);
	detach(encoder);
}

/* The exporter's unmap would drop what the CPU has written and not yet ended: it has to wait. */
static void teardown_waits(void)
{
	int fd = wrapped(heap_buffer(SIZE), 0), handle = attach(fd, DEVICE_PLAIN, 0);

	mapped(handle, FROM_DEVICE);
	unmap(handle, FROM_DEVICE);
	check_equal(cpu_begin(fd, true, true), 0);
	done();
	check_equal(set_parameter("idle_ms", "20"), 0);
	sleep_ms(200);
	check(listed("from-device"), "a mapping has gone beside a CPU that writes");
	check(!strcmp(done(), "-"));
	check_equal(cpu_end(fd, true, true), 0);
	soon(!listed("from-device"));
	check(!strcmp(done(), "ci"), "clean before the exporter's unmap invalidates");

	/* For reading nothing is dropped, so it waits for nobody. */
	mapped(handle, TO_DEVICE);
	unmap(handle, TO_DEVICE);
	check_equal(cpu_begin(fd, true, true), 0);
	soon(!listed("to-device"));
	check_equal(cpu_end(fd, true, true), 0);
	check_equal(detach(handle), 0);
	check_equal(set_parameter("idle_ms", "0"), 0);
}

/* Somebody holds the exporter's own descriptor, or has it mapped: as a fresh mapping, each time. */
static void mistrusted(void)
{
	int inner = heap_buffer(SIZE), fd = wrap(inner, 0), handle = attach(fd, DEVICE_PLAIN, 0);
	uint8_t *cpu;

	for (unsigned int i = 0; i < 3; i++) {
		mapped(handle, FROM_DEVICE);
		check(strchr(done(), 'c'));
		unmap(handle, FROM_DEVICE);
		check(strchr(done(), 'i'));
	}
	drop(inner);
	mapped(handle, FROM_DEVICE);
	unmap(handle, FROM_DEVICE);
	done();
	mapped(handle, FROM_DEVICE);
	unmap(handle, FROM_DEVICE);
	check(!strcmp(done(), "-"));

	/* Its first map has the exporter's own clean. */
	mapped(handle, TO_DEVICE);
	unmap(handle, TO_DEVICE);
	cpu = map_cpu(fd, SIZE, true);
	done();
	mapped(handle, TO_DEVICE);
	check(!strcmp(done(), "c"), "the CPU may write unseen");
	unmap(handle, TO_DEVICE);
	cpu[0] = 1;
	munmap(cpu, SIZE);
	mapped(handle, TO_DEVICE);
	check(!strcmp(done(), "c"), "the CPU has written unseen");
	unmap(handle, TO_DEVICE);
	mapped(handle, TO_DEVICE);
	unmap(handle, TO_DEVICE);
	check(!strcmp(done(), "-"));

	/* It came and went between two maps. */
	cpu = map_cpu(fd, SIZE, true);
	cpu[0] = 2;
	munmap(cpu, SIZE);
	mapped(handle, TO_DEVICE);
	check(!strcmp(done(), "c"), "the CPU has written unseen since the last map");
	unmap(handle, TO_DEVICE);
	check_equal(detach(handle), 0);
}

/* Linux does not know who else touches such a buffer: mapped afresh, with all that Linux does. */
static void unknown_exporter(void)
{
	int fd = wrapped(own_buffer(SIZE, 0), 0), handle = attach(fd, DEVICE_PLAIN, 0);

	for (unsigned int i = 0; i < 3; i++) {
		mapped(handle, BOTH);
		unmap(handle, BOTH);
	}
	check(listed("importer.0 static: fresh"));
	check_equal(counter("fresh"), 3);
	check_equal(detach(handle), 0);
}

const struct guest_case machine_cases[] = {
	{ "edus_engine_moves_bytes_through_a_kept_mapping", engine,
	  "none intel-strict intel-lazy virtio-iommu swiotlb arm64" },
	{ "a_kept_mapping_allows_what_was_asked_for", permission,
	  "intel-strict intel-lazy virtio-iommu arm64" },
	{ "what_is_idle_is_reached_no_more", revoked,
	  "intel-strict intel-lazy virtio-iommu arm64" },
	{ "entries_joined_by_an_iommu", joined, "intel-strict intel-lazy virtio-iommu arm64" },
	{ "a_bounced_mapping_is_not_kept", narrow_device, "none" },
	{ "a_bounced_device_beside_another", beside_bounced, "none" },
	{ "cache_maintenance_is_as_specified", maintenance, "arm64" },
	{ "device_to_device_costs_no_maintenance", streaming, "arm64" },
	{ "a_teardown_waits_for_the_cpus_writes", teardown_waits, "arm64" },
	{ "unseen_accesses_are_synced_for", mistrusted, "arm64" },
	{ "an_unknown_exporters_mappings_are_not_kept", unknown_exporter, "arm64" },
	{ NULL, NULL, NULL },
};
