/* SPDX-License-Identifier: MIT */
/*
 * misuse-heap-test.c - wrong calls of linux/dma-heap.h and of a heap's descriptor, each with what it
 * answers here and in Linux 6.12
 */
#include <linux/dma-heap.h>
#include <linux/file.h>
#include <uapi/linux/dma-heap.h>

#include "host/file.h"
#include "test-misuse.h"

#define NO_CRASH "no crash on a driver's mistake"

static struct test_exporter exporter;

static struct dma_buf *allocate(struct dma_heap *heap, unsigned long len, u32 fd_flags,
				u64 heap_flags)
{
	exporter = (struct test_exporter){ .flags = (int)fd_flags };
	return test_export(&exporter, 0);
}

static struct dma_buf *allocate_nothing(struct dma_heap *heap, unsigned long len, u32 fd_flags,
					u64 heap_flags)
{
	return NULL;
}

static const struct dma_heap_ops ops = { .allocate = allocate }, hollow,
				 nothing = { .allocate = allocate_nothing };

static long add(const char *name, const struct dma_heap_ops *with)
{
	struct dma_heap_export_info info = { .name = name, .ops = with };

	return misuse_ptr(dma_heap_add(&info));
}

static void drivers(struct ktap *t)
{
	struct dma_heap_export_info info = { .name = "one", .ops = &ops };
	struct dma_heap *heap = dma_heap_add(&info);

	KT_ASSERT(t, !IS_ERR(heap));
	ROW(t, "dma_heap_add", "no info", ARGUMENT, "crash", SAME,
	    misuse_ptr(dma_heap_add(misuse_null())));
	ROW(t, "dma_heap_add", "no name", ARGUMENT, "-EINVAL", SAME, add(NULL, &ops));
	ROW(t, "dma_heap_add", "an empty name", SIZE, "-EINVAL", SAME, add("", &ops));
	ROW(t, "dma_heap_add", "a name with a '/'", ARGUMENT, "-EINVAL",
	    LINUX("a pointer", "its node has a '!' there"), add("a/b", &ops));
	ROW(t, "dma_heap_add", "no ops", ARGUMENT, "-EINVAL", SAME, add("two", NULL));
	ROW(t, "dma_heap_add", "ops without allocate", ARGUMENT, "-EINVAL", SAME,
	    add("two", &hollow));
	ROW(t, "dma_heap_add", "a name that is taken", ORDER, "-EINVAL", SAME, add("one", &ops));
	ROW(t, "dma_heap_get_drvdata", "no heap", ARGUMENT, "crash", SAME,
	    misuse_ptr(dma_heap_get_drvdata(misuse_null())));
	ROW(t, "dma_heap_get_name", "no heap", ARGUMENT, "crash", SAME,
	    misuse_ptr(dma_heap_get_name(misuse_null())));
	ROW(t, "dma_heap_remove", "no heap", ARGUMENT, "crash",
	    LINUX("no such call", "heaps stay for ever"), VOID(dma_heap_remove(misuse_null())));
	dma_heap_remove(heap);
}

/* Returns 0 for a descriptor, which is closed. */
static long ask(int fd, unsigned int request, struct dma_heap_allocation_data data)
{
	long ret = host_ioctl(fd, request, (unsigned long)&data);

	if (!ret)
		host_close((int)data.fd);
	return ret;
}

#define ASK(...) ask(fd, DMA_HEAP_IOCTL_ALLOC, (struct dma_heap_allocation_data){ __VA_ARGS__ })

