/* SPDX-License-Identifier: MIT */
/*
 * dma-heap-test.c - a heap's name, its one ioctl in every size, and what a failure leaves: nothing
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>
#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <uapi/linux/dma-heap.h>

#include "core/test-exporter.h"
#include "host/file.h"
#include "host/memory.h"
#include "host/port.h"
#include "tests/ktap.h"
#include "tests/threads.h"

/* One more than the largest size in the tables. */
#define ROOM 65

struct heap {
	struct test_exporter exporter; /* of the last buffer */
	struct dma_heap *heap;
	struct dma_buf *refuse; /* the answer, if not NULL */
	bool nothing;           /* the answer is NULL */
	bool slow;
	struct completion begun, go;

	/* of the last call */
	unsigned int calls;
	unsigned long len;
	u32 fd_flags;
	u64 heap_flags;
	struct dma_buf *dmabuf;
};

static struct dma_buf *allocate(struct dma_heap *dma_heap, unsigned long len, u32 fd_flags,
				u64 heap_flags)
{
	struct heap *heap = dma_heap_get_drvdata(dma_heap);

	heap->calls++;
	heap->len = len;
	heap->fd_flags = fd_flags;
	heap->heap_flags = heap_flags;
	if (heap->slow) {
		complete(&heap->begun);
		wait_for_completion(&heap->go);
	}
	if (heap->refuse || heap->nothing)
		return heap->refuse;
	heap->exporter = (struct test_exporter){ .flags = fd_flags };
	heap->dmabuf = test_export(&heap->exporter, 0);
	return heap->dmabuf;
}

static const struct dma_heap_ops ops = { .allocate = allocate };

static bool heap_create(struct ktap *t, struct heap *heap, const char *name)
{
	const struct dma_heap_export_info info = { .name = name, .ops = &ops, .priv = heap };

	init_completion(&heap->begun);
	init_completion(&heap->go);
	heap->heap = dma_heap_add(&info);
	return KT_CHECK(t, !IS_ERR(heap->heap));
}

static int heap_open(struct ktap *t, struct heap *heap, const char *name)
{
	int fd;

	if (!heap_create(t, heap, name))
		return -1;
	fd = host_open("/dev/dma_heap/test", O_RDWR | O_CLOEXEC);
	KT_CHECK(t, fd >= 0);
	return fd;
}

static void heap_close(struct ktap *t, struct heap *heap, int fd)
{
	KT_EQ(t, host_close(fd), 0);
	dma_heap_remove(heap->heap);
}

static long alloc(int fd, struct dma_heap_allocation_data *data)
{
	return host_ioctl(fd, DMA_HEAP_IOCTL_ALLOC, (unsigned long)data);
}

/* The number that the next descriptor gets: the same again if none was left behind. */
static int next_descriptor(void)
{
	int fd = dup(STDERR_FILENO);

	close(fd);
	return fd;
}

/* Closes the descriptor of the heap's last buffer, whose number may be unknown. Returns it. */
static int buffer_close(struct heap *heap)
{
	for (int fd = 0; fd < 64; fd++) {
		struct dma_buf *dmabuf = dma_buf_get(fd);

		if (IS_ERR(dmabuf))
			continue;
		dma_buf_put(dmabuf);
		if (dmabuf == heap->dmabuf && !host_close(fd))
			return fd;
	}
	return -1;
}

/* --- names ------------------------------------------------------------------------------------ */

static void a_heap_is_opened_by_its_name(struct ktap *t)
{
	struct dma_heap_allocation_data data = { .len = 1, .fd_flags = O_RDWR | O_CLOEXEC };
	struct heap heap = {};
	int fd;

	KT_EQ(t, host_open("/dev/dma_heap/test", O_RDWR), -ENOENT);
	fd = heap_open(t, &heap, "test");
	KT_CHECK(t, dma_heap_get_drvdata(heap.heap) == &heap);
	KT_CHECK(t, !strcmp(dma_heap_get_name(heap.heap), "test"));
	KT_EQ(t, host_open("/dev/test", O_RDWR), -ENOENT);
	KT_EQ(t, host_open("/dev/dma_heap/", O_RDWR), -ENOENT);
	KT_EQ(t, host_lseek(fd, 0, SEEK_CUR), -ESPIPE);
	KT_EQ(t, alloc(fd, &data), 0);
	KT_EQ(t, heap.len, PAGE_SIZE);
	KT_EQ(t, fcntl(data.fd, F_GETFD), FD_CLOEXEC);
	KT_EQ(t, buffer_close(&heap), data.fd);
	KT_EQ(t, heap.exporter.releases, 1);
	heap_close(t, &heap, fd);
	KT_EQ(t, host_open("/dev/dma_heap/test", O_RDWR), -ENOENT);
}

