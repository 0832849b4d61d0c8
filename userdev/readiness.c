/* SPDX-License-Identifier: MIT */
/*
 * readiness.c - see readiness.h
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/kcmp.h>
#include <linux/limits.h>
#include <linux/slab.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "userdev/hints.h"
#include "userdev/listener.h"
#include "userdev/readiness.h"
#include "userdev/supervisor.h"

/* As many as an eventfd counts: it cannot be written to then. */
#define EVENTFD_FULL (~0ULL - 1)

struct watch {
	struct list_head node; /* in supervisor.watches */
	struct object *object;
	int set;     /* the program's epoll set, a descriptor of ours */
	int number;  /* the buffer's in the program */
	int in, out; /* eventfds; -1: not waited for */
	bool in_ready, out_ready;
};

static bool same_file(int one, int other)
{
	return !syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, one, other);
}

static struct watch *watch_find(struct supervisor *s, const struct object *object, int set,
				int number)
{
	struct watch *watch;

	list_for_each_entry(watch, &s->watches, node)
		if (watch->object == object && watch->number == number &&
		    same_file(watch->set, set))
			return watch;
	return NULL;
}

/* --- following the fences --------------------------------------------------------------------- */

static void eventfd_move(int fd, bool fill)
{
	u64 count = EVENTFD_FULL;

	if (fd < 0)
		return;
	if (fill ? write(fd, &count, sizeof(count)) < 0 : read(fd, &count, sizeof(count)) < 0)
		WARN(errno != EAGAIN, "readiness: an eventfd fails: %d\n", errno);
}

static void watch_update(struct watch *watch)
{
	struct dma_resv *resv = object_buffer(watch->object)->resv;
	bool in = dma_resv_test_signaled(resv, dma_resv_usage_rw(false));
	bool out = dma_resv_test_signaled(resv, dma_resv_usage_rw(true));

	if (in != watch->in_ready)
		eventfd_move(watch->in, in);
	if (out != watch->out_ready)
		eventfd_move(watch->out, !out);
	watch->in_ready = in;
	watch->out_ready = out;
}

static bool has_pending(const struct object *object)
{
	return !dma_resv_test_signaled(object_buffer(object)->resv, dma_resv_usage_rw(true));
}

void readiness_fence(struct supervisor *s, struct object *object)
{
	hints_pending(s, object, has_pending(object));
	if (object->is_pending && list_empty(&object->pending))
		list_add_tail(&object->pending, &s->pending);
}

void readiness_update(struct supervisor *s)
{
	struct object *object, *next;
	struct watch *watch;

	list_for_each_entry_safe(object, next, &s->pending, pending) {
		if (has_pending(object))
			continue;
		list_del_init(&object->pending);
		hints_pending(s, object, false);
	}
	list_for_each_entry(watch, &s->watches, node)
		watch_update(watch);
}

/* --- the program's set ------------------------------------------------------------------------ */

static void watch_close(struct watch *watch)
{
	if (watch->in >= 0)
		close(watch->in);
	if (watch->out >= 0)
		close(watch->out);
	watch->in = -1;
	watch->out = -1;
}

static void watch_free(struct watch *watch)
{
	watch_close(watch);
	close(watch->set);
	list_del(&watch->node);
	kfree(watch);
}

static int enter(struct watch *watch, struct epoll_event event, u32 side, int *fd)
{
	u32 sides = EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM;

	event.events &= ~sides | side;
	*fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (*fd < 0)
		return -errno;
	return epoll_ctl(watch->set, EPOLL_CTL_ADD, *fd, &event) ? -errno : 0;
}

static int watch_open(struct watch *watch, const struct epoll_event *event)
{
	int ret = 0;

	if (event->events & (EPOLLIN | EPOLLRDNORM))
		ret = enter(watch, *event, EPOLLIN | EPOLLRDNORM, &watch->in);
	if (!ret && event->events & (EPOLLOUT | EPOLLWRNORM))
		ret = enter(watch, *event, EPOLLOUT | EPOLLWRNORM, &watch->out);
	if (ret) {
		watch_close(watch);
		return ret;
	}
	watch->in_ready = false;
	watch->out_ready = true;
	watch_update(watch);
	return 0;
}

/* Takes over @set. */
static int watch_add(struct supervisor *s, struct object *object, int set, int number,
		     const struct epoll_event *event)
{
	struct watch *watch = kzalloc(sizeof(*watch), GFP_KERNEL);
	int ret;

	if (!watch) {
		close(set);
		return -ENOMEM;
	}
	watch->object = object;
	watch->set = set;
	watch->number = number;
	watch->in = -1;
	watch->out = -1;
	list_add_tail(&watch->node, &s->watches);
	ret = watch_open(watch, event);
	if (ret)
		watch_free(watch);
	return ret;
}

static long change(struct supervisor *s, const struct call *call, struct object *object)
{
	int number = (int)call->args[2], set = call_take(call, (int)call->args[0]), ret = 0;
	struct epoll_event event = {};
	struct watch *watch;

	if (set < 0)
		return set;
	if (call->args[1] != EPOLL_CTL_DEL)
		ret = call_read(call, call->args[3], &event, sizeof(event));
	watch = watch_find(s, object, set, number);
	if (!ret && call->args[1] == EPOLL_CTL_ADD && watch)
		ret = -EEXIST;
	if (!ret && call->args[1] != EPOLL_CTL_ADD && !watch)
		ret = -ENOENT;
	if (!ret && call->args[1] == EPOLL_CTL_ADD)
		return watch_add(s, object, set, number, &event);
	close(set);
	if (ret)
		return ret;
	switch (call->args[1]) {
	case EPOLL_CTL_MOD:
		watch_close(watch);
		return watch_open(watch, &event);
	case EPOLL_CTL_DEL:
		watch_free(watch);
		return 0;
	default:
		return -EINVAL;
	}
}

void serve_epoll(struct supervisor *s, const struct call *call)
{
	struct object *object = NULL;
	struct stat st;

	objects_reap(&s->objects);
	if (!call_stat(call, (int)call->args[2], &st))
		object = objects_find(&s->objects, &st);
	if (!object || object->kind != OBJECT_BUFFER)
		call_proceed(call);
	else
		call_return(call, change(s, call, object));
}

void readiness_end(struct supervisor *s, struct object *object)
{
	struct watch *watch, *next;

	if (object)
		list_del_init(&object->pending);
	list_for_each_entry_safe(watch, next, &s->watches, node)
		if (!object || watch->object == object)
			watch_free(watch);
}
