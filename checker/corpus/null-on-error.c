/* SPDX-License-Identifier: MIT */
/*
 * null-on-error.c - an importer whose error path looks into what could not be allocated
 *
 * Report: raspberrypi/linux#2752: vcsm, "Fix an NULL dereference in the import_dmabuf error path"
 * Wrong: `error:` takes the resource apart, also when there is none
 * Rule: an error path undoes what was done
 */
#include "importer.h"

static int vcsm_open(struct check_import *import)
{
	struct importer *importer = NULL;
	struct dma_buf_attachment *attach;
	int ret;

	get_dma_buf(import->dmabuf);
	attach = dma_buf_attach(import->dmabuf, import->dev);
	if (IS_ERR(attach)) {
		ret = PTR_ERR(attach);
		goto put_buffer;
	}
	importer = kzalloc(sizeof(*importer), GFP_KERNEL);
	if (!importer) {
		ret = -ENOMEM;
		goto detach;
	}
	importer->dmabuf = import->dmabuf;
	importer->attach = attach;
	importer->dir = import->dir;
	import->own = importer;
	return 0;

detach:
#ifdef FIXED
	dma_buf_detach(import->dmabuf, attach);
#else
	dma_buf_detach(importer->dmabuf, importer->attach);
#endif
put_buffer:
	dma_buf_put(import->dmabuf);
	return ret;
}

DMABUF_CHECK({ .name = "null-on-error",
	       .open = vcsm_open,
	       .access = importer_job,
	       .close = importer_close });
