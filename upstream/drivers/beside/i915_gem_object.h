/* SPDX-License-Identifier: MIT */
/* i915_gem_object.h - a buffer of i915's, as far as i915_gem_dmabuf.c sees it */
#ifndef _I915_GEM_OBJECT_H
#define _I915_GEM_OBJECT_H

#include <drm/drm_gem.h>
#include <linux/dma-resv.h>

#include "i915_drv.h"

struct drm_i915_gem_object;

struct drm_i915_gem_object_ops {
	const char *name;
	int (*get_pages)(struct drm_i915_gem_object *obj);
	void (*put_pages)(struct drm_i915_gem_object *obj, struct sg_table *pages);
	int (*dmabuf_export)(struct drm_i915_gem_object *obj);
};

struct drm_i915_gem_object {
	struct drm_gem_object base;
	const struct drm_i915_gem_object_ops *ops;
	u16 read_domains, write_domain;
	struct {
		struct sg_table *pages;
	} mm;
};

#define I915_GEM_DOMAIN_GTT 0x40
#define I915_BO_ALLOC_USER (1 << 3)

enum i915_map_type { I915_MAP_WB };
enum intel_region_id { INTEL_REGION_SMEM };

static inline struct drm_i915_gem_object *to_intel_bo(struct drm_gem_object *gem)
{
	return container_of(gem, struct drm_i915_gem_object, base);
}

#define assert_object_held(obj) dma_resv_assert_held((obj)->base.resv)

static inline struct drm_i915_gem_object *i915_gem_object_get(struct drm_i915_gem_object *obj)
{
	drm_gem_object_get(&obj->base);
	return obj;
}

/* The locks that one operation takes; all of them again when two operations would wait for each other. */
struct i915_gem_ww_ctx {
	struct ww_acquire_ctx ctx;
};

void i915_gem_ww_ctx_init(struct i915_gem_ww_ctx *ww, bool intr);
void i915_gem_ww_ctx_fini(struct i915_gem_ww_ctx *ww);
int i915_gem_ww_ctx_backoff(struct i915_gem_ww_ctx *ww);
int i915_gem_object_lock(struct drm_i915_gem_object *obj, struct i915_gem_ww_ctx *ww);

/* The body runs until it leaves no -EDEADLK in @err. */
static inline bool i915_gem_ww_again(struct i915_gem_ww_ctx *ww, int *err)
{
	if (*err == -EDEADLK) {
		*err = i915_gem_ww_ctx_backoff(ww);
		if (!*err)
			return true;
	}
	i915_gem_ww_ctx_fini(ww);
	return false;
}

#define for_i915_gem_ww(ww, err, intr)                                              \
	for (bool again_ = (i915_gem_ww_ctx_init(ww, intr), err = 0, true); again_; \
	     again_ = i915_gem_ww_again(ww, &(err)))

int i915_gem_object_pin_pages(struct drm_i915_gem_object *obj);
void i915_gem_object_unpin_pages(struct drm_i915_gem_object *obj);
void *i915_gem_object_pin_map(struct drm_i915_gem_object *obj, enum i915_map_type type);
void *i915_gem_object_pin_map_unlocked(struct drm_i915_gem_object *obj, enum i915_map_type type);
void i915_gem_object_flush_map(struct drm_i915_gem_object *obj);
void i915_gem_object_unpin_map(struct drm_i915_gem_object *obj);
int i915_gem_object_set_to_cpu_domain(struct drm_i915_gem_object *obj, bool write);
int i915_gem_object_set_to_gtt_domain(struct drm_i915_gem_object *obj, bool write);
bool i915_gem_object_can_migrate(struct drm_i915_gem_object *obj, enum intel_region_id id);
int i915_gem_object_migrate(struct drm_i915_gem_object *obj, struct i915_gem_ww_ctx *ww,
			    enum intel_region_id id);
int i915_gem_object_wait_migration(struct drm_i915_gem_object *obj, unsigned int flags);
bool i915_gem_object_can_bypass_llc(struct drm_i915_gem_object *obj);
void __i915_gem_object_set_pages(struct drm_i915_gem_object *obj, struct sg_table *pages);
bool i915_gem_object_size_2big(u64 size);
struct drm_i915_gem_object *i915_gem_object_alloc(void);
void i915_gem_object_init(struct drm_i915_gem_object *obj,
			  const struct drm_i915_gem_object_ops *ops, struct lock_class_key *key,
			  unsigned long alloc_flags);

#endif
