/* SPDX-License-Identifier: MIT */
/*
 * missing-detach.c - an importer that frees what it imported without detaching
 *
 * Report: raspberrypi/linux#3946, #4277: vc-sm-cma, "Fix memory leak from not detaching dmabuf"
 * Wrong: each import leaks its attachment and table; bufinfo showed more than 2000 attached devices
 *	(raspberrypi/linux#3519)
 * Rule: each attach has its detach, before the last reference goes
 */
#include "importer.h"

static void vcsm_close(struct check_import *import)
{
	struct importer *importer = import->own;

#ifdef FIXED
	dma_buf_detach(importer->dmabuf, importer->attach);
#endif
	dma_buf_put(importer->dmabuf);
	kfree(importer);
}

DMABUF_CHECK({ .name = "missing-detach",
	       .open = importer_open,
	       .access = importer_job,
	       .close = vcsm_close });
