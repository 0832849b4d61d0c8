/* SPDX-License-Identifier: MIT */
/* shmem_fs.h - with a file's pages, beside <linux/shmem_fs.h> */
#ifndef UPSTREAM_SHMEM_FS_H
#define UPSTREAM_SHMEM_FS_H

#include_next <linux/shmem_fs.h>

#include <linux/pagemap.h>

#endif
