/* SPDX-License-Identifier: MIT */
/*
 * program-api-test.c - include/libdmabuf.h: bytes arrive, wrong arguments have their errno, the end
 * leaves nothing
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uapi/linux/dma-buf.h>
#include <uapi/linux/dma-heap.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/gfp.h>
#include "include/libdmabuf.h"
#include "host/port.h"
#include "tests/ktap.h"

struct bed {
	struct libdmabuf_machine *machine;
	struct libdmabuf_device *writer, *reader;
	struct libdmabuf_buffer *buffer;
	struct libdmabuf_attachment *write, *read;
};

static int entries(const char *folder)
{
	DIR *dir = opendir(folder);
	int count = 0;

	while (dir && readdir(dir))
		count++;
	if (dir)
		closedir(dir);
	return count;
}

static bool make(struct ktap *t, struct bed *bed, const char *machine)
{
	return KT_EQ(t, libdmabuf_machine_create(machine, &bed->machine), 0) &&
	       KT_EQ(t,
		     libdmabuf_device_add(bed->machine, "writer", LIBDMABUF_SNOOPING_DEFAULT,
					  &bed->writer),
		     0) &&
	       KT_EQ(t,
		     libdmabuf_device_add(bed->machine, "reader", LIBDMABUF_SNOOPING_DEFAULT,
					  &bed->reader),
		     0) &&
	       KT_EQ(t, libdmabuf_buffer_create(9000, &bed->buffer), 0) &&
	       KT_EQ(t, libdmabuf_attach(bed->writer, bed->buffer, &bed->write), 0) &&
	       KT_EQ(t, libdmabuf_attach(bed->reader, bed->buffer, &bed->read), 0);
}

static void bytes_go_round(struct ktap *t)
{
	for (unsigned int i = 0; libdmabuf_machine_name(i); i++) {
		const char *name = libdmabuf_machine_name(i);
		char got[8] = "";
		struct bed bed;
		size_t more;
		char *cpu;

		KT_ASSERT(t, make(t, &bed, name));
		KT_EQ(t, libdmabuf_buffer_size(bed.buffer), 12288);
		KT_EQ(t, libdmabuf_map(bed.write, LIBDMABUF_WRITE), 0);
		KT_EQ(t, libdmabuf_device_write(bed.write, 5000, "device", 7), 0);
		KT_EQ(t, libdmabuf_unmap(bed.write), 0);

		KT_EQ(t, libdmabuf_cpu_begin(bed.buffer, LIBDMABUF_READ_WRITE), 0);
		cpu = libdmabuf_buffer_vaddr(bed.buffer, 5000, &more);
		KT_ASSERT(t, cpu && more >= 7);
		KT_CHECK(t, !strcmp(cpu, "device"));
		memcpy(cpu, "cpu", 4);
		KT_EQ(t, libdmabuf_cpu_end(bed.buffer, LIBDMABUF_READ_WRITE), 0);

		KT_EQ(t, libdmabuf_map(bed.read, LIBDMABUF_READ), 0);
		KT_EQ(t, libdmabuf_device_read(bed.read, 5000, got, 7), 0);
		KT_CHECK(t, !strcmp(got, "cpu"));
		KT_EQ(t, libdmabuf_unmap(bed.read), 0);
		KT_EQ(t, libdmabuf_fini(), 0);
	}
}

/* Broken on purpose: without its bracket the CPU does not see what a device wrote. */
static void without_a_bracket_bytes_are_old(struct ktap *t)
{
	struct bed bed;
	char *cpu;

	KT_ASSERT(t, make(t, &bed, "arm"));
	KT_EQ(t, libdmabuf_map(bed.write, LIBDMABUF_WRITE), 0);
	KT_EQ(t, libdmabuf_device_write(bed.write, 0, "device", 7), 0);
	KT_EQ(t, libdmabuf_unmap(bed.write), 0);
	cpu = libdmabuf_buffer_vaddr(bed.buffer, 0, NULL);
	KT_CHECK(t, cpu && strcmp(cpu, "device"));
	KT_EQ(t, libdmabuf_cpu_begin_range(bed.buffer, LIBDMABUF_READ, 0, 7), 0);
	KT_CHECK(t, cpu && !strcmp(cpu, "device"));
	KT_EQ(t, libdmabuf_cpu_end_range(bed.buffer, LIBDMABUF_READ, 0, 7), 0);
	KT_EQ(t, libdmabuf_fini(), 0);
}

