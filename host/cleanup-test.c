/* SPDX-License-Identifier: MIT */
/* Scopes: what is given back at their end, in which order, and what is not. */
#include <errno.h>
#include <fcntl.h>
#include <linux/anon_inodes.h>
#include <linux/cleanup.h>
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/rwsem.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include "host/file.h"
#include "tests/ktap.h"
#include "tests/threads.h"

static char trace[16];
static int traced;

static int note(char c)
{
	trace[traced++] = c;
	return c;
}

DEFINE_CLASS(noted, int, note(_T), note(c), int c)

static DEFINE_MUTEX(mutex);
static DEFINE_SPINLOCK(spin);
static DECLARE_RWSEM(rwsem);
static DECLARE_COMPLETION(tried);

static void scopes_end_in_reverse(struct ktap *t)
{
	traced = 0;
	{
		CLASS(noted, a)('a');
		CLASS(noted, b)('b');
		KT_EQ(t, a, 'a');
		KT_EQ(t, b, 'b');
	}
	KT_CHECK(t, traced == 4 && !memcmp(trace, "abba", 4));
}

/* The sanitizer tells of what leaks or is freed twice. */
static char *make(bool keep)
{
	char *p __free(kfree) = kmalloc(8, GFP_KERNEL);
	char *failed __free(kfree) = ERR_PTR(-EIO);

	if (!p || !IS_ERR(failed))
		return NULL;
	*p = 'x';
	if (!keep)
		return NULL;
	return_ptr(p);
}

static void a_pointer_is_freed_unless_taken(struct ktap *t)
{
	char *p;

	KT_CHECK(t, !make(false));
	p = make(true);
	KT_ASSERT(t, p);
	KT_EQ(t, *p, 'x');
	kfree(p);
}

static void guards_hold_to_the_end_of_the_scope(struct ktap *t)
{
	{
		guard(mutex)(&mutex);
		guard(spinlock)(&spin);
		KT_CHECK(t, mutex_is_locked(&mutex) && spin_is_locked(&spin));
	}
	KT_CHECK(t, !mutex_is_locked(&mutex) && !spin_is_locked(&spin));
	scoped_guard(rwsem_write, &rwsem)
		KT_CHECK(t, down_read_trylock(&rwsem) == 0);
	scoped_guard(rwsem_read, &rwsem)
		KT_CHECK(t, rwsem_is_locked(&rwsem));
	KT_CHECK(t, !rwsem_is_locked(&rwsem));
	scoped_guard(rcu)
		KT_CHECK(t, rcu_read_lock_held());
	KT_CHECK(t, !rcu_read_lock_held());
	scoped_guard(spinlock_irqsave, &spin)
		KT_CHECK(t, irqs_disabled() && spin_is_locked(&spin));
	scoped_guard(irqsave)
		KT_CHECK(t, irqs_disabled());
	KT_CHECK(t, !irqs_disabled() && !spin_is_locked(&spin));
}

static int leave_early(void)
{
	scoped_guard(mutex, &mutex)
		return 7;
	return 0;
}

static void a_return_gives_it_back(struct ktap *t)
{
	KT_EQ(t, leave_early(), 7);
	KT_CHECK(t, !mutex_is_locked(&mutex));
}

static int try_thread(void *unused)
{
	int got = 0;

	scoped_guard(mutex_try, &mutex)
		got |= 1;
	scoped_cond_guard(mutex_try, got |= 2, &mutex)
		got |= 4;
	scoped_guard(spinlock_try, &spin)
		got |= 8;
	complete(&tried);
	return got;
}

/* What it got while the caller holds what the caller holds. */
static int another_tries(void)
{
	struct task_struct *thread = test_thread_start(try_thread, NULL);

	wait_for_completion(&tried);
	return test_thread_end(thread);
}

static void who_did_not_get_it_gives_nothing_back(struct ktap *t)
{
	mutex_lock(&mutex);
	KT_EQ(t, another_tries(), 2 | 8);
	KT_CHECK(t, mutex_is_locked(&mutex));
	mutex_unlock(&mutex);
	KT_EQ(t, another_tries(), 1 | 4 | 8);
	KT_CHECK(t, !mutex_is_locked(&mutex));
}

static int make_fd(int *number, bool keep)
{
	CLASS(get_unused_fd, fd)(O_CLOEXEC);

	*number = fd;
	return keep ? take_fd(fd) : -EPERM;
}

static void a_number_is_given_back_unless_taken(struct ktap *t)
{
	static const struct file_operations none;
	struct file *file = anon_inode_getfile("none", &none, NULL, O_RDWR);
	int number, fd;

	KT_ASSERT(t, !IS_ERR(file));
	KT_EQ(t, make_fd(&number, false), -EPERM);
	KT_CHECK(t, number >= 0 && fcntl(number, F_GETFD) < 0);
	fd = make_fd(&number, true);
	KT_CHECK(t, fd == number && fcntl(fd, F_GETFD) >= 0);
	fd_install(fd, file);
	{
		struct file *again __free(fput) = fget(fd);

		KT_CHECK(t, again == file);
		KT_EQ(t, file_count(file), 2);
	}
	KT_EQ(t, file_count(file), 1);
	KT_EQ(t, host_close(fd), 0);
}

KTAP_MAIN(KTAP_CASE(scopes_end_in_reverse), KTAP_CASE(a_pointer_is_freed_unless_taken),
	  KTAP_CASE(guards_hold_to_the_end_of_the_scope), KTAP_CASE(a_return_gives_it_back),
	  KTAP_CASE(who_did_not_get_it_gives_nothing_back),
	  KTAP_CASE(a_number_is_given_back_unless_taken))
