/* SPDX-License-Identifier: MIT */
/*
 * read-only-test.c - a buffer whose descriptor is opened only to read is written by no road of a
 * program's: not through the system, not through include/libdmabuf.h
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/libdmabuf.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/sync_file.h>
#include <uapi/linux/dma-heap.h>

#include "dma/engine.h"
#include "drivers/exporters/heaps.h"
#include "host/file.h"
#include "host/port.h"
#include "include/libdmabuf.h"
#include "tests/ktap.h"

#define BYTES (3 * PAGE_SIZE)

static const char *const heap_names[] = { "system", "default_cma_region" };

/* A buffer's descriptor, opened as @mode says; the heap's is closed again. */
static int open_buffer(struct ktap *t, const char *heap_name, int mode)
{
	struct dma_heap_allocation_data data = { .len = BYTES, .fd_flags = mode | O_CLOEXEC };
	int heap = libdmabuf_heap_open(heap_name);

	KT_EQ(t, libdmabuf_fd_ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data), 0);
	KT_EQ(t, libdmabuf_fd_close(heap), 0);
	return data.fd;
}

/* By the exporter, as a driver would. */
static void fill(int fd, u8 value)
{
	struct dma_buf *dmabuf = dma_buf_get(fd);
	size_t len;

	for (size_t at = 0; at < BYTES; at += len) {
		u8 *bytes = heaps_vaddr(dmabuf, at, &len);

		memset(bytes, value, len);
	}
	dma_buf_put(dmabuf);
}

/* What a driver sees: every byte is @value. */
static bool all_are(int fd, u8 value)
{
	struct dma_buf *dmabuf = dma_buf_get(fd);
	bool same = true;
	size_t len;

	for (size_t at = 0; at < BYTES; at += len) {
		u8 *bytes = heaps_vaddr(dmabuf, at, &len);

		for (size_t i = 0; i < len; i++)
			same = same && bytes[i] == value;
	}
	dma_buf_put(dmabuf);
	return same;
}

/* --- the system's calls ----------------------------------------------------------------------- */

static void no_mapping_becomes_writable(struct ktap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(heap_names); i++) {
		int fd = open_buffer(t, heap_names[i], O_RDONLY), memory;
		u8 *at, *copy, one = 1;

		KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, 0)),
		      -EACCES);
		KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, BYTES, PROT_WRITE, MAP_SHARED_VALIDATE, 0)),
		      -EACCES);
		fill(fd, 3);
		at = host_mmap(fd, NULL, BYTES, PROT_READ, MAP_SHARED, 0);
		KT_ASSERT(t, !IS_ERR(at));
		for (size_t page = 0; page < BYTES; page += PAGE_SIZE) {
			KT_CHECK(t, mprotect(at + page, PAGE_SIZE, PROT_WRITE) && errno == EACCES);
			KT_CHECK(t, mprotect(at + page, PAGE_SIZE, PROT_READ | PROT_WRITE) &&
					    errno == EACCES);
		}
		/* a hole would be a write of zeroes; qemu's user mode takes the call and does nothing */
		KT_CHECK(t, !madvise(at, BYTES, MADV_REMOVE) ? all_are(fd, 3) : errno == EACCES);
		/* the debugger's road, which writes copies into private mappings */
		memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
		KT_CHECK(t, memory < 0 || pwrite(memory, &one, 1, (uintptr_t)at) < 0);
		if (memory >= 0)
			close(memory);

		copy = host_mmap(fd, NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0);
		KT_ASSERT(t, !IS_ERR(copy));
		memset(copy, 9, PAGE_SIZE);
		KT_EQ(t, at[0], 3);
		KT_CHECK(t, all_are(fd, 3));
		KT_EQ(t, host_munmap(copy, PAGE_SIZE), 0);
		KT_EQ(t, host_munmap(at, BYTES), 0);
		KT_EQ(t, host_close(fd), 0);
	}
	KT_EQ(t, libdmabuf_fini(), 0);
}

/* @fd was made from another: it is the same file, with its mode, or nothing of ours. */
static void is_no_more(struct ktap *t, int fd)
{
	struct dma_buf *dmabuf;
	u8 *at;

	KT_ASSERT(t, fd >= 0);
	KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, BYTES, PROT_WRITE, MAP_SHARED, 0)), -EACCES);
	dmabuf = dma_buf_get(fd);
	KT_ASSERT(t, !IS_ERR(dmabuf));
	KT_EQ(t, dmabuf->file->f_mode & (FMODE_READ | FMODE_WRITE), FMODE_READ);
	dma_buf_put(dmabuf);
	KT_EQ(t, host_write(fd, "x", 1), -EBADF);
	/* and the system has nothing behind it that could be written and lost */
	KT_EQ(t, write(fd, "x", 1), -1);
	KT_EQ(t, pwrite(fd, "x", 1, 0), -1);
	KT_EQ(t, ftruncate(fd, 1), -1);
	at = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	KT_CHECK(t, at == MAP_FAILED);
}

