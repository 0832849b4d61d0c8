/* SPDX-License-Identifier: MIT */
/*
 * misuse-file-test.c - what a program can do wrong with the descriptors of a buffer and of a fence,
 * and a driver with linux/sync_file.h; each with what it answers here and in Linux 6.12
 */
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/file.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/sync_file.h>
#include <uapi/linux/sync_file.h>

#include "core/dma-resv-test.h"
#include "host/file.h"
#include "test-misuse.h"

#define RW (PROT_READ | PROT_WRITE)
#define NOT_THE_SYSTEMS "only descriptors of the library are served"
#define OF_THE_SYSTEM LINUX("what that file says", NOT_THE_SYSTEMS)

/* Every kind of descriptor. */
struct fds {
	struct test_exporter exporter, read_only_exporter;
	struct dma_fence *fence;
	int dmabuf, read_only, sync_file;
	int pipe[2], memfd, eventfd; /* the system's */
	int closed;
	int dup; /* of dmabuf, by the system */
};

static int sync_fd(struct dma_fence *fence)
{
	struct sync_file *sync_file = sync_file_create(fence);
	int fd = get_unused_fd_flags(O_CLOEXEC);

	fd_install(fd, sync_file->file);
	return fd;
}

static void fds_up(struct ktap *t, struct fds *f)
{
	*f = (struct fds){ .exporter.flags = O_RDWR, .read_only_exporter.flags = O_RDONLY };
	f->fence = new_fence(dma_fence_context_alloc(1), 1);
	f->dmabuf = dma_buf_fd(test_export(&f->exporter, 1), O_CLOEXEC);
	f->read_only = dma_buf_fd(test_export(&f->read_only_exporter, 1), O_CLOEXEC);
	f->sync_file = sync_fd(f->fence);
	KT_EQ(t, pipe(f->pipe), 0);
	f->memfd = memfd_create("wrong", MFD_CLOEXEC);
	f->eventfd = eventfd(0, EFD_CLOEXEC);
	f->dup = dup(f->dmabuf);
	f->closed = sync_fd(f->fence);
	KT_EQ(t, host_close(f->closed), 0);
}

static void fds_down(struct ktap *t, struct fds *f)
{
	close(f->pipe[0]);
	close(f->pipe[1]);
	close(f->memfd);
	close(f->eventfd);
	close(f->dup);
	KT_EQ(t, host_close(f->dmabuf), 0);
	KT_EQ(t, host_close(f->read_only), 0);
	KT_EQ(t, host_close(f->sync_file), 0);
	KT_EQ(t, f->exporter.releases, 1);
	KT_EQ(t, f->read_only_exporter.releases, 1);
	finish(f->fence);
}

static long ioctl_at(int fd, unsigned int cmd, const void *arg)
{
	return host_ioctl(fd, cmd, (unsigned long)arg);
}

/* --- descriptors of another kind -------------------------------------------------------------- */

