/* SPDX-License-Identifier: MIT */
/*
 * buffer.c - see buffer.h
 */
#include <linux/cred.h>
#include <linux/dma-resv.h>
#include <linux/fs.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>

#include "buffer.h"
#include "set.h"

/* What one program may have begun and not ended before it counts as writing for ever. */
#define MAX_BRACKETS 64
/* BU3.  Strangers' ends do not end it. */
#define UNSEEN (COHERENCE_READ | COHERENCE_WRITE | COHERENCE_KEPT)

DEFINE_MUTEX(buffers_lock);
static LIST_HEAD(buffers);
static LIST_HEAD(users);

/*
 * Exporters whose own devices do not exist: they move bytes in map and unmap only.  By name, for
 * Linux does not say it in any other way.
 */
static char *plain_exporters = "system,reserved,linux,cma,default-pool,default_cma_region";
module_param(plain_exporters, charp, 0444);
MODULE_PARM_DESC(plain_exporters,
		 "exporters that have no access of their own, and sync in map and unmap");
static char *unsynced_exporters = "udmabuf,drm,i915";
module_param(unsynced_exporters, charp, 0444);
MODULE_PARM_DESC(unsynced_exporters, "exporters that map with DMA_ATTR_SKIP_CPU_SYNC");

static bool listed(const char *list, const char *name)
{
	size_t len = name ? strlen(name) : 0;
	const char *at;

	for (at = list; len && (at = strstr(at, name)); at += len)
		if ((at == list || at[-1] == ',') && (!at[len] || at[len] == ','))
			return true;
	return false;
}

/* --- users ------------------------------------------------------------------------------------ */

static struct cache_user *user_get(kuid_t uid)
{
	struct cache_user *user;

	lockdep_assert_held(&buffers_lock);
	list_for_each_entry(user, &users, node) {
		if (uid_eq(user->uid, uid)) {
			user->buffers++;
			return user;
		}
	}
	user = kzalloc(sizeof(*user), GFP_KERNEL_ACCOUNT);
	if (!user)
		return NULL;
	user->uid = uid;
	user->buffers = 1;
	INIT_LIST_HEAD(&user->idle);
	list_add(&user->node, &users);
	return user;
}

static void user_put(struct cache_user *user)
{
	lockdep_assert_held(&buffers_lock);
	if (--user->buffers)
		return;
	list_del(&user->node);
	kfree(user);
}

/* --- buffers ---------------------------------------------------------------------------------- */

struct cached_buffer *buffer_find(struct dma_buf *inner)
{
	struct cached_buffer *buffer;
	int ret = -ENOMEM;

	lockdep_assert_held(&buffers_lock);
	list_for_each_entry(buffer, &buffers, node) {
		if (buffer->inner == inner) {
			kref_get(&buffer->refs);
			return buffer;
		}
	}

	buffer = kzalloc(sizeof(*buffer), GFP_KERNEL_ACCOUNT);
	if (!buffer)
		return ERR_PTR(-ENOMEM);
	buffer->user = user_get(current_uid());
	if (!buffer->user)
		goto free_buffer;
	buffer->plain = listed(plain_exporters, inner->exp_name);
	buffer->unsynced = listed(unsynced_exporters, inner->exp_name);
	kref_init(&buffer->refs);
	INIT_LIST_HEAD(&buffer->wraps);
	INIT_LIST_HEAD(&buffer->sets);
	mutex_init(&buffer->lock);
	mutex_init(&buffer->cpu);
	coherence_init(&buffer->coherence, inner->size);
	get_dma_buf(inner);
	buffer->inner = inner;
	ret = buffer_look(buffer);
	if (ret)
		goto put_inner;
	list_add(&buffer->node, &buffers);
	return buffer;

put_inner:
	dma_buf_put(inner);
	coherence_fini(&buffer->coherence);
	user_put(buffer->user);
free_buffer:
	kfree(buffer);
	return ERR_PTR(ret);
}

/* Programs may begin and not end. */
static void end_brackets(struct cached_buffer *buffer)
{
	size_t size = buffer->inner->size;

	if (buffer->mistrusted)
		coherence_cpu_end(&buffer->coherence, 0, size, UNSEEN);
	while (buffer->brackets--)
		coherence_cpu_end(&buffer->coherence, 0, size, COHERENCE_READ | COHERENCE_WRITE);
}

