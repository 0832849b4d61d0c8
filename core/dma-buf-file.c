/* SPDX-License-Identifier: MIT */
/*
 * dma-buf-file.c - the buffer as a file: what a program does with its descriptor
 *
 * Invariants
 *   DF1  Under policy `cached` an access of the CPU is open for as long as there is a mapping whose
 *        program has not bracketed since it was made: devices then sync as fresh mappings would.
 *        Each mmap() opens it, the first SYNC ends it, and so does the last munmap().
 *   DF2  buffer.unbracketed is what is open for that, 0 for nothing.
 *   DF3  An armed poll slot owns a reference of the file and of the fence it hangs on.
 *
 * Trust is per buffer and address space, and a process has one address space: one record a buffer.
 * SYNC cannot say which mapping it means, so a program that brackets once and later forgets is on
 * its own; only one that never brackets is promised fresh mapping's bytes.
 *
 * Deliberately not here: sync_files (dma-buf-sync-file.h).
 */
#include <linux/bug.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/poll.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "buffer.h"
#include "dma-buf-sync-file.h"
#include "event.h"
#include "locking.h"

/* --- programs that do not bracket ------------------------------------------------------------- */

static unsigned int vma_mode(const struct vm_area_struct *vma)
{
	const unsigned long writable = VM_SHARED | VM_MAYWRITE;

	return (vma->vm_flags & writable) == writable ? COHERENCE_READ | COHERENCE_WRITE
						      : COHERENCE_READ;
}

/* Caller holds trust_lock. */
static void trust(struct buffer *buffer)
{
	if (buffer->unbracketed)
		coherence_cpu_end(&buffer->coherence, 0, buffer->dmabuf.size,
				  buffer_cpu_mode(buffer, buffer->unbracketed | COHERENCE_KEPT));
	WRITE_ONCE(buffer->unbracketed, 0);
}

static void program_brackets(struct buffer *buffer)
{
	if (!READ_ONCE(buffer->unbracketed))
		return;
	mutex_lock(&buffer->trust_lock);
	trust(buffer);
	mutex_unlock(&buffer->trust_lock);
}

static int program_maps(struct buffer *buffer, unsigned int mode)
{
	unsigned int wanted;
	int ret = 0;

	mutex_lock(&buffer->trust_lock);
	wanted = buffer->unbracketed | mode;
	if (wanted != buffer->unbracketed)
		ret = coherence_cpu_begin(&buffer->coherence, 0, buffer->dmabuf.size,
					  buffer_cpu_mode(buffer, wanted | COHERENCE_KEPT));
	if (!ret) {
		if (wanted != buffer->unbracketed)
			trust(buffer);
		WRITE_ONCE(buffer->unbracketed, wanted);
		buffer->mappings++;
	}
	mutex_unlock(&buffer->trust_lock);
	return ret;
}

static void program_unmaps(struct buffer *buffer)
{
	mutex_lock(&buffer->trust_lock);
	if (!--buffer->mappings)
		trust(buffer);
	mutex_unlock(&buffer->trust_lock);
}

/* --- mmap ------------------------------------------------------------------------------------- */

/* One for each mmap(); vm_ops of its pieces point into it. */
struct cpu_mapping {
	/* constant from ->mmap() on */
	struct vm_operations_struct ops; /* the exporter's, but for open and close */
	const struct vm_operations_struct *exporter;
	struct buffer *buffer;

	/* guarded by what vm_ops run under */
	unsigned int pieces;
};

static const struct vm_operations_struct no_vm_ops;

static struct cpu_mapping *mapping_of(const struct vm_area_struct *vma)
{
	return (struct cpu_mapping *)container_of(vma->vm_ops, struct cpu_mapping, ops);
}

static void mapping_open(struct vm_area_struct *vma)
{
	struct cpu_mapping *mapping = mapping_of(vma);

	mapping->pieces++;
	if (mapping->exporter->open)
		mapping->exporter->open(vma);
}

static void mapping_close(struct vm_area_struct *vma)
{
	struct cpu_mapping *mapping = mapping_of(vma);

	if (mapping->exporter->close)
		mapping->exporter->close(vma);
	if (--mapping->pieces)
		return;
	program_unmaps(mapping->buffer);
	kfree(mapping);
}

static int mapping_create(struct buffer *buffer, struct vm_area_struct *vma)
{
	struct dma_buf *dmabuf = &buffer->dmabuf;
	struct cpu_mapping *mapping;
	int ret;

	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL);
	if (!mapping)
		return -ENOMEM;
	ret = program_maps(buffer, vma_mode(vma));
	if (ret)
		goto free_mapping;
	ret = dmabuf->ops->mmap(dmabuf, vma);
	if (ret)
		goto forget_program;
	mapping->exporter = vma->vm_ops ?: &no_vm_ops;
	mapping->ops = *mapping->exporter;
	mapping->ops.open = mapping_open;
	mapping->ops.close = mapping_close;
	mapping->buffer = buffer;
	mapping->pieces = 1;
	vma->vm_ops = &mapping->ops;
	return 0;

