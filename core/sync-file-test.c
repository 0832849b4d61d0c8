/* SPDX-License-Identifier: MIT */
/*
 * sync-file-test.c - fences by descriptor: SF1-SF3 of linux/sync_file.h, every ioctl and its errors
 */
#include "core/dma-resv-test.h"
#include "host/file.h"
#include "host/port.h"

#include <sys/mman.h>

#include <linux/anon_inodes.h>
#include <linux/delay.h>
#include <linux/dma-fence-chain.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/poll.h>
#include <linux/sync_file.h>
#include <uapi/linux/sync_file.h>

/* The kernel's numbers, written out: a program's binary has them in it. */
_Static_assert(SYNC_IOC_MERGE == 0xc0303e03, "ABI");
_Static_assert(SYNC_IOC_FILE_INFO == 0xc0383e04, "ABI");
_Static_assert(SYNC_IOC_SET_DEADLINE == 0x40103e05, "ABI");
_Static_assert(sizeof(struct sync_fence_info) == 80, "ABI");
_Static_assert(offsetof(struct sync_fence_info, timestamp_ns) == 72, "ABI");
_Static_assert(offsetof(struct sync_file_info, sync_fence_info) == 48, "ABI");

static int new_fd(struct dma_fence *fence)
{
	struct sync_file *sync_file = sync_file_create(fence);
	int fd = get_unused_fd_flags(O_CLOEXEC);

	BUG_ON(!sync_file || fd < 0);
	fd_install(fd, sync_file->file);
	return fd;
}

static long ioctl_at(int fd, unsigned int cmd, const void *arg)
{
	return host_ioctl(fd, cmd, (unsigned long)arg);
}

/* The lowest free number: the same again when nothing was left reserved or open. */
static int next_fd(void)
{
	int next = get_unused_fd_flags(0);

	put_unused_fd(next);
	return next;
}

/* --- descriptors ------------------------------------------------------------------------------ */

static void gives_its_fence_back(struct ktap *t)
{
	struct dma_fence *fence = new_fence(1, 1), *got;
	int fd = new_fd(fence);

	KT_EQ(t, kref_read(&fence->refcount), 2);
	got = sync_file_get_fence(fd);
	KT_CHECK(t, got == fence);
	dma_fence_put(got);
	KT_EQ(t, host_close(fd), 0);
	KT_EQ(t, kref_read(&fence->refcount), 1);
	KT_CHECK(t, !sync_file_get_fence(fd));
	KT_CHECK(t, !sync_file_get_fence(-1));
	finish(fence);
}

static const struct file_operations other_fops = { .owner = NULL };

static void another_file_is_no_sync_file(struct ktap *t)
{
	int fd = anon_inode_getfd("other", &other_fops, NULL, O_CLOEXEC);

	KT_ASSERT(t, fd >= 0);
	KT_CHECK(t, !sync_file_get_fence(fd));
	host_close(fd);
}

static void has_a_name(struct ktap *t)
{
	struct dma_fence *fence = new_fence(3, 9);
	struct sync_file *sync_file = sync_file_create(fence);
	char name[32], cut[6];

	KT_ASSERT(t, sync_file);
	KT_CHECK(t, sync_file_get_name(sync_file, name, sizeof(name)) == name);
	KT_CHECK(t, !strcmp(name, "test-test3-9"));
	sync_file_get_name(sync_file, cut, sizeof(cut));
	KT_CHECK(t, !strcmp(cut, "test-"));
	fput(sync_file->file);
	finish(fence);
}

static void creation_without_memory_takes_nothing(struct ktap *t)
{
	struct dma_fence *fence = new_fence(1, 1);
	struct sync_file *sync_file = NULL;
	int k;

	for (k = 1; !sync_file; k++) {
		port_fail_nth(PORT_FAULT_ALLOC, k);
		sync_file = sync_file_create(fence);
		port_fail_nth(PORT_FAULT_ALLOC, 0);
		KT_EQ(t, kref_read(&fence->refcount), sync_file ? 2 : 1);
	}
	KT_CHECK(t, k > 2);
	fput(sync_file->file);
	finish(fence);
}

