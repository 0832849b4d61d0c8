/* SPDX-License-Identifier: MIT */
/*
 * videobuf2-v4l2.h - what the three allocators of videobuf2 see of a queue and its buffers
 *
 * Only the fields and operations they use, with Linux 6.12's names.  Who plays videobuf2's core
 * fills them in and calls the operations in the core's order: attach_dmabuf, map_dmabuf, prepare,
 * the device's access, finish, unmap_dmabuf, detach_dmabuf.
 */
#ifndef _MEDIA_VIDEOBUF2_V4L2_H
#define _MEDIA_VIDEOBUF2_V4L2_H

#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>

/* Set before the first buffer. */
struct vb2_queue {
	enum dma_data_direction dma_dir;
	gfp_t gfp_flags;
	unsigned long dma_attrs;
	unsigned int non_coherent_mem : 1;
};

struct vb2_buffer {
	struct vb2_queue *vb2_queue;

	/* Both are set for a buffer that was imported: its exporter keeps it coherent. */
	unsigned int skip_cache_sync_on_prepare : 1;
	unsigned int skip_cache_sync_on_finish : 1;
};

/* What an allocator offers; the pointers that alloc() and attach_dmabuf() return are its own. */
struct vb2_mem_ops {
	void *(*alloc)(struct vb2_buffer *vb, struct device *dev, unsigned long size);
	void (*put)(void *buf_priv);
	struct dma_buf *(*get_dmabuf)(struct vb2_buffer *vb, void *buf_priv, unsigned long flags);

	void *(*get_userptr)(struct vb2_buffer *vb, struct device *dev, unsigned long vaddr,
			     unsigned long size);
	void (*put_userptr)(void *buf_priv);

	void (*prepare)(void *buf_priv);
	void (*finish)(void *buf_priv);

	void *(*attach_dmabuf)(struct vb2_buffer *vb, struct device *dev, struct dma_buf *dbuf,
			       unsigned long size);
	void (*detach_dmabuf)(void *buf_priv);
	int (*map_dmabuf)(void *buf_priv);
	void (*unmap_dmabuf)(void *buf_priv);

	void *(*vaddr)(struct vb2_buffer *vb, void *buf_priv);
	void *(*cookie)(struct vb2_buffer *vb, void *buf_priv);
	unsigned int (*num_users)(void *buf_priv);
	int (*mmap)(void *buf_priv, struct vm_area_struct *vma);
};

#endif