static void wrong_arguments_have_their_errno(struct ktap *t)
{
	struct libdmabuf_attachment *attachment;
	struct libdmabuf_machine *machine;
	struct libdmabuf_device *device;
	struct libdmabuf_buffer *buffer;
	struct bed bed;
	char byte = 0;

	KT_ASSERT(t, make(t, &bed, "pc-iommu"));
	machine = bed.machine;
	KT_EQ(t, libdmabuf_machine_create("vax", &machine), -EINVAL);
	KT_CHECK(t, !machine);
	KT_EQ(t, libdmabuf_machine_create(NULL, &machine), -EINVAL);
	KT_EQ(t, libdmabuf_machine_create("pc", NULL), -EINVAL);
	KT_EQ(t, libdmabuf_device_add(NULL, "x", LIBDMABUF_SNOOPING_ON, &device), -EINVAL);
	KT_EQ(t, libdmabuf_device_add(bed.machine, "x", 7, &device), -EINVAL);
	KT_EQ(t, libdmabuf_buffer_create(0, &buffer), -EINVAL);
	KT_CHECK(t, !buffer);
	KT_EQ(t, libdmabuf_buffer_import(0, &buffer), -EBADF);
	KT_EQ(t, libdmabuf_buffer_import(-1, &buffer), -EBADF);
	KT_EQ(t, libdmabuf_fd_close(0), -EBADF);
	KT_EQ(t, libdmabuf_buffer_fd(NULL), -EINVAL);
	KT_EQ(t, libdmabuf_attach(bed.reader, NULL, &attachment), -EINVAL);
	KT_CHECK(t, !attachment);
	KT_EQ(t, libdmabuf_unmap(bed.read), -EINVAL);
	KT_EQ(t, libdmabuf_map(bed.read, 0), -EINVAL);
	KT_EQ(t, libdmabuf_device_read(bed.read, 0, &byte, 1), -EINVAL);
	KT_EQ(t, libdmabuf_map(bed.read, LIBDMABUF_READ), 0);
	KT_EQ(t, libdmabuf_map(bed.read, LIBDMABUF_READ), -EBUSY);
	KT_EQ(t, libdmabuf_device_write(bed.read, 0, &byte, 1), -EFAULT);
	KT_EQ(t, libdmabuf_device_read(bed.read, 12288, &byte, 1), -EINVAL);
	KT_EQ(t, libdmabuf_cpu_begin(bed.buffer, 4), -EINVAL);
	KT_EQ(t, libdmabuf_cpu_begin_range(bed.buffer, LIBDMABUF_READ, 1, SIZE_MAX), -EINVAL);
	KT_EQ(t, libdmabuf_policy_set(7), -EINVAL);
	KT_CHECK(t, !libdmabuf_buffer_vaddr(bed.buffer, 12288, NULL));
	libdmabuf_machine_destroy(NULL);
	libdmabuf_device_remove(NULL);
	libdmabuf_buffer_close(NULL);
	libdmabuf_detach(NULL);
	KT_EQ(t, libdmabuf_fini(), 0);
}

static void a_descriptor_is_the_same_buffer(struct ktap *t)
{
	struct libdmabuf_buffer *again;
	struct bed bed;
	int fd;

	KT_ASSERT(t, make(t, &bed, "pc"));
	fd = libdmabuf_buffer_fd(bed.buffer);
	KT_ASSERT(t, fd >= 0);
	KT_EQ(t, libdmabuf_buffer_import(fd, &again), 0);
	KT_EQ(t, libdmabuf_fd_close(fd), 0);
	KT_EQ(t, libdmabuf_fd_close(fd), -EBADF);
	KT_CHECK(t, libdmabuf_buffer_vaddr(again, 0, NULL) ==
			    libdmabuf_buffer_vaddr(bed.buffer, 0, NULL));
	libdmabuf_buffer_close(bed.buffer);
	KT_EQ(t, libdmabuf_buffer_size(again), 12288);
	libdmabuf_device_remove(bed.writer);
	libdmabuf_detach(bed.read);
	libdmabuf_buffer_close(again);
	libdmabuf_machine_destroy(bed.machine);
	KT_EQ(t, libdmabuf_fini(), 0);
}