static void copies_of_a_descriptor_are_no_more(struct ktap *t)
{
	int fd = open_buffer(t, "system", O_RDONLY), copy;
	struct libdmabuf_buffer *buffer;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	is_no_more(t, fd);
	copy = dup(fd);
	is_no_more(t, copy);
	close(copy);
	copy = host_dup(fd, O_CLOEXEC);
	is_no_more(t, copy);
	host_close(copy);
	copy = open(path, O_RDWR | O_CLOEXEC);
	is_no_more(t, copy);
	close(copy);
	KT_EQ(t, fcntl(fd, F_SETFL, O_RDWR), 0);
	is_no_more(t, fd);
	KT_EQ(t, libdmabuf_buffer_import(fd, &buffer), 0);
	copy = libdmabuf_buffer_fd(buffer);
	is_no_more(t, copy);
	libdmabuf_fd_close(copy);
	KT_CHECK(t, all_are(fd, 0));
	KT_EQ(t, host_close(fd), 0);
	KT_EQ(t, libdmabuf_fini(), 0);
}

/* What another process gets of one: nothing to read, and no buffer there, nor here of one of its. */
static void a_descriptor_has_no_bytes_behind_it(struct ktap *t)
{
	int fd = open_buffer(t, "system", O_RDWR), others;
	struct dma_buf *dmabuf = dma_buf_get(fd);
	struct stat st;
	size_t len;
	char byte;

	memset(heaps_vaddr(dmabuf, 0, &len), 1, PAGE_SIZE);
	dma_buf_put(dmabuf);
	KT_EQ(t, read(fd, &byte, 1), 0);
	KT_EQ(t, pread(fd, &byte, 1, 0), 0);
	KT_EQ(t, fstat(fd, &st), 0);
	KT_EQ(t, st.st_size + st.st_blocks, 0);
	others = memfd_create("libdmabuf", MFD_CLOEXEC);
	KT_EQ(t, PTR_ERR(dma_buf_get(others)), -EINVAL);
	KT_EQ(t, PTR_ERR(host_mmap(others, NULL, BYTES, PROT_READ, MAP_SHARED, 0)), -EBADF);
	close(others);
	KT_EQ(t, host_close(fd), 0);
	KT_EQ(t, libdmabuf_fini(), 0);
}

/* --- the library's calls ---------------------------------------------------------------------- */

struct program {
	struct libdmabuf_machine *machine;
	struct libdmabuf_device *device, *reader;
	struct libdmabuf_buffer *buffer;
	struct libdmabuf_attachment *attachment;
};

static void program_up(struct ktap *t, struct program *p, const char *machine, int fd)
{
	KT_EQ(t, libdmabuf_machine_create(machine, &p->machine), 0);
	KT_EQ(t, libdmabuf_device_add(p->machine, "device", LIBDMABUF_SNOOPING_DEFAULT, &p->device),
	      0);
	KT_EQ(t, libdmabuf_device_add(p->machine, "reader", LIBDMABUF_SNOOPING_DEFAULT, &p->reader),
	      0);
	KT_EQ(t, libdmabuf_buffer_import(fd, &p->buffer), 0);
	KT_EQ(t, libdmabuf_attach(p->device, p->buffer, &p->attachment), 0);
}

/* A driver imports the buffer for its device, which writes @value everywhere: drivers may. */
static void a_driver_writes(struct ktap *t, struct libdmabuf_device *device, int fd, u8 value)
{
	struct dma_buf *dmabuf = dma_buf_get(fd);
	struct device *dev = libdmabuf_device_of(device);
	struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, dev);
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);
	u8 bytes[BYTES];

	memset(bytes, value, BYTES);
	KT_EQ(t, dma_engine_write(dev, sgt, 0, bytes, BYTES), 0);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_FROM_DEVICE);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

/* The attachment maps to read; no byte of the buffer changes. */
static void device_does_not_write(struct ktap *t, struct program *p)
{
	u8 byte = 7;

	KT_EQ(t, libdmabuf_map(p->attachment, LIBDMABUF_WRITE), -EACCES);
	KT_EQ(t, libdmabuf_map(p->attachment, LIBDMABUF_READ_WRITE), -EACCES);
	KT_EQ(t, libdmabuf_map(p->attachment, LIBDMABUF_READ), 0);
	KT_EQ(t, libdmabuf_device_write(p->attachment, 0, &byte, 1), -EACCES);
	KT_EQ(t, libdmabuf_device_read(p->attachment, 0, &byte, 1), 0);
	KT_EQ(t, byte, 0);
	KT_EQ(t, libdmabuf_unmap(p->attachment), 0);
}

