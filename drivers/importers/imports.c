/* SPDX-License-Identifier: MIT */
/*
 * imports.c - the buffers a device has been given
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/slab.h>

#include "drivers/importers/imports.h"

void imports_init(struct imports *imports, struct device *dev, const struct dma_buf_attach_ops *ops)
{
	imports->dev = dev;
	imports->ops = ops;
	INIT_LIST_HEAD(&imports->list);
}

static struct import *import_find(struct imports *imports, struct dma_buf *dmabuf)
{
	struct import *import;

	list_for_each_entry(import, &imports->list, node) {
		if (import->dmabuf == dmabuf)
			return import;
	}
	return NULL;
}

struct import *imports_get(struct imports *imports, struct dma_buf *dmabuf)
{
	struct import *import = import_find(imports, dmabuf);
	struct dma_buf_attachment *attach;

	if (import)
		return import;
	import = kzalloc(sizeof(*import), GFP_KERNEL);
	if (!import)
		return ERR_PTR(-ENOMEM);
	if (imports->ops)
		attach = dma_buf_dynamic_attach(dmabuf, imports->dev, imports->ops, import);
	else
		attach = dma_buf_attach(dmabuf, imports->dev);
	if (IS_ERR(attach)) {
		kfree(import);
		return ERR_CAST(attach);
	}
	get_dma_buf(dmabuf);
	import->dmabuf = dmabuf;
	import->attach = attach;
	list_add_tail(&import->node, &imports->list);
	return import;
}

void imports_unmap_kept(struct imports *imports, enum dma_data_direction dir)
{
	struct import *import;

	list_for_each_entry(import, &imports->list, node) {
		if (!import->kept)
			continue;
		dma_buf_unmap_attachment_unlocked(import->attach, import->kept, dir);
		import->kept = NULL;
	}
}

void imports_drop(struct imports *imports)
{
	struct import *import, *next;

	list_for_each_entry_safe(import, next, &imports->list, node) {
		WARN(import->kept, "imports: a kept mapping is unmapped before its detach");
		list_del(&import->node);
		dma_buf_detach(import->dmabuf, import->attach);
		dma_buf_put(import->dmabuf);
		kfree(import);
	}
}