static const char *const heap_names[] = { "system", "default_cma_region" };

static void a_heap_gives_buffers(struct ktap *t)
{
	for (int i = 0; i < 2; i++) {
		struct libdmabuf_buffer *buffer;
		struct libdmabuf_attachment *read;
		struct bed bed;
		char got[4] = "";
		size_t more;
		char *cpu;

		KT_ASSERT(t, make(t, &bed, "arm"));
		KT_EQ(t, libdmabuf_buffer_create_from(heap_names[i], 2 << 20, &buffer), 0);
		KT_EQ(t, libdmabuf_buffer_size(buffer), 2 << 20);
		KT_EQ(t, libdmabuf_cpu_begin(buffer, LIBDMABUF_WRITE), 0);
		cpu = libdmabuf_buffer_vaddr(buffer, 5000, &more);
		KT_ASSERT(t, cpu);
		KT_CHECK(t, i ? more == (2 << 20) - 5000 : more < (2 << 20) - 5000);
		memcpy(cpu, "cpu", 4);
		KT_EQ(t, libdmabuf_cpu_end(buffer, LIBDMABUF_WRITE), 0);
		KT_EQ(t, libdmabuf_attach(bed.reader, buffer, &read), 0);
		KT_EQ(t, libdmabuf_map(read, LIBDMABUF_READ), 0);
		KT_EQ(t, libdmabuf_device_read(read, 5000, got, 4), 0);
		KT_CHECK(t, !strcmp(got, "cpu"));
		KT_EQ(t, libdmabuf_fini(), 0);
	}
}

static void linuxs_own_requests(struct ktap *t)
{
	struct dma_heap_allocation_data data = { .len = 1, .fd_flags = O_RDONLY | O_CLOEXEC };
	struct dma_buf_sync sync = { .flags = DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ };
	int heap = libdmabuf_heap_open("system");
	struct libdmabuf_buffer *buffer;

	KT_ASSERT(t, heap >= 0);
	KT_EQ(t, fcntl(heap, F_GETFD), FD_CLOEXEC);
	KT_EQ(t, libdmabuf_fd_ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data), 0);
	KT_EQ(t, libdmabuf_fd_ioctl(data.fd, DMA_BUF_IOCTL_SYNC, &sync), 0);
	sync.flags |= DMA_BUF_SYNC_END;
	KT_EQ(t, libdmabuf_fd_ioctl(data.fd, DMA_BUF_IOCTL_SYNC, &sync), 0);
	sync.flags = 0;
	KT_EQ(t, libdmabuf_fd_ioctl(data.fd, DMA_BUF_IOCTL_SYNC, &sync), -EINVAL);
	KT_EQ(t, libdmabuf_fd_ioctl(data.fd, DMA_HEAP_IOCTL_ALLOC, &data), -ENOTTY);
	KT_EQ(t, libdmabuf_fd_ioctl(heap, DMA_HEAP_IOCTL_ALLOC, NULL), -EFAULT);
	KT_EQ(t, libdmabuf_fd_ioctl(0, DMA_HEAP_IOCTL_ALLOC, &data), -EBADF);
	KT_EQ(t, libdmabuf_buffer_import(heap, &buffer), -EINVAL);

	/* It was opened to read, and is for nothing else. */
	KT_EQ(t, libdmabuf_buffer_import(data.fd, &buffer), 0);
	KT_EQ(t, libdmabuf_cpu_begin(buffer, LIBDMABUF_READ), 0);
	KT_EQ(t, libdmabuf_cpu_end(buffer, LIBDMABUF_READ), 0);
	KT_EQ(t, libdmabuf_cpu_begin(buffer, LIBDMABUF_READ_WRITE), -EACCES);
	KT_EQ(t, libdmabuf_cpu_begin_range(buffer, LIBDMABUF_WRITE, 0, 1), -EACCES);
	KT_EQ(t, libdmabuf_fd_close(data.fd), 0);
	KT_EQ(t, libdmabuf_fd_close(heap), 0);
	KT_EQ(t, libdmabuf_fd_close(heap), -EBADF);
	KT_EQ(t, libdmabuf_fini(), 0);
}

