/* SPDX-License-Identifier: MIT */
/* watch-exporter.c - what exporters call; see watch.h */
#include "checker/check/watch-files.h"
#include "checker/check/watch.h"

REAL(dma_buf_export);
REAL(dma_buf_fd);
REAL(dma_buf_mmap);
REAL(dma_buf_move_notify);

struct dma_buf *dma_buf_export(const struct dma_buf_export_info *info)
{
	bool fine = watch_lock_resv(__func__, info ? info->resv : NULL);
	struct dma_buf *dmabuf = real_dma_buf_export(info);

	watch_done(fine);
	return dmabuf;
}

int dma_buf_fd(struct dma_buf *dmabuf, int flags)
{
	bool fine = watch_lock(__func__, dmabuf);
	int fd = real_dma_buf_fd(dmabuf, flags);

	watch_done(fine);
	watch_file_made(fd);
	return fd;
}

int dma_buf_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma, unsigned long pgoff)
{
	bool fine = watch_lock(__func__, dmabuf);
	int ret = real_dma_buf_mmap(dmabuf, vma, pgoff);

	watch_done(fine);
	return ret;
}

void dma_buf_move_notify(struct dma_buf *dmabuf)
{
	bool fine = watch_lock(__func__, dmabuf);

	real_dma_buf_move_notify(dmabuf);
	watch_done(fine);
}