static void other_kinds(struct ktap *t)
{
	struct dma_buf *dmabuf = NULL;
	struct fds f;

	fds_up(t, &f);
	ROW(t, "dma_buf_get", "a sync_file", DESCRIPTOR, "-EINVAL", SAME,
	    misuse_ptr(dma_buf_get(f.sync_file)));
	ROW(t, "dma_buf_get", "a pipe", DESCRIPTOR, "-EBADF", LINUX("-EINVAL", NOT_THE_SYSTEMS),
	    misuse_ptr(dma_buf_get(f.pipe[0])));
	ROW(t, "dma_buf_get", "a memfd", DESCRIPTOR, "-EINVAL", SAME,
	    misuse_ptr(dma_buf_get(f.memfd)));
	ROW(t, "dma_buf_get", "an eventfd", DESCRIPTOR, "-EBADF", LINUX("-EINVAL", NOT_THE_SYSTEMS),
	    misuse_ptr(dma_buf_get(f.eventfd)));
	ROW(t, "dma_buf_get", "a copy that dup() made", DESCRIPTOR, "a pointer", SAME,
	    misuse_ptr(dmabuf = dma_buf_get(f.dup)));
	dma_buf_put(dmabuf);
	ROW(t, "sync_file_get_fence", "a dma-buf", DESCRIPTOR, "NULL", SAME,
	    misuse_ptr(sync_file_get_fence(f.dmabuf)));
	ROW(t, "sync_file_get_fence", "a pipe", DESCRIPTOR, "NULL", SAME,
	    misuse_ptr(sync_file_get_fence(f.pipe[0])));
	ROW(t, "sync_file_get_fence", "a memfd", DESCRIPTOR, "NULL", SAME,
	    misuse_ptr(sync_file_get_fence(f.memfd)));
	ROW(t, "sync_file_get_fence", "an eventfd", DESCRIPTOR, "NULL", SAME,
	    misuse_ptr(sync_file_get_fence(f.eventfd)));
	ROW(t, "sync_file_get_fence", "a closed descriptor", DESCRIPTOR, "NULL", SAME,
	    misuse_ptr(sync_file_get_fence(f.closed)));
	ROW(t, "sync_file_get_fence", "fd -1", DESCRIPTOR, "NULL", SAME,
	    misuse_ptr(sync_file_get_fence(-1)));
	ROW(t, "sync_file_create", "no fence: a file that crashes whoever asks it", ARGUMENT,
	    "crash", SAME, host_poll(sync_fd(misuse_null()), EPOLLIN, 0));
	ROW(t, "sync_file_get_name", "no sync_file", ARGUMENT, "crash", SAME,
	    misuse_ptr(sync_file_get_name(misuse_null(), misuse_null(), 0)));
	fds_down(t, &f);
}

/* --- ioctls of a buffer ----------------------------------------------------------------------- */

static void sync_ioctl(struct ktap *t)
{
	struct dma_buf_sync none = { 0 }, end = { DMA_BUF_SYNC_END };
	struct dma_buf_sync wild = { DMA_BUF_SYNC_RW | 8 }, high = { DMA_BUF_SYNC_RW | 1ull << 63 };
	struct dma_buf_sync start = { DMA_BUF_SYNC_RW },
			    stop = { DMA_BUF_SYNC_RW | DMA_BUF_SYNC_END };
	struct fds f;

	fds_up(t, &f);
	ROW(t, "DMA_BUF_IOCTL_SYNC", "neither READ nor WRITE", ARGUMENT, "-EINVAL", SAME,
	    ioctl_at(f.dmabuf, DMA_BUF_IOCTL_SYNC, &none));
	ROW(t, "DMA_BUF_IOCTL_SYNC", "END of neither READ nor WRITE", ARGUMENT, "-EINVAL", SAME,
	    ioctl_at(f.dmabuf, DMA_BUF_IOCTL_SYNC, &end));
	ROW(t, "DMA_BUF_IOCTL_SYNC", "an unknown flag", ARGUMENT, "-EINVAL", SAME,
	    ioctl_at(f.dmabuf, DMA_BUF_IOCTL_SYNC, &wild));
	ROW(t, "DMA_BUF_IOCTL_SYNC", "the highest flag", ARGUMENT, "-EINVAL", SAME,
	    ioctl_at(f.dmabuf, DMA_BUF_IOCTL_SYNC, &high));
	ROW(t, "DMA_BUF_IOCTL_SYNC", "no argument", ARGUMENT, "-EFAULT", SAME,
	    ioctl_at(f.dmabuf, DMA_BUF_IOCTL_SYNC, misuse_null()));
	ROW(t, "DMA_BUF_IOCTL_SYNC", "END without START", ORDER, "0", SAME,
	    ioctl_at(f.dmabuf, DMA_BUF_IOCTL_SYNC, &stop));
	ROW(t, "DMA_BUF_IOCTL_SYNC", "a writer's, opened read-only", DESCRIPTOR, "0", SAME,
	    ioctl_at(f.read_only, DMA_BUF_IOCTL_SYNC, &start));
	ioctl_at(f.read_only, DMA_BUF_IOCTL_SYNC, &stop);
	ROW(t, "DMA_BUF_IOCTL_SYNC", "a sync_file", DESCRIPTOR, "-ENOTTY", SAME,
	    ioctl_at(f.sync_file, DMA_BUF_IOCTL_SYNC, &start));
	ROW(t, "DMA_BUF_IOCTL_SYNC", "a closed descriptor", DESCRIPTOR, "-EBADF", SAME,
	    ioctl_at(f.closed, DMA_BUF_IOCTL_SYNC, &start));
	ROW(t, "DMA_BUF_IOCTL_SYNC", "a pipe", DESCRIPTOR, "-EBADF", OF_THE_SYSTEM,
	    ioctl_at(f.pipe[0], DMA_BUF_IOCTL_SYNC, &start));
	ROW(t, "ioctl of a buffer", "an unknown number", ARGUMENT, "-ENOTTY", SAME,
	    ioctl_at(f.dmabuf, _IO('b', 9), &start));
	ROW(t, "ioctl of a buffer", "SYNC with another size", SIZE, "-ENOTTY", SAME,
	    ioctl_at(f.dmabuf, _IOW('b', 0, u32), &start));
	ROW(t, "ioctl of a buffer", "SYNC with another direction", SIZE, "-ENOTTY", SAME,
	    ioctl_at(f.dmabuf, _IOR('b', 0, struct dma_buf_sync), &start));
	ROW(t, "ioctl of a buffer", "a sync_file's", DESCRIPTOR, "-ENOTTY", SAME,
	    ioctl_at(f.dmabuf, SYNC_IOC_FILE_INFO, &start));
	fds_down(t, &f);
}

