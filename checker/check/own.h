/* SPDX-License-Identifier: MIT */
/*
 * own.h - the checker's own calls, which nobody watches
 *
 * Comes first in each source of the worker that is not a watch-*.c: what these names call is then
 * the library's, as the linker named it (meson.build).
 */
#ifndef CHECKER_CHECK_OWN_H
#define CHECKER_CHECK_OWN_H

/* clang-format off */
#pragma redefine_extname dma_buf_attach real_dma_buf_attach
#pragma redefine_extname dma_buf_begin_cpu_access real_dma_buf_begin_cpu_access
#pragma redefine_extname dma_buf_detach real_dma_buf_detach
#pragma redefine_extname dma_buf_dynamic_attach real_dma_buf_dynamic_attach
#pragma redefine_extname dma_buf_end_cpu_access real_dma_buf_end_cpu_access
#pragma redefine_extname dma_buf_map_attachment real_dma_buf_map_attachment
#pragma redefine_extname dma_buf_map_attachment_unlocked real_dma_buf_map_attachment_unlocked
#pragma redefine_extname dma_buf_pin real_dma_buf_pin
#pragma redefine_extname dma_buf_unmap_attachment real_dma_buf_unmap_attachment
#pragma redefine_extname dma_buf_unmap_attachment_unlocked real_dma_buf_unmap_attachment_unlocked
#pragma redefine_extname dma_buf_unpin real_dma_buf_unpin
#pragma redefine_extname dma_buf_vmap real_dma_buf_vmap
#pragma redefine_extname dma_buf_vmap_unlocked real_dma_buf_vmap_unlocked
#pragma redefine_extname dma_buf_vunmap real_dma_buf_vunmap
#pragma redefine_extname dma_buf_vunmap_unlocked real_dma_buf_vunmap_unlocked
#pragma redefine_extname dma_buf_export real_dma_buf_export
#pragma redefine_extname dma_buf_fd real_dma_buf_fd
#pragma redefine_extname dma_buf_mmap real_dma_buf_mmap
#pragma redefine_extname dma_buf_move_notify real_dma_buf_move_notify
#pragma redefine_extname dma_map_sgtable real_dma_map_sgtable
#pragma redefine_extname dma_unmap_sgtable real_dma_unmap_sgtable
#pragma redefine_extname dma_map_sg_attrs real_dma_map_sg_attrs
#pragma redefine_extname dma_unmap_sg_attrs real_dma_unmap_sg_attrs
#pragma redefine_extname dma_map_page_attrs real_dma_map_page_attrs
#pragma redefine_extname dma_unmap_page_attrs real_dma_unmap_page_attrs
#pragma redefine_extname dma_sync_sgtable_for_device real_dma_sync_sgtable_for_device
#pragma redefine_extname dma_sync_sgtable_for_cpu real_dma_sync_sgtable_for_cpu
#pragma redefine_extname dma_sync_sg_for_device real_dma_sync_sg_for_device
#pragma redefine_extname dma_sync_sg_for_cpu real_dma_sync_sg_for_cpu
#pragma redefine_extname dma_sync_single_for_device real_dma_sync_single_for_device
#pragma redefine_extname dma_sync_single_for_cpu real_dma_sync_single_for_cpu
/* clang-format on */

#endif