static void cpu_does_not_write(struct ktap *t, struct program *p)
{
	size_t more;
	u8 *at;

	for (int access = LIBDMABUF_WRITE; access <= LIBDMABUF_READ_WRITE; access++) {
		KT_EQ(t, libdmabuf_cpu_begin(p->buffer, access), -EACCES);
		KT_EQ(t, libdmabuf_cpu_end(p->buffer, access), -EACCES);
		KT_EQ(t, libdmabuf_cpu_begin_range(p->buffer, access, 0, 1), -EACCES);
		KT_EQ(t, libdmabuf_cpu_end_range(p->buffer, access, 0, 1), -EACCES);
	}
	KT_EQ(t, libdmabuf_cpu_begin(p->buffer, LIBDMABUF_READ), 0);
	at = libdmabuf_buffer_vaddr(p->buffer, PAGE_SIZE + 1, &more);
	KT_ASSERT(t, at);
	KT_EQ(t, more, BYTES - PAGE_SIZE - 1);
	KT_EQ(t, *at, 0);
	KT_CHECK(t, libdmabuf_buffer_vaddr(p->buffer, PAGE_SIZE, NULL) == at - 1);
	KT_CHECK(t, mprotect(at - 1, PAGE_SIZE, PROT_READ | PROT_WRITE) && errno == EACCES);
	KT_CHECK(t, !libdmabuf_buffer_vaddr(p->buffer, BYTES, &more) && !more);
	KT_EQ(t, libdmabuf_cpu_end(p->buffer, LIBDMABUF_READ), 0);
}

static void no_call_of_the_library_writes(struct ktap *t)
{
	for (int policy = LIBDMABUF_POLICY_CACHED; policy <= LIBDMABUF_POLICY_REMAP; policy++)
		for (unsigned int i = 0; libdmabuf_machine_name(i); i++)
			for (size_t heap = 0; heap < ARRAY_SIZE(heap_names); heap++) {
				struct program p;
				int fd;

				libdmabuf_policy_set(policy);
				fd = open_buffer(t, heap_names[heap], O_RDONLY);
				program_up(t, &p, libdmabuf_machine_name(i), fd);
				device_does_not_write(t, &p);
				/* A driver's mapping of the same device is kept, and writes. */
				a_driver_writes(t, p.device, fd, 0);
				device_does_not_write(t, &p);
				cpu_does_not_write(t, &p);
				KT_CHECK(t, all_are(fd, 0));
				KT_EQ(t, libdmabuf_fd_close(fd), 0);
				KT_EQ(t, libdmabuf_fini(), 0);
			}
	libdmabuf_policy_set(LIBDMABUF_POLICY_CACHED);
}

/* An address that only reads may be refused; one that writes is never given in its place. */
static void without_memory_there_is_no_address(struct ktap *t)
{
	static const enum port_fault kinds[] = { PORT_FAULT_ALLOC, PORT_FAULT_MAP, PORT_FAULT_FD };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		int fd = open_buffer(t, "system", O_RDONLY);
		struct libdmabuf_buffer *buffer;
		void *at = NULL;
		unsigned int k;
		size_t more;

		KT_EQ(t, libdmabuf_buffer_import(fd, &buffer), 0);
		for (k = 1; !at && k < 100; k++) {
			more = 1;
			port_fail_nth(kinds[i], k);
			at = libdmabuf_buffer_vaddr(buffer, 0, &more);
			port_fail_nth(kinds[i], 0);
			KT_EQ(t, more, at ? BYTES : 0);
		}
		KT_CHECK(t, at && k > 2);
		KT_CHECK(t, mprotect(at, BYTES, PROT_WRITE) && errno == EACCES);
		KT_EQ(t, libdmabuf_fd_close(fd), 0);
		KT_EQ(t, libdmabuf_fini(), 0);
	}
}