static void set_name(struct ktap *t)
{
	char longest[DMA_BUF_NAME_LEN], unended[DMA_BUF_NAME_LEN + 1];
	struct fds f;

	fds_up(t, &f);
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	memset(unended, 'x', sizeof(unended));
	unended[sizeof(unended) - 1] = '\0';
	ROW(t, "DMA_BUF_SET_NAME", "32 bytes without an end", SIZE, "-EINVAL", SAME,
	    ioctl_at(f.dmabuf, DMA_BUF_SET_NAME, unended));
	ROW(t, "DMA_BUF_SET_NAME_A", "32 bytes without an end", SIZE, "-EINVAL", SAME,
	    ioctl_at(f.dmabuf, DMA_BUF_SET_NAME_A, unended));
	ROW(t, "DMA_BUF_SET_NAME_B", "32 bytes without an end", SIZE, "-EINVAL", SAME,
	    ioctl_at(f.dmabuf, DMA_BUF_SET_NAME_B, unended));
	ROW(t, "DMA_BUF_SET_NAME", "the longest", SIZE, "0", SAME,
	    ioctl_at(f.dmabuf, DMA_BUF_SET_NAME, longest));
	ROW(t, "DMA_BUF_SET_NAME", "no name", ARGUMENT, "-EFAULT", SAME,
	    ioctl_at(f.dmabuf, DMA_BUF_SET_NAME, misuse_null()));
	ROW(t, "DMA_BUF_SET_NAME", "a sync_file", DESCRIPTOR, "-ENOTTY", SAME,
	    ioctl_at(f.sync_file, DMA_BUF_SET_NAME, longest));
	fds_down(t, &f);
}

static long export_with(const struct fds *f, u32 flags)
{
	struct dma_buf_export_sync_file request = { .flags = flags };

	return ioctl_at(f->dmabuf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &request);
}

static long import_with(const struct fds *f, u32 flags, int fd)
{
	struct dma_buf_import_sync_file request = { .flags = flags, .fd = fd };

	return ioctl_at(f->dmabuf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &request);
}

