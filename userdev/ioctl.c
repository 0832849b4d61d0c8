/* SPDX-License-Identifier: MIT */
/*
 * ioctl.c - a program's ioctls, made on the core's files
 *
 * What the program's pointer leads to is copied here, numbers of descriptors in it are exchanged for
 * ours, the core's own ioctl runs on the copy, and the way back likewise.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sync_file.h>
#include <linux/udmabuf.h>
#include <uapi/linux/dma-buf.h>
#include <uapi/linux/dma-heap.h>
#include <uapi/linux/sync_file.h>
#include <unistd.h>

#include "host/file.h"
#include "userdev/hints.h"
#include "userdev/listener.h"
#include "userdev/readiness.h"
#include "userdev/supervisor.h"
#include "userdev/sw-sync.h"
#include "userdev/usage.h"

/* Linux's for udmabuf. */
#define UDMABUF_LIST_MOST 1024

/* A SYNC that waits for a fence. */
struct sync_wait {
	struct list_head node;
	struct call call;
	struct file *file; /* a reference */
	struct dma_buf_sync sync;
};

/* --- the core's ioctls ------------------------------------------------------------------------ */

static long on_core(const struct object *object, unsigned int cmd, void *arg)
{
	return object->file->f_op->unlocked_ioctl(object->file, cmd, (unsigned long)arg);
}

static struct object *find_sync_file(struct supervisor *s, const struct call *call, int fd)
{
	struct object *object;
	struct stat st;

	if (call_stat(call, fd, &st))
		return NULL;
	object = objects_find(&s->objects, &st);
	return object && object->kind == OBJECT_SYNC_FILE ? object : NULL;
}

/* A number of ours for what the program has at @fd, a sync_file; -EBADF for all else. */
static int lend_sync_file(struct supervisor *s, const struct call *call, int fd)
{
	const struct object *object = find_sync_file(s, call, fd);
	int number;

	if (!object)
		return -EBADF;
	number = get_unused_fd_flags(0);
	if (number >= 0)
		fd_install(number, get_file(object->file));
	return number;
}

static void lend_end(int number)
{
	if (number >= 0)
		host_close(number);
}

int give_object(struct supervisor *s, const struct call *call, enum object_kind kind,
		struct file *file, int flags)
{
	struct object *object;
	int given, number;

	object = object_add(&s->objects, kind, file, call->tid, flags, &given);
	if (IS_ERR(object))
		return PTR_ERR(object);
	if (kind == OBJECT_BUFFER) {
		hints_add(s, object);
		usage_made(s, call, object);
	} else if (kind == OBJECT_TIMELINE) {
		hints_timelines(s, 1);
	}
	number = call_give(call, given, flags);
	close(given);
	return number;
}

/*
 * The copy behind @arg has a number of the program's at @fd, and nothing can be undone once that is
 * given: so the place is written to before.
 */
static long give_in_copy(struct supervisor *s, const struct call *call, enum object_kind kind,
			 struct file *file, void *copy, size_t len, __s32 *fd, int flags)
{
	int number, ret;

	*fd = -1;
	ret = call_write(call, call->args[2], copy, len);
	if (ret) {
		fput(file);
		return ret;
	}
	number = give_object(s, call, kind, file, flags);
	if (number < 0)
		return number;
	*fd = number;
	return call_write(call, call->args[2], copy, len);
}

/* --- heaps ------------------------------------------------------------------------------------ */

/* As core/dma-heap.c does it, but without numbers of ours for what programs make and drop most. */
static struct dma_buf *heap_allocate(struct run_heap *heap,
				     const struct dma_heap_allocation_data *data)
{
	size_t len = PAGE_ALIGN(data->len);

	if (data->fd || data->fd_flags & ~(u32)DMA_HEAP_VALID_FD_FLAGS ||
	    data->heap_flags & ~DMA_HEAP_VALID_HEAP_FLAGS || !len)
		return ERR_PTR(-EINVAL);
	return memfd_buffer_allocate(heap->name, &heap->budget, len, data->fd_flags);
}

