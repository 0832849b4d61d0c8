/* SPDX-License-Identifier: MIT */
/* Sleeping until a file is ready, and its text. */
#include <linux/anon_inodes.h>
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include "host/file.h"
#include "host/port.h"
#include "host/task.h"
#include "tests/ktap.h"
#include "tests/threads.h"

struct tap {
	wait_queue_head_t readers, writers;
	unsigned int ready;
	int asked;
	bool wakes_itself; /* becomes ready right after it has said it is not */
};

static __poll_t tap_poll(struct file *file, poll_table *table)
{
	struct tap *tap = file->private_data;

	poll_wait(file, &tap->readers, table);
	poll_wait(file, &tap->writers, table);
	__atomic_add_fetch(&tap->asked, 1, __ATOMIC_RELAXED);
	if (tap->wakes_itself) {
		tap->wakes_itself = false;
		tap->ready = EPOLLIN;
		wake_up_poll(&tap->readers, EPOLLIN);
		return 0;
	}
	return smp_load_acquire(&tap->ready);
}

static const struct file_operations tap_fops = { .poll = tap_poll };
static const struct file_operations bare_fops;

static int tap_up(struct tap *tap)
{
	*tap = (struct tap){};
	init_waitqueue_head(&tap->readers);
	init_waitqueue_head(&tap->writers);
	return anon_inode_getfd("tap", &tap_fops, tap, O_RDWR);
}

static void tap_set(struct tap *tap, wait_queue_head_t *queue, __poll_t events)
{
	smp_store_release(&tap->ready, events);
	wake_up_poll(queue, events);
}

static void asking_does_not_sleep(struct ktap *t)
{
	struct tap tap;
	int fd = tap_up(&tap);

	KT_EQ(t, host_poll(fd, EPOLLIN, 0), 0);
	KT_EQ(t, tap.asked, 1);
	tap.ready = EPOLLIN | EPOLLRDNORM;
	KT_EQ(t, host_poll(fd, EPOLLIN, 0), EPOLLIN);
	KT_EQ(t, host_poll(fd, EPOLLIN, -1), EPOLLIN);
	KT_EQ(t, host_poll(fd, EPOLLOUT, 0), 0);
	/* Errors come unasked. */
	tap.ready = EPOLLERR | EPOLLHUP;
	KT_EQ(t, host_poll(fd, 0, -1), EPOLLERR | EPOLLHUP);
	KT_EQ(t, host_close(fd), 0);
	KT_EQ(t, host_poll(fd, EPOLLIN, 0), -EBADF);
}

static void a_file_that_cannot_say_is_ready(struct ktap *t)
{
	int fd = anon_inode_getfd("bare", &bare_fops, NULL, O_RDWR);

	KT_EQ(t, host_poll(fd, EPOLLIN | EPOLLOUT, -1), EPOLLIN | EPOLLOUT);
	KT_EQ(t, host_close(fd), 0);
}

static void time_passes(struct ktap *t)
{
	struct tap tap;
	int fd = tap_up(&tap);

	KT_EQ(t, host_poll(fd, EPOLLIN, 20), 0);
	KT_CHECK(t, !waitqueue_active(&tap.readers));
	KT_EQ(t, host_close(fd), 0);
}

struct poller {
	int fd;
	__poll_t events;
	int result;
};

static int poll_thread(void *data)
{
	struct poller *poller = data;

	WRITE_ONCE(poller->result, host_poll(poller->fd, poller->events, -1));
	return 0;
}

static void wait_until_queued(wait_queue_head_t *queue)
{
	bool queued;

	do {
		spin_lock(&queue->lock);
		queued = waitqueue_active(queue);
		spin_unlock(&queue->lock);
		yield();
	} while (!queued);
}

