/* SPDX-License-Identifier: MIT */
/*
 * programs.c - cases of what a wrap is to programs: descriptors, the CPU, bad input, the module
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define SIZE (64 * 1024)
#define PIECE 4096

static unsigned long inode(int fd)
{
	struct stat s;

	return fstat(fd, &s) ? 0 : s.st_ino;
}

static void same_wrap(void)
{
	int inner = own_buffer(SIZE, 0), first = wrap(inner, 0), second = wrap(inner, 0);
	int third = wrap(first, 0), dynamic = wrap(first, DMABUF_CACHE_DYNAMIC);

	check(first >= 0 && second >= 0 && third >= 0 && dynamic >= 0);
	check_equal(inode(first), inode(second));
	check_equal(inode(first), inode(third));
	check(inode(first) != inode(inner));
	check(inode(first) != inode(dynamic));
	check_equal(inode(wrap(dynamic, DMABUF_CACHE_DYNAMIC)), inode(dynamic));
	check_equal(inode(wrap(dynamic, 0)), inode(first));
	check_equal(fcntl(first, F_GETFD), FD_CLOEXEC);
}

static int ioctl_errno(unsigned long command, void *argument)
{
	int device = open("/dev/dmabuf-cache", O_RDWR | O_CLOEXEC);
	int ret = ioctl(device, command, argument) < 0 ? -errno : 0;

	close(device);
	return ret;
}

static void bad_input(void)
{
	int inner = own_buffer(SIZE, 0), null = open("/dev/null", O_RDWR | O_CLOEXEC), fd;
	struct rlimit all, few;

	check_equal(wrap(-1, 0), -EBADF);
	check_equal(wrap(1000, 0), -EBADF);
	check_equal(wrap(null, 0), -EINVAL);
	check_equal(wrap(inner, 4), -EINVAL);
	check_equal(wrap(inner, 0x80000000u), -EINVAL);
	check_equal(ioctl_errno(DMABUF_CACHE_WRAP, NULL), -EFAULT);
	check_equal(ioctl_errno(DMABUF_CACHE_WRAP + 1, &inner), -ENOTTY);
	check_equal(ioctl_errno(DMA_BUF_IOCTL_SYNC, &inner), -ENOTTY);

	getrlimit(RLIMIT_NOFILE, &all);
	few = all;
	few.rlim_cur = null + 2; /* one for /dev/dmabuf-cache itself */
	setrlimit(RLIMIT_NOFILE, &few);
	check_equal(wrap(inner, 0), -EMFILE);
	setrlimit(RLIMIT_NOFILE, &all);
	close(null);

	check(setegid(1000) == 0 && seteuid(1000) == 0);
	fd = open("/dev/dmabuf-cache", O_RDWR | O_CLOEXEC);
	check(fd < 0 && errno == EACCES, "%d", fd);
	check(seteuid(0) == 0 && setegid(0) == 0);
	check(!listed("inode"), "a buffer has been left");
	check_equal(calls_of(inner).attached, 0);
}

static void access_mode(void)
{
	int inner = heap_buffer_as(SIZE, O_RDONLY), fd = wrap(inner, 0);
	int writable = wrap(heap_buffer(SIZE), 0);

	check_equal(fcntl(inner, F_GETFL) & O_ACCMODE, O_RDONLY);
	check_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	check(map_cpu(fd, SIZE, true) == MAP_FAILED && errno == EACCES);
	check(map_cpu(fd, SIZE, false) != MAP_FAILED);
	check_equal(fcntl(writable, F_GETFL) & O_ACCMODE, O_RDWR);
	check(map_cpu(writable, SIZE, true) != MAP_FAILED);
}

/* --- what passes through ---------------------------------------------------------------------- */

