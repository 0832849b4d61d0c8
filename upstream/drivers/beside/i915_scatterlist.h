/* SPDX-License-Identifier: MIT */
/* i915_scatterlist.h - i915_gem_dmabuf.c names it, for the list's own header */
#include <linux/scatterlist.h>
