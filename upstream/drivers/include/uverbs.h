/* SPDX-License-Identifier: MIT */
/* uverbs.h - umem_dmabuf.c's way to <rdma/ib_umem.h> */
#include <rdma/ib_umem.h>