/* --- merge ------------------------------------------------------------------------------------ */

static void merges_two(struct ktap *t)
{
	struct dma_fence *a = new_fence(1, 1), *b = new_fence(2, 1), *got;
	struct sync_merge_data data = { .name = "both" };
	struct sync_file_info info = {};
	int fd = new_fd(a);

	data.fd2 = new_fd(b);
	KT_EQ(t, ioctl_at(fd, SYNC_IOC_MERGE, &data), 0);
	got = sync_file_get_fence(data.fence);
	KT_ASSERT(t, got);
	KT_CHECK(t, !dma_fence_is_signaled(got));
	dma_fence_signal(a);
	KT_CHECK(t, !dma_fence_is_signaled(got));
	dma_fence_signal(b);
	KT_CHECK(t, dma_fence_is_signaled(got));
	dma_fence_put(got);
	KT_EQ(t, ioctl_at(data.fence, SYNC_IOC_FILE_INFO, &info), 0);
	KT_CHECK(t, !strcmp(info.name, "both"));
	host_close(fd);
	host_close(data.fd2);
	host_close(data.fence);
	dma_fence_put(a);
	dma_fence_put(b);
}

static void a_long_name_is_cut(struct ktap *t)
{
	struct dma_fence *a = new_fence(1, 1);
	struct sync_merge_data data = {};
	struct sync_file_info info = {};
	int fd = new_fd(a);

	memset(data.name, 'x', sizeof(data.name));
	data.fd2 = fd;
	KT_EQ(t, ioctl_at(fd, SYNC_IOC_MERGE, &data), 0);
	KT_EQ(t, ioctl_at(data.fence, SYNC_IOC_FILE_INFO, &info), 0);
	KT_EQ(t, strlen(info.name), 31);
	KT_EQ(t, info.num_fences, 1);
	host_close(data.fence);
	host_close(fd);
	finish(a);
}

static void a_failed_merge_leaves_nothing(struct ktap *t)
{
	struct dma_fence *a = new_fence(1, 1), *b = new_fence(2, 1);
	int fd = new_fd(a), fd2 = new_fd(b), other, free, k;
	struct sync_merge_data data = { .fd2 = fd2, .flags = 1 };
	long ret = -ENOMEM;

	other = anon_inode_getfd("other", &other_fops, NULL, O_CLOEXEC);
	free = next_fd();
	KT_EQ(t, ioctl_at(fd, SYNC_IOC_MERGE, &data), -EINVAL);
	data.flags = 0;
	data.pad = 1;
	KT_EQ(t, ioctl_at(fd, SYNC_IOC_MERGE, &data), -EINVAL);
	data.pad = 0;
	data.fd2 = -1;
	KT_EQ(t, ioctl_at(fd, SYNC_IOC_MERGE, &data), -ENOENT);
	data.fd2 = other;
	KT_EQ(t, ioctl_at(fd, SYNC_IOC_MERGE, &data), -ENOENT);
	KT_EQ(t, ioctl_at(fd, SYNC_IOC_MERGE, NULL), -EFAULT);
	data.fd2 = fd2;
	for (k = 1; ret; k++) {
		KT_EQ(t, next_fd(), free);
		KT_EQ(t, kref_read(&a->refcount), 2);
		port_fail_nth(PORT_FAULT_ALLOC, k);
		ret = ioctl_at(fd, SYNC_IOC_MERGE, &data);
		port_fail_nth(PORT_FAULT_ALLOC, 0);
		KT_CHECK(t, !ret || ret == -ENOMEM || ret == -EMFILE);
	}
	KT_CHECK(t, k > 4);
	host_close(data.fence);
	host_close(other);
	host_close(fd);
	host_close(fd2);
	finish(a);
	finish(b);
}

