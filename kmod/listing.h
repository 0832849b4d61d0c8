/* SPDX-License-Identifier: MIT */
/* listing.h - debugfs: dmabuf-cache/buffers, what each buffer has and what that was good for */
#ifndef KMOD_LISTING_H
#define KMOD_LISTING_H

/** listing_init, listing_exit - a kernel without debugfs has no listing, and that is all */
void listing_init(void);
void listing_exit(void);

#endif
