/* SPDX-License-Identifier: MIT */
/*
 * cost.c - what calls cost a program: run by userdev/costs with devices and without, preloaded and not
 *
 * Prints a line for each: name, nanoseconds. The least of nine rounds, on one processor.
 */
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* What calls have made that is closed when no time is taken. */
static int made[200], made_count;

static int heap, buffer, null_fd, epoll, file, line, device, memfd;
static char *mapped;

static void unknown_ioctl(void)
{
	ioctl(-1, 0x5401, NULL);
}

static void open_null(void)
{
	close(open("/dev/null", O_RDONLY));
}

static void stat_null(void)
{
	struct stat st;

	if (stat("/dev/null", &st))
		abort();
}

static void poll_null(void)
{
	struct pollfd fd = { .fd = null_fd, .events = POLLIN };

	poll(&fd, 1, 0);
}

static void select_null(void)
{
	struct timeval none = { 0, 0 };
	fd_set set;

	FD_ZERO(&set);
	FD_SET(null_fd, &set);
	select(null_fd + 1, &set, NULL, NULL, &none);
}

static void epoll_pipe(void)
{
	struct epoll_event event = { .events = EPOLLIN };

	epoll_ctl(epoll, EPOLL_CTL_MOD, line, &event);
}

static void map_file(void)
{
	void *at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);

	if (at == MAP_FAILED)
		abort();
	munmap(at, 4096);
}

static void open_heap(void)
{
	close(open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC));
}

static int allocate(void)
{
	struct dma_heap_allocation_data data = { .len = 4096, .fd_flags = O_RDWR | O_CLOEXEC };

	if (ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data))
		abort();
	return data.fd;
}

static void allocate_only(void)
{
	made[made_count++] = allocate();
}

static void allocate_and_close(void)
{
	close(allocate());
}

static void sync_buffer(void)
{
	struct dma_buf_sync sync = { DMA_BUF_SYNC_RW };

	if (ioctl(buffer, DMA_BUF_IOCTL_SYNC, &sync))
		abort();
}

static void map_buffer(void)
{
	void *at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, buffer, 0);

	if (at == MAP_FAILED)
		abort();
	munmap(at, 4096);
}

static void touch_buffer(void)
{
	for (int i = 0; i < 4096; i += 64)
		((volatile char *)mapped)[i]++;
}

static int export_fence(void)
{
	struct {
		uint32_t flags;
		int32_t fd;
	} data = { DMA_BUF_SYNC_RW, -1 };

	if (ioctl(buffer, _IOWR('b', 2, data), &data))
		abort();
	return data.fd;
}

static void export_only(void)
{
	made[made_count++] = export_fence();
}

static void export_and_close(void)
{
	close(export_fence());
}

static int make_udmabuf(void)
{
	struct udmabuf_create create = { .memfd = memfd, .flags = 1, .size = 4096 };
	int fd = ioctl(device, UDMABUF_CREATE, &create);

	if (fd < 0)
		abort();
	return fd;
}

static void udmabuf_only(void)
{
	made[made_count++] = make_udmabuf();
}

static void udmabuf_and_close(void)
{
	close(make_udmabuf());
}

/* The last call lets the supervisor see that they are closed. */
static void close_made(void)
{
	while (made_count)
		close(made[--made_count]);
	open_heap();
}

static const struct {
	const char *name;
	void (*run)(void);
	int count;
	int devices; /* takes them */
} calls[] = {
	{ "ioctl that is nobody's", unknown_ioctl, 100000, 0 },
	{ "open and close of /dev/null", open_null, 5000, 0 },
	{ "stat of /dev/null", stat_null, 5000, 0 },
	{ "poll", poll_null, 50000, 0 },
	{ "select", select_null, 50000, 0 },
	{ "epoll_ctl", epoll_pipe, 5000, 0 },
	{ "mmap, shared, of a file, and munmap", map_file, 5000, 0 },
	{ "a page of a buffer, each line written", touch_buffer, 50000, 1 },
	{ "SYNC", sync_buffer, 5000, 1 },
	{ "open and close of a heap", open_heap, 2000, 1 },
	{ "ALLOC of a page", allocate_only, 200, 1 },
	{ "ALLOC of a page, and close", allocate_and_close, 2000, 1 },
	{ "mmap of a buffer, and munmap", map_buffer, 5000, 1 },
	{ "EXPORT_SYNC_FILE", export_only, 200, 1 },
	{ "EXPORT_SYNC_FILE, and close", export_and_close, 2000, 1 },
	{ "UDMABUF_CREATE", udmabuf_only, 200, 1 },
	{ "UDMABUF_CREATE, and close", udmabuf_and_close, 2000, 1 },
};

int main(void)
{
	struct dma_heap_allocation_data data = { .len = 4096, .fd_flags = O_RDWR };
	struct epoll_event event = { .events = EPOLLIN };
	int ends[2], devices;

	heap = open("/dev/dma_heap/system", O_RDWR);
	devices = heap >= 0 && !ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data);
	if (devices) {
		buffer = data.fd;
		mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, buffer, 0);
		device = open("/dev/udmabuf", O_RDWR);
		memfd = memfd_create("cost", MFD_ALLOW_SEALING);
		if (ftruncate(memfd, 4096) || fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK))
			return 1;
	}
	null_fd = open("/dev/null", O_RDONLY);
	file = open("/proc/self/exe", O_RDONLY);
	epoll = epoll_create1(0);
	if (pipe(ends) || epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event))
		return 1;
	line = ends[0];
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		uint64_t least = ~0ull;

		for (int round = 0; round < 9 && devices >= calls[i].devices; round++) {
			uint64_t begin = now();

			for (int k = 0; k < calls[i].count; k++)
				calls[i].run();
			begin = now() - begin;
			if (made_count)
				close_made();
			least = begin < least ? begin : least;
		}
		if (least != ~0ull)
			printf("%s\t%.0f\n", calls[i].name, (double)least / calls[i].count);
	}
	return 0;
}
