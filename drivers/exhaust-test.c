/* SPDX-License-Identifier: MIT */
/*
 * exhaust-test.c - what a program can ask for without end: each ends in an errno, costs nobody else
 * anything for good, and is there again when the program lets go
 *
 * The system's own limits (descriptors, addresses, mappings) are limits-test.c's, bounce slots
 * dma/table-test.c's.
 */
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/sync_file.h>
#include <uapi/linux/dma-heap.h>
#include <uapi/linux/sync_file.h>

#include "host/file.h"
#include "host/memory.h"
#include "include/libdmabuf.h"
#include "tests/ktap.h"

static u64 pages_used(void)
{
	struct host_memory_stats stats;

	host_memory_stats(&stats);
	return stats.pages_used;
}

/* --- memory ----------------------------------------------------------------------------------- */

/* More than there is, and more than a number holds: nothing stays taken. */
static void sizes_beyond_memory(struct ktap *t)
{
	static const u64 sizes[] = {
		HOST_MEMORY_BYTES + 1,
		1ull << 40,
		SIZE_MAX,
		SIZE_MAX - 1,
		SIZE_MAX - PAGE_SIZE,
		SIZE_MAX - PAGE_SIZE + 1,
		1ull << 63,
		(1ull << 63) - PAGE_SIZE,
		HOST_MEMORY_BYTES + PAGE_SIZE,
	};
	static const char *const heaps[] = { "system", "default_cma_region" };

	for (size_t heap = 0; heap < ARRAY_SIZE(heaps); heap++) {
		int fd = libdmabuf_heap_open(heaps[heap]);
		u64 before = pages_used();

		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			struct dma_heap_allocation_data data = { .len = sizes[i] };
			struct libdmabuf_buffer *buffer;
			int ret;

			ret = libdmabuf_fd_ioctl(fd, DMA_HEAP_IOCTL_ALLOC, &data);
			KT_CHECK(t, ret == -ENOMEM || ret == -EINVAL);
			ret = libdmabuf_buffer_create_from(heaps[heap], sizes[i], &buffer);
			KT_CHECK(t, ret == -ENOMEM || ret == -EINVAL);
			KT_CHECK(t, !buffer);
			KT_EQ(t, pages_used(), before);
		}
		KT_EQ(t, libdmabuf_fd_close(fd), 0);
	}
	KT_EQ(t, libdmabuf_fini(), 0);
}

/* One program takes everything; when it lets go of one buffer, somebody else gets one. */
static void all_memory(struct ktap *t)
{
	enum { MIB = 64, MOST = (HOST_MEMORY_BYTES >> 20) / MIB };
	struct libdmabuf_buffer *buffers[MOST + 1], *more;
	int count = 0, ret = 0;

	while (count <= MOST && !ret)
		ret = libdmabuf_buffer_create((size_t)MIB << 20, &buffers[count++]);
	count--;
	KT_EQ(t, ret, -ENOMEM);
	KT_CHECK(t, count > MOST / 2 && count <= MOST);
	libdmabuf_buffer_close(buffers[0]);
	KT_EQ(t, libdmabuf_buffer_create((size_t)MIB << 20, &more), 0);
	KT_EQ(t, libdmabuf_fini(), 0);
}

/* --- fences ----------------------------------------------------------------------------------- */

static const char *name(struct dma_fence *fence)
{
	return "test";
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = name,
	.get_timeline_name = name,
};

static DEFINE_SPINLOCK(fence_lock);

static struct dma_fence *fence_create(u64 context, u64 seqno)
{
	struct dma_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	dma_fence_init(fence, &fence_ops, &fence_lock, context, seqno);
	return fence;
}

static int fence_fd(struct dma_fence *fence)
{
	struct sync_file *sync_file = sync_file_create(fence);
	int fd = get_unused_fd_flags(O_CLOEXEC);

	fd_install(fd, sync_file->file);
	return fd;
}