static void sync_files_of_a_buffer(struct ktap *t)
{
	struct fds f;
	int next;

	fds_up(t, &f);
	next = dup(f.memfd);
	close(next);
	ROW(t, "DMA_BUF_IOCTL_EXPORT_SYNC_FILE", "neither READ nor WRITE", ARGUMENT, "-EINVAL",
	    SAME, export_with(&f, 0));
	ROW(t, "DMA_BUF_IOCTL_EXPORT_SYNC_FILE", "an unknown flag", ARGUMENT, "-EINVAL", SAME,
	    export_with(&f, DMA_BUF_SYNC_RW | DMA_BUF_SYNC_END));
	ROW(t, "DMA_BUF_IOCTL_EXPORT_SYNC_FILE", "no argument", ARGUMENT, "-EFAULT", SAME,
	    ioctl_at(f.dmabuf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, misuse_null()));
	ROW(t, "DMA_BUF_IOCTL_EXPORT_SYNC_FILE", "a sync_file", DESCRIPTOR, "-ENOTTY", SAME,
	    ioctl_at(f.sync_file, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, misuse_null()));
	ROW(t, "DMA_BUF_IOCTL_IMPORT_SYNC_FILE", "neither READ nor WRITE", ARGUMENT, "-EINVAL",
	    SAME, import_with(&f, 0, f.sync_file));
	ROW(t, "DMA_BUF_IOCTL_IMPORT_SYNC_FILE", "an unknown flag", ARGUMENT, "-EINVAL", SAME,
	    import_with(&f, DMA_BUF_SYNC_RW | DMA_BUF_SYNC_END, f.sync_file));
	ROW(t, "DMA_BUF_IOCTL_IMPORT_SYNC_FILE", "no argument", ARGUMENT, "-EFAULT", SAME,
	    ioctl_at(f.dmabuf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, misuse_null()));
	ROW(t, "DMA_BUF_IOCTL_IMPORT_SYNC_FILE", "fd -1", DESCRIPTOR, "-EINVAL", SAME,
	    import_with(&f, DMA_BUF_SYNC_READ, -1));
	ROW(t, "DMA_BUF_IOCTL_IMPORT_SYNC_FILE", "a closed descriptor", DESCRIPTOR, "-EINVAL", SAME,
	    import_with(&f, DMA_BUF_SYNC_READ, f.closed));
	ROW(t, "DMA_BUF_IOCTL_IMPORT_SYNC_FILE", "a dma-buf", DESCRIPTOR, "-EINVAL", SAME,
	    import_with(&f, DMA_BUF_SYNC_READ, f.dmabuf));
	ROW(t, "DMA_BUF_IOCTL_IMPORT_SYNC_FILE", "a memfd", DESCRIPTOR, "-EINVAL", SAME,
	    import_with(&f, DMA_BUF_SYNC_READ, f.memfd));
	ROW(t, "DMA_BUF_IOCTL_IMPORT_SYNC_FILE", "a pipe", DESCRIPTOR, "-EINVAL", SAME,
	    import_with(&f, DMA_BUF_SYNC_READ, f.pipe[0]));
	/* None of them left a descriptor behind. */
	KT_EQ(t, dup(f.memfd), next);
	close(next);
	fds_down(t, &f);
}

/* --- the other calls -------------------------------------------------------------------------- */

static void lseek_read_write(struct ktap *t)
{
	struct fds f;
	char byte = 0;

	fds_up(t, &f);
	ROW(t, "lseek of a buffer", "SEEK_END with an offset", ARGUMENT, "-EINVAL", SAME,
	    host_lseek(f.dmabuf, 1, SEEK_END));
	ROW(t, "lseek of a buffer", "SEEK_SET with an offset", ARGUMENT, "-EINVAL", SAME,
	    host_lseek(f.dmabuf, LLONG_MAX, SEEK_SET));
	ROW(t, "lseek of a buffer", "SEEK_CUR", ARGUMENT, "-EINVAL", SAME,
	    host_lseek(f.dmabuf, 0, SEEK_CUR));
	ROW(t, "lseek of a buffer", "no whence there is", ARGUMENT, "-EINVAL", SAME,
	    host_lseek(f.dmabuf, 0, 77));
	ROW(t, "lseek of a buffer", "a closed descriptor", DESCRIPTOR, "-EBADF", SAME,
	    host_lseek(f.closed, 0, SEEK_END));
	ROW(t, "lseek of a buffer", "a pipe", DESCRIPTOR, "-EBADF",
	    LINUX("-ESPIPE", NOT_THE_SYSTEMS), host_lseek(f.pipe[0], 0, SEEK_END));
	ROW(t, "lseek of a sync_file", "any", DESCRIPTOR, "-ESPIPE", SAME,
	    host_lseek(f.sync_file, 0, SEEK_END));
	ROW(t, "read of a buffer", "any", DESCRIPTOR, "-EINVAL", SAME,
	    host_read(f.dmabuf, &byte, 1));
	ROW(t, "write of a buffer", "any", DESCRIPTOR, "-EINVAL", SAME,
	    host_write(f.dmabuf, &byte, 1));
	ROW(t, "write of a buffer", "opened read-only", DESCRIPTOR, "-EBADF", SAME,
	    host_write(f.read_only, &byte, 1));
	ROW(t, "read of a sync_file", "any", DESCRIPTOR, "-EINVAL", SAME,
	    host_read(f.sync_file, &byte, 1));
	fds_down(t, &f);
}