static long heap_ioctl(struct supervisor *s, const struct call *call, struct object *object)
{
	unsigned int cmd = call->args[1], size = _IOC_SIZE(cmd);
	size_t in = cmd & IOC_IN ? size : 0, out = cmd & IOC_OUT ? size : 0;
	struct dma_heap_allocation_data *data;
	struct dma_buf *dmabuf;
	long ret;

	if (_IOC_NR(cmd) != _IOC_NR(DMA_HEAP_IOCTL_ALLOC))
		return -EINVAL;
	data = kzalloc(max(sizeof(*data), (size_t)size), GFP_KERNEL);
	if (!data)
		return -ENOMEM;
	ret = call_read(call, call->args[2], data, in);
	if (ret)
		goto free_data;
	dmabuf = heap_allocate(&s->heaps[object->heap], data);
	ret = PTR_ERR_OR_ZERO(dmabuf);
	if (ret)
		goto free_data;
	s->done.buffers++;
	s->done.bytes += dmabuf->size;
	ret = give_in_copy(s, call, OBJECT_BUFFER, dmabuf->file, data, out, (__s32 *)&data->fd,
			   data->fd_flags);

free_data:
	kfree(data);
	return ret;
}

/* --- udmabuf ---------------------------------------------------------------------------------- */

/* What the program has at @fd, unless that is a descriptor that we made: no memfd to Linux. */
static int take_memfd(struct supervisor *s, const struct call *call, int fd)
{
	struct stat st;

	if (call_stat(call, fd, &st) || objects_find(&s->objects, &st))
		return -EBADF;
	return call_take(call, fd);
}

static long udmabuf_make(struct supervisor *s, const struct call *call,
			 const struct udmabuf_create_item *items, unsigned int count, u32 flags)
{
	struct memfd_piece *pieces = kvcalloc(max(count, 1u), sizeof(*pieces), GFP_KERNEL);
	struct dma_buf *dmabuf;

	if (!pieces)
		return -ENOMEM;
	for (unsigned int i = 0; i < count; i++)
		pieces[i] = (struct memfd_piece){
			.memfd = take_memfd(s, call, (int)items[i].memfd),
			.offset = items[i].offset,
			.bytes = items[i].size,
		};
	dmabuf = memfd_buffer_udmabuf(pieces, count);
	kvfree(pieces);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	s->done.udmabufs++;
	return give_object(s, call, OBJECT_BUFFER, dmabuf->file,
			   O_RDWR | (flags & UDMABUF_FLAGS_CLOEXEC ? O_CLOEXEC : 0));
}

static long udmabuf_ioctl(struct supervisor *s, const struct call *call)
{
	struct udmabuf_create_list head;
	struct udmabuf_create_item *items;
	struct udmabuf_create one;
	size_t len;
	long ret;

	switch ((unsigned int)call->args[1]) {
	case UDMABUF_CREATE:
		ret = call_read(call, call->args[2], &one, sizeof(one));
		if (ret)
			return ret;
		return udmabuf_make(s, call,
				    &(struct udmabuf_create_item){ .memfd = one.memfd,
								   .offset = one.offset,
								   .size = one.size },
				    1, one.flags);
	case UDMABUF_CREATE_LIST:
		ret = call_read(call, call->args[2], &head, sizeof(head));
		if (ret)
			return ret;
		if (head.count > UDMABUF_LIST_MOST)
			return -EINVAL;
		len = head.count * sizeof(*items);
		items = kvzalloc(max(len, sizeof(*items)), GFP_KERNEL);
		if (!items)
			return -ENOMEM;
		ret = call_read(call, call->args[2] + sizeof(head), items, len);
		if (!ret)
			ret = udmabuf_make(s, call, items, head.count, head.flags);
		kvfree(items);
		return ret;
	default:
		return -ENOTTY;
	}
}

/* --- buffers ---------------------------------------------------------------------------------- */