static void programs(struct ktap *t)
{
	struct dma_heap_export_info info = { .name = "one", .ops = &ops };
	struct dma_heap_export_info silent = { .name = "two", .ops = &nothing };
	struct dma_heap *heap = dma_heap_add(&info), *none = dma_heap_add(&silent);
	const struct dma_heap_allocation_data page = { .len = PAGE_SIZE };
	int fd = host_open("/dev/dma_heap/one", O_RDONLY | O_CLOEXEC);
	int silent_fd = host_open("/dev/dma_heap/two", O_RDONLY | O_CLOEXEC), buffer, lost;
	struct dma_heap_allocation_data data = page;

	KT_ASSERT(t, fd >= 0 && silent_fd >= 0);
	ROW(t, "DMA_HEAP_IOCTL_ALLOC", "0 bytes", SIZE, "-EINVAL", SAME, ASK(.len = 0));
	ROW(t, "DMA_HEAP_IOCTL_ALLOC", "U64_MAX bytes, whose pages overflow", SIZE, "-EINVAL", SAME,
	    ASK(.len = U64_MAX));
	ROW(t, "DMA_HEAP_IOCTL_ALLOC", "fd that is not 0", ARGUMENT, "-EINVAL", SAME,
	    ASK(.len = PAGE_SIZE, .fd = 3));
	ROW(t, "DMA_HEAP_IOCTL_ALLOC", "fd_flags that are not a descriptor's", ARGUMENT, "-EINVAL",
	    SAME, ASK(.len = PAGE_SIZE, .fd_flags = O_APPEND));
	ROW(t, "DMA_HEAP_IOCTL_ALLOC", "heap_flags", ARGUMENT, "-EINVAL", SAME,
	    ASK(.len = PAGE_SIZE, .heap_flags = 1));
	ROW(t, "DMA_HEAP_IOCTL_ALLOC", "no argument", ARGUMENT, "-EFAULT", SAME,
	    host_ioctl(fd, DMA_HEAP_IOCTL_ALLOC, 0));
	ROW(t, "DMA_HEAP_IOCTL_ALLOC", "an unknown number", ARGUMENT, "-EINVAL", SAME,
	    ask(fd, _IOWR('H', 9, struct dma_heap_allocation_data), page));
	ROW(t, "DMA_HEAP_IOCTL_ALLOC", "a size of 0: all of it missing", SIZE, "-EINVAL", SAME,
	    ask(fd, _IO('H', 0), page));
	ROW(t, "DMA_HEAP_IOCTL_ALLOC", "a heap that returns NULL", ARGUMENT,
	    "WARN allocated NULL, -EINVAL", LINUX("crash", NO_CRASH),
	    ask(silent_fd, DMA_HEAP_IOCTL_ALLOC, page));
	KT_EQ(t, host_ioctl(fd, DMA_HEAP_IOCTL_ALLOC, (unsigned long)&data), 0);
	buffer = (int)data.fd;
	ROW(t, "DMA_HEAP_IOCTL_ALLOC", "a buffer", DESCRIPTOR, "-ENOTTY", SAME,
	    ask(buffer, DMA_HEAP_IOCTL_ALLOC, page));
	KT_EQ(t, host_close(buffer), 0);
	/* Whoever asks has no room for its number: the next one. */
	lost = host_dup(fd, O_CLOEXEC);
	host_close(lost);
	ROW(t, "DMA_BUF_IOCTL_SYNC", "a heap: a page, and its number is lost", DESCRIPTOR, "0",
	    SAME,
	    ask(fd, DMA_BUF_IOCTL_SYNC, (struct dma_heap_allocation_data){ DMA_BUF_SYNC_RW }));
	KT_EQ(t, host_close(lost), 0);
	ROW(t, "dma_buf_get", "a heap", DESCRIPTOR, "-EINVAL", SAME, misuse_ptr(dma_buf_get(fd)));
	ROW(t, "DMA_HEAP_IOCTL_ALLOC", "a closed descriptor", DESCRIPTOR, "-EBADF", SAME,
	    ask(buffer, DMA_HEAP_IOCTL_ALLOC, page));
	dma_heap_remove(heap);
	ROW(t, "DMA_HEAP_IOCTL_ALLOC", "the heap has gone", ORDER, "-ENODEV",
	    LINUX("no such state", "heaps stay for ever"), ask(fd, DMA_HEAP_IOCTL_ALLOC, page));
	host_close(fd);
	host_close(silent_fd);
	dma_heap_remove(none);
}

MISUSE_MAIN(KTAP_CASE(drivers), KTAP_CASE(programs))