/* BU1: buffers_lock is held until nothing is left. */
static void buffer_free(struct kref *refs)
{
	struct cached_buffer *buffer = container_of(refs, struct cached_buffer, refs);
	struct dma_buf *inner = buffer->inner;

	WARN(!list_empty(&buffer->wraps), "dmabuf-cache: buffer ended before its wraps\n");
	sets_end(buffer);
	end_brackets(buffer);
	coherence_fini(&buffer->coherence);
	list_del(&buffer->node);
	user_put(buffer->user);
	mutex_unlock(&buffers_lock);

	mutex_destroy(&buffer->lock);
	mutex_destroy(&buffer->cpu);
	if (buffer->unpaired)
		dma_buf_put(inner);
	kfree(buffer);
	dma_buf_put(inner);
}

void buffer_put(struct cached_buffer *buffer)
{
	kref_put_mutex(&buffer->refs, buffer_free, &buffers_lock);
}

/* On the list are buffers whose last reference has gone, waiting for buffers_lock. */
struct cached_buffer *buffer_next(struct cached_buffer *buffer)
{
	struct cached_buffer *next = NULL, *at;

	mutex_lock(&buffers_lock);
	at = buffer ? buffer : list_entry(&buffers, struct cached_buffer, node);
	list_for_each_entry_continue(at, &buffers, node)
	{
		if (kref_get_unless_zero(&at->refs)) {
			next = at;
			break;
		}
	}
	mutex_unlock(&buffers_lock);
	if (buffer)
		buffer_put(buffer);
	return next;
}

/* --- the CPU ---------------------------------------------------------------------------------- */

/*
 * Who reaches the bytes can hand that on only while he has it, so between two looks that both say
 * no there was nobody; what we give out ourselves is looked at when it is given.
 */
int buffer_look(struct cached_buffer *buffer)
{
	size_t size = buffer->inner->size;
	bool unseen;
	int ret = 0;

	if (likely(!buffer_changed(buffer)))
		return 0;
	mutex_lock(&buffer->cpu);
	unseen = file_count(buffer->inner->file) > 1;
	if (unseen && !buffer->mistrusted)
		ret = coherence_cpu_begin(&buffer->coherence, 0, size, UNSEEN);
	else if (!unseen && buffer->mistrusted)
		coherence_cpu_end(&buffer->coherence, 0, size, UNSEEN);
	if (!ret)
		buffer->mistrusted = unseen;
	mutex_unlock(&buffer->cpu);
	return ret;
}

bool buffer_written(struct cached_buffer *buffer)
{
	coherence_set writing;

	lockdep_assert_held(&buffer->cpu);
	coherence_lock(&buffer->coherence);
	writing = coherence_open_at(&buffer->coherence, 0, COHERENCE_WRITE);
	coherence_unlock(&buffer->coherence);
	return writing & COHERENCE_SET_C;
}

static unsigned int cpu_mode(enum dma_data_direction dir)
{
	return (dir == DMA_TO_DEVICE ? 0 : COHERENCE_READ) |
	       (dir == DMA_FROM_DEVICE ? 0 : COHERENCE_WRITE);
}

/*
 * Of a plain exporter the op only syncs what is mapped, which of ours the directory does, and of
 * attachments that are not kept nobody but the exporter.
 */
static bool asks_exporter(struct cached_buffer *buffer)
{
	return !buffer->plain || atomic_read(&buffer->fresh);
}

int buffer_begin_cpu(struct cached_buffer *buffer, enum dma_data_direction dir)
{
	struct dma_buf *inner = buffer->inner;
	long left;
	int ret;

	if (asks_exporter(buffer)) {
		/* It may invalidate what is mapped, and idle mappings are. */
		coherence_cpu_flush(&buffer->coherence);
		ret = dma_buf_begin_cpu_access(inner, dir);
		if (ret)
			return ret;
	} else {
		left = dma_resv_wait_timeout(inner->resv, dma_resv_usage_rw(dir != DMA_FROM_DEVICE),
					     true, MAX_SCHEDULE_TIMEOUT);
		if (left < 0)
			return left;
	}

	mutex_lock(&buffer->cpu);
	if (buffer->brackets < MAX_BRACKETS) {
		ret = coherence_cpu_begin(&buffer->coherence, 0, inner->size, cpu_mode(dir));
		buffer->brackets += !ret;
	} else {
		if (!buffer->unpaired)
			get_dma_buf(inner);
		buffer->unpaired = true;
		ret = 0;
	}
	mutex_unlock(&buffer->cpu);
	return ret ?: buffer_look(buffer);
}

int buffer_end_cpu(struct cached_buffer *buffer, enum dma_data_direction dir)
{
	mutex_lock(&buffer->cpu);
	if (coherence_cpu_end(&buffer->coherence, 0, buffer->inner->size, cpu_mode(dir)))
		buffer->brackets--;
	mutex_unlock(&buffer->cpu);
	return asks_exporter(buffer) ? dma_buf_end_cpu_access(buffer->inner, dir) : 0;
}