static void cpu_mapping(void)
{
	int inner = heap_buffer(SIZE), fd = wrap(inner, 0), bare;
	uint8_t *a = map_cpu(inner, SIZE, true), *b = map_cpu(fd, SIZE, true);

	if (!check(a != MAP_FAILED && b != MAP_FAILED))
		return;
	fill(a, SIZE, 7);
	check(is_filled(b, SIZE, 7));
	check_equal(lseek(fd, 0, SEEK_END), SIZE);
	check(mmap(NULL, PIECE, PROT_READ, MAP_SHARED, fd, SIZE) == MAP_FAILED && errno == EINVAL);
	munmap(a, SIZE);
	drop(inner);
	drop(fd);
	/* The mapping is the exporter's: it outlives the wrap, and the module. */
	check_equal(unload("dmabuf_cache"), 0);
	check(is_filled(b, SIZE, 7));
	check_equal(reload(), 0);
	munmap(b, SIZE);

	bare = wrapped(own_buffer(SIZE, 0), 0);
	check(map_cpu(bare, SIZE, false) == MAP_FAILED && errno == EINVAL);
	check_equal(cpu_begin(bare, true, true), 0);
	check_equal(cpu_end(bare, true, true), 0);
}

static void kernel_mapping(void)
{
	static uint8_t bytes[PIECE];
	int fd = wrapped(heap_buffer(SIZE), 0), handle = attach(fd, DEVICE_PLAIN, 0), bare;
	struct importer_call call = { .op = IMPORT_VMAP, .handle = handle };
	uint8_t *cpu = map_cpu(fd, SIZE, true);

	fill(cpu, SIZE, 9);
	munmap(cpu, SIZE);
	cpu_begin(fd, true, false);
	cpu_end(fd, true, false);
	check(!listed("reached-unseen"));
	check_equal(importer(&call), 0);
	call = (struct importer_call){
		.op = IMPORT_CPU_READ, .handle = handle, .bytes = (uintptr_t)bytes, .size = PIECE
	};
	check_equal(importer(&call), 0);
	check(is_filled(bytes, PIECE, 9));
	check(listed("reached-unseen"));
	call = (struct importer_call){ .op = IMPORT_VUNMAP, .handle = handle };
	check_equal(importer(&call), 0);
	check_equal(detach(handle), 0);
	check(!listed("reached-unseen"));

	/* An exporter without: no warning of the core's either. */
	bare = wrapped(own_buffer(SIZE, 0), 0);
	handle = attach(bare, DEVICE_PLAIN, 0);
	call = (struct importer_call){ .op = IMPORT_VMAP, .handle = handle };
	check_equal(importer(&call), -EINVAL);
	check_equal(detach(handle), 0);
}

static void fences(void)
{
	int inner = heap_buffer(SIZE), fd = wrap(inner, 0);
	struct dma_buf_export_sync_file file = { .flags = DMA_BUF_SYNC_READ };
	struct pollfd poll_wrap = { fd, POLLIN, 0 };

	check_equal(poll(&poll_wrap, 1, 0), 1);
	check_equal(importer(&(struct importer_call){ .op = IMPORT_FENCE, .fd = inner }), 0);
	check_equal(poll(&poll_wrap, 1, 0), 0);
	check_equal(ioctl(fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &file), 0);
	if (check(file.fd >= 0)) {
		struct pollfd poll_file = { file.fd, POLLIN, 0 };
		struct dma_buf_import_sync_file import = { .flags = DMA_BUF_SYNC_WRITE,
							   .fd = file.fd };

		check_equal(poll(&poll_file, 1, 0), 0);
		check_equal(ioctl(fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &import), 0);
		check_equal(importer(&(struct importer_call){ .op = IMPORT_SIGNAL }), 0);
		check_equal(poll(&poll_file, 1, 1000), 1);
		close(file.fd);
	}
	check_equal(poll(&poll_wrap, 1, 1000), 1);
}