static void names_of_no_heap(struct ktap *t)
{
	static const char *const names[] = { "", "reserved", "system/", "../dma_heap/system" };
	struct libdmabuf_buffer *buffer;

	for (int i = 0; i < 4; i++) {
		KT_EQ(t, libdmabuf_heap_open(names[i]), -ENOENT);
		KT_EQ(t, libdmabuf_buffer_create_from(names[i], 1, &buffer), -ENOENT);
		KT_CHECK(t, !buffer);
	}
	KT_EQ(t, libdmabuf_heap_open(NULL), -EINVAL);
	KT_EQ(t, libdmabuf_buffer_create_from(NULL, 1, &buffer), -EINVAL);
	KT_EQ(t, libdmabuf_buffer_create_from("system", 0, &buffer), -EINVAL);
	KT_EQ(t, libdmabuf_buffer_create_from("system", SIZE_MAX, &buffer), -EINVAL);
	KT_EQ(t, libdmabuf_buffer_create_from("default_cma_region", 64ULL << 30, &buffer), -ENOMEM);
	KT_CHECK(t, !buffer);
	KT_EQ(t, libdmabuf_buffer_create_from("system", 1, NULL), -EINVAL);
	KT_EQ(t, libdmabuf_fini(), 0);
}

/* Heaps are registered, opened and closed in it.  Returns how often it failed. */
static int fail_a_heap(struct ktap *t, enum port_fault kind)
{
	struct libdmabuf_buffer *buffer;
	int nth, fds, ret = -1;

	KT_EQ(t, libdmabuf_fini(), 0);
	fds = entries("/proc/self/fd");
	for (nth = 0; ret; nth++) {
		port_fail_nth(kind, nth + 1);
		ret = libdmabuf_buffer_create_from("default_cma_region", 9000, &buffer);
		port_fail_nth(kind, 0);
		KT_CHECK(t, !ret || ret == -ENOMEM || ret == -EMFILE);
		KT_CHECK(t, !ret == !!buffer);
		/* Of descriptors there may be memory's, which lies as long as the library is used. */
		KT_CHECK(t, entries("/proc/self/fd") - fds <= 1);
		KT_EQ(t, libdmabuf_fini(), 0);
		KT_EQ(t, entries("/proc/self/fd"), fds);
	}
	return nth - 1;
}

static void every_failure_of_a_heap_leaves_nothing(struct ktap *t)
{
	KT_CHECK(t, fail_a_heap(t, PORT_FAULT_ALLOC) > 10);
	/* Memory's, the heap's, the buffer's. */
	KT_EQ(t, fail_a_heap(t, PORT_FAULT_FD), 3);
	KT_CHECK(t, fail_a_heap(t, PORT_FAULT_MAP) > 0);
	KT_CHECK(t, fail_a_heap(t, PORT_FAULT_SPACE) > 0);
}

static void costs_and_names(struct ktap *t)
{
	uint64_t before[64], after[64];
	unsigned int n = libdmabuf_costs(before, 64), entries_at = 64;
	struct bed bed;

	for (unsigned int i = 0; i < n; i++)
		if (!strcmp(libdmabuf_cost_name(i), "sg_entries"))
			entries_at = i;
	KT_ASSERT(t, n < 64 && entries_at < n && !libdmabuf_cost_name(n));
	KT_ASSERT(t, make(t, &bed, "arm"));
	KT_EQ(t, libdmabuf_map(bed.read, LIBDMABUF_READ), 0);
	KT_EQ(t, libdmabuf_costs(after, 64), n);
	KT_CHECK(t, after[entries_at] > before[entries_at]);
	KT_EQ(t, libdmabuf_costs(NULL, 0), n);
	KT_CHECK(t, strstr(libdmabuf_error_text(-ENOMEM), "memory"));
	KT_CHECK(t, strstr(libdmabuf_error_text(-EFAULT), "address"));
	KT_CHECK(t, strcmp(libdmabuf_error_text(-EMFILE), libdmabuf_error_text(-ENFILE)));
	KT_CHECK(t, strcmp(libdmabuf_error_text(-ENFILE), libdmabuf_error_text(-12345)));
	KT_CHECK(t, libdmabuf_error_text(-12345));
	KT_EQ(t, libdmabuf_fini(), 0);
}