/* The question can be read, but the answer not written there. */
static void an_answer_to_nowhere_leaves_nothing(struct ktap *t)
{
	struct dma_fence *a = new_fence(1, 1);
	int fd = new_fd(a), free = next_fd();
	struct sync_merge_data *data;

	data = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	KT_ASSERT(t, data != MAP_FAILED);
	data->fd2 = fd;
	KT_EQ(t, mprotect(data, 4096, PROT_READ), 0);
	KT_EQ(t, ioctl_at(fd, SYNC_IOC_MERGE, data), -EFAULT);
	port_fail_nth(PORT_FAULT_FD, 1);
	KT_EQ(t, ioctl_at(fd, SYNC_IOC_MERGE, data), -EMFILE);
	port_fail_nth(PORT_FAULT_FD, 0);
	KT_EQ(t, mprotect(data, 4096, PROT_READ | PROT_WRITE), 0);
	memset(data, 0, 4096);
	KT_EQ(t, mprotect(data, 4096, PROT_READ), 0);
	KT_EQ(t, ioctl_at(fd, SYNC_IOC_FILE_INFO, data), -EFAULT);
	KT_EQ(t, next_fd(), free);
	KT_EQ(t, kref_read(&a->refcount), 2);
	munmap(data, 4096);
	host_close(fd);
	finish(a);
}

/* --- info ------------------------------------------------------------------------------------- */

static void tells_of_every_fence(struct ktap *t)
{
	struct dma_fence *a = new_fence(1, 1), *b = new_fence(2, 1), *merged;
	struct sync_fence_info fences[3];
	struct sync_file_info info = {};
	int fd;

	merged = dma_fence_unwrap_merge(a, b);
	fd = new_fd(merged);
	dma_fence_put(merged);

	/* Ask for the number. */
	KT_EQ(t, ioctl_at(fd, SYNC_IOC_FILE_INFO, &info), 0);
	KT_EQ(t, info.num_fences, 2);
	KT_EQ(t, info.status, 0);

	info.sync_fence_info = (uintptr_t)fences;
	info.num_fences = 1;
	KT_EQ(t, ioctl_at(fd, SYNC_IOC_FILE_INFO, &info), -EINVAL);

	dma_fence_set_error(b, -EIO);
	dma_fence_signal_timestamp(b, 77);
	memset(fences, 0xff, sizeof(fences));
	info.num_fences = 3;
	KT_EQ(t, ioctl_at(fd, SYNC_IOC_FILE_INFO, &info), 0);
	KT_EQ(t, info.num_fences, 2);
	KT_EQ(t, info.status, 0);
	KT_EQ(t, fences[0].status, 0);
	KT_EQ(t, fences[0].timestamp_ns, 0);
	KT_EQ(t, fences[0].flags, 0);
	KT_EQ(t, fences[1].status, -EIO);
	KT_EQ(t, fences[1].timestamp_ns, 77);
	KT_CHECK(t, !strcmp(fences[1].obj_name, "test"));
	KT_CHECK(t, !strcmp(fences[1].driver_name, "test"));
	KT_EQ(t, fences[2].status, -1);

	dma_fence_signal(a);
	KT_EQ(t, ioctl_at(fd, SYNC_IOC_FILE_INFO, &info), 0);
	KT_EQ(t, info.status, -EIO);
	host_close(fd);
	dma_fence_put(a);
	dma_fence_put(b);
}

static void info_refuses(struct ktap *t)
{
	struct dma_fence *a = new_fence(1, 1);
	struct sync_file_info info = { .flags = 1 };
	int fd = new_fd(a);

	KT_EQ(t, ioctl_at(fd, SYNC_IOC_FILE_INFO, &info), -EINVAL);
	info.flags = 0;
	info.pad = 1;
	KT_EQ(t, ioctl_at(fd, SYNC_IOC_FILE_INFO, &info), -EINVAL);
	info.pad = 0;
	info.num_fences = 1;
	info.sync_fence_info = 16;
	KT_EQ(t, ioctl_at(fd, SYNC_IOC_FILE_INFO, &info), -EFAULT);
	KT_EQ(t, ioctl_at(fd, SYNC_IOC_FILE_INFO, NULL), -EFAULT);
	port_fail_nth(PORT_FAULT_ALLOC, 1);
	KT_EQ(t, ioctl_at(fd, SYNC_IOC_FILE_INFO, &info), -ENOMEM);
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	KT_EQ(t, ioctl_at(fd, _IO(SYNC_IOC_MAGIC, 2), &info), -ENOTTY);
	host_close(fd);
	finish(a);
}

