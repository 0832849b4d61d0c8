/* SPDX-License-Identifier: MIT */
/*
 * idle.c - for how long mappings are kept that nobody uses
 *
 * Until idle_ms have passed since the last unmap, memory runs short, or the idle mappings of one
 * user's buffers are more than budget_mb.  A mapping pins what a dynamic exporter could move and
 * keeps other exporters' pages, address space and power, so none is kept for ever.
 *
 * Lock order: buffer.lock -> lock.  All dropping is done by one work item or by who returns the last
 * attachment: an exporter's unmap may take what holds up reclaim.
 */
#include <linux/moduleparam.h>
#include <linux/shrinker.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "set.h"

static unsigned int idle_ms = 100;
static int idle_ms_set(const char *text, const struct kernel_param *parameter)
{
	int ret = param_set_uint(text, parameter);

	idle_watch();
	return ret;
}
static const struct kernel_param_ops idle_ms_ops = { .set = idle_ms_set, .get = param_get_uint };
module_param_cb(idle_ms, &idle_ms_ops, &idle_ms, 0644);
MODULE_PARM_DESC(idle_ms, "keep a mapping this long after its last use (0: no limit)");
static unsigned int budget_mb = 256;
module_param(budget_mb, uint, 0644);
MODULE_PARM_DESC(budget_mb, "memory that mappings nobody is attached for may cover, for each user");

/* What all users have idle, in bytes, for the shrinker. */
static atomic_long_t idle_total;
static DEFINE_SPINLOCK(lock);
static struct shrinker *shrinker;
static bool memory_short;

/* --- what nobody is attached for ---------------------------------------------------------------- */

void idle_del(struct cached_set *set)
{
	spin_lock(&lock);
	if (!list_empty(&set->idle)) {
		list_del_init(&set->idle);
		set->buffer->user->idle_bytes -= set->idle_bytes;
		atomic_long_sub(set->idle_bytes, &idle_total);
	}
	spin_unlock(&lock);
}

void idle_add(struct cached_set *set)
{
	size_t bytes = 0;

	for (unsigned int i = 0; i < SLOTS; i++)
		bytes += set->slots[i].table ? set->buffer->inner->size : 0;
	if (!bytes)
		return;
	spin_lock(&lock);
	set->idle_bytes = bytes;
	set->buffer->user->idle_bytes += bytes;
	list_add_tail(&set->idle, &set->buffer->user->idle);
	spin_unlock(&lock);
	atomic_long_add(bytes, &idle_total);
}

/* The oldest of @user's, if he has too many; its buffer with a reference. */
static struct cached_set *idle_take(struct cache_user *user, struct cached_buffer **buffer)
{
	struct cached_set *set, *taken = NULL;

	spin_lock(&lock);
	list_for_each_entry(set, &user->idle, idle) {
		if (user->idle_bytes <= (size_t)READ_ONCE(budget_mb) << 20)
			break;
		/* A buffer whose last reference has gone ends its sets by itself. */
		if (kref_get_unless_zero(&set->buffer->refs)) {
			taken = set;
			*buffer = set->buffer;
			break;
		}
	}
	if (taken) {
		list_del_init(&taken->idle);
		user->idle_bytes -= taken->idle_bytes;
		atomic_long_sub(taken->idle_bytes, &idle_total);
	}
	spin_unlock(&lock);
	return taken;
}

void idle_trim(struct cached_buffer *buffer)
{
	struct cached_buffer *other;
	struct cached_set *set;
	bool dropped = true;

	while (dropped && (set = idle_take(buffer->user, &other))) {
		dropped = set_drop_one(other, set);
		buffer_put(other);
	}
}

/* --- by time, and when memory is short ---------------------------------------------------------- */

static void look(struct work_struct *work);
static DECLARE_DELAYED_WORK(watch, look);

static unsigned long period(void)
{
	return max(msecs_to_jiffies(READ_ONCE(idle_ms)) / 2, 1UL);
}

static void look(struct work_struct *work)
{
	bool all = xchg(&memory_short, false), kept = false;
	unsigned int ms = READ_ONCE(idle_ms);
	unsigned long since = all ? jiffies : jiffies - msecs_to_jiffies(ms);
	struct cached_buffer *buffer = NULL;

	if (!ms && !all)
		return;
	while ((buffer = buffer_next(buffer)))
		kept |= sets_drop(buffer, since);
	if (kept)
		idle_watch();
}

void idle_watch(void)
{
	if (READ_ONCE(idle_ms) && !delayed_work_pending(&watch))
		queue_delayed_work(system_unbound_wq, &watch, period());
}

static unsigned long shrinker_count(struct shrinker *s, struct shrink_control *sc)
{
	return atomic_long_read(&idle_total) >> PAGE_SHIFT ?: SHRINK_EMPTY;
}

/* Whoever allocates may hold what an exporter's unmap wants, so others do it, soon. */
static unsigned long shrinker_scan(struct shrinker *s, struct shrink_control *sc)
{
	WRITE_ONCE(memory_short, true);
	mod_delayed_work(system_unbound_wq, &watch, 0);
	return SHRINK_STOP;
}

int idle_init(void)
{
	shrinker = shrinker_alloc(0, "dmabuf-cache");
	if (!shrinker)
		return -ENOMEM;
	shrinker->count_objects = shrinker_count;
	shrinker->scan_objects = shrinker_scan;
	shrinker_register(shrinker);
	return 0;
}

void idle_exit(void)
{
	shrinker_free(shrinker);
	cancel_delayed_work_sync(&watch);
}
