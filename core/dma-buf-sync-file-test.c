/* SPDX-License-Identifier: MIT */
/*
 * dma-buf-sync-file-test.c - implicit fences out of a buffer and explicit ones into it
 */
#include "core/dma-resv-test.h"
#include "core/test-exporter.h"
#include "host/file.h"
#include "host/port.h"

#include <sys/mman.h>

#include <linux/dma-fence-unwrap.h>
#include <linux/file.h>
#include <linux/sync_file.h>
#include <uapi/linux/dma-buf.h>

struct shared {
	struct test_exporter exporter;
	struct dma_buf *dmabuf;
	int fd;
};

static void share(struct shared *s)
{
	*s = (struct shared){ .fd = -1 };
	s->dmabuf = test_export(&s->exporter, 0);
	BUG_ON(IS_ERR(s->dmabuf));
	s->fd = dma_buf_fd(s->dmabuf, O_CLOEXEC);
	BUG_ON(s->fd < 0);
}

static void unshare(struct ktap *t, struct shared *s)
{
	KT_EQ(t, host_close(s->fd), 0);
	KT_EQ(t, s->exporter.releases, 1);
}

static int new_sync_fd(struct dma_fence *fence)
{
	struct sync_file *sync_file = sync_file_create(fence);
	int fd = get_unused_fd_flags(O_CLOEXEC);

	BUG_ON(!sync_file || fd < 0);
	fd_install(fd, sync_file->file);
	return fd;
}

static int next_fd(void)
{
	int next = get_unused_fd_flags(0);

	put_unused_fd(next);
	return next;
}

static long do_export(struct shared *s, u32 flags, int *fd)
{
	struct dma_buf_export_sync_file arg = { .flags = flags, .fd = -1 };
	long ret = host_ioctl(s->fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, (unsigned long)&arg);

	*fd = arg.fd;
	return ret;
}

static long do_import(struct shared *s, u32 flags, int fd)
{
	struct dma_buf_import_sync_file arg = { .flags = flags, .fd = fd };

	return host_ioctl(s->fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, (unsigned long)&arg);
}

/* The fence of a fresh export, whose descriptor is closed again. */
static struct dma_fence *exported(struct ktap *t, struct shared *s, u32 flags)
{
	struct dma_fence *fence;
	int fd;

	if (!KT_CHECK(t, !do_export(s, flags, &fd)))
		return NULL;
	fence = sync_file_get_fence(fd);
	KT_EQ(t, host_close(fd), 0);
	return fence;
}

/* --- export ----------------------------------------------------------------------------------- */

static void an_idle_buffer_gives_a_signaled_fence(struct ktap *t)
{
	struct dma_fence *fence;
	struct shared s;

	share(&s);
	fence = exported(t, &s, DMA_BUF_SYNC_RW);
	KT_ASSERT(t, fence);
	KT_EQ(t, dma_fence_get_status(fence), 1);
	dma_fence_put(fence);
	unshare(t, &s);
}

static void readers_wait_for_writers_writers_for_all(struct ktap *t)
{
	struct dma_fence *wrote = new_fence(1, 1), *read = new_fence(2, 1);
	struct dma_fence *kept = new_fence(3, 1), *for_read, *for_write;
	struct shared s;

	share(&s);
	lock_and_add(t, s.dmabuf->resv, wrote, DMA_RESV_USAGE_WRITE);
	lock_and_add(t, s.dmabuf->resv, read, DMA_RESV_USAGE_READ);
	lock_and_add(t, s.dmabuf->resv, kept, DMA_RESV_USAGE_BOOKKEEP);
	for_read = exported(t, &s, DMA_BUF_SYNC_READ);
	for_write = exported(t, &s, DMA_BUF_SYNC_WRITE);
	KT_ASSERT(t, for_read && for_write);
	KT_CHECK(t, for_read == wrote);
	dma_fence_signal(wrote);
	KT_CHECK(t, !dma_fence_is_signaled(for_write));
	dma_fence_signal(read);
	KT_CHECK(t, dma_fence_is_signaled(for_write));
	dma_fence_put(for_read);
	dma_fence_put(for_write);
	unshare(t, &s);
	dma_fence_put(wrote);
	dma_fence_put(read);
	finish(kept);
}

static void what_comes_later_is_not_in_it(struct ktap *t)
{
	struct dma_fence *early = new_fence(1, 1), *late = new_fence(2, 1), *fence;
	struct shared s;

	share(&s);
	lock_and_add(t, s.dmabuf->resv, early, DMA_RESV_USAGE_WRITE);
	fence = exported(t, &s, DMA_BUF_SYNC_READ);
	KT_ASSERT(t, fence);
	lock_and_add(t, s.dmabuf->resv, late, DMA_RESV_USAGE_WRITE);
	dma_fence_signal(early);
	KT_CHECK(t, dma_fence_is_signaled(fence));
	dma_fence_put(fence);
	unshare(t, &s);
	dma_fence_put(early);
	finish(late);
}