static void mmaps(struct ktap *t)
{
	const off_t far = LLONG_MAX & PAGE_MASK;
	struct fds f;

	fds_up(t, &f);
	ROW(t, "mmap of a buffer", "0 bytes", SIZE, "-EINVAL", SAME,
	    misuse_ptr(host_mmap(f.dmabuf, NULL, 0, RW, MAP_SHARED, 0)));
	ROW(t, "mmap of a buffer", "one byte more than it has", SIZE, "-EINVAL", SAME,
	    misuse_ptr(host_mmap(f.dmabuf, NULL, BYTES + 1, RW, MAP_SHARED, 0)));
	ROW(t, "mmap of a buffer", "SIZE_MAX bytes", SIZE, "-ENOMEM", SAME,
	    misuse_ptr(host_mmap(f.dmabuf, NULL, SIZE_MAX, RW, MAP_SHARED, 0)));
	ROW(t, "mmap of a buffer", "an offset behind its end", SIZE, "-EINVAL", SAME,
	    misuse_ptr(host_mmap(f.dmabuf, NULL, PAGE_SIZE, RW, MAP_SHARED, BYTES)));
	ROW(t, "mmap of a buffer", "an offset of half a page", SIZE, "-EINVAL", SAME,
	    misuse_ptr(host_mmap(f.dmabuf, NULL, PAGE_SIZE, RW, MAP_SHARED, PAGE_SIZE / 2)));
	ROW(t, "mmap of a buffer", "the highest offset", SIZE, "-EINVAL", SAME,
	    misuse_ptr(host_mmap(f.dmabuf, NULL, 2 * PAGE_SIZE, RW, MAP_SHARED, far)));
	ROW(t, "mmap of a buffer", "a negative offset", SIZE, "-EINVAL",
	    LINUX("-EOVERFLOW", "it is no offset, rather than a large one"),
	    misuse_ptr(host_mmap(f.dmabuf, NULL, PAGE_SIZE, RW, MAP_SHARED, -(off_t)PAGE_SIZE)));
	ROW(t, "mmap of a buffer", "neither MAP_SHARED nor MAP_PRIVATE", ARGUMENT, "-EINVAL", SAME,
	    misuse_ptr(host_mmap(f.dmabuf, NULL, PAGE_SIZE, RW, 0, 0)));
	ROW(t, "mmap of a buffer", "to write, opened read-only", DESCRIPTOR, "-EACCES", SAME,
	    misuse_ptr(host_mmap(f.read_only, NULL, PAGE_SIZE, RW, MAP_SHARED, 0)));
	ROW(t, "mmap of a buffer", "a closed descriptor", DESCRIPTOR, "-EBADF", SAME,
	    misuse_ptr(host_mmap(f.closed, NULL, PAGE_SIZE, RW, MAP_SHARED, 0)));
	ROW(t, "mmap of a buffer", "a memfd", DESCRIPTOR, "-EBADF", OF_THE_SYSTEM,
	    misuse_ptr(host_mmap(f.memfd, NULL, PAGE_SIZE, RW, MAP_SHARED, 0)));
	ROW(t, "mmap of a sync_file", "any", DESCRIPTOR, "-ENODEV", SAME,
	    misuse_ptr(host_mmap(f.sync_file, NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, 0)));
	f.exporter.ops.mmap = NULL;
	ROW(t, "mmap of a buffer", "an exporter without mmap", ARGUMENT, "-EINVAL", SAME,
	    misuse_ptr(host_mmap(f.dmabuf, NULL, PAGE_SIZE, RW, MAP_SHARED, 0)));
	fds_down(t, &f);
}