static void names_and_ops_that_are_none(struct ktap *t)
{
	static const struct dma_heap_ops no_ops;
	static const struct dma_heap_export_info wrong[] = {
		{ .ops = &ops },
		{ .ops = &ops, .name = "" },
		{ .ops = &ops, .name = "/" },
		{ .ops = &ops, .name = "a/b" },
		{ .ops = &ops, .name = "a/" },
		{ .name = "test" },
		{ .ops = &no_ops, .name = "test" },
	};
	static const char *const right[] = { "a", "a!b", "%s%n", " ", "system-uncached" };

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		KT_EQ(t, PTR_ERR(dma_heap_add(&wrong[i])), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(right); i++) {
		struct heap heap = {};
		char path[64];
		int fd;

		heap_create(t, &heap, right[i]);
		snprintf(path, sizeof(path), "/dev/dma_heap/%s", right[i]);
		fd = host_open(path, O_RDWR);
		KT_CHECK(t, fd >= 0);
		heap_close(t, &heap, fd);
	}
}

static void a_name_is_given_once(struct ktap *t)
{
	struct dma_heap_export_info info = { .name = "test", .ops = &ops };
	struct heap heap = {};
	char same[] = "test";

	heap_create(t, &heap, "test");
	KT_EQ(t, PTR_ERR(dma_heap_add(&info)), -EINVAL);
	info.name = same;
	KT_EQ(t, PTR_ERR(dma_heap_add(&info)), -EINVAL);
	dma_heap_remove(heap.heap);
	KT_CHECK(t, heap_create(t, &heap, same));
	dma_heap_remove(heap.heap);
}

static void there_are_128(struct ktap *t)
{
	static struct heap heap[129];
	static char name[129][16];
	struct dma_heap_export_info info = { .name = "one too many", .ops = &ops };

	for (int i = 0; i < 128; i++) {
		snprintf(name[i], sizeof(name[i]), "h%d", i);
		KT_ASSERT(t, heap_create(t, &heap[i], name[i]));
	}
	KT_EQ(t, PTR_ERR(dma_heap_add(&info)), -EBUSY);
	dma_heap_remove(heap[77].heap);
	KT_CHECK(t, heap_create(t, &heap[128], "in its place"));
	heap[77].heap = heap[128].heap;
	for (int i = 0; i < 128; i++)
		dma_heap_remove(heap[i].heap);
}

/* --- the ioctl -------------------------------------------------------------------------------- */

/* What a request of @size bytes says: those after it are 0. */
static struct dma_heap_allocation_data said(const u8 *bytes, unsigned int size)
{
	struct dma_heap_allocation_data data = {};

	memcpy(&data, bytes, min_t(size_t, size, sizeof(data)));
	return data;
}

static long expected(const struct dma_heap_allocation_data *data)
{
	if (!data->len || data->len > U64_MAX - PAGE_SIZE + 1)
		return -EINVAL;
	if (data->fd || data->fd_flags & ~(u32)(O_CLOEXEC | O_ACCMODE) || data->heap_flags)
		return -EINVAL;
	return 0;
}

/* Returns how many ran to a buffer. */
static int one_size(struct ktap *t, struct heap *heap, int fd, const u8 *bytes, unsigned int size)
{
	unsigned int cmd = _IOC(_IOC_READ | _IOC_WRITE, DMA_HEAP_IOC_MAGIC, 0, size);
	struct dma_heap_allocation_data data = said(bytes, size);
	long want = expected(&data), got;
	u8 answer[ROOM];
	int buffer;

	memcpy(answer, bytes, ROOM);
	heap->calls = 0;
	got = host_ioctl(fd, cmd, (unsigned long)answer);
	ktap_check(t, got == want, __FILE__, __LINE__, "%u bytes: %ld, not %ld", size, got, want);
	KT_EQ(t, heap->calls, !want);
	if (want) {
		KT_CHECK(t, !memcmp(answer, bytes, ROOM));
		return 0;
	}
	KT_EQ(t, heap->len, PAGE_ALIGN(data.len));
	KT_EQ(t, heap->fd_flags, data.fd_flags);
	KT_EQ(t, heap->heap_flags, 0);

	/* The number, or as much of it as there is room for; all else is as it was. */
	buffer = buffer_close(heap);
	KT_CHECK(t, buffer >= 0);
	for (unsigned int at = 8; at < min(12u, size); at++) {
		KT_EQ(t, answer[at], (u8)(buffer >> (8 * (at - 8))));
		answer[at] = bytes[at];
	}
	KT_CHECK(t, !memcmp(answer, bytes, ROOM));
	return 1;
}

