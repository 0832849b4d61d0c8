/* SPDX-License-Identifier: MIT */
/* drm_framebuffer.h - drm_prime.c names it and uses nothing of it */
