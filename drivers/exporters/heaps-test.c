/* SPDX-License-Identifier: MIT */
/*
 * heaps-test.c - the exporters as programs find them below /dev/dma_heap
 */
#include <errno.h>
#include <sys/mman.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/string.h>
#include <uapi/linux/dma-heap.h>

#include "drivers/exporters/contiguous-heap.h"
#include "drivers/exporters/heaps.h"
#include "drivers/exporters/system-heap.h"
#include "host/file.h"
#include "host/memory.h"
#include "host/port.h"
#include "tests/ktap.h"
#include "tests/threads.h"

static const char *const paths[] = { "/dev/dma_heap/system", "/dev/dma_heap/default_cma_region" };

static long alloc(int heap, u64 len, u32 fd_flags)
{
	struct dma_heap_allocation_data data = { .len = len, .fd_flags = fd_flags };
	long ret = host_ioctl(heap, DMA_HEAP_IOCTL_ALLOC, (unsigned long)&data);

	return ret ?: data.fd;
}

static bool can_be_opened(const char *path)
{
	int fd = host_open(path, O_RDWR);

	return fd >= 0 && !host_close(fd);
}

static u64 pages_used(void)
{
	struct host_memory_stats stats;

	rcu_barrier();
	host_memory_stats(&stats);
	return stats.pages_used;
}

static void there_from_register_to_unregister(struct ktap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		KT_EQ(t, host_open(paths[i], O_RDWR), -ENOENT);
	heaps_unregister();
	for (int round = 0; round < 2; round++) {
		KT_EQ(t, heaps_register(), 0);
		KT_EQ(t, heaps_register(), 0);
		for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
			KT_CHECK(t, can_be_opened(paths[i]));
		KT_EQ(t, host_open("/dev/dma_heap/reserved", O_RDWR), -ENOENT);
		heaps_unregister();
		for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
			KT_EQ(t, host_open(paths[i], O_RDWR), -ENOENT);
	}
}

static void buffers_are_whole_zeroed_pages(struct ktap *t)
{
	static const size_t sizes[] = { 1, 4096, 4097, 1 << 20, 4 << 20 };

	KT_EQ(t, heaps_register(), 0);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		int heap = host_open(paths[i], O_RDWR);

		for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
			int fd = alloc(heap, sizes[s], O_RDWR | O_CLOEXEC);
			struct dma_buf *dmabuf = dma_buf_get(fd);
			u8 *bytes;

			KT_ASSERT(t, !IS_ERR(dmabuf));
			KT_EQ(t, dmabuf->size, PAGE_ALIGN(sizes[s]));
			KT_CHECK(t, !strcmp(dmabuf->exp_name, strrchr(paths[i], '/') + 1));
			bytes = host_mmap(fd, NULL, dmabuf->size, PROT_READ | PROT_WRITE,
					  MAP_SHARED, 0);
			KT_ASSERT(t, !IS_ERR(bytes));
			KT_CHECK(t, !memchr_inv(bytes, 0, dmabuf->size));
			memset(bytes, 0xaa, dmabuf->size);
			KT_EQ(t, host_munmap(bytes, dmabuf->size), 0);
			dma_buf_put(dmabuf);
			KT_EQ(t, host_close(fd), 0);
		}
		KT_EQ(t, alloc(heap, 0, O_RDWR), -EINVAL);
		KT_EQ(t, alloc(heap, 64ULL << 30, O_RDWR), -ENOMEM);
		KT_EQ(t, host_close(heap), 0);
	}
	heaps_unregister();
}

static void only_one_promises_one_piece(struct ktap *t)
{
	const size_t bytes = (8 << 20) + 4096;

	KT_EQ(t, heaps_register(), 0);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		int heap = host_open(paths[i], O_RDWR);
		long fd = alloc(heap, 2 << 20, O_RDWR);
		struct dma_buf *dmabuf = dma_buf_get(fd);
		size_t len;

		KT_CHECK(t, heaps_vaddr(dmabuf, 4096, &len));
		KT_CHECK(t, i ? len == (2 << 20) - 4096 : len < 2 << 20);
		KT_CHECK(t, !heaps_vaddr(dmabuf, 2 << 20, &len) && !len);
		dma_buf_put(dmabuf);
		KT_EQ(t, host_close(fd), 0);
		fd = alloc(heap, bytes, O_RDWR);
		KT_CHECK(t, i || fd >= 0);
		if (fd >= 0)
			KT_EQ(t, host_close(fd), 0);
		KT_EQ(t, host_close(heap), 0);
	}
	heaps_unregister();
}