/* Would a SYNC with these flags wait? */
static bool would_wait(struct dma_buf *dmabuf, const struct dma_buf_sync *sync)
{
	if (sync->flags & (DMA_BUF_SYNC_END | ~(__u64)DMA_BUF_SYNC_VALID_FLAGS_MASK))
		return false;
	return !dma_resv_test_signaled(dmabuf->resv,
				       dma_resv_usage_rw(sync->flags & DMA_BUF_SYNC_WRITE));
}

/* Returns 1 when the answer comes later. */
static long buffer_sync(struct supervisor *s, const struct call *call, struct object *object)
{
	struct dma_buf_sync sync;
	struct sync_wait *wait;
	long ret = call_read(call, call->args[2], &sync, sizeof(sync));

	if (ret)
		return ret;
	s->done.syncs++;
	usage_sync(s, call, object, sync.flags);
	if (!would_wait(object_buffer(object), &sync))
		return on_core(object, DMA_BUF_IOCTL_SYNC, &sync);
	wait = kzalloc(sizeof(*wait), GFP_KERNEL);
	if (!wait)
		return -ENOMEM;
	wait->call = *call;
	wait->file = get_file(object->file);
	wait->sync = sync;
	list_add_tail(&wait->node, &s->waits);
	return 1;
}

void serve_waits(struct supervisor *s)
{
	struct sync_wait *wait, *next;

	list_for_each_entry_safe(wait, next, &s->waits, node) {
		long ret = -EINTR;

		if (s->listener >= 0 && call_waits(&wait->call)) {
			if (would_wait(wait->file->private_data, &wait->sync))
				continue;
			ret = wait->file->f_op->unlocked_ioctl(wait->file, DMA_BUF_IOCTL_SYNC,
							       (unsigned long)&wait->sync);
		}
		call_return(&wait->call, ret);
		list_del(&wait->node);
		fput(wait->file);
		kfree(wait);
	}
}

static long buffer_name(const struct call *call, struct object *object)
{
	char name[DMA_BUF_NAME_LEN];
	ssize_t len = call_read_string(call, call->args[2], name, sizeof(name));

	if (len < 0)
		return len;
	/* It may end well before @name, and memory right after it. */
	if (!memchr(name, 0, len))
		return len == sizeof(name) ? -EINVAL : -EFAULT;
	strscpy(object->name, name, sizeof(object->name));
	return on_core(object, DMA_BUF_SET_NAME_B, name);
}

/* As core/dma-buf-sync-file.c does it, but without a number of ours. */
static long buffer_export(struct supervisor *s, const struct call *call, struct object *object)
{
	struct dma_buf_export_sync_file data;
	struct sync_file *sync_file;
	struct dma_fence *fence;
	long ret = call_read(call, call->args[2], &data, sizeof(data));

	if (ret)
		return ret;
	if (!data.flags || data.flags & ~(__u32)DMA_BUF_SYNC_RW)
		return -EINVAL;
	ret = dma_resv_get_singleton(object_buffer(object)->resv,
				     dma_resv_usage_rw(data.flags & DMA_BUF_SYNC_WRITE), &fence);
	if (ret)
		return ret;
	if (!fence)
		fence = dma_fence_get_stub();
	sync_file = sync_file_create(fence);
	dma_fence_put(fence);
	if (!sync_file)
		return -ENOMEM;
	s->done.fences++;
	return give_in_copy(s, call, OBJECT_SYNC_FILE, sync_file->file, &data, sizeof(data),
			    &data.fd, O_CLOEXEC);
}

static long buffer_import(struct supervisor *s, const struct call *call, struct object *object)
{
	struct dma_buf_import_sync_file data;
	long ret = call_read(call, call->args[2], &data, sizeof(data));

	if (ret)
		return ret;
	data.fd = lend_sync_file(s, call, data.fd);
	ret = on_core(object, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &data);
	lend_end(data.fd);
	readiness_fence(s, object);
	s->fences_moved = true;
	return ret;
}