forget_program:
	program_unmaps(buffer);
free_mapping:
	kfree(mapping);
	return ret;
}

/* The range has been checked against overflow. */
static int buffer_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct buffer *buffer = to_buffer(dmabuf);

	if (!dmabuf->ops->mmap)
		return -EINVAL;
	if (vma->vm_pgoff + vma_pages(vma) > dmabuf->size >> PAGE_SHIFT)
		return -EINVAL;
	if (buffer->policy != DMA_BUF_POLICY_CACHED)
		return dmabuf->ops->mmap(dmabuf, vma);
	return mapping_create(buffer, vma);
}

static int file_mmap(struct file *file, struct vm_area_struct *vma)
{
	return buffer_mmap(file->private_data, vma);
}

int dma_buf_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma, unsigned long pgoff)
{
	unsigned long end;

	if (WARN(!dmabuf || !vma, "dma-buf: mmap without a buffer or a vma\n"))
		return -EINVAL;
	might_sleep();
	if (lock_rule(dma_buf_mmap, dmabuf->resv))
		return -EDEADLK;
	if (!dmabuf->ops->mmap)
		return -EINVAL;
	if (check_add_overflow(pgoff, vma_pages(vma), &end))
		return -EOVERFLOW;
	if (end > dmabuf->size >> PAGE_SHIFT)
		return -EINVAL;
	vma_set_file(vma, dmabuf->file);
	vma->vm_pgoff = pgoff;
	return buffer_mmap(dmabuf, vma);
}

/* --- poll ------------------------------------------------------------------------------------- */

/* Under fence->lock: the file's last reference is put from a work item. */
static void poll_signaled(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct poll_slot *slot = container_of(cb, struct poll_slot, cb);
	struct buffer *buffer = slot->buffer;
	unsigned long flags;

	spin_lock_irqsave(&buffer->poll_lock, flags);
	slot->armed = false;
	spin_unlock_irqrestore(&buffer->poll_lock, flags);
	wake_up_poll(&buffer->poll, slot->event);
	dma_fence_put(fence);
	fput(buffer->dmabuf.file);
}

/* Returns true when the slot was free and is the caller's to arm. */
static bool poll_slot_take(struct poll_slot *slot)
{
	unsigned long flags;
	bool taken;

	spin_lock_irqsave(&slot->buffer->poll_lock, flags);
	taken = !slot->armed;
	slot->armed = true;
	spin_unlock_irqrestore(&slot->buffer->poll_lock, flags);
	return taken;
}

/* Hang the slot on one unsignaled fence of @usage. Returns false when there is none. */
static bool poll_slot_arm(struct poll_slot *slot, enum dma_resv_usage usage)
{
	struct dma_buf *dmabuf = &slot->buffer->dmabuf;
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned long flags;

	get_file(dmabuf->file);
	dma_resv_iter_begin(&cursor, dmabuf->resv, usage);
	dma_resv_for_each_fence_unlocked(&cursor, fence) {
		dma_fence_get(fence);
		if (!dma_fence_add_callback(fence, &slot->cb, poll_signaled)) {
			dma_resv_iter_end(&cursor);
			return true;
		}
		dma_fence_put(fence);
	}
	dma_resv_iter_end(&cursor);

	spin_lock_irqsave(&slot->buffer->poll_lock, flags);
	slot->armed = false;
	spin_unlock_irqrestore(&slot->buffer->poll_lock, flags);
	/* Who found it armed meanwhile sleeps for a callback that does not come. */
	wake_up_poll(&slot->buffer->poll, slot->event);
	fput(dmabuf->file);
	return false;
}

static __poll_t poll_slot_ready(struct poll_slot *slot)
{
	enum dma_resv_usage usage = dma_resv_usage_rw(slot->event == EPOLLOUT);

	/* DIFFERS: asked first, so a fence that has been replaced since keeps nobody waiting. */
	if (dma_resv_test_signaled(slot->buffer->dmabuf.resv, usage))
		return slot->event;
	if (!poll_slot_take(slot))
		return 0;
	return poll_slot_arm(slot, usage) ? 0 : slot->event;
}

static __poll_t file_poll(struct file *file, poll_table *table)
{
	struct buffer *buffer = to_buffer(file->private_data);
	__poll_t wanted = poll_requested_events(table), ready = 0;

	poll_wait(file, &buffer->poll, table);
	if (wanted & EPOLLIN)
		ready |= poll_slot_ready(&buffer->poll_in);
	if (wanted & EPOLLOUT)
		ready |= poll_slot_ready(&buffer->poll_out);
	return ready;
}