/* Every size, and in each every byte once wrong: it counts if it is part of what is known. */
static void every_size_of_the_request(struct ktap *t)
{
	const struct dma_heap_allocation_data good = { .len = 0x2001,
						       .fd_flags = O_RDWR | O_CLOEXEC };
	struct heap heap = {};
	int fd = heap_open(t, &heap, "test"), buffers = 0;
	u8 bytes[ROOM];

	for (unsigned int size = 0; size < ROOM; size++) {
		memset(bytes, 0x5a, sizeof(bytes));
		memcpy(bytes, &good, sizeof(good));
		KT_EQ(t, one_size(t, &heap, fd, bytes, size), size > 0);
		for (unsigned int at = 0; at < ROOM; at++) {
			u8 was = bytes[at];

			bytes[at] = 0x80;
			buffers += one_size(t, &heap, fd, bytes, size);
			bytes[at] = was;
		}
	}
	/* Of those with all 24 bytes: where a byte of the length or behind the end was changed. */
	KT_CHECK(t, buffers > (ROOM - 24) * (7 + ROOM - 24));
	heap_close(t, &heap, fd);
}

static void every_bit_of_the_request(struct ktap *t)
{
	const struct dma_heap_allocation_data good = { .len = 1 };
	struct heap heap = {};
	int fd = heap_open(t, &heap, "test");

	for (unsigned int bit = 0; bit < 64; bit++) {
		struct dma_heap_allocation_data flags = good, number = good, heaps = good;

		heaps.heap_flags |= 1ULL << bit;
		KT_EQ(t, alloc(fd, &heaps), -EINVAL);
		if (bit >= 32)
			continue;
		number.fd = 1u << bit;
		KT_EQ(t, alloc(fd, &number), -EINVAL);
		flags.fd_flags = 1u << bit;
		KT_EQ(t, alloc(fd, &flags), flags.fd_flags & (O_CLOEXEC | O_ACCMODE) ? 0 : -EINVAL);
		if (flags.fd)
			KT_EQ(t, buffer_close(&heap), flags.fd);
	}
	KT_EQ(t, heap.calls, 3);
	heap_close(t, &heap, fd);
}

static void a_request_of_zeros_or_of_too_much(struct ktap *t)
{
	static const u64 wrong[] = { 0, U64_MAX, U64_MAX - PAGE_SIZE + 2 };
	struct heap heap = {};
	int fd = heap_open(t, &heap, "test");

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct dma_heap_allocation_data data = { .len = wrong[i] };

		KT_EQ(t, alloc(fd, &data), -EINVAL);
	}
	KT_EQ(t, heap.calls, 0);
	heap.refuse = ERR_PTR(-ENOMEM);
	for (u64 len = U64_MAX - PAGE_SIZE + 1; len; len >>= 1) {
		struct dma_heap_allocation_data data = { .len = len };

		KT_EQ(t, alloc(fd, &data), -ENOMEM);
		KT_EQ(t, heap.len, PAGE_ALIGN(len));
	}
	heap_close(t, &heap, fd);
}

/* The number's other parts: which way data goes counts, the letter does not. */
static void numbers_of_the_request(struct ktap *t)
{
	const struct dma_heap_allocation_data good = { .len = 1, .fd_flags = O_RDWR };
	struct dma_heap_allocation_data data = good;
	struct heap heap = {};
	int fd = heap_open(t, &heap, "test");

	KT_EQ(t, host_ioctl(fd, _IOWR('H', 1, data), (unsigned long)&data), -EINVAL);
	KT_EQ(t, host_ioctl(fd, _IOWR('H', 255, data), (unsigned long)&data), -EINVAL);
	KT_EQ(t, host_ioctl(fd, _IOC(_IOC_NONE, 'H', 0, sizeof(data)), (unsigned long)&data),
	      -EINVAL);
	KT_CHECK(t, !memcmp(&data, &good, sizeof(data)));
	KT_EQ(t, heap.calls, 0);

	/* Written only: the program never learns the number. */
	KT_EQ(t, host_ioctl(fd, _IOW('H', 0, data), (unsigned long)&data), 0);
	KT_CHECK(t, !memcmp(&data, &good, sizeof(data)));
	KT_CHECK(t, buffer_close(&heap) >= 0);

	KT_EQ(t, host_ioctl(fd, _IOWR('b', 0, data), (unsigned long)&data), 0);
	KT_EQ(t, buffer_close(&heap), data.fd);

	/* Read only: nothing is asked for. */
	data = good;
	KT_EQ(t, host_ioctl(fd, _IOR('H', 0, data), (unsigned long)&data), -EINVAL);
	KT_CHECK(t, !memcmp(&data, &good, sizeof(data)));
	heap_close(t, &heap, fd);
}