/* As in Linux the ioctl asks for no mode; it has nothing to write back, so it writes nothing. */
static void a_sync_ioctl_brings_no_old_bytes(struct ktap *t)
{
	static const __u64 flags[] = {
		DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE,
		DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE,   DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW,
		DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW,
	};

	for (int policy = LIBDMABUF_POLICY_CACHED; policy <= LIBDMABUF_POLICY_REMAP; policy++)
		for (unsigned int i = 0; libdmabuf_machine_name(i); i++)
			for (size_t k = 0; k < ARRAY_SIZE(flags); k++) {
				struct dma_buf_sync sync = { .flags = flags[k] };
				struct libdmabuf_attachment *attachment;
				struct program p;
				u8 got = 0;
				int fd;

				libdmabuf_policy_set(policy);
				fd = open_buffer(t, "system", O_RDONLY);
				program_up(t, &p, libdmabuf_machine_name(i), fd);
				a_driver_writes(t, p.device, fd, 3);
				a_driver_writes(t, p.device, fd, 5);
				KT_EQ(t, libdmabuf_fd_ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync), 0);
				KT_EQ(t, libdmabuf_attach(p.reader, p.buffer, &attachment), 0);
				KT_EQ(t, libdmabuf_map(attachment, LIBDMABUF_READ), 0);
				KT_EQ(t, libdmabuf_device_read(attachment, 4000, &got, 1), 0);
				KT_EQ(t, got, 5);
				if (sync.flags & DMA_BUF_SYNC_END)
					sync.flags = 0;
				sync.flags |= DMA_BUF_SYNC_END;
				libdmabuf_fd_ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync);
				KT_EQ(t, libdmabuf_fd_close(fd), 0);
				KT_EQ(t, libdmabuf_fini(), 0);
			}
	libdmabuf_policy_set(LIBDMABUF_POLICY_CACHED);
}

/* The other way round: what is opened only to write is not read. */
static void write_only_is_not_read(struct ktap *t)
{
	int fd = open_buffer(t, "system", O_WRONLY);
	struct program p;
	u8 byte = 7;

	program_up(t, &p, "pc-iommu", fd);
	KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, BYTES, PROT_READ, MAP_SHARED, 0)), -EACCES);
	KT_EQ(t, libdmabuf_map(p.attachment, LIBDMABUF_READ), -EACCES);
	KT_EQ(t, libdmabuf_map(p.attachment, LIBDMABUF_WRITE), 0);
	KT_EQ(t, libdmabuf_device_read(p.attachment, 0, &byte, 1), -EACCES);
	KT_EQ(t, byte, 7);
	KT_EQ(t, libdmabuf_device_write(p.attachment, 0, &byte, 1), 0);
	KT_EQ(t, libdmabuf_unmap(p.attachment), 0);
	KT_EQ(t, libdmabuf_cpu_begin(p.buffer, LIBDMABUF_READ), -EACCES);
	KT_EQ(t, libdmabuf_cpu_begin(p.buffer, LIBDMABUF_WRITE), 0);
	KT_EQ(t, libdmabuf_cpu_end(p.buffer, LIBDMABUF_WRITE), 0);
	KT_EQ(t, libdmabuf_fd_close(fd), 0);
	KT_EQ(t, libdmabuf_fini(), 0);
}

/* --- from one life of the library to the next ------------------------------------------------- */

static int descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 1000; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* Memory is made anew after the end; a reader's mapping is of the new one, and a child leaves it. */
static void readers_do_not_see_the_memory_before(struct ktap *t)
{
	int before = descriptors();

	for (int life = 1; life <= 3; life++) {
		int fd = open_buffer(t, "system", O_RDONLY), status = -1;
		struct dma_buf *dmabuf = dma_buf_get(fd);
		pid_t child;
		size_t len;
		u8 *at;

		memset(heaps_vaddr(dmabuf, 0, &len), life, PAGE_SIZE);
		dma_buf_put(dmabuf);
		at = host_mmap(fd, NULL, BYTES, PROT_READ, MAP_SHARED, 0);
		KT_ASSERT(t, !IS_ERR(at));
		for (size_t i = 0; i < BYTES; i += 64)
			KT_EQ(t, at[i], i < PAGE_SIZE ? life : 0);
		child = fork();
		if (!child)
			_exit(libdmabuf_fini() || descriptors() != before);
		KT_EQ(t, waitpid(child, &status, 0), child);
		KT_EQ(t, status, 0);
		KT_EQ(t, host_munmap(at, BYTES), 0);
		KT_EQ(t, host_close(fd), 0);
		KT_EQ(t, libdmabuf_fini(), 0);
		KT_EQ(t, descriptors(), before);
	}
}

KTAP_MAIN(KTAP_CASE(no_mapping_becomes_writable), KTAP_CASE(copies_of_a_descriptor_are_no_more),
	  KTAP_CASE(a_descriptor_has_no_bytes_behind_it), KTAP_CASE(no_call_of_the_library_writes),
	  KTAP_CASE(without_memory_there_is_no_address),
	  KTAP_CASE(a_sync_ioctl_brings_no_old_bytes), KTAP_CASE(write_only_is_not_read),
	  KTAP_CASE(readers_do_not_see_the_memory_before))