static void read_only_buffers_stay_so(struct ktap *t)
{
	KT_EQ(t, heaps_register(), 0);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		int heap = host_open(paths[i], O_RDWR), fd = alloc(heap, 1, O_RDONLY);
		void *bytes = host_mmap(fd, NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, 0);

		KT_ASSERT(t, !IS_ERR(bytes));
		KT_EQ(t, fcntl(fd, F_GETFD), 0);
		KT_CHECK(t, mprotect(bytes, PAGE_SIZE, PROT_READ | PROT_WRITE) && errno == EACCES);
		KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, PAGE_SIZE, PROT_WRITE, MAP_SHARED, 0)),
		      -EACCES);
		KT_EQ(t, host_munmap(bytes, PAGE_SIZE), 0);
		KT_EQ(t, host_close(fd), 0);

		/* How the heap was opened does not matter. */
		KT_EQ(t, host_close(heap), 0);
		heap = host_open(paths[i], O_RDONLY);
		fd = alloc(heap, 1, O_RDWR);
		bytes = host_mmap(fd, NULL, PAGE_SIZE, PROT_WRITE, MAP_SHARED, 0);
		KT_ASSERT(t, !IS_ERR(bytes));
		*(u8 *)bytes = 1;
		KT_EQ(t, host_munmap(bytes, PAGE_SIZE), 0);
		KT_EQ(t, host_close(fd), 0);
		KT_EQ(t, host_close(heap), 0);
	}
	heaps_unregister();
}

static void buffers_outlive_the_heaps(struct ktap *t)
{
	int heap, fd;

	KT_EQ(t, heaps_register(), 0);
	heap = host_open(paths[0], O_RDWR);
	fd = alloc(heap, 1, O_RDWR);
	heaps_unregister();
	KT_EQ(t, alloc(heap, 1, O_RDWR), -ENODEV);
	KT_EQ(t, host_close(heap), 0);
	KT_CHECK(t, !IS_ERR(dma_buf_get(fd)));
	dma_buf_put(dma_buf_get(fd));
	dma_buf_put(dma_buf_get(fd));
	KT_EQ(t, host_close(fd), 0);
}

static void addresses_are_of_our_own_buffers(struct ktap *t)
{
	static const struct dma_buf_ops drivers_ops;
	struct dma_buf drivers = { .ops = &drivers_ops };
	struct dma_buf *dmabuf = system_heap_allocate(1);
	size_t len = 1;

	KT_CHECK(t, heaps_vaddr(dmabuf, 0, &len) && len == PAGE_SIZE);
	KT_CHECK(t, !heaps_vaddr(&drivers, 0, &len) && !len);
	ktap_expect_warn(t, "contiguous-heap: not a buffer of this heap");
	KT_CHECK(t, !contiguous_heap_vaddr(dmabuf, 0, &len));
	dma_buf_put(dmabuf);
}

/* --- a driver with a heap of the same name ---------------------------------------------------- */

static struct dma_buf *refuse(struct dma_heap *heap, unsigned long len, u32 fd_flags,
			      u64 heap_flags)
{
	return ERR_PTR(-EPERM);
}

static void a_drivers_heap_stays_its(struct ktap *t)
{
	static const struct dma_heap_ops ops = { .allocate = refuse };
	const struct dma_heap_export_info info = { .name = "system", .ops = &ops };
	struct dma_heap *driver = dma_heap_add(&info);
	int heap, other, fd;

	KT_ASSERT(t, !IS_ERR(driver));
	KT_EQ(t, heaps_register(), 0);
	heap = host_open(paths[0], O_RDWR);
	other = host_open(paths[1], O_RDWR);
	KT_EQ(t, alloc(heap, 1, O_RDWR), -EPERM);
	fd = alloc(other, 1, O_RDWR);
	KT_CHECK(t, fd >= 0);
	KT_EQ(t, host_close(fd), 0);
	KT_EQ(t, host_close(heap), 0);
	KT_EQ(t, host_close(other), 0);
	heaps_unregister();
	KT_CHECK(t, can_be_opened(paths[0]));
	KT_CHECK(t, !can_be_opened(paths[1]));
	dma_heap_remove(driver);
}