static void a_request_larger_than_a_page(struct ktap *t)
{
	const unsigned int cmd = _IOC(_IOC_READ | _IOC_WRITE, 'H', 0, _IOC_SIZEMASK);
	static u8 bytes[_IOC_SIZEMASK], before[_IOC_SIZEMASK];
	struct dma_heap_allocation_data *data = (void *)bytes;
	struct heap heap = {};
	int fd = heap_open(t, &heap, "test");

	memset(bytes, 0xff, sizeof(bytes));
	*data = (struct dma_heap_allocation_data){ .len = 1, .fd_flags = O_RDWR };
	memcpy(before, bytes, sizeof(bytes));
	port_fail_nth(PORT_FAULT_ALLOC, 1);
	KT_EQ(t, host_ioctl(fd, cmd, (unsigned long)bytes), -ENOMEM);
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	KT_EQ(t, heap.calls, 0);
	KT_EQ(t, host_ioctl(fd, cmd, (unsigned long)bytes), 0);
	KT_EQ(t, buffer_close(&heap), data->fd);
	data->fd = 0;
	KT_CHECK(t, !memcmp(bytes, before, sizeof(bytes)));
	heap_close(t, &heap, fd);
}

static void wrong_pointers(struct ktap *t)
{
	const struct dma_heap_allocation_data good = { .len = 1, .fd_flags = O_RDWR };
	u8 *pages = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	void *last = pages + PAGE_SIZE - sizeof(good);
	struct heap heap = {};
	int fd = heap_open(t, &heap, "test"), next;

	KT_ASSERT(t, pages != MAP_FAILED);
	KT_EQ(t, alloc(fd, NULL), -EFAULT);
	memcpy(last, &good, sizeof(good));
	mprotect(pages + PAGE_SIZE, PAGE_SIZE, PROT_NONE);
	KT_EQ(t, host_ioctl(fd, _IOC(_IOC_READ | _IOC_WRITE, 'H', 0, 25), (unsigned long)last),
	      -EFAULT);
	KT_EQ(t, heap.calls, 0);
	KT_EQ(t, alloc(fd, last), 0);
	KT_CHECK(t, buffer_close(&heap) >= 0);

	/* There is a buffer, but its number cannot be told: it goes again. */
	memcpy(last, &good, sizeof(good));
	mprotect(pages, PAGE_SIZE, PROT_READ);
	next = next_descriptor();
	KT_EQ(t, alloc(fd, last), -EFAULT);
	KT_EQ(t, next_descriptor(), next);
	KT_EQ(t, heap.calls, 2);
	KT_EQ(t, heap.exporter.releases, 1);
	KT_EQ(t, buffer_close(&heap), -1);
	munmap(pages, 2 * PAGE_SIZE);
	heap_close(t, &heap, fd);
}

static void what_the_heap_says_is_the_answer(struct ktap *t)
{
	struct dma_heap_allocation_data data = { .len = 1, .fd_flags = O_RDWR };
	struct heap heap = { .refuse = ERR_PTR(-EPERM) };
	int fd = heap_open(t, &heap, "test");

	KT_EQ(t, alloc(fd, &data), -EPERM);
	KT_EQ(t, data.fd, 0);
	heap.refuse = NULL;
	heap.nothing = true;
	ktap_expect_warn(t, "allocated NULL");
	KT_EQ(t, alloc(fd, &data), -EINVAL);
	heap_close(t, &heap, fd);
}

/* --- the buffer's descriptor ------------------------------------------------------------------ */