static void a_wake_up_wakes(struct ktap *t)
{
	struct tap tap;
	struct poller poller = { .fd = tap_up(&tap), .events = EPOLLOUT };
	struct task_struct *thread = test_thread_start(poll_thread, &poller);

	wait_until_queued(&tap.writers);
	test_thread_asleep(thread);
	/* Not his events: he sleeps on. */
	for (int i = 0; i < 10; i++) {
		tap_set(&tap, &tap.readers, EPOLLIN);
		test_thread_asleep(thread);
	}
	tap_set(&tap, &tap.writers, EPOLLOUT);
	test_thread_end(thread);
	KT_EQ(t, poller.result, EPOLLOUT);
	KT_EQ(t, tap.asked, 2);
	KT_CHECK(t, !waitqueue_active(&tap.readers) && !waitqueue_active(&tap.writers));
	KT_EQ(t, host_close(poller.fd), 0);
}

static void a_wake_up_for_nothing_is_slept_over(struct ktap *t)
{
	struct tap tap;
	struct poller poller = { .fd = tap_up(&tap), .events = EPOLLIN };
	struct task_struct *thread = test_thread_start(poll_thread, &poller);
	int before;

	wait_until_queued(&tap.writers);
	for (int i = 0; i < 100; i++) {
		before = READ_ONCE(tap.asked);
		wake_up(&tap.readers);
		while (READ_ONCE(tap.asked) == before && i == 0)
			yield();
	}
	tap_set(&tap, &tap.readers, EPOLLIN);
	test_thread_end(thread);
	KT_EQ(t, poller.result, EPOLLIN);
	KT_EQ(t, host_close(poller.fd), 0);
}

static void no_wake_up_is_lost(struct ktap *t)
{
	for (int i = 0; i < (ktap_long ? 20000 : 500); i++) {
		struct tap tap;
		struct poller poller = { .fd = tap_up(&tap), .events = EPOLLIN };
		struct task_struct *thread = test_thread_start(poll_thread, &poller);

		if (i & 1)
			wait_until_queued(&tap.writers);
		tap_set(&tap, &tap.readers, EPOLLIN);
		while (!READ_ONCE(poller.result))
			yield();
		test_thread_end(thread);
		KT_EQ(t, poller.result, EPOLLIN);
		KT_EQ(t, host_close(poller.fd), 0);
	}
}

static void ready_right_after_the_question(struct ktap *t)
{
	struct tap tap;
	int fd = tap_up(&tap);

	tap.wakes_itself = true;
	KT_EQ(t, host_poll(fd, EPOLLIN, -1), EPOLLIN);
	KT_EQ(t, tap.asked, 2);
	KT_EQ(t, host_close(fd), 0);
}

static void a_signal_ends_it(struct ktap *t)
{
	struct tap tap;
	struct poller poller = { .fd = tap_up(&tap), .events = EPOLLIN };
	struct task_struct *thread = test_thread_start(poll_thread, &poller);

	wait_until_queued(&tap.writers);
	host_signal_task(thread);
	test_thread_end(thread);
	KT_EQ(t, poller.result, -EINTR);
	KT_EQ(t, host_close(poller.fd), 0);
}

static void failure_on_demand(struct ktap *t)
{
	struct tap tap;
	int fd = tap_up(&tap);

	for (int nth = 1; nth <= 2; nth++) {
		port_fail_nth(PORT_FAULT_ALLOC, nth);
		KT_EQ(t, host_poll(fd, EPOLLIN, -1), -ENOMEM);
		KT_CHECK(t, !waitqueue_active(&tap.readers) && !waitqueue_active(&tap.writers));
	}
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	KT_EQ(t, host_close(fd), 0);
}

KTAP_MAIN(KTAP_CASE(asking_does_not_sleep), KTAP_CASE(a_file_that_cannot_say_is_ready),
	  KTAP_CASE(time_passes), KTAP_CASE(a_wake_up_wakes),
	  KTAP_CASE(a_wake_up_for_nothing_is_slept_over), KTAP_CASE(no_wake_up_is_lost),
	  KTAP_CASE(ready_right_after_the_question), KTAP_CASE(a_signal_ends_it),
	  KTAP_CASE(failure_on_demand))