static void policies(struct ktap *t)
{
	KT_EQ(t, libdmabuf_policy_set(LIBDMABUF_POLICY_REMAP), 0);
	KT_EQ(t, libdmabuf_policy_get(), LIBDMABUF_POLICY_REMAP);
	KT_EQ(t, libdmabuf_policy_set(LIBDMABUF_POLICY_CACHED), 0);
	KT_EQ(t, libdmabuf_policy_get(), LIBDMABUF_POLICY_CACHED);
}

static void the_end_leaves_nothing(struct ktap *t)
{
	int threads, fds;
	struct bed bed;

	KT_EQ(t, libdmabuf_fini(), 0);
	threads = entries("/proc/self/task");
	fds = entries("/proc/self/fd");
	for (int round = 0; round < 3; round++) {
		KT_ASSERT(t, make(t, &bed, "arm"));
		KT_CHECK(t, libdmabuf_buffer_fd(bed.buffer) >= 0);
		KT_CHECK(t, libdmabuf_heap_open(heap_names[round % 2]) >= 0);
		KT_EQ(t, libdmabuf_map(bed.write, LIBDMABUF_WRITE), 0);
		KT_EQ(t, libdmabuf_device_write(bed.write, 0, "x", 1), 0);
		KT_CHECK(t, entries("/proc/self/fd") > fds);
		KT_EQ(t, libdmabuf_fini(), 0);
		KT_EQ(t, entries("/proc/self/task"), threads);
		KT_EQ(t, entries("/proc/self/fd"), fds);
	}
}

static void a_child_may_end_it(struct ktap *t)
{
	int status = -1, fds;
	struct bed bed;
	pid_t child;
	char *cpu;

	KT_EQ(t, libdmabuf_fini(), 0);
	fds = entries("/proc/self/fd");
	KT_ASSERT(t, make(t, &bed, "pc"));
	KT_CHECK(t, libdmabuf_buffer_fd(bed.buffer) >= 0);
	KT_EQ(t, libdmabuf_cpu_begin(bed.buffer, LIBDMABUF_WRITE), 0);
	cpu = libdmabuf_buffer_vaddr(bed.buffer, 0, NULL);
	memcpy(cpu, "parent", 7);
	child = fork();
	KT_ASSERT(t, child >= 0);
	if (!child)
		_exit(libdmabuf_fini() || entries("/proc/self/fd") != fds);
	KT_EQ(t, waitpid(child, &status, 0), child);
	KT_EQ(t, status, 0);
	KT_CHECK(t, !strcmp(cpu, "parent"));
	KT_EQ(t, libdmabuf_cpu_end(bed.buffer, LIBDMABUF_WRITE), 0);
	KT_EQ(t, libdmabuf_fini(), 0);
}

static const char *fence_name(struct dma_fence *fence)
{
	return "job";
}

static const struct dma_fence_ops job_ops = { .get_driver_name = fence_name,
					      .get_timeline_name = fence_name };