/* --- ioctl ------------------------------------------------------------------------------------ */

static long file_sync(struct dma_buf *dmabuf, const void __user *arg)
{
	enum dma_data_direction dir;
	struct dma_buf_sync sync;
	int ret;

	if (copy_from_user(&sync, arg, sizeof(sync)))
		return -EFAULT;
	if (sync.flags & ~(__u64)DMA_BUF_SYNC_VALID_FLAGS_MASK)
		return -EINVAL;
	switch (sync.flags & DMA_BUF_SYNC_RW) {
	case DMA_BUF_SYNC_READ:
		dir = DMA_FROM_DEVICE;
		break;
	case DMA_BUF_SYNC_WRITE:
		dir = DMA_TO_DEVICE;
		break;
	case DMA_BUF_SYNC_RW:
		dir = DMA_BIDIRECTIONAL;
		break;
	default:
		return -EINVAL;
	}
	if (sync.flags & DMA_BUF_SYNC_END) {
		program_brackets(to_buffer(dmabuf));
		return dma_buf_end_cpu_access(dmabuf, dir);
	}
	ret = dma_buf_begin_cpu_access(dmabuf, dir);
	if (!ret)
		program_brackets(to_buffer(dmabuf));
	return ret;
}

static long file_set_name(struct buffer *buffer, const char __user *arg)
{
	char *name = strndup_user(arg, DMA_BUF_NAME_LEN);

	if (IS_ERR(name))
		return PTR_ERR(name);
	spin_lock(&buffer->name_lock);
	strscpy(buffer->name, name, sizeof(buffer->name));
	buffer->named = true;
	event_tell(EVENT_NAME, &buffer->dmabuf, buffer->name, 0, 0, 0);
	spin_unlock(&buffer->name_lock);
	kfree(name);
	return 0;
}

static long file_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct dma_buf *dmabuf = file->private_data;

	switch (cmd) {
	case DMA_BUF_IOCTL_SYNC:
		return file_sync(dmabuf, (const void __user *)arg);
	case DMA_BUF_SET_NAME_A:
	case DMA_BUF_SET_NAME_B:
		return file_set_name(to_buffer(dmabuf), (const char __user *)arg);
	case DMA_BUF_IOCTL_EXPORT_SYNC_FILE:
		return dma_buf_export_sync_file(dmabuf,
						(struct dma_buf_export_sync_file __user *)arg);
	case DMA_BUF_IOCTL_IMPORT_SYNC_FILE:
		return dma_buf_import_sync_file(
			dmabuf, (const struct dma_buf_import_sync_file __user *)arg);
	default:
		return -ENOTTY;
	}
}

/* --- the rest --------------------------------------------------------------------------------- */

/* Only to ask for the size: there is no position. */
static loff_t file_llseek(struct file *file, loff_t offset, int whence)
{
	struct dma_buf *dmabuf = file->private_data;

	if (offset || (whence != SEEK_SET && whence != SEEK_END))
		return -EINVAL;
	return whence == SEEK_END ? (loff_t)dmabuf->size : 0;
}

static void file_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct dma_buf *dmabuf = file->private_data;
	struct buffer *buffer = to_buffer(dmabuf);
	char name[DMA_BUF_NAME_LEN];
	bool named;

	spin_lock(&buffer->name_lock);
	memcpy(name, buffer->name, sizeof(name));
	named = buffer->named;
	spin_unlock(&buffer->name_lock);

	seq_printf(m, "size:\t%zu\n", dmabuf->size);
	/* Whoever asks holds one of them. */
	seq_printf(m, "count:\t%ld\n", file_count(file) - 1);
	seq_printf(m, "exp_name:\t%s\n", dmabuf->exp_name);
	if (named)
		seq_printf(m, "name:\t%s\n", name);
}

const struct file_operations dma_buf_fops = {
	.release = buffer_release,
	.mmap = file_mmap,
	.llseek = file_llseek,
	.poll = file_poll,
	.unlocked_ioctl = file_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = file_show_fdinfo,
};

void buffer_file_init(struct buffer *buffer)
{
	mutex_init(&buffer->trust_lock);
	init_waitqueue_head(&buffer->poll);
	spin_lock_init(&buffer->poll_lock);
	buffer->poll_in = (struct poll_slot){ .event = EPOLLIN, .buffer = buffer };
	buffer->poll_out = (struct poll_slot){ .event = EPOLLOUT, .buffer = buffer };
	spin_lock_init(&buffer->name_lock);
	i_size_write(file_inode(buffer->dmabuf.file), buffer->dmabuf.size);
}