static void a_buffer_is_opened_as_asked(struct ktap *t)
{
	static const struct {
		u32 fd_flags;
		long read, write; /* what mapping for it says */
	} table[] = {
		{ O_RDONLY, 0, -EACCES },
		{ O_WRONLY, -EACCES, -EACCES },
		{ O_RDWR, 0, 0 },
		{ O_ACCMODE, -EACCES, -EACCES },
	};
	struct heap heap = {};
	int fd = heap_open(t, &heap, "test");

	for (size_t i = 0; i < 2 * ARRAY_SIZE(table); i++) {
		u32 cloexec = i < ARRAY_SIZE(table) ? 0 : O_CLOEXEC;
		struct dma_heap_allocation_data data = { .len = 1 };
		void *read, *write;

		data.fd_flags = table[i % 4].fd_flags | cloexec;
		KT_EQ(t, alloc(fd, &data), 0);
		KT_EQ(t, fcntl(data.fd, F_GETFD), cloexec ? FD_CLOEXEC : 0);
		read = host_mmap(data.fd, NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, 0);
		write = host_mmap(data.fd, NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
		KT_EQ(t, PTR_ERR_OR_ZERO(read), table[i % 4].read);
		KT_EQ(t, PTR_ERR_OR_ZERO(write), table[i % 4].write);
		if (!IS_ERR(read) && IS_ERR(write))
			KT_CHECK(t, mprotect(read, PAGE_SIZE, PROT_READ | PROT_WRITE) &&
					    errno == EACCES);
		if (!IS_ERR(write))
			KT_EQ(t, host_munmap(write, PAGE_SIZE), 0);
		if (!IS_ERR(read))
			KT_EQ(t, host_munmap(read, PAGE_SIZE), 0);
		KT_EQ(t, host_close(data.fd), 0);
		KT_EQ(t, heap.exporter.releases, 1);
	}
	heap_close(t, &heap, fd);
}

static void a_heaps_descriptor_is_no_buffers(struct ktap *t)
{
	struct dma_heap_allocation_data data = { .len = 1, .fd_flags = O_RDWR };
	struct heap heap = {};
	int fd = heap_open(t, &heap, "test");

	KT_EQ(t, PTR_ERR(dma_buf_get(fd)), -EINVAL);
	KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, 0)), -ENODEV);
	KT_EQ(t, alloc(fd, &data), 0);
	KT_EQ(t, host_ioctl(data.fd, DMA_HEAP_IOCTL_ALLOC, (unsigned long)&data), -ENOTTY);
	KT_EQ(t, buffer_close(&heap), data.fd);
	heap_close(t, &heap, fd);
}

/* --- removal ---------------------------------------------------------------------------------- */

static void open_descriptors_outlive_the_heap(struct ktap *t)
{
	struct dma_heap_allocation_data data = { .len = 1, .fd_flags = O_RDWR };
	struct heap heap = {};
	int fd = heap_open(t, &heap, "test"), calls;

	KT_EQ(t, alloc(fd, &data), 0);
	calls = heap.calls;
	dma_heap_remove(heap.heap);
	data.fd = 0;
	KT_EQ(t, alloc(fd, &data), -ENODEV);
	KT_EQ(t, heap.calls, calls);
	KT_EQ(t, host_close(fd), 0);
	KT_EQ(t, heap.exporter.releases, 0);
	KT_CHECK(t, buffer_close(&heap) >= 0);
}

static int alloc_thread(void *data)
{
	struct dma_heap_allocation_data request = { .len = 1, .fd_flags = O_RDWR };

	return alloc((int)(long)data, &request);
}

static int remove_thread(void *data)
{
	dma_heap_remove(((struct heap *)data)->heap);
	return 0;
}

static void removal_waits_for_who_is_allocating(struct ktap *t)
{
	struct heap heap = { .slow = true };
	int fd = heap_open(t, &heap, "test");
	struct task_struct *allocates = test_thread_start(alloc_thread, (void *)(long)fd), *removes;

	wait_for_completion(&heap.begun);
	removes = test_thread_start(remove_thread, &heap);
	test_thread_asleep(removes);
	KT_CHECK(t, !heap.dmabuf);
	complete(&heap.go);
	KT_EQ(t, test_thread_end(removes), 0);
	KT_CHECK(t, heap.dmabuf);
	KT_EQ(t, test_thread_end(allocates), 0);
	KT_CHECK(t, buffer_close(&heap) >= 0);
	KT_EQ(t, host_close(fd), 0);
}

/* --- failures --------------------------------------------------------------------------------- */

