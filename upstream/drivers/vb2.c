/* SPDX-License-Identifier: MIT */
/* vb2.c - what videobuf2's allocators share: a mapping's reference of a buffer */
#include <media/videobuf2-memops.h>

static void vb2_vm_open(struct vm_area_struct *vma)
{
	struct vb2_vmarea_handler *handler = vma->vm_private_data;

	refcount_inc(handler->refcount);
}

static void vb2_vm_close(struct vm_area_struct *vma)
{
	struct vb2_vmarea_handler *handler = vma->vm_private_data;

	handler->put(handler->arg);
}

const struct vm_operations_struct vb2_common_vm_ops = {
	.open = vb2_vm_open,
	.close = vb2_vm_close,
};
