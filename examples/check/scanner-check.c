/* SPDX-License-Identifier: MIT */
/* scanner-check.c - an importer whose device does the job, between start and done */
#include "scanner.c"
#include <libdmabuf-check.h>

static int check_open(struct check_import *import)
{
	import->own = scanner_open(import->dev, import->dmabuf, import->dir);
	return PTR_ERR_OR_ZERO(import->own);
}

static int check_access(struct check_import *import)
{
	struct sg_table *sgt = scanner_start(import->own);
	int ret = IS_ERR(sgt) ? PTR_ERR(sgt) : check_device_runs(import, sgt);

	if (!IS_ERR(sgt))
		scanner_done(import->own);
	return ret;
}

static void check_close(struct check_import *import)
{
	scanner_close(import->own);
}

DMABUF_CHECK(
	{ .name = "scanner", .open = check_open, .access = check_access, .close = check_close });
