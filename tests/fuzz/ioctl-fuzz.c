/* SPDX-License-Identifier: MIT */
/*
 * ioctl-fuzz.c - any bytes as a program that does things to descriptors
 *
 * A program may close, duplicate, map, poll and ioctl whatever it has, in any order, with any
 * argument.  Afterwards nothing is left of it: no page, no file.
 *
 * Not here: pointers inside arguments, which may lead anywhere in this process.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/sync_file.h>
#include <linux/workqueue.h>
#include <uapi/linux/dma-buf.h>
#include <uapi/linux/dma-heap.h>
#include <uapi/linux/sync_file.h>

#include "drivers/exporters/heaps.h"
#include "drivers/exporters/system-heap.h"
#include "host/file.h"
#include "host/memory.h"

#define FILES 8
#define FENCES 4
#define MAPS 4
#define BUFFER_MAX (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct program {
	const uint8_t *data;
	size_t left;
	int fd[FILES];
	struct dma_fence *fence[FENCES];
	struct {
		void *at;
		size_t bytes;
	} map[MAPS];
};

static const unsigned int commands[] = {
	DMA_BUF_IOCTL_SYNC,
	DMA_BUF_SET_NAME_A,
	DMA_BUF_SET_NAME_B,
	DMA_BUF_IOCTL_EXPORT_SYNC_FILE,
	DMA_BUF_IOCTL_IMPORT_SYNC_FILE,
	SYNC_IOC_MERGE,
	SYNC_IOC_FILE_INFO,
	SYNC_IOC_SET_DEADLINE,
	DMA_HEAP_IOCTL_ALLOC,
};

static void must(int holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "ioctl-fuzz: %s\n", what);
		abort();
	}
}

/* The next byte, 0 at the end. */
static uint8_t next(struct program *program)
{
	if (!program->left)
		return 0;
	program->left--;
	return *program->data++;
}

static uint64_t next_number(struct program *program, unsigned int bytes)
{
	uint64_t number = 0;

	while (bytes--)
		number = number << 8 | next(program);
	return number;
}

/* --- fences ----------------------------------------------------------------------------------- */

static const char *fence_name(struct dma_fence *fence)
{
	return "fuzz";
}

static const struct dma_fence_ops fence_ops = { .get_driver_name = fence_name,
						.get_timeline_name = fence_name };
static DEFINE_SPINLOCK(fence_lock);

static int new_sync_file(struct program *program)
{
	struct dma_fence **place = &program->fence[next(program) % FENCES];
	struct dma_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);
	struct sync_file *sync_file;
	int fd;

	must(fence != NULL, "memory");
	dma_fence_init(fence, &fence_ops, &fence_lock, dma_fence_context_alloc(1), 1);
	sync_file = sync_file_create(fence);
	must(sync_file != NULL, "memory");
	if (*place) {
		dma_fence_signal(*place);
		dma_fence_put(*place);
	}
	*place = fence;
	fd = get_unused_fd_flags(O_CLOEXEC);
	must(fd >= 0, "descriptors");
	fd_install(fd, sync_file->file);
	return fd;
}

static void signal_all(struct program *program)
{
	for (unsigned int i = 0; i < FENCES; i++) {
		if (program->fence[i])
			dma_fence_signal(program->fence[i]);
	}
}

/* --- what a program does ---------------------------------------------------------------------- */

static void put_fd(struct program *program, unsigned int i, int fd)
{
	if (fd < 0)
		return;
	if (program->fd[i] >= 0)
		host_close(program->fd[i]);
	program->fd[i] = fd;
}

static int new_buffer(struct program *program)
{
	int flags = next(program) % 3; /* O_RDONLY, O_WRONLY, O_RDWR */
	struct dma_buf *dmabuf =
		system_heap_allocate_flags(1 + next_number(program, 2) % BUFFER_MAX, flags);
	int fd;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (fd < 0)
		dma_buf_put(dmabuf);
	return fd;
}

