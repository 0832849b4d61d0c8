/* SPDX-License-Identifier: MIT */
/*
 * import-undone-twice.c - an importer whose error path puts the object and then undoes its parts
 *
 * Report: amd/xdna-driver#852: "Fixing the gem_prime_import. Avoiding double free to avoid crash"
 * Wrong: the object's last put detaches and puts the buffer; the labels behind it do so again
 * Rule: only what was done is undone, once
 */
#include "importer.h"

struct object {
	struct importer base;
	void *pages;
};

static void object_put(struct object *object)
{
	importer_fini(&object->base);
	kfree(object->pages);
	kfree(object);
}

static int xdna_open(struct check_import *import)
{
	struct dma_buf_attachment *attach = dma_buf_attach(import->dmabuf, import->dev);
	struct object *object;
	int ret;

	if (IS_ERR(attach))
		return PTR_ERR(attach);
	get_dma_buf(import->dmabuf);
	object = kzalloc(sizeof(*object), GFP_KERNEL);
	if (!object) {
		ret = -ENOMEM;
		goto detach;
	}
	object->base.dmabuf = import->dmabuf;
	object->base.attach = attach;
	object->base.dir = import->dir;
	object->pages = kcalloc(16, sizeof(void *), GFP_KERNEL);
	if (!object->pages) {
		ret = -ENOMEM;
		object_put(object);
#ifdef FIXED
		return ret;
#else
		goto detach;
#endif
	}
	import->own = object;
	return 0;

detach:
	dma_buf_detach(import->dmabuf, attach);
	dma_buf_put(import->dmabuf);
	return ret;
}

static void xdna_close(struct check_import *import)
{
	object_put(import->own);
}

DMABUF_CHECK({ .name = "import-undone-twice",
	       .open = xdna_open,
	       .access = importer_job,
	       .close = xdna_close });
