/* SPDX-License-Identifier: MIT */
/*
 * wrap.c - see wrap.h
 */
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "set.h"
#include "wrap.h"

struct wrap {
	struct dma_buf_ops ops; /* immutable, as are the next three */
	struct cached_buffer *buffer;
	struct dma_buf *dmabuf;
	bool dynamic;
	struct list_head node; /* in buffer.wraps, guarded by buffers_lock */
};

static struct cached_buffer *to_buffer(const struct dma_buf *dmabuf)
{
	const struct wrap *wrap = dmabuf->priv;

	return wrap->buffer;
}

/* --- importers -------------------------------------------------------------------------------- */

static int wrap_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct wrap *wrap = dmabuf->priv;
	bool peer2peer = attach->peer2peer;
	struct borrower *borrower;

	if (wrap->dynamic != !!attach->importer_ops)
		return -EOPNOTSUPP;
	borrower = set_borrow(wrap->buffer, attach->dev, wrap->dynamic, &peer2peer);
	if (IS_ERR(borrower))
		return PTR_ERR(borrower);
	attach->peer2peer = peer2peer;
	attach->priv = borrower;
	if (wrap->dynamic)
		set_tell(borrower, attach);
	return 0;
}

static void wrap_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	const struct wrap *wrap = dmabuf->priv;

	if (wrap->dynamic)
		set_tell(attach->priv, NULL);
	set_return(attach->priv);
}

static struct sg_table *wrap_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	return set_map(attach->priv, dir);
}

static void wrap_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		       enum dma_data_direction dir)
{
	set_unmap(attach->priv, sgt, dir);
}

static int wrap_pin(struct dma_buf_attachment *attach)
{
	return set_pin(attach->priv);
}

static void wrap_unpin(struct dma_buf_attachment *attach)
{
	set_unpin(attach->priv);
}

/* --- the CPU ---------------------------------------------------------------------------------- */

static int wrap_begin_cpu(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	return buffer_begin_cpu(to_buffer(dmabuf), dir);
}

static int wrap_end_cpu(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	return buffer_end_cpu(to_buffer(dmabuf), dir);
}

/* The mapping becomes the inner file's, so an exporter that zaps mappings finds it there. */
static int wrap_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct cached_buffer *buffer = to_buffer(dmabuf);
	int ret = dma_buf_mmap(buffer->inner, vma, vma->vm_pgoff);

	return ret ?: buffer_look(buffer);
}

/* Nobody says what he does through it, for as long as he has it (BU2). */
static int wrap_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct cached_buffer *buffer = to_buffer(dmabuf);
	int ret = dma_buf_vmap(buffer->inner, map);

	if (ret)
		return ret;
	get_dma_buf(buffer->inner);
	ret = buffer_look(buffer);
	if (ret) {
		dma_buf_put(buffer->inner);
		dma_buf_vunmap(buffer->inner, map);
	}
	return ret;
}

static void wrap_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct cached_buffer *buffer = to_buffer(dmabuf);

	dma_buf_vunmap(buffer->inner, map);
	dma_buf_put(buffer->inner);
	buffer_look(buffer);
}

/* --- a wrap's life ---------------------------------------------------------------------------- */

static void wrap_release(struct dma_buf *dmabuf)
{
	struct wrap *wrap = dmabuf->priv;

	mutex_lock(&buffers_lock);
	list_del(&wrap->node);
	mutex_unlock(&buffers_lock);
	buffer_put(wrap->buffer);
	kfree(wrap);
}

struct cached_buffer *wrap_buffer(const struct dma_buf *dmabuf)
{
	return dmabuf->ops->release == wrap_release ? to_buffer(dmabuf) : NULL;
}

/* A file whose last reference has gone is on the list until its release. */
static struct dma_buf *wrap_find(struct cached_buffer *buffer, bool dynamic)
{
	struct wrap *wrap;

	list_for_each_entry(wrap, &buffer->wraps, node)
		if (wrap->dynamic == dynamic && get_file_active(&wrap->dmabuf->file))
			return wrap->dmabuf;
	return NULL;
}

/* Consumes a reference to @buffer when it returns no error. */
static struct dma_buf *wrap_create(struct cached_buffer *buffer, bool dynamic)
{
	struct wrap *wrap = kzalloc(sizeof(*wrap), GFP_KERNEL_ACCOUNT);
	const struct dma_buf_ops *inner = buffer->inner->ops;
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	if (!wrap)
		return ERR_PTR(-ENOMEM);
	wrap->ops = (struct dma_buf_ops){
		.attach = wrap_attach,
		.detach = wrap_detach,
		.pin = dynamic ? wrap_pin : NULL,
		.unpin = dynamic ? wrap_unpin : NULL,
		.map_dma_buf = wrap_map,
		.unmap_dma_buf = wrap_unmap,
		.begin_cpu_access = wrap_begin_cpu,
		.end_cpu_access = wrap_end_cpu,
		.mmap = inner->mmap ? wrap_mmap : NULL,
		.vmap = inner->vmap ? wrap_vmap : NULL,
		.vunmap = inner->vmap ? wrap_vunmap : NULL,
		.release = wrap_release,
	};
	wrap->buffer = buffer;
	wrap->dynamic = dynamic;

	info.exp_name = buffer->inner->exp_name;
	info.ops = &wrap->ops;
	info.size = buffer->inner->size;
	/* A dma-buf has one file, so all its descriptors have one mode. */
	info.flags = buffer->inner->file->f_flags & O_ACCMODE;
	info.resv = buffer->inner->resv;
	info.priv = wrap;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf)) {
		kfree(wrap);
		return dmabuf;
	}
	wrap->dmabuf = dmabuf;
	list_add(&wrap->node, &buffer->wraps);
	return dmabuf;
}

struct dma_buf *wrap_get(struct dma_buf *dmabuf, bool dynamic)
{
	struct cached_buffer *outer = wrap_buffer(dmabuf), *buffer;
	struct dma_buf *wrapped;
	bool consumed = false;

	mutex_lock(&buffers_lock);
	buffer = buffer_find(outer ? outer->inner : dmabuf);
	if (IS_ERR(buffer)) {
		wrapped = ERR_CAST(buffer);
		goto unlock;
	}
	wrapped = wrap_find(buffer, dynamic);
	if (!wrapped) {
		wrapped = wrap_create(buffer, dynamic);
		consumed = !IS_ERR(wrapped);
	}
unlock:
	mutex_unlock(&buffers_lock);
	if (!IS_ERR(buffer) && !consumed)
		buffer_put(buffer);
	return wrapped;
}
