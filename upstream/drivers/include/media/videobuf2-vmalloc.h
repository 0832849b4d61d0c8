/* SPDX-License-Identifier: MIT */
/* videobuf2-vmalloc.h - videobuf2's allocator for devices whose driver copies: the CPU's addresses only */
#ifndef _MEDIA_VIDEOBUF2_VMALLOC_H
#define _MEDIA_VIDEOBUF2_VMALLOC_H

#include <media/videobuf2-v4l2.h>

extern const struct vb2_mem_ops vb2_vmalloc_memops;

#endif