/* --- threads and failures --------------------------------------------------------------------- */

static int first_user(void *data)
{
	int heap, fd;

	if (heaps_register())
		return 1;
	heap = host_open(data, O_RDWR);
	fd = heap < 0 ? heap : alloc(heap, 1, O_RDWR);
	return fd < 0 || host_close(fd) || host_close(heap);
}

static void two_may_be_the_first(struct ktap *t)
{
	for (int round = 0; round < (ktap_long ? 2000 : 50); round++) {
		struct task_struct *threads[4];

		for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
			threads[i] = test_thread_start(first_user, (void *)paths[i % 2]);
		/* A thread that had not begun answers -EINTR. */
		for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
			KT_CHECK(t, test_thread_end(threads[i]) <= 0);
		heaps_unregister();
	}
}

static void every_failure_of_register_leaves_nothing(struct ktap *t)
{
	int nth, ret = -1;

	for (nth = 1; ret; nth++) {
		port_fail_nth(PORT_FAULT_ALLOC, nth);
		ret = heaps_register();
		port_fail_nth(PORT_FAULT_ALLOC, 0);
		KT_CHECK(t, !ret || ret == -ENOMEM);
		for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
			KT_EQ(t, can_be_opened(paths[i]), !ret);
	}
	KT_CHECK(t, nth > 10);
	heaps_unregister();
}

/* Returns how often it failed. */
static int fail_alloc(struct ktap *t, int heap, enum port_fault kind)
{
	u64 before = pages_used(), asked = 0;
	int failed = 0;

	/* Until one ran through without asking that often: who gets over a failure goes on. */
	for (u64 nth = 1; nth <= 1 + asked; nth++) {
		long fd;

		port_fail_nth(kind, nth);
		fd = alloc(heap, (1 << 20) + 1, O_RDWR);
		asked = port_fault_count(kind);
		port_fail_nth(kind, 0);
		KT_CHECK(t, fd >= 0 || fd == -ENOMEM || fd == -EMFILE);
		failed += fd < 0;
		if (fd >= 0)
			KT_EQ(t, host_close(fd), 0);
		KT_EQ(t, pages_used(), before);
	}
	return failed;
}

static void every_failure_of_alloc_leaves_nothing(struct ktap *t)
{
	KT_EQ(t, heaps_register(), 0);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		int heap = host_open(paths[i], O_RDWR);

		/* What is made once. */
		KT_EQ(t, host_close(alloc(heap, (1 << 20) + 1, O_RDWR)), 0);
		KT_CHECK(t, fail_alloc(t, heap, PORT_FAULT_ALLOC) > 3);
		KT_EQ(t, fail_alloc(t, heap, PORT_FAULT_FD), 1);
		fail_alloc(t, heap, PORT_FAULT_MAP);
		fail_alloc(t, heap, PORT_FAULT_SPACE);
		KT_EQ(t, host_close(heap), 0);
	}
	heaps_unregister();
}

KTAP_MAIN(KTAP_CASE(there_from_register_to_unregister), KTAP_CASE(buffers_are_whole_zeroed_pages),
	  KTAP_CASE(only_one_promises_one_piece), KTAP_CASE(read_only_buffers_stay_so),
	  KTAP_CASE(buffers_outlive_the_heaps), KTAP_CASE(addresses_are_of_our_own_buffers),
	  KTAP_CASE(a_drivers_heap_stays_its), KTAP_CASE(two_may_be_the_first),
	  KTAP_CASE(every_failure_of_register_leaves_nothing),
	  KTAP_CASE(every_failure_of_alloc_leaves_nothing))