static long buffer_ioctl(struct supervisor *s, const struct call *call, struct object *object)
{
	switch ((unsigned int)call->args[1]) {
	case DMA_BUF_IOCTL_SYNC:
		return buffer_sync(s, call, object);
	case DMA_BUF_SET_NAME_A:
	case DMA_BUF_SET_NAME_B:
		return buffer_name(call, object);
	case DMA_BUF_IOCTL_EXPORT_SYNC_FILE:
		return buffer_export(s, call, object);
	case DMA_BUF_IOCTL_IMPORT_SYNC_FILE:
		return buffer_import(s, call, object);
	default:
		return -ENOTTY;
	}
}

/* --- sync_files ------------------------------------------------------------------------------- */

/* Without the core's ioctl, which would make two numbers of ours: a merge is what programs do most. */
static long sync_file_merge(struct supervisor *s, const struct call *call, struct object *object)
{
	struct sync_merge_data data;
	struct sync_file *merged;
	struct dma_fence *fence;
	struct object *other;
	long ret = call_read(call, call->args[2], &data, sizeof(data));

	if (ret)
		return ret;
	if (data.flags || data.pad)
		return -EINVAL;
	other = find_sync_file(s, call, data.fd2);
	if (!other)
		return -ENOENT;
	fence = dma_fence_unwrap_merge(object->fence, other->fence);
	if (!fence)
		return -ENOMEM;
	merged = sync_file_create(fence);
	dma_fence_put(fence);
	if (!merged)
		return -ENOMEM;
	data.name[sizeof(data.name) - 1] = '\0';
	strscpy(merged->user_name, data.name, sizeof(merged->user_name));
	s->done.fences++;
	return give_in_copy(s, call, OBJECT_SYNC_FILE, merged->file, &data, sizeof(data),
			    &data.fence, O_CLOEXEC);
}

static long sync_file_info(const struct call *call, struct object *object)
{
	struct sync_fence_info *fences = NULL;
	struct sync_file_info info, count;
	u64 theirs;
	long ret = call_read(call, call->args[2], &info, sizeof(info));

	if (ret)
		return ret;
	/* How many there are, before room is made for as many as the program says. */
	count = info;
	count.num_fences = 0;
	ret = on_core(object, SYNC_IOC_FILE_INFO, &count);
	if (ret)
		return ret;
	if (!info.num_fences)
		return call_write(call, call->args[2], &count, sizeof(count));
	theirs = info.sync_fence_info;
	info.num_fences = min(info.num_fences, count.num_fences);
	fences = kvcalloc(max(info.num_fences, 1u), sizeof(*fences), GFP_KERNEL);
	if (!fences)
		return -ENOMEM;
	info.sync_fence_info = (unsigned long)fences;
	ret = on_core(object, SYNC_IOC_FILE_INFO, &info);
	info.sync_fence_info = theirs;
	if (!ret)
		ret = call_write(call, theirs, fences, info.num_fences * sizeof(*fences));
	if (!ret)
		ret = call_write(call, call->args[2], &info, sizeof(info));
	kvfree(fences);
	return ret;
}

static long sync_file_deadline(const struct call *call, struct object *object)
{
	struct sync_set_deadline data;

	return call_read(call, call->args[2], &data, sizeof(data))
		       ?: on_core(object, SYNC_IOC_SET_DEADLINE, &data);
}

static long sync_file_ioctl(struct supervisor *s, const struct call *call, struct object *object)
{
	switch ((unsigned int)call->args[1]) {
	case SYNC_IOC_MERGE:
		return sync_file_merge(s, call, object);
	case SYNC_IOC_FILE_INFO:
		return sync_file_info(call, object);
	case SYNC_IOC_SET_DEADLINE:
		return sync_file_deadline(call, object);
	default:
		return -ENOTTY;
	}
}

/* --- timelines -------------------------------------------------------------------------------- */

static long timeline_deadline(struct supervisor *s, const struct call *call, struct object *object)
{
	struct sw_sync_get_deadline data;
	int theirs;
	long ret = call_read(call, call->args[2], &data, sizeof(data));

	if (ret)
		return ret;
	theirs = data.fence_fd;
	data.fence_fd = lend_sync_file(s, call, theirs);
	ret = on_core(object, SW_SYNC_GET_DEADLINE, &data);
	lend_end(data.fence_fd);
	data.fence_fd = theirs;
	return ret ?: call_write(call, call->args[2], &data, sizeof(data));
}

