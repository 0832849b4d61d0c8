/* SPDX-License-Identifier: MIT */
/* fs.h - a driver hands a mapping on to another file, beside <linux/fs.h> */
#ifndef UPSTREAM_FS_H
#define UPSTREAM_FS_H

#include_next <linux/fs.h>

#include <linux/mm.h>

static inline int call_mmap(struct file *file, struct vm_area_struct *vma)
{
	return file->f_op->mmap(file, vma);
}

#endif
