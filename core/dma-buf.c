/* SPDX-License-Identifier: MIT */
/*
 * dma-buf.c - the buffer: export, descriptors, references, the CPU's accesses
 *
 * Invariants
 *   DB1  A buffer lives as long as its file; everything the core keeps of it ends in
 *        buffer_release().
 *   DB2  Under policy `cached` a CPU access is: what may be dirty is cleaned, the exporter is
 *        asked, the fences are waited for, the directory moves the bytes.  The exporter's op may
 *        invalidate behind the directory's back, so the clean comes first; the bytes are not
 *        touched before the fences have signalled, so the directory is last.
 *   DB3  Under policy `remap` it is what Linux does: the exporter's op, then the fences.
 *
 * Not here: attachments (attachment.c), what programs do with a descriptor (dma-buf-file.c).
 */
#include <linux/anon_inodes.h>
#include <linux/bug.h>
#include <linux/device.h>
#include <linux/file.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait.h>

#include <stdlib.h>

#include "buffer.h"
#include "event.h"
#include "locking.h"
#include "slot-set.h"

static LIST_HEAD(buffers);
static DEFINE_SPINLOCK(buffers_lock);
static DECLARE_WAIT_QUEUE_HEAD(visit_ended);

/* --- policy ----------------------------------------------------------------------------------- */

#define POLICY_UNSET -1
static int policy = POLICY_UNSET;

static const struct {
	const char *name;
	enum dma_buf_policy policy;
} policy_names[] = {
	{ "cached", DMA_BUF_POLICY_CACHED },
	{ "remap", DMA_BUF_POLICY_REMAP },
};

void dma_buf_set_policy(enum dma_buf_policy wanted)
{
	WRITE_ONCE(policy, wanted);
}

enum dma_buf_policy dma_buf_get_policy(void)
{
	const char *wanted;
	int now = READ_ONCE(policy), before;

	if (now != POLICY_UNSET)
		return now;

	now = DMA_BUF_POLICY_CACHED;
	wanted = getenv("DMABUF_POLICY");
	for (unsigned int i = 0; wanted && i <= ARRAY_SIZE(policy_names); i++) {
		if (i == ARRAY_SIZE(policy_names)) {
			pr_warn("dma-buf: DMABUF_POLICY=%s is neither cached nor remap; using "
				"cached\n",
				wanted);
			break;
		}
		if (!strcmp(wanted, policy_names[i].name)) {
			now = policy_names[i].policy;
			break;
		}
	}
	/* What somebody set meanwhile stands. */
	before = cmpxchg(&policy, POLICY_UNSET, now);
	return before == POLICY_UNSET ? now : before;
}

/* --- all buffers ------------------------------------------------------------------------------ */

struct buffer *buffer_visit_next(struct buffer *buffer)
{
	struct list_head *node;
	bool wake;

	spin_lock(&buffers_lock);
	node = buffer ? buffer->node.next : buffers.next;
	wake = buffer && !--buffer->visitors;
	buffer = node == &buffers ? NULL : list_entry(node, struct buffer, node);
	if (buffer)
		buffer->visitors++;
	spin_unlock(&buffers_lock);
	if (wake)
		wake_up_all(&visit_ended);
	return buffer;
}

static bool buffer_unlist(struct buffer *buffer)
{
	bool alone;

	spin_lock(&buffers_lock);
	alone = !buffer->visitors;
	if (alone)
		list_del(&buffer->node);
	spin_unlock(&buffers_lock);
	return alone;
}

/* --- export and release ----------------------------------------------------------------------- */

static void buffer_kernel_fence(struct dma_resv_watcher *watcher)
{
	slot_sets_kernel_fence(&container_of(watcher, struct buffer, watcher)->dmabuf);
}

int buffer_release(struct inode *inode, struct file *file)
{
	struct dma_buf *dmabuf = file->private_data;
	struct buffer *buffer = to_buffer(dmabuf);

	/* On the list until its sets have ended: a device that goes meanwhile must find them. */
	slot_sets_release(dmabuf);
	wait_event(visit_ended, buffer_unlist(buffer));
	WARN(!list_empty(&dmabuf->attachments), "dma-buf: released while attached\n");
	WARN(buffer->vmap.users, "dma-buf: released while vmapped\n");

	buffer_release_locks(buffer);
	dma_resv_lock(dmabuf->resv, NULL);
	dma_resv_unwatch(dmabuf->resv, &buffer->watcher);
	dma_resv_unlock(dmabuf->resv);

	event_tell(EVENT_RELEASE, dmabuf, NULL, 0, 0, 0);
	/* The last that is asked of the exporter's ops: they may go with the buffer. */
	buffer_exporter_fini(buffer);
	dmabuf->ops->release(dmabuf);
	coherence_fini(&buffer->coherence);
	mutex_destroy(&buffer->trust_lock);
	if (dmabuf->resv == &buffer->own_resv)
		dma_resv_fini(&buffer->own_resv);
	kfree(buffer);
	return 0;
}