/* --- deadline --------------------------------------------------------------------------------- */

static void passes_a_deadline_on(struct ktap *t)
{
	struct dma_fence *a = new_fence(1, 1), *b = new_fence(2, 1), *merged;
	struct sync_set_deadline deadline = { .deadline_ns = 1234, .pad = 1 };
	int fd;

	merged = dma_fence_unwrap_merge(a, b);
	fd = new_fd(merged);
	dma_fence_put(merged);
	KT_EQ(t, ioctl_at(fd, SYNC_IOC_SET_DEADLINE, &deadline), -EINVAL);
	KT_EQ(t, ioctl_at(fd, SYNC_IOC_SET_DEADLINE, NULL), -EFAULT);
	deadline.pad = 0;
	KT_EQ(t, ioctl_at(fd, SYNC_IOC_SET_DEADLINE, &deadline), 0);
	KT_EQ(t, container_of(a, struct test_fence, base)->deadline, 1234);
	KT_EQ(t, container_of(b, struct test_fence, base)->deadline, 1234);
	host_close(fd);
	finish(a);
	finish(b);
}

/* --- poll ------------------------------------------------------------------------------------- */

static void poll_asks(struct ktap *t)
{
	struct dma_fence *a = new_fence(1, 1);
	int fd = new_fd(a);

	KT_EQ(t, host_poll(fd, EPOLLIN, 0), 0);
	dma_fence_signal(a);
	KT_EQ(t, host_poll(fd, EPOLLIN, 0), EPOLLIN);
	KT_EQ(t, host_poll(fd, EPOLLOUT, 0), 0);
	host_close(fd);

	/* The first poll finds it signaled. */
	fd = new_fd(a);
	KT_EQ(t, host_poll(fd, EPOLLIN, -1), EPOLLIN);
	host_close(fd);
	dma_fence_put(a);
}

static int signal_soon(void *fence)
{
	msleep(1);
	dma_fence_signal(fence);
	return 0;
}

static void poll_is_woken(struct ktap *t)
{
	int round;

	for (round = 0; round < (ktap_long ? 1000 : 20); round++) {
		struct dma_fence *a = new_fence(1, 1), *b = new_fence(2, 1), *merged;
		struct task_struct *task;
		int fd;

		dma_fence_signal(b);
		merged = dma_fence_unwrap_merge(a, b, a);
		fd = new_fd(merged);
		dma_fence_put(merged);
		task = kthread_run(signal_soon, a, "signal");
		KT_ASSERT(t, !IS_ERR(task));
		get_task_struct(task);
		KT_EQ(t, host_poll(fd, EPOLLIN, -1), EPOLLIN);
		host_close(fd);
		kthread_stop_put(task);
		finish(a);
		dma_fence_put(b);
	}
}

static void closed_while_polled_for_takes_its_callback_back(struct ktap *t)
{
	struct dma_fence *a = new_fence(1, 1);
	int fd = new_fd(a);

	KT_EQ(t, host_poll(fd, EPOLLIN, 0), 0);
	KT_CHECK(t, !list_empty(&a->cb_list));
	host_close(fd);
	KT_CHECK(t, list_empty(&a->cb_list));
	finish(a);
}

KTAP_MAIN(KTAP_CASE(gives_its_fence_back), KTAP_CASE(another_file_is_no_sync_file),
	  KTAP_CASE(has_a_name), KTAP_CASE(creation_without_memory_takes_nothing),
	  KTAP_CASE(merges_two), KTAP_CASE(a_long_name_is_cut),
	  KTAP_CASE(a_failed_merge_leaves_nothing), KTAP_CASE(an_answer_to_nowhere_leaves_nothing),
	  KTAP_CASE(tells_of_every_fence), KTAP_CASE(info_refuses), KTAP_CASE(passes_a_deadline_on),
	  KTAP_CASE(poll_asks), KTAP_CASE(poll_is_woken),
	  KTAP_CASE(closed_while_polled_for_takes_its_callback_back))