static void polls(struct ktap *t)
{
	struct fds f;

	fds_up(t, &f);
	ROW(t, "poll of a buffer", "a closed descriptor", DESCRIPTOR, "-EBADF",
	    LINUX("POLLNVAL", "one descriptor at a time"), host_poll(f.closed, EPOLLIN, 0));
	ROW(t, "poll of a buffer", "a pipe", DESCRIPTOR, "-EBADF", OF_THE_SYSTEM,
	    host_poll(f.pipe[0], EPOLLIN, 0));
	ROW(t, "poll of a buffer", "no event", ARGUMENT, "0", SAME, host_poll(f.dmabuf, 0, 0));
	ROW(t, "poll of a sync_file", "POLLOUT", ARGUMENT, "0", SAME,
	    host_poll(f.sync_file, EPOLLOUT, 0));
	ROW(t, "close", "twice", ORDER, "-EBADF", SAME, host_close(f.closed));
	ROW(t, "close", "a pipe", DESCRIPTOR, "-EBADF", LINUX("0", NOT_THE_SYSTEMS),
	    host_close(f.pipe[0]));
	ROW(t, "dup", "a closed descriptor", DESCRIPTOR, "-EBADF", SAME,
	    host_dup(f.closed, O_CLOEXEC));
	fds_down(t, &f);
}

/* --- ioctls of a sync_file -------------------------------------------------------------------- */

static void merge(struct ktap *t)
{
	struct sync_merge_data ok = {}, flags = { .flags = 1 }, pad = { .pad = 1 };
	struct fds f;
	int next;

	fds_up(t, &f);
	ok.fd2 = flags.fd2 = pad.fd2 = f.sync_file;
	next = dup(f.memfd);
	close(next);
	ROW(t, "SYNC_IOC_MERGE", "flags", ARGUMENT, "-EINVAL", SAME,
	    ioctl_at(f.sync_file, SYNC_IOC_MERGE, &flags));
	ROW(t, "SYNC_IOC_MERGE", "pad", ARGUMENT, "-EINVAL", SAME,
	    ioctl_at(f.sync_file, SYNC_IOC_MERGE, &pad));
	ROW(t, "SYNC_IOC_MERGE", "no argument", ARGUMENT, "-EFAULT", SAME,
	    ioctl_at(f.sync_file, SYNC_IOC_MERGE, misuse_null()));
	ok.fd2 = -1;
	ROW(t, "SYNC_IOC_MERGE", "fd2 -1", DESCRIPTOR, "-ENOENT", SAME,
	    ioctl_at(f.sync_file, SYNC_IOC_MERGE, &ok));
	ok.fd2 = f.closed;
	ROW(t, "SYNC_IOC_MERGE", "fd2 a closed descriptor", DESCRIPTOR, "-ENOENT", SAME,
	    ioctl_at(f.sync_file, SYNC_IOC_MERGE, &ok));
	ok.fd2 = f.dmabuf;
	ROW(t, "SYNC_IOC_MERGE", "fd2 a dma-buf", DESCRIPTOR, "-ENOENT", SAME,
	    ioctl_at(f.sync_file, SYNC_IOC_MERGE, &ok));
	ok.fd2 = f.eventfd;
	ROW(t, "SYNC_IOC_MERGE", "fd2 an eventfd", DESCRIPTOR, "-ENOENT", SAME,
	    ioctl_at(f.sync_file, SYNC_IOC_MERGE, &ok));
	ROW(t, "SYNC_IOC_MERGE", "a dma-buf", DESCRIPTOR, "-ENOTTY", SAME,
	    ioctl_at(f.dmabuf, SYNC_IOC_MERGE, &ok));
	KT_EQ(t, dup(f.memfd), next);
	close(next);
	fds_down(t, &f);
}