static void device_gone(struct device *dev)
{
	slot_sets_device_gone(dev);
}

/* The core hears of devices that go from the first buffer on. */
static int watch_devices_once(void)
{
	static DEFINE_MUTEX(once_lock);
	static bool watching;
	int ret = 0;

	mutex_lock(&once_lock);
	if (!watching) {
		ret = host_device_gone_register(device_gone);
		watching = !ret;
	}
	mutex_unlock(&once_lock);
	return ret;
}

struct dma_buf *dma_buf_export(const struct dma_buf_export_info *info)
{
	struct buffer *buffer;
	struct file *file;
	int ret;

	if (WARN(!info || !info->priv || !info->ops || !info->ops->map_dma_buf ||
			 !info->ops->unmap_dma_buf || !info->ops->release,
		 "dma-buf: export without priv, map_dma_buf, unmap_dma_buf or release\n"))
		return ERR_PTR(-EINVAL);
	if (WARN(!info->ops->pin != !info->ops->unpin,
		 "dma-buf: export with one of pin and unpin\n"))
		return ERR_PTR(-EINVAL);
	if (WARN(info->ops->tells_moves && !info->ops->pin,
		 "dma-buf: export with tells_moves, but without pin\n"))
		return ERR_PTR(-EINVAL);
	if (info->resv && lock_rule(dma_buf_export, info->resv))
		return ERR_PTR(-EDEADLK);
	if (WARN(info->ops->cpu_maps_uncached && (info->ops->pin || !info->ops->tells_own_access),
		 "dma-buf: export with cpu_maps_uncached and pin, or without tells_own_access\n"))
		return ERR_PTR(-EINVAL);
	ret = watch_devices_once();
	if (ret)
		return ERR_PTR(ret);

	buffer = kzalloc_aligned(sizeof(*buffer), __alignof__(struct buffer), GFP_KERNEL);
	if (!buffer)
		return ERR_PTR(-ENOMEM);
	buffer->dmabuf = (struct dma_buf){
		.size = info->size,
		.ops = info->ops,
		.exp_name = info->exp_name,
		.owner = info->owner,
		.priv = info->priv,
		.resv = info->resv ?: &buffer->own_resv,
	};
	INIT_LIST_HEAD(&buffer->dmabuf.attachments);
	INIT_LIST_HEAD(&buffer->sets);
	INIT_LIST_HEAD(&buffer->fresh);
	INIT_LIST_HEAD(&buffer->dead);
	init_waitqueue_head(&buffer->unmapped);
	spin_lock_init(&buffer->pin_lock);
	buffer->policy = dma_buf_get_policy();
	if (info->ops->cpu_maps_uncached)
		coherence_init_uncached(&buffer->coherence, info->size);
	else
		coherence_init(&buffer->coherence, info->size);
	lockdep_set_class_and_name(&buffer->coherence.lock, NULL, "coherence.lock");
	ret = buffer_exporter_init(buffer);
	if (ret)
		goto undo_coherence;

	file = anon_inode_getfile("dmabuf", &dma_buf_fops, &buffer->dmabuf, info->flags);
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		goto undo_exporter;
	}
	buffer->dmabuf.file = file;
	buffer_file_init(buffer);

	if (!info->resv)
		dma_resv_init(&buffer->own_resv);
	buffer->watcher.kernel_fence = buffer_kernel_fence;
	dma_resv_lock(buffer->dmabuf.resv, NULL);
	dma_resv_watch(buffer->dmabuf.resv, &buffer->watcher);
	dma_resv_unlock(buffer->dmabuf.resv);

	spin_lock(&buffers_lock);
	list_add_tail(&buffer->node, &buffers);
	spin_unlock(&buffers_lock);
	event_tell(EVENT_EXPORT, &buffer->dmabuf, &buffer->coherence, info->size,
		   info->ops->cpu_maps_uncached ? COHERENCE_SET_M : COHERENCE_SET_C, 0);
	return &buffer->dmabuf;

undo_exporter:
	buffer_exporter_fini(buffer);
undo_coherence:
	coherence_fini(&buffer->coherence);
	kfree(buffer);
	return ERR_PTR(ret);
}

/* --- references ------------------------------------------------------------------------------- */

int dma_buf_fd(struct dma_buf *dmabuf, int flags)
{
	int fd;

	/* DIFFERS: Linux is silent. */
	if (WARN(!dmabuf, "dma-buf: a descriptor of no buffer\n"))
		return -EINVAL;
	/* Exporters pass the flags of the file, too. */
	fd = get_unused_fd_flags(flags & O_CLOEXEC);
	if (fd < 0)
		return fd;
	fd_install(fd, dmabuf->file);
	return fd;
}

struct dma_buf *dma_buf_get(int fd)
{
	struct file *file = fget(fd);

	if (!file)
		return ERR_PTR(-EBADF);
	if (file->f_op != &dma_buf_fops) {
		fput(file);
		return ERR_PTR(-EINVAL);
	}
	return file->private_data;
}

