/* SPDX-License-Identifier: MIT */
/* xe_bo.h - a buffer of Intel's xe driver, as far as its xe_dma_buf.c sees it; with Linux 6.12's names */
#ifndef _XE_BO_H
#define _XE_BO_H

#include <drm/drm_print.h>
#include <drm/ttm/ttm_tt.h>
#include <linux/bits.h>
#include <linux/bug.h>
#include <linux/dma-mapping.h>

struct ttm_lru_bulk_move;
struct xe_device;
struct xe_tile;
struct xe_vm;

struct xe_bo {
	struct ttm_buffer_object ttm;
	struct xe_vm *vm; /* the only one that it is for, or NULL */
};

/* Where one lies. */
enum { XE_PL_SYSTEM, XE_PL_TT, XE_PL_VRAM0, XE_PL_VRAM1 };

#define XE_BO_FLAG_SYSTEM BIT(1)
#define XE_WARN_ON(condition) WARN_ON(condition)

static inline struct xe_bo *gem_to_xe_bo(const struct drm_gem_object *obj)
{
	return container_of(obj, struct xe_bo, ttm.base);
}

struct xe_device *xe_bo_device(struct xe_bo *bo);
bool xe_bo_is_pinned(struct xe_bo *bo);
bool xe_bo_is_mem_type(struct xe_bo *bo, u32 mem_type);
bool xe_bo_can_migrate(struct xe_bo *bo, u32 mem_type);
int xe_bo_migrate(struct xe_bo *bo, u32 mem_type);
int xe_bo_evict(struct xe_bo *bo, bool force_alloc);
int xe_bo_validate(struct xe_bo *bo, struct xe_vm *vm, bool allow_res_evict);
int xe_bo_pin_external(struct xe_bo *bo, bool in_place);
void xe_bo_unpin_external(struct xe_bo *bo);
int xe_bo_lock(struct xe_bo *bo, bool intr);
void xe_bo_unlock(struct xe_bo *bo);
struct xe_bo *xe_bo_alloc(void);
struct xe_bo *xe_bo_init_locked(struct xe_device *xe, struct xe_bo *bo, struct xe_tile *tile,
				struct dma_resv *resv, struct ttm_lru_bulk_move *bulk, size_t size,
				u16 cpu_caching, enum ttm_bo_type type, u32 flags,
				struct dma_buf *dma_buf);
void xe_bo_put(struct xe_bo *bo);

#endif