static void every_failure_of_add_leaves_nothing(struct ktap *t)
{
	struct heap heap = {};
	const struct dma_heap_export_info info = { .name = "test", .ops = &ops, .priv = &heap };
	struct dma_heap *added = ERR_PTR(-1);
	int nth;

	for (nth = 1; IS_ERR(added); nth++) {
		port_fail_nth(PORT_FAULT_ALLOC, nth);
		added = dma_heap_add(&info);
		port_fail_nth(PORT_FAULT_ALLOC, 0);
		if (IS_ERR(added)) {
			KT_EQ(t, PTR_ERR(added), -ENOMEM);
			KT_EQ(t, host_open("/dev/dma_heap/test", O_RDWR), -ENOENT);
		}
	}
	KT_CHECK(t, nth > 5);
	heap.heap = added;
	heap_close(t, &heap, host_open("/dev/dma_heap/test", O_RDWR));
}

static u64 pages_used(void)
{
	struct host_memory_stats stats;

	rcu_barrier();
	host_memory_stats(&stats);
	return stats.pages_used;
}

static void every_failure_of_alloc_leaves_nothing(struct ktap *t)
{
	struct dma_heap_allocation_data data = { .len = 1, .fd_flags = O_RDWR };
	struct heap heap = {};
	int fd = heap_open(t, &heap, "test"), next, nth;
	u64 before;
	long ret;

	/* What is made once. */
	KT_EQ(t, alloc(fd, &data), 0);
	KT_EQ(t, buffer_close(&heap), data.fd);
	before = pages_used();
	next = next_descriptor();
	for (nth = 1, ret = -1; ret; nth++) {
		data.fd = 0;
		heap.dmabuf = NULL;
		port_fail_nth(PORT_FAULT_ALLOC, nth);
		ret = alloc(fd, &data);
		port_fail_nth(PORT_FAULT_ALLOC, 0);
		if (ret) {
			KT_CHECK(t, ret == -ENOMEM || ret == -EMFILE);
			KT_EQ(t, data.fd, 0);
			KT_EQ(t, pages_used(), before);
			KT_EQ(t, next_descriptor(), next);
		}
	}
	KT_CHECK(t, nth > 4);
	KT_EQ(t, buffer_close(&heap), data.fd);
	KT_EQ(t, pages_used(), before);
	heap_close(t, &heap, fd);
}

/* Where a process may not name its own memory, uaccess.c needs descriptors itself, for a pipe. */
static bool copies_need_descriptors(void)
{
	char from = 1, to = 0;
	struct iovec local = { &to, 1 }, remote = { &from, 1 };

	return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) != 1;
}

static void no_descriptor_left(struct ktap *t)
{
	struct dma_heap_allocation_data data = { .len = 1, .fd_flags = O_RDWR };
	struct heap heap = {};
	struct rlimit before, none;
	int fd;
	long ret;

	if (copies_need_descriptors()) {
		ktap_skip(t, "process_vm_readv is refused: a request is copied through a pipe");
		return;
	}
	fd = heap_open(t, &heap, "test");
	getrlimit(RLIMIT_NOFILE, &before);
	none = before;
	none.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &none);
	ret = alloc(fd, &data);
	setrlimit(RLIMIT_NOFILE, &before);
	KT_EQ(t, ret, -EMFILE);
	KT_EQ(t, data.fd, 0);
	KT_EQ(t, heap.calls, 1);
	KT_EQ(t, heap.exporter.releases, 1);
	KT_EQ(t, alloc(fd, &data), 0);
	KT_EQ(t, buffer_close(&heap), data.fd);
	heap_close(t, &heap, fd);
}

KTAP_MAIN(KTAP_CASE(a_heap_is_opened_by_its_name), KTAP_CASE(names_and_ops_that_are_none),
	  KTAP_CASE(a_name_is_given_once), KTAP_CASE(there_are_128),
	  KTAP_CASE(every_size_of_the_request), KTAP_CASE(every_bit_of_the_request),
	  KTAP_CASE(a_request_of_zeros_or_of_too_much), KTAP_CASE(numbers_of_the_request),
	  KTAP_CASE(a_request_larger_than_a_page), KTAP_CASE(wrong_pointers),
	  KTAP_CASE(what_the_heap_says_is_the_answer), KTAP_CASE(a_buffer_is_opened_as_asked),
	  KTAP_CASE(a_heaps_descriptor_is_no_buffers), KTAP_CASE(open_descriptors_outlive_the_heap),
	  KTAP_CASE(removal_waits_for_who_is_allocating),
	  KTAP_CASE(every_failure_of_add_leaves_nothing),
	  KTAP_CASE(every_failure_of_alloc_leaves_nothing), KTAP_CASE(no_descriptor_left))