void dma_buf_put(struct dma_buf *dmabuf)
{
	if (WARN(!dmabuf, "dma-buf: put of no buffer\n"))
		return;
	if (!dma_resv_held(dmabuf->resv)) {
		fput(dmabuf->file);
		return;
	}
	/* The release takes the reservation, so where it is the caller's it comes later. */
	preempt_disable();
	fput(dmabuf->file);
	preempt_enable();
}

/* --- the CPU ---------------------------------------------------------------------------------- */

static unsigned int cpu_mode(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	return buffer_cpu_mode(to_buffer(dmabuf), dir == DMA_FROM_DEVICE ? COHERENCE_READ
						  : dir == DMA_TO_DEVICE
							  ? COHERENCE_WRITE
							  : COHERENCE_READ | COHERENCE_WRITE);
}

/* Does the exporter's op do more than the directory does better? */
static bool asks_exporter(struct dma_buf *dmabuf)
{
	return to_buffer(dmabuf)->policy == DMA_BUF_POLICY_REMAP ||
	       !dmabuf->ops->cpu_access_only_syncs;
}

static bool bad_range(struct dma_buf *dmabuf, size_t offset, size_t len)
{
	return offset > dmabuf->size || len > dmabuf->size - offset;
}

int dma_buf_begin_cpu_access_partial(struct dma_buf *dmabuf, enum dma_data_direction dir,
				     size_t offset, size_t len)
{
	bool cached, ask;
	long left;
	int ret;

	if (WARN(!dmabuf || (unsigned int)dir >= DMA_NONE,
		 "dma-buf: begin_cpu_access without a buffer or a direction\n"))
		return -EINVAL;
	if (WARN(bad_range(dmabuf, offset, len), "dma-buf: begin_cpu_access outside the buffer\n"))
		return -EINVAL;
	might_sleep();
	if (lock_rule(dma_buf_begin_cpu_access_partial, dmabuf->resv))
		return -EDEADLK;

	cached = to_buffer(dmabuf)->policy == DMA_BUF_POLICY_CACHED;
	ask = asks_exporter(dmabuf);
	if (ask && dmabuf->ops->begin_cpu_access) {
		if (cached) {
			coherence_settle_idle(&to_buffer(dmabuf)->coherence, false);
			coherence_cpu_flush(&to_buffer(dmabuf)->coherence);
		}
		ret = dmabuf->ops->begin_cpu_access(dmabuf, dir);
		if (ret)
			return ret;
	}
	left = dma_resv_wait_timeout(dmabuf->resv, dma_resv_usage_rw(dir != DMA_FROM_DEVICE), true,
				     MAX_SCHEDULE_TIMEOUT);
	if (left < 0) {
		ret = left;
		goto end_exporter;
	}
	if (cached) {
		ret = coherence_cpu_begin(&to_buffer(dmabuf)->coherence, offset, len,
					  cpu_mode(dmabuf, dir));
		if (ret)
			goto end_exporter;
	}
	event_tell(EVENT_CPU_BEGIN, dmabuf, NULL, offset, len, dir);
	return 0;

end_exporter:
	/* DIFFERS: Linux leaves the exporter's begun. */
	if (ask && dmabuf->ops->end_cpu_access)
		dmabuf->ops->end_cpu_access(dmabuf, dir);
	return ret;
}

int dma_buf_end_cpu_access_partial(struct dma_buf *dmabuf, enum dma_data_direction dir,
				   size_t offset, size_t len)
{
	bool cached;
	int ret = 0;

	if (WARN(!dmabuf || (unsigned int)dir >= DMA_NONE,
		 "dma-buf: end_cpu_access without a buffer or a direction\n"))
		return -EINVAL;
	if (WARN(bad_range(dmabuf, offset, len), "dma-buf: end_cpu_access outside the buffer\n"))
		return -EINVAL;
	might_sleep();
	if (lock_rule(dma_buf_end_cpu_access_partial, dmabuf->resv))
		return -EDEADLK;

	cached = to_buffer(dmabuf)->policy == DMA_BUF_POLICY_CACHED;
	if (cached)
		coherence_cpu_end(&to_buffer(dmabuf)->coherence, offset, len,
				  cpu_mode(dmabuf, dir));
	if (asks_exporter(dmabuf) && dmabuf->ops->end_cpu_access) {
		if (cached)
			coherence_settle_idle(&to_buffer(dmabuf)->coherence, true);
		ret = dmabuf->ops->end_cpu_access(dmabuf, dir);
	}
	event_tell(EVENT_CPU_END, dmabuf, NULL, offset, len, dir);
	return ret;
}

int dma_buf_begin_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	return dma_buf_begin_cpu_access_partial(dmabuf, dir, 0, dmabuf ? dmabuf->size : 0);
}

int dma_buf_end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	return dma_buf_end_cpu_access_partial(dmabuf, dir, 0, dmabuf ? dmabuf->size : 0);
}
