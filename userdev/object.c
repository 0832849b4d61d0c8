/* SPDX-License-Identifier: MIT */
/*
 * object.c - see object.h
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/sync_file.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/port.h"
#include "userdev/memfd-buffer.h"
#include "userdev/object.h"
#include "userdev/shared.h"

/* Inodes of the kinds of file we make differ, but two kinds may have the same. */
static bool key_of(const struct objects *objects, const struct stat *st, unsigned long *key)
{
	const dev_t devices[] = { objects->memfds, objects->pipes, objects->folder };

	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		*key = st->st_ino * ARRAY_SIZE(devices) + i;
		if (st->st_dev == devices[i])
			return true;
	}
	return false;
}

struct object *objects_find(struct objects *objects, const struct stat *st)
{
	struct object *object;
	unsigned long key;

	if (!key_of(objects, st, &key))
		return NULL;
	hlist_for_each_entry(object, &objects->by_key[key % OBJECTS_ROWS], of_key)
		if (object->key == key)
			return object;
	return NULL;
}

static struct object *of_watch(struct objects *objects, int watch)
{
	struct object *object;

	hlist_for_each_entry(object, &objects->by_watch[(unsigned int)watch % OBJECTS_ROWS],
			     of_watch)
		if (object->watch == watch)
			return object;
	return NULL;
}

static void unwatch(struct objects *objects, struct object *object)
{
	if (object->watch < 0)
		return;
	hlist_del(&object->of_watch);
	inotify_rm_watch(objects->inotify, object->watch);
}

struct dma_buf *object_buffer(const struct object *object)
{
	return object->file->private_data;
}

/* --- the end ---------------------------------------------------------------------------------- */

static void object_end(struct objects *objects, struct object *object)
{
	if (objects->on_end)
		objects->on_end(objects, object);
	if (object->fence) {
		dma_fence_remove_callback(object->fence, &object->signaled);
		dma_fence_put(object->fence);
	}
	hlist_del(&object->of_key);
	unwatch(objects, object);
	list_del(&object->node);
	if (object->file)
		fput(object->file);
	list_del(&object->doubtful);
	if (object->counted >= 0)
		close(object->counted);
	if (object->fd >= 0 && !object->fd_is_memory)
		close(object->fd);
	kfree(object);
}

/* In the working directory; two of five steps less on the way to each buffer. */
static const char *memfd_path(const struct object *object, char path[16])
{
	snprintf(path, 16, "%d", object->fd);
	return path;
}

/* The system leases a file for writing only to who is alone in having it open. */
static bool nobody_else_has(const struct object *object)
{
	return !fcntl(object->counted, F_SETLEASE, F_WRLCK) &&
	       !fcntl(object->counted, F_SETLEASE, F_UNLCK);
}

static void watch_heard(struct objects *objects, const struct inotify_event *event)
{
	struct object *object = of_watch(objects, event->wd);
	char path[16];

	if (!object)
		return;
	if (event->mask & IN_OPEN && !object->reopened) {
		object->reopened = true;
		object->counted = port_open(memfd_path(object, path), O_RDWR | O_CLOEXEC);
	} else if (event->mask & IN_CLOSE && !object->reopened) {
		object_end(objects, object);
	} else if (event->mask & IN_CLOSE && object->counted >= 0) {
		list_move(&object->doubtful, &objects->doubtful);
	}
}

/* A close is told before it is counted: who is not alone now may be soon. */
static void doubtful_end(struct objects *objects)
{
	struct object *object, *next;

	list_for_each_entry_safe(object, next, &objects->doubtful, doubtful)
		if (nobody_else_has(object))
			object_end(objects, object);
}

/* The queue was too long for the system: who still has an object must be found otherwise. */
static void watches_lost(struct objects *objects)
{
	fprintf(stderr, "dmabuf run: the system lost notices of closed buffers; "
			"their memory stays until the run ends\n");
}

static void watches_read(struct objects *objects)
{
	char events[4096] __aligned(8);
	ssize_t len;

	while ((len = read(objects->inotify, events, sizeof(events))) > 0) {
		for (ssize_t at = 0; at < len;) {
			const struct inotify_event *event = (void *)(events + at);

			if (event->mask & IN_Q_OVERFLOW)
				watches_lost(objects);
			else
				watch_heard(objects, event);
			at += sizeof(*event) + event->len;
		}
	}
}

void objects_reap(struct objects *objects)
{
	struct epoll_event events[32];
	int count;

	do {
		count = epoll_wait(objects->ends, events, ARRAY_SIZE(events), 0);
		for (int i = 0; i < count; i++) {
			if (events[i].data.ptr)
				object_end(objects, events[i].data.ptr);
			else
				watches_read(objects);
		}
	} while (count == ARRAY_SIZE(events));
	doubtful_end(objects);
}

/* --- making them ------------------------------------------------------------------------------ */

static struct object *object_new(struct objects *objects, enum object_kind kind, struct file *file)
{
	struct object *object = kzalloc(sizeof(*object), GFP_KERNEL);

	if (!object)
		return NULL;
	object->kind = kind;
	object->file = file;
	object->fd = -1;
	object->watch = -1;
	object->counted = -1;
	INIT_LIST_HEAD(&object->node);
	INIT_LIST_HEAD(&object->doubtful);
	INIT_LIST_HEAD(&object->users);
	INIT_LIST_HEAD(&object->pending);
	INIT_LIST_HEAD(&object->signaled.node);
	return object;
}

static int object_enter(struct objects *objects, struct object *object, int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!key_of(objects, &st, &object->key))
		return -EINVAL;
	hlist_add_head(&object->of_key, &objects->by_key[object->key % OBJECTS_ROWS]);
	object->ino = st.st_ino;
	object->id = ++objects->last_id;
	list_add_tail(&object->node, &objects->all);
	return 0;
}