static void do_ioctl(struct program *program, unsigned int file)
{
	static union {
		uint8_t bytes[64];
		struct dma_buf_export_sync_file export;
		struct dma_buf_import_sync_file import;
		struct sync_merge_data merge;
		struct sync_file_info info;
		struct dma_heap_allocation_data heap;
	} arg;
	static struct sync_fence_info infos[256];
	uint8_t which = next(program);
	unsigned int cmd =
		which < 0xf0 ? commands[which % ARRAY_SIZE(commands)] : next_number(program, 4);
	uint8_t patch = next(program);
	int new_fd = -1;
	long ret;

	for (unsigned int i = 0; i < sizeof(arg); i++)
		arg.bytes[i] = i < patch % 65 ? next(program) : 0;
	if (patch & 0x80) {
		arg.import.fd = program->fd[patch % FILES];
		arg.merge.fd2 = program->fd[patch % FILES];
	}
	/* Would wait for a program that is not there. */
	if (cmd == DMA_BUF_IOCTL_SYNC)
		signal_all(program);
	if (cmd == SYNC_IOC_FILE_INFO) {
		arg.info.num_fences %= ARRAY_SIZE(infos);
		arg.info.sync_fence_info = (uintptr_t)infos;
	}
	if (_IOC_TYPE(cmd) == DMA_HEAP_IOC_MAGIC && arg.heap.len < 1ull << 40)
		arg.heap.len %= BUFFER_MAX;

	ret = host_ioctl(program->fd[file], cmd, (unsigned long)&arg);
	must(ret >= -4095, "an ioctl returned no errno");
	if (ret)
		return;
	if (cmd == DMA_BUF_IOCTL_EXPORT_SYNC_FILE)
		new_fd = arg.export.fd;
	else if (cmd == SYNC_IOC_MERGE)
		new_fd = arg.merge.fence;
	else if (_IOC_TYPE(cmd) == DMA_HEAP_IOC_MAGIC)
		new_fd = arg.heap.fd;
	put_fd(program, next(program) % FILES, new_fd);
}

static void do_mmap(struct program *program, unsigned int file)
{
	static const int protections[] = { PROT_NONE, PROT_READ, PROT_WRITE,
					   PROT_READ | PROT_WRITE };
	unsigned int i = next(program) % MAPS;
	size_t bytes = next_number(program, 3) % (2 * BUFFER_MAX);
	off_t offset = (off_t)(int8_t)next(program) * PAGE_SIZE;
	int prot = protections[next(program) % 4];
	void *at;

	at = host_mmap(program->fd[file], NULL, bytes, prot,
		       next(program) & 1 ? MAP_SHARED : MAP_PRIVATE, offset);
	if (at == MAP_FAILED || IS_ERR(at))
		return;
	if (prot & PROT_READ)
		(void)((volatile uint8_t *)at)[bytes - 1];
	if (prot & PROT_WRITE)
		((volatile uint8_t *)at)[bytes - 1] = next(program);
	if (program->map[i].at)
		must(!host_munmap(program->map[i].at, program->map[i].bytes), "munmap");
	program->map[i].at = at;
	program->map[i].bytes = bytes;
}

static void step(struct program *program)
{
	uint8_t what = next(program);
	unsigned int file = what % FILES, other = next(program) % FILES;
	char text[300];

	switch (what / FILES % 16) {
	case 0:
		put_fd(program, file, new_buffer(program));
		break;
	case 1:
		put_fd(program, file, new_sync_file(program));
		break;
	case 2:
		put_fd(program, file, host_open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC));
		break;
	case 3:
		if (program->fd[other] >= 0)
			put_fd(program, file, host_dup(program->fd[other], O_CLOEXEC));
		break;
	case 4:
		if (program->fd[file] >= 0)
			host_close(program->fd[file]);
		program->fd[file] = -1;
		break;
	case 5:
		host_lseek(program->fd[file], (int64_t)next_number(program, 8), next(program) % 4);
		break;
	case 6:
		host_poll(program->fd[file], next(program), 0);
		break;
	case 7:
		do_mmap(program, file);
		break;
	case 8:
		host_fdinfo(program->fd[file], text, next_number(program, 2) % sizeof(text));
		break;
	case 9:
		signal_all(program);
		break;
	case 10:
		host_read(program->fd[file], text, next(program));
		host_write(program->fd[file], text, next(program));
		break;
	default:
		do_ioctl(program, file);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct program program = { .data = data, .left = size };
	static struct host_memory_stats before;
	struct host_memory_stats after;
	static unsigned int runs;

	if (!runs) {
		must(!heaps_register(), "heaps");
		host_memory_stats(&before);
	}
	for (unsigned int i = 0; i < FILES; i++)
		program.fd[i] = -1;

	while (program.left)
		step(&program);

	signal_all(&program);
	for (unsigned int i = 0; i < MAPS; i++) {
		if (program.map[i].at)
			host_munmap(program.map[i].at, program.map[i].bytes);
	}
	/* Also those whose number an allocation had no room to tell. */
	host_close_all(false);
	for (unsigned int i = 0; i < FENCES; i++)
		dma_fence_put(program.fence[i]);
	if (++runs % 256)
		return 0;
	rcu_barrier();
	flush_workqueue(system_wq);
	host_memory_stats(&after);
	must(after.pages_used == before.pages_used, "pages are left");
	return 0;
}