static void names(void)
{
	int inner = heap_buffer(SIZE), fd = wrap(inner, 0);
	char path[40], target[100] = "";

	check_equal(ioctl(fd, DMA_BUF_SET_NAME_B, (uint64_t)(uintptr_t) "frame"), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	check(readlink(path, target, sizeof(target) - 1) > 0 && strstr(target, ":frame"), "%s",
	      target);
}

/* What begins and never ends costs nothing more and ends with the buffer. */
static void brackets_unpaired(void)
{
	static uint8_t bytes[PIECE];
	int fd = wrapped(heap_buffer(SIZE), 0), handle = attach(fd, DEVICE_PLAIN, 0);
	uint8_t *cpu = map_cpu(fd, SIZE, true);

	for (unsigned int i = 0; i < 1000; i++)
		check_equal(cpu_begin(fd, i & 1, true), 0);
	fill(cpu, SIZE, 3);
	check_equal(map(handle, TO_DEVICE), 0);
	check_equal(device_read(handle, 0, bytes, PIECE, 0), 0);
	check(is_filled(bytes, PIECE, 3));
	check_equal(unmap(handle, TO_DEVICE), 0);
	check_equal(detach(handle), 0);
	munmap(cpu, SIZE);

	fd = wrapped(heap_buffer(SIZE), 0);
	for (unsigned int i = 0; i < 1000; i++)
		check_equal(cpu_end(fd, true, i & 1), 0);
	check_equal(ioctl(fd, DMA_BUF_IOCTL_SYNC, &(struct dma_buf_sync){ .flags = ~0ull }), -1);
}

/* --- random programs -------------------------------------------------------------------------- */

#define DEVICES 3
#define LINES 8 /* pieces that each have bytes of their own */

/*
 * Accesses of the CPU and of devices, one at a time or several that read, in every order; what each
 * reads is what was written last.
 */
static void random_program(int fd, unsigned int seed, unsigned int steps)
{
	static const enum importer_device kinds[DEVICES] = { DEVICE_PLAIN, DEVICE_NARROW,
							     DEVICE_PCI };
	static uint8_t bytes[PIECE];
	uint8_t *cpu = map_cpu(fd, LINES * PIECE, true);
	int handles[DEVICES];
	unsigned int newest[LINES] = { 0 };

	if (!check(cpu != MAP_FAILED))
		return;
	for (unsigned int i = 0; i < DEVICES; i++)
		handles[i] = has_device(kinds[i]) ? attach(fd, kinds[i], 0) : -1;
	cpu_begin(fd, false, true);
	for (unsigned int line = 0; line < LINES; line++)
		fill(cpu + line * PIECE, PIECE, 0);
	cpu_end(fd, false, true);

	srand(seed);
	for (unsigned int step = 1; step <= steps; step++) {
		unsigned int who = rand() % (DEVICES + 1), line = rand() % LINES, what = rand() % 3;
		bool writes = what != TO_DEVICE, reads = what != FROM_DEVICE, right = true;
		int handle = who < DEVICES ? handles[who] : -1;

		if (who < DEVICES && handle < 0)
			continue;
		if (who < DEVICES && rand() % 4 == 0) {
			detach(handle);
			handle = handles[who] = attach(fd, kinds[who], 0);
		}
		if (who == DEVICES) {
			cpu_begin(fd, reads, writes);
			if (reads)
				right = is_filled(cpu + line * PIECE, PIECE, newest[line]);
			if (writes)
				fill(cpu + line * PIECE, PIECE, step);
			cpu_end(fd, reads, writes);
		} else {
			check_equal(map(handle, what), 0);
			if (reads) {
				device_read(handle, line * PIECE, bytes, PIECE, 0);
				right = is_filled(bytes, PIECE, newest[line]);
			}
			fill(bytes, PIECE, step);
			if (writes)
				device_write(handle, line * PIECE, bytes, PIECE, 0);
			check_equal(unmap(handle, what), 0);
		}
		if (writes)
			newest[line] = step;
		if (!check(right, "seed %u step %u: %u finds something old in line %u", seed, step,
			   who, line))
			break;
	}
	for (unsigned int i = 0; i < DEVICES; i++)
		if (handles[i] >= 0)
			detach(handles[i]);
	munmap(cpu, LINES * PIECE);
}

static void random_unwrapped(void)
{
	random_program(heap_buffer(LINES * PIECE), 1, 200);
}

static void random_wrapped(void)
{
	for (unsigned int seed = 1; seed < 5; seed++)
		random_program(wrapped(heap_buffer(LINES * PIECE), 0), seed, 200);
	random_program(wrap(heap_buffer(LINES * PIECE), 0), 5, 200);
}

/* --- many ------------------------------------------------------------------------------------- */

static int round_trip(int inner)
{
	int fd = wrap(inner, 0), handle = attach(fd, DEVICE_PLAIN, 0), ret;

	ret = handle < 0 ? handle : map(handle, TO_DEVICE);
	ret = ret ?: unmap(handle, TO_DEVICE);
	ret = ret ?: detach(handle);
	drop(fd);
	return ret;
}

/* A slab of each CPU's in some caches; an object lost for each round is more. */
#define SLACK_KIB 128

static void rounds(void)
{
	unsigned int n = take_long ? 100000 : 2000;
	long long free_before, free_after, slab_before, slab_after;
	int inner = own_buffer(SIZE, 0);

	for (unsigned int i = 0; i < 200; i++)
		check_equal(round_trip(inner), 0);
	free_before = memory_kib("MemFree:");
	slab_before = memory_kib("SUnreclaim:");
	for (unsigned int i = 0; i < n; i++)
		if (!check_equal(round_trip(inner), 0))
			break;
	slab_after = memory_kib("SUnreclaim:");
	free_after = memory_kib("MemFree:");
	say("%u rounds: %lld KiB of slabs, then %lld", n, slab_before, slab_after);
	check(slab_after < slab_before + SLACK_KIB, "%lld KiB of slabs, then %lld", slab_before,
	      slab_after);
	check(free_after > free_before - 4 * n / 8, "%lld KiB were free, then %lld", free_before,
	      free_after);
	check(given_back(inner));
}

/* --- memory that cannot be had ----------------------------------------------------------------- */

/* Wrap, attach, map in two directions, the CPU, detach and close, or as far as memory lasts. */
static int all_of_it(int inner)
{
	int fd = wrap(inner, 0), handle, ret;

	if (fd < 0)
		return fd;
	handle = ret = attach(fd, DEVICE_PLAIN, 0);
	if (handle < 0)
		goto drop_wrap;
	for (unsigned int dir = TO_DEVICE; dir <= FROM_DEVICE && ret >= 0; dir++) {
		ret = map(handle, dir);
		ret = ret ?: unmap(handle, dir);
		ret = ret ?: cpu_begin(fd, true, true);
		ret = ret ?: cpu_end(fd, true, true);
	}
	detach(handle);
drop_wrap:
	drop(fd);
	return ret;
}

/*
 * Each of its allocations fails once, those of the core's and of the exporter's, too: Linux's errno
 * or no harm, nothing left, and right bytes from whoever comes next.
 */
static void each_allocation_fails(int inner)
{
	static uint8_t bytes[PIECE];
	unsigned int k = 1, told = 0;

	all_of_it(inner);
	for (bool failed_one = true; failed_one; k++) {
		int ret, again;

		fail_at(k);
		ret = all_of_it(inner);
		failed_one = fail_at(0);
		if (!check(!ret || (failed_one && ret == -ENOMEM), "allocation %u: %d", k, ret))
			return;
		told += ret == -ENOMEM;
		check(!listed("inode"), "allocation %u: a buffer has been left", k);

		again = wrap(inner, 0);
		ret = attach(again, DEVICE_PLAIN, 0);
		fill(bytes, PIECE, k);
		check_equal(map(ret, FROM_DEVICE), 0);
		check_equal(device_write(ret, PIECE, bytes, PIECE, 0), 0);
		check_equal(unmap(ret, FROM_DEVICE), 0);
		memset(bytes, 0, PIECE);
		check_equal(map(ret, TO_DEVICE), 0);
		check_equal(device_read(ret, PIECE, bytes, PIECE, 0), 0);
		check(is_filled(bytes, PIECE, k), "after allocation %u", k);
		check_equal(unmap(ret, TO_DEVICE), 0);
		check_equal(detach(ret), 0);
		drop(again);
	}
	check(told > 8, "%u of %u allocations are told to the caller", told, k - 2);
}

static void allocations_fail(void)
{
	int inner = own_buffer(SIZE, 0), moves = own_buffer(SIZE, EXPORT_DYNAMIC);
	long long before, after;

	each_allocation_fails(inner);
	before = memory_kib("SUnreclaim:");
	for (unsigned int i = 0; i < (take_long ? 100 : 10); i++)
		each_allocation_fails(inner);
	after = memory_kib("SUnreclaim:");
	/* KASAN keeps what was freed. */
	check(after < before + SLACK_KIB || !strcmp(machine, "uml-faults"),
	      "%lld KiB of slabs, then %lld", before, after);
	say("%lld KiB of slabs, then %lld", before, after);
	check(given_back(inner));
	each_allocation_fails(moves);
	check(given_back(moves));
	each_allocation_fails(heap_buffer(SIZE));
}

/* Processes that wrap, attach, map and close the same buffers while what is idle is taken away. */
static void at_once(void)
{
	int inner[3] = { heap_buffer(SIZE), own_buffer(SIZE, 0), own_buffer(SIZE, EXPORT_DYNAMIC) };
	pid_t children[3];

	check_equal(set_parameter("idle_ms", "1"), 0);
	for (unsigned int child = 0; child < 3; child++) {
		children[child] = fork();
		if (children[child])
			continue;
		forked();
		for (unsigned int i = 0; i < 150; i++) {
			int fd = wrap(inner[(i + child) % 3], 0);
			int handle = attach(fd, child ? DEVICE_PLAIN : DEVICE_SECOND, 0);
			unsigned int dir = (i + child) % 3;

			if (handle < 0 || map(handle, dir) || (i % 7 && unmap(handle, dir)) ||
			    (i % 7 && detach(handle)))
				_exit(1);
			if (i % 7 == 0) {
				unmap(handle, dir);
				detach(handle);
			}
			if (i % 50 == 0)
				write_file("/proc/sys/vm/drop_caches", "2");
			drop(fd);
		}
		_exit(0);
	}
	for (unsigned int child = 0; child < 3; child++) {
		int status = -1;

		waitpid(children[child], &status, 0);
		check_equal(status, 0);
	}
	check_equal(set_parameter("idle_ms", "0"), 0);
	check(given_back(inner[1]));
	check(given_back(inner[2]));
}

static void rmmod(void)
{
	int fd = wrapped(heap_buffer(SIZE), 0), handle;
	uint8_t *cpu = map_cpu(fd, SIZE, true);

	check(fd >= 0, "%s", strerror(-fd));
	check(cpu != MAP_FAILED, "%s", strerror(errno));
	check_equal(unload("dmabuf_cache"), -EAGAIN);
	handle = attach(fd, DEVICE_PLAIN, 0);
	drop(fd);
	check_equal(unload("dmabuf_cache"), -EAGAIN);
	fill(cpu, SIZE, 1);
	munmap(cpu, SIZE);
	check_equal(unload("dmabuf_cache"), -EAGAIN);
	check_equal(detach(handle), 0);
	check_equal(unload("dmabuf_cache"), 0);
	check_equal(access("/dev/dmabuf-cache", F_OK), -1);
	check_equal(access("/sys/kernel/debug/dmabuf-cache", F_OK), -1);
	check_equal(reload(), 0);
}

const struct guest_case program_cases[] = {
	{ "the_same_wrap_while_it_lives", same_wrap, NULL },
	{ "bad_input_gets_linux_errno_and_leaves_nothing", bad_input, NULL },
	{ "a_wrap_has_its_buffers_access_mode", access_mode, NULL },
	{ "mmap_and_size_pass_through", cpu_mapping, NULL },
	{ "vmap_passes_through", kernel_mapping, NULL },
	{ "poll_and_sync_files_pass_through", fences, NULL },
	{ "a_wrap_can_be_named", names, NULL },
	{ "brackets_that_do_not_pair", brackets_unpaired, NULL },
	{ "random_program_unwrapped", random_unwrapped, NULL },
	{ "random_programs_wrapped", random_wrapped, NULL },
	{ "rounds_leave_no_memory_behind", rounds, "none" },
	{ "processes_at_once_while_idle_mappings_go", at_once, "none arm64 uml" },
	{ "each_allocation_fails_once", allocations_fail, "none arm64 uml-faults" },
	{ "rmmod_answers_busy_while_a_wrap_lives", rmmod, NULL },
	{ NULL, NULL, NULL },
};