int object_add_device(struct objects *objects, enum object_kind kind, const char *path,
		      unsigned int heap)
{
	struct object *object = object_new(objects, kind, NULL);
	int fd, ret;

	if (!object)
		return -ENOMEM;
	object->heap = heap;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ret = fd < 0 ? -errno : object_enter(objects, object, fd);
	if (fd >= 0)
		close(fd);
	if (ret)
		kfree(object);
	return ret;
}

static int watch_memfd(struct objects *objects, struct object *object, int flags, int *given)
{
	char path[16];
	int ret;

	*given = port_open(memfd_path(object, path), (flags & O_ACCMODE) | O_CLOEXEC);
	if (*given < 0)
		return -errno;
	object->watch = inotify_add_watch(objects->inotify, path, IN_OPEN | IN_CLOSE);
	if (object->watch < 0) {
		ret = -errno;
		close(*given);
		return ret;
	}
	hlist_add_head(&object->of_watch,
		       &objects->by_watch[(unsigned int)object->watch % OBJECTS_ROWS]);
	return 0;
}

static int open_buffer(struct objects *objects, struct object *object, int flags, int *given)
{
	struct dma_buf *dmabuf = object_buffer(object);
	unsigned int count;
	const struct memfd_piece *pieces = memfd_buffer_pieces(dmabuf, &count);

	/* A udmabuf's memory is elsewhere: what is mapped through this one is asked of us. */
	if (!strcmp(dmabuf->exp_name, "udmabuf")) {
		object->fd = port_memfd_create("dmabuf", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		if (object->fd < 0)
			return -errno;
		if (port_ftruncate(object->fd, dmabuf->size) ||
		    fcntl(object->fd, F_ADD_SEALS,
			  F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE))
			return -errno;
	} else {
		object->fd_is_memory = true;
		object->fd = pieces[0].memfd;
	}
	return watch_memfd(objects, object, flags, given);
}

static int open_pipe(struct objects *objects, struct object *object, int *given)
{
	struct epoll_event event = { .data.ptr = object };
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	fcntl(ends[1], F_SETPIPE_SZ, 4096);
	object->fd = ends[1];
	*given = ends[0];
	if (object->kind == OBJECT_TIMELINE)
		fchmod(*given, SHARED_TIMELINE);
	if (!epoll_ctl(objects->ends, EPOLL_CTL_ADD, object->fd, &event))
		return 0;
	close(*given);
	return -errno;
}

/* Under the fence's lock. */
static void tell_signaled(struct object *object)
{
	/* EPIPE: the program has closed it meanwhile, which will be noticed. */
	if (write(object->fd, "", 1) != 1)
		WARN(errno != EPIPE, "sync_file: the pipe of a fence is full\n");
}

static void fence_signaled(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	tell_signaled(container_of(cb, struct object, signaled));
}

static void follow_fence(struct object *object)
{
	struct sync_file *sync_file = object->file->private_data;

	object->fence = dma_fence_get(sync_file->fence);
	if (dma_fence_add_callback(object->fence, &object->signaled, fence_signaled))
		tell_signaled(object);
}

struct object *object_add(struct objects *objects, enum object_kind kind, struct file *file,
			  pid_t creator, int flags, int *given)
{
	struct object *object = object_new(objects, kind, file);
	int ret;

	if (!object) {
		fput(file);
		return ERR_PTR(-ENOMEM);
	}
	object->creator = creator;
	*given = -1;
	if (kind == OBJECT_BUFFER)
		ret = open_buffer(objects, object, flags, given);
	else
		ret = open_pipe(objects, object, given);
	if (ret)
		goto free_object;
	ret = object_enter(objects, object, object->fd);
	if (ret)
		goto close_given;
	if (kind == OBJECT_SYNC_FILE)
		follow_fence(object);
	return object;

close_given:
	close(*given);
free_object:
	*given = -1;
	unwatch(objects, object);
	if (object->fd >= 0 && !object->fd_is_memory)
		close(object->fd);
	fput(file);
	kfree(object);
	return ERR_PTR(ret);
}

/* --- all of them ------------------------------------------------------------------------------ */

static int device_of(int fd, dev_t *dev)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	*dev = st.st_dev;
	close(fd);
	return 0;
}

int objects_init(struct objects *objects, const char *folder)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct stat st;
	int ends[2], ret;

	*objects = (struct objects){ .ends = -1, .inotify = -1 };
	INIT_LIST_HEAD(&objects->all);
	INIT_LIST_HEAD(&objects->doubtful);
	if (stat(folder, &st) || chdir("/proc/self/fd") || pipe2(ends, O_CLOEXEC))
		return -errno;
	objects->folder = st.st_dev;
	close(ends[1]);
	ret = device_of(ends[0], &objects->pipes)
		      ?: device_of(memfd_create("dmabuf", MFD_CLOEXEC), &objects->memfds);
	if (ret)
		return ret;
	objects->ends = epoll_create1(EPOLL_CLOEXEC);
	objects->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (objects->ends < 0 || objects->inotify < 0 ||
	    epoll_ctl(objects->ends, EPOLL_CTL_ADD, objects->inotify, &event))
		return -errno;
	return 0;
}

void objects_fini(struct objects *objects)
{
	struct object *object, *next;

	list_for_each_entry_safe(object, next, &objects->all, node)
		object_end(objects, object);
	if (objects->ends >= 0)
		close(objects->ends);
	if (objects->inotify >= 0)
		close(objects->inotify);
}