static unsigned int fences_in(struct dma_resv *resv)
{
	struct dma_fence **fences;
	unsigned int count;

	if (dma_resv_get_fences(resv, DMA_RESV_USAGE_BOOKKEEP, &count, &fences))
		return UINT_MAX;
	for (unsigned int i = 0; i < count; i++)
		dma_fence_put(fences[i]);
	kfree(fences);
	return count;
}

/*
 * A program imports what drivers gave it as often as it likes, and merges it before: a reservation
 * has one fence a timeline, and only drivers make timelines.
 */
static void imports_without_end(struct ktap *t)
{
	u64 context = dma_fence_context_alloc(2);
	struct dma_fence *last[2] = {};
	struct libdmabuf_buffer *buffer;
	struct dma_buf *dmabuf;
	int fd;

	KT_EQ(t, libdmabuf_buffer_create(1, &buffer), 0);
	fd = libdmabuf_buffer_fd(buffer);
	dmabuf = dma_buf_get(fd);
	for (int i = 0; i < 2000; i++) {
		struct sync_merge_data merge = { .name = "both" };
		struct dma_buf_import_sync_file import = { .flags = DMA_BUF_SYNC_WRITE };
		int fds[2];

		for (int k = 0; k < 2; k++) {
			if (last[k]) {
				dma_fence_signal(last[k]);
				dma_fence_put(last[k]);
			}
			last[k] = fence_create(context + k, i + 1);
			fds[k] = fence_fd(last[k]);
		}
		merge.fd2 = fds[1];
		KT_EQ(t, libdmabuf_fd_ioctl(fds[0], SYNC_IOC_MERGE, &merge), 0);
		import.fd = merge.fence;
		KT_EQ(t, libdmabuf_fd_ioctl(fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &import), 0);
		KT_EQ(t, libdmabuf_fd_ioctl(fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &import), 0);
		KT_EQ(t, fences_in(dmabuf->resv), 2);
		libdmabuf_fd_close(merge.fence);
		libdmabuf_fd_close(fds[0]);
		libdmabuf_fd_close(fds[1]);
	}
	for (int k = 0; k < 2; k++) {
		dma_fence_signal(last[k]);
		dma_fence_put(last[k]);
	}
	dma_buf_put(dmabuf);
	KT_EQ(t, libdmabuf_fd_close(fd), 0);
	KT_EQ(t, libdmabuf_fini(), 0);
}

/* --- names ------------------------------------------------------------------------------------ */

/* A name has DMA_BUF_NAME_LEN bytes with its end; what is longer is refused, not cut into others. */
static void names_without_end(struct ktap *t)
{
	struct libdmabuf_buffer *buffer;
	char long_name[4096], info[4096];
	int fd;

	KT_EQ(t, libdmabuf_buffer_create(1, &buffer), 0);
	fd = libdmabuf_buffer_fd(buffer);
	memset(long_name, 'x', sizeof(long_name));
	KT_EQ(t, libdmabuf_fd_ioctl(fd, DMA_BUF_SET_NAME, long_name), -EINVAL);
	long_name[DMA_BUF_NAME_LEN] = '\0';
	KT_EQ(t, libdmabuf_fd_ioctl(fd, DMA_BUF_SET_NAME, long_name), -EINVAL);
	long_name[DMA_BUF_NAME_LEN - 1] = '\0';
	KT_EQ(t, libdmabuf_fd_ioctl(fd, DMA_BUF_SET_NAME, long_name), 0);
	KT_CHECK(t, host_fdinfo(fd, info, sizeof(info)) > 0);
	KT_CHECK(t, strstr(info, long_name) && !strstr(info, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"));
	KT_EQ(t, libdmabuf_fd_close(fd), 0);
	KT_EQ(t, libdmabuf_fini(), 0);
}

KTAP_MAIN(KTAP_CASE(sizes_beyond_memory), KTAP_CASE(all_memory), KTAP_CASE(imports_without_end),
	  KTAP_CASE(names_without_end))