static long timeline_ioctl(struct supervisor *s, const struct call *call, struct object *object)
{
	struct sw_sync_create_fence_data data;
	struct sync_file *sync_file;
	__u32 by;
	long ret;

	switch ((unsigned int)call->args[1]) {
	case SW_SYNC_IOC_CREATE_FENCE:
		ret = call_read(call, call->args[2], &data, sizeof(data));
		if (ret)
			return ret;
		sync_file = sw_sync_fence(object->file, data.value);
		if (!sync_file)
			return -ENOMEM;
		s->done.fences++;
		return give_in_copy(s, call, OBJECT_SYNC_FILE, sync_file->file, &data, sizeof(data),
				    &data.fence, O_CLOEXEC);
	case SW_SYNC_IOC_INC:
		s->fences_moved = true;
		return call_read(call, call->args[2], &by, sizeof(by))
			       ?: on_core(object, SW_SYNC_IOC_INC, &by);
	case SW_SYNC_GET_DEADLINE:
		return timeline_deadline(s, call, object);
	default:
		return -ENOTTY;
	}
}

/* --- all of them ------------------------------------------------------------------------------ */

static const char *name_of(unsigned int cmd)
{
	switch (cmd) {
	case DMA_HEAP_IOCTL_ALLOC:
		return "ALLOC";
	case UDMABUF_CREATE:
		return "UDMABUF_CREATE";
	case UDMABUF_CREATE_LIST:
		return "UDMABUF_CREATE_LIST";
	case DMA_BUF_IOCTL_SYNC:
		return "SYNC";
	case DMA_BUF_SET_NAME_A:
	case DMA_BUF_SET_NAME_B:
		return "SET_NAME";
	case DMA_BUF_IOCTL_EXPORT_SYNC_FILE:
		return "EXPORT_SYNC_FILE";
	case DMA_BUF_IOCTL_IMPORT_SYNC_FILE:
		return "IMPORT_SYNC_FILE";
	case SYNC_IOC_MERGE:
		return "MERGE";
	case SYNC_IOC_FILE_INFO:
		return "FILE_INFO";
	case SYNC_IOC_SET_DEADLINE:
		return "SET_DEADLINE";
	case SW_SYNC_IOC_CREATE_FENCE:
		return "CREATE_FENCE";
	case SW_SYNC_IOC_INC:
		return "INC";
	case SW_SYNC_GET_DEADLINE:
		return "GET_DEADLINE";
	default:
		return "ioctl";
	}
}

void serve_ioctl(struct supervisor *s, const struct call *call)
{
	struct object *object;
	struct stat st;
	bool found;
	long ret;

	found = !call_stat(call, (int)call->args[0], &st);
	objects_reap(&s->objects);
	object = found ? objects_find(&s->objects, &st) : NULL;
	if (!object) {
		/* Who closed a timeline asks so, and its fences have signaled when he is answered. */
		fences_settle(s);
		call_proceed(call);
		return;
	}
	s->done.calls++;
	switch (object->kind) {
	case OBJECT_HEAP:
		ret = heap_ioctl(s, call, object);
		break;
	case OBJECT_UDMABUF:
		ret = udmabuf_ioctl(s, call);
		break;
	case OBJECT_BUFFER:
		ret = buffer_ioctl(s, call, object);
		break;
	case OBJECT_SYNC_FILE:
		ret = sync_file_ioctl(s, call, object);
		break;
	case OBJECT_TIMELINE:
		ret = timeline_ioctl(s, call, object);
		break;
	default:
		ret = -ENOTTY;
	}
	usage_trace(s, call, object, name_of(call->args[1]), ret);
	if (ret == 1 && object->kind == OBJECT_BUFFER)
		return;
	fences_settle(s);
	call_return(call, ret);
}
