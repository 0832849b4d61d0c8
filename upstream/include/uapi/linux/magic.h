/* SPDX-License-Identifier: MIT */
/* magic.h - what statfs() calls the filesystem of buffers */
#ifndef _UAPI_LINUX_MAGIC_H
#define _UAPI_LINUX_MAGIC_H

#define DMA_BUF_MAGIC 0x444d4142 /* "DMAB" */

#endif