static void a_failed_export_leaves_nothing(struct ktap *t)
{
	struct dma_fence *a = new_fence(1, 1), *b = new_fence(2, 1);
	struct dma_buf_export_sync_file *unwritable;
	int fd, free, k;
	struct shared s;
	long ret = -1;

	share(&s);
	lock_and_add(t, s.dmabuf->resv, a, DMA_RESV_USAGE_WRITE);
	lock_and_add(t, s.dmabuf->resv, b, DMA_RESV_USAGE_WRITE);
	free = next_fd();
	KT_EQ(t, do_export(&s, 0, &fd), -EINVAL);
	KT_EQ(t, do_export(&s, DMA_BUF_SYNC_RW | DMA_BUF_SYNC_END, &fd), -EINVAL);
	KT_EQ(t, host_ioctl(s.fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, 0), -EFAULT);

	unwritable = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	KT_ASSERT(t, unwritable != MAP_FAILED);
	unwritable->flags = DMA_BUF_SYNC_READ;
	KT_EQ(t, mprotect(unwritable, 4096, PROT_READ), 0);
	KT_EQ(t, host_ioctl(s.fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, (unsigned long)unwritable),
	      -EFAULT);
	munmap(unwritable, 4096);
	port_fail_nth(PORT_FAULT_FD, 1);
	KT_EQ(t, do_export(&s, DMA_BUF_SYNC_RW, &fd), -EMFILE);
	port_fail_nth(PORT_FAULT_FD, 0);

	for (k = 1; ret; k++) {
		KT_EQ(t, next_fd(), free);
		KT_EQ(t, kref_read(&a->refcount), 2);
		port_fail_nth(PORT_FAULT_ALLOC, k);
		ret = do_export(&s, DMA_BUF_SYNC_RW, &fd);
		port_fail_nth(PORT_FAULT_ALLOC, 0);
		KT_CHECK(t, !ret || ret == -ENOMEM || ret == -EMFILE);
		KT_CHECK(t, !ret || fd == -1);
	}
	/* The list, the array, the sync_file, its file: each failed. */
	KT_CHECK(t, k > 5);
	host_close(fd);
	unshare(t, &s);
	finish(a);
	finish(b);
}

/* --- import ----------------------------------------------------------------------------------- */

static void an_import_is_of_the_usage_it_says(struct ktap *t)
{
	static const struct {
		u32 flags;
		enum dma_resv_usage usage;
	} cases[] = {
		{ DMA_BUF_SYNC_READ, DMA_RESV_USAGE_READ },
		{ DMA_BUF_SYNC_WRITE, DMA_RESV_USAGE_WRITE },
		{ DMA_BUF_SYNC_RW, DMA_RESV_USAGE_WRITE },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct dma_fence *fence = new_fence(1, 1);
		int fd = new_sync_fd(fence);
		struct shared s;

		share(&s);
		KT_EQ(t, do_import(&s, cases[i].flags, fd), 0);
		KT_EQ(t, usage_of(s.dmabuf->resv, fence), cases[i].usage);
		host_close(fd);
		unshare(t, &s);
		finish(fence);
	}
}

static void an_import_takes_containers_apart(struct ktap *t)
{
	struct dma_fence *a = new_fence(1, 1), *b = new_fence(2, 1), *merged, *again;
	struct shared s;
	int fd;

	share(&s);
	merged = dma_fence_unwrap_merge(a, b);
	fd = new_sync_fd(merged);
	dma_fence_put(merged);
	KT_EQ(t, do_import(&s, DMA_BUF_SYNC_WRITE, fd), 0);
	host_close(fd);
	KT_EQ(t, usage_of(s.dmabuf->resv, a), DMA_RESV_USAGE_WRITE);
	KT_EQ(t, usage_of(s.dmabuf->resv, b), DMA_RESV_USAGE_WRITE);

	/* And out again. */
	again = exported(t, &s, DMA_BUF_SYNC_READ);
	KT_ASSERT(t, again);
	dma_fence_signal(a);
	KT_CHECK(t, !dma_fence_is_signaled(again));
	dma_fence_signal(b);
	KT_CHECK(t, dma_fence_is_signaled(again));
	dma_fence_put(again);
	unshare(t, &s);
	dma_fence_put(a);
	dma_fence_put(b);
}

static void a_failed_import_adds_nothing(struct ktap *t)
{
	struct dma_fence *fence = new_fence(1, 1);
	int fd = new_sync_fd(fence);
	struct shared s;

	share(&s);
	KT_EQ(t, do_import(&s, 0, fd), -EINVAL);
	KT_EQ(t, do_import(&s, 4, fd), -EINVAL);
	KT_EQ(t, do_import(&s, DMA_BUF_SYNC_READ, -1), -EINVAL);
	KT_EQ(t, do_import(&s, DMA_BUF_SYNC_READ, s.fd), -EINVAL);
	KT_EQ(t, host_ioctl(s.fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, 0), -EFAULT);
	port_fail_nth(PORT_FAULT_ALLOC, 1);
	KT_EQ(t, do_import(&s, DMA_BUF_SYNC_READ, fd), -ENOMEM);
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	KT_EQ(t, count_fences(s.dmabuf->resv, DMA_RESV_USAGE_BOOKKEEP), 0);
	KT_EQ(t, kref_read(&fence->refcount), 2);
	host_close(fd);
	unshare(t, &s);
	finish(fence);
}

KTAP_MAIN(KTAP_CASE(an_idle_buffer_gives_a_signaled_fence),
	  KTAP_CASE(readers_wait_for_writers_writers_for_all),
	  KTAP_CASE(what_comes_later_is_not_in_it), KTAP_CASE(a_failed_export_leaves_nothing),
	  KTAP_CASE(an_import_is_of_the_usage_it_says), KTAP_CASE(an_import_takes_containers_apart),
	  KTAP_CASE(a_failed_import_adds_nothing))
