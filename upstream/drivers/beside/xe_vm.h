/* SPDX-License-Identifier: MIT */
/* xe_vm.h - xe_dma_buf.c names it and uses nothing of it */