static void info_and_deadline(struct ktap *t)
{
	struct sync_file_info flags = { .flags = 1 }, pad = { .pad = 1 };
	struct sync_file_info nowhere = { .num_fences = UINT_MAX }, small = { .num_fences = 1 };
	struct sync_set_deadline late = { .pad = 1 };
	struct dma_fence *other;
	struct sync_merge_data both = {};
	struct sync_fence_info one;
	struct fds f;

	fds_up(t, &f);
	other = new_fence(dma_fence_context_alloc(1), 1);
	both.fd2 = sync_fd(other);
	KT_EQ(t, ioctl_at(f.sync_file, SYNC_IOC_MERGE, &both), 0);
	small.sync_fence_info = (u64)(unsigned long)&one;

	ROW(t, "SYNC_IOC_FILE_INFO", "flags", ARGUMENT, "-EINVAL", SAME,
	    ioctl_at(f.sync_file, SYNC_IOC_FILE_INFO, &flags));
	ROW(t, "SYNC_IOC_FILE_INFO", "pad", ARGUMENT, "-EINVAL", SAME,
	    ioctl_at(f.sync_file, SYNC_IOC_FILE_INFO, &pad));
	ROW(t, "SYNC_IOC_FILE_INFO", "no argument", ARGUMENT, "-EFAULT", SAME,
	    ioctl_at(f.sync_file, SYNC_IOC_FILE_INFO, misuse_null()));
	ROW(t, "SYNC_IOC_FILE_INFO", "room for fewer fences than there are", SIZE, "-EINVAL", SAME,
	    ioctl_at(both.fence, SYNC_IOC_FILE_INFO, &small));
	ROW(t, "SYNC_IOC_FILE_INFO", "room for UINT_MAX fences, at no address", SIZE, "-EFAULT",
	    SAME, ioctl_at(both.fence, SYNC_IOC_FILE_INFO, &nowhere));
	ROW(t, "SYNC_IOC_FILE_INFO", "a dma-buf", DESCRIPTOR, "-ENOTTY", SAME,
	    ioctl_at(f.dmabuf, SYNC_IOC_FILE_INFO, &small));
	ROW(t, "SYNC_IOC_SET_DEADLINE", "pad", ARGUMENT, "-EINVAL", SAME,
	    ioctl_at(f.sync_file, SYNC_IOC_SET_DEADLINE, &late));
	ROW(t, "SYNC_IOC_SET_DEADLINE", "no argument", ARGUMENT, "-EFAULT", SAME,
	    ioctl_at(f.sync_file, SYNC_IOC_SET_DEADLINE, misuse_null()));
	ROW(t, "SYNC_IOC_SET_DEADLINE", "a memfd", DESCRIPTOR, "-EBADF", OF_THE_SYSTEM,
	    ioctl_at(f.memfd, SYNC_IOC_SET_DEADLINE, &late));
	ROW(t, "ioctl of a sync_file", "an unknown number", ARGUMENT, "-ENOTTY", SAME,
	    ioctl_at(f.sync_file, _IO('>', 9), &late));
	ROW(t, "ioctl of a sync_file", "MERGE with another size", SIZE, "-ENOTTY", SAME,
	    ioctl_at(f.sync_file, _IOWR('>', 3, u32), &late));
	host_close(both.fd2);
	host_close(both.fence);
	finish(other);
	fds_down(t, &f);
}

MISUSE_MAIN(KTAP_CASE(other_kinds), KTAP_CASE(sync_ioctl), KTAP_CASE(set_name),
	    KTAP_CASE(sync_files_of_a_buffer), KTAP_CASE(lseek_read_write), KTAP_CASE(mmaps),
	    KTAP_CASE(polls), KTAP_CASE(merge), KTAP_CASE(info_and_deadline))
