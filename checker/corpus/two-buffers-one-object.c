/* SPDX-License-Identifier: MIT */
/*
 * two-buffers-one-object.c - an exporter that makes a new dma-buf each time an object is exported
 *
 * Report: projectacrn/acrn-hypervisor#2237: EXPORT_FD called twice makes two dma_bufs of one memory
 * Wrong: each has a reservation of its own, so the fence that one importer adds is not seen by who
 *	waits at the other, and two CPU accesses that should exclude each other do not
 * Rule: an object has one dma_buf as long as anybody has it
 */
#include <linux/file.h>
#include <libdmabuf-check.h>

#include "pages.h"

/* A piece of graphics memory, which a program has a handle of. */
struct object {
	struct pages *pages;
	struct kref ref;        /* the handle, and each dma_buf */
	struct dma_buf *dmabuf; /* a reference, which the handle has once it was exported */
};

static void object_free(struct kref *ref)
{
	struct object *object = container_of(ref, struct object, ref);

	pages_free(object->pages);
	kfree(object);
}

static void object_release(struct dma_buf *dmabuf)
{
	struct object *object = ((struct pages *)dmabuf->priv)->own;

	kref_put(&object->ref, object_free);
}

static const struct dma_buf_ops object_ops = {
	PAGES_DEVICE_OPS,
	PAGES_CPU_OPS,
	.release = object_release,
};

static struct object *object_create(size_t bytes)
{
	struct object *object = kzalloc(sizeof(*object), GFP_KERNEL);

	if (!object)
		return ERR_PTR(-ENOMEM);
	object->pages = pages_alloc(bytes);
	if (IS_ERR(object->pages)) {
		struct pages *error = object->pages;

		kfree(object);
		return ERR_CAST(error);
	}
	object->pages->own = object;
	kref_init(&object->ref);
	return object;
}

/* The program closes its handle. */
static void object_close(struct object *object)
{
	if (object->dmabuf)
		dma_buf_put(object->dmabuf);
	kref_put(&object->ref, object_free);
}

/* EXPORT_FD */
static struct dma_buf *object_export(struct object *object)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

#ifdef FIXED
	if (object->dmabuf) {
		get_dma_buf(object->dmabuf);
		return object->dmabuf;
	}
#endif
	info.ops = &object_ops;
	info.size = object->pages->bytes;
	info.flags = O_RDWR;
	info.priv = object->pages;
	kref_get(&object->ref);
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf)) {
		kref_put(&object->ref, object_free);
		return dmabuf;
	}
#ifdef FIXED
	get_dma_buf(dmabuf);
	object->dmabuf = dmabuf;
#endif
	return dmabuf;
}

static int use(struct dma_buf *dmabuf, struct device *dev)
{
	struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, dev);
	struct sg_table *sgt;

	if (IS_ERR(attach))
		return PTR_ERR(attach);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	if (!IS_ERR(sgt))
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
	dma_buf_detach(dmabuf, attach);
	return PTR_ERR_OR_ZERO(sgt);
}

/* One program exports it for the display, another for the encoder. */
static int export_twice(struct device *dev, struct dma_buf *unused)
{
	struct object *object = object_create(PAGE_SIZE);
	struct dma_buf *display, *encoder;
	int ret;

	if (IS_ERR(object))
		return PTR_ERR(object);
	display = object_export(object);
	ret = PTR_ERR_OR_ZERO(display);
	if (ret)
		goto close_object;
	encoder = object_export(object);
	ret = PTR_ERR_OR_ZERO(encoder);
	if (ret)
		goto put_display;
	ret = use(display, dev);
	if (!ret)
		ret = use(encoder, dev);
	dma_buf_put(encoder);
put_display:
	dma_buf_put(display);
close_object:
	object_close(object);
	return ret;
}

DMABUF_CHECK({ .name = "two-buffers-one-object", .run = export_twice });
