/* SPDX-License-Identifier: MIT */
/* overlay-check.c - a driver whose CPU reads a buffer; it keeps nothing from one job to the next */
#include "overlay.c"
#include <libdmabuf-check.h>

static int check_open(struct check_import *import)
{
	return 0;
}

static int check_access(struct check_import *import)
{
	void *vaddr = overlay_begin(import->dmabuf);

	if (IS_ERR(vaddr))
		return PTR_ERR(vaddr);
	check_cpu_copies(import, vaddr);
	return overlay_end(import->dmabuf, vaddr);
}

static void check_close(struct check_import *import)
{
}

DMABUF_CHECK({ .name = "overlay",
	       .dirs = CHECK_DIR(DMA_TO_DEVICE),
	       .open = check_open,
	       .access = check_access,
	       .close = check_close });
