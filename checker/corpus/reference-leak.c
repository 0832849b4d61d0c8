/* SPDX-License-Identifier: MIT */
/*
 * reference-leak.c - an importer that keeps a reference when the import fails
 *
 * Report: NVIDIA/NV-Kernels#584, Linux commit dba4254e216d "iommufd/selftest: Fix dmabuf leak in
 *	iommufd_test_dmabuf_get()"
 * Wrong: dma_buf_get() succeeds, a later check fails and returns; the buffer lives for ever
 * Rule: each reference is dropped once
 */
#include "importer.h"

static int iommu_open(struct check_import *import)
{
	struct importer *importer;
	int ret;

	get_dma_buf(import->dmabuf);
	importer = kzalloc(sizeof(*importer), GFP_KERNEL);
	if (!importer) {
		ret = -ENOMEM;
		goto put_buffer;
	}
	importer->attach = dma_buf_attach(import->dmabuf, import->dev);
	if (IS_ERR(importer->attach)) {
		ret = PTR_ERR(importer->attach);
		kfree(importer);
#ifdef FIXED
		goto put_buffer;
#else
		return ret;
#endif
	}
	importer->dmabuf = import->dmabuf;
	importer->dir = import->dir;
	import->own = importer;
	return 0;

put_buffer:
	dma_buf_put(import->dmabuf);
	return ret;
}

DMABUF_CHECK({ .name = "reference-leak",
	       .open = iommu_open,
	       .access = importer_job,
	       .close = importer_close });
