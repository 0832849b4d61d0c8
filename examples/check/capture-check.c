/* SPDX-License-Identifier: MIT */
/* capture-check.c - an importer that is given a descriptor, for one job; it keeps nothing until the next */
#include "capture.c"
#include <libdmabuf-check.h>

static int check_open(struct check_import *import)
{
	return 0;
}

static int check_access(struct check_import *import)
{
	int fd = check_fd(import), ret;
	struct capture *capture = capture_queue(import->dev, fd, import->dir);

	check_fd_close(fd);
	if (IS_ERR(capture))
		return PTR_ERR(capture);
	ret = check_device_runs(import, capture->sgt);
	capture_done(capture);
	return ret;
}

static void check_close(struct check_import *import)
{
}

DMABUF_CHECK(
	{ .name = "capture", .open = check_open, .access = check_access, .close = check_close });