/* A driver's write is on its way: the program waits at the descriptor. */
static void fences_are_waited_for(struct ktap *t)
{
	struct dma_buf_export_sync_file snapshot = { .flags = DMA_BUF_SYNC_READ };
	struct libdmabuf_buffer *buffer;
	struct dma_fence *job;
	struct dma_buf *dmabuf;
	DEFINE_SPINLOCK(lock);
	int fd;

	KT_ASSERT(t, !libdmabuf_buffer_create(1, &buffer));
	fd = libdmabuf_buffer_fd(buffer);
	libdmabuf_buffer_close(buffer);
	KT_EQ(t, libdmabuf_fd_poll(fd, POLLIN | POLLOUT, -1), POLLIN | POLLOUT);

	dmabuf = dma_buf_get(fd);
	job = kzalloc(sizeof(*job), GFP_KERNEL);
	KT_ASSERT(t, !IS_ERR(dmabuf) && job);
	dma_fence_init(job, &job_ops, &lock, dma_fence_context_alloc(1), 1);
	dma_resv_lock(dmabuf->resv, NULL);
	KT_EQ(t, dma_resv_reserve_fences(dmabuf->resv, 1), 0);
	dma_resv_add_fence(dmabuf->resv, job, DMA_RESV_USAGE_READ);
	dma_resv_unlock(dmabuf->resv);
	KT_EQ(t, libdmabuf_fd_poll(fd, POLLIN | POLLOUT, 0), POLLIN);

	dma_resv_lock(dmabuf->resv, NULL);
	KT_EQ(t, dma_resv_reserve_fences(dmabuf->resv, 1), 0);
	dma_resv_add_fence(dmabuf->resv, job, DMA_RESV_USAGE_WRITE);
	dma_resv_unlock(dmabuf->resv);
	KT_EQ(t, libdmabuf_fd_poll(fd, POLLIN | POLLOUT, 1), 0);
	KT_EQ(t, libdmabuf_fd_ioctl(fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &snapshot), 0);
	KT_EQ(t, libdmabuf_fd_poll(snapshot.fd, POLLIN, 0), 0);

	KT_EQ(t, dma_fence_signal(job), 0);
	KT_EQ(t, libdmabuf_fd_poll(fd, POLLIN | POLLOUT, -1), POLLIN | POLLOUT);
	KT_EQ(t, libdmabuf_fd_poll(snapshot.fd, POLLIN, -1), POLLIN);
	KT_EQ(t, libdmabuf_fd_poll(0, POLLIN, 0), -EBADF);

	dma_fence_put(job);
	dma_buf_put(dmabuf);
	KT_EQ(t, libdmabuf_fd_close(snapshot.fd), 0);
	KT_EQ(t, libdmabuf_fd_close(fd), 0);
	KT_EQ(t, libdmabuf_fini(), 0);
}

/* The parent's only handle is a heap's descriptor; a driver of its holds a page. */
static void a_child_may_end_a_heap(struct ktap *t)
{
	struct page *page;
	int status = -1, heap, fds;
	pid_t child;

	KT_EQ(t, libdmabuf_fini(), 0);
	fds = entries("/proc/self/fd");
	heap = libdmabuf_heap_open("system");
	KT_ASSERT(t, heap >= 0);
	page = alloc_page(GFP_KERNEL);
	child = fork();
	KT_ASSERT(t, child >= 0);
	if (!child)
		_exit(libdmabuf_fini() || entries("/proc/self/fd") != fds);
	KT_EQ(t, waitpid(child, &status, 0), child);
	KT_EQ(t, status, 0);
	KT_EQ(t, libdmabuf_fd_close(heap), 0);
	KT_EQ(t, libdmabuf_fini(), -EBUSY);
	__free_page(page);
	KT_EQ(t, libdmabuf_fini(), 0);
}

KTAP_MAIN(KTAP_CASE(bytes_go_round), KTAP_CASE(without_a_bracket_bytes_are_old),
	  KTAP_CASE(wrong_arguments_have_their_errno), KTAP_CASE(a_descriptor_is_the_same_buffer),
	  KTAP_CASE(a_heap_gives_buffers), KTAP_CASE(linuxs_own_requests),
	  KTAP_CASE(fences_are_waited_for), KTAP_CASE(names_of_no_heap),
	  KTAP_CASE(every_failure_of_a_heap_leaves_nothing), KTAP_CASE(costs_and_names),
	  KTAP_CASE(policies), KTAP_CASE(the_end_leaves_nothing), KTAP_CASE(a_child_may_end_it),
	  KTAP_CASE(a_child_may_end_a_heap))
