/* SPDX-License-Identifier: MIT */
/* gntdev-common.h - pages granted by another Xen guest, as far as gntdev-dmabuf.c sees them */
#ifndef _GNTDEV_COMMON_H
#define _GNTDEV_COMMON_H

#include <linux/completion.h>
#include <linux/device.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <xen/grant_table.h>

struct gntdev_dmabuf_priv;

struct gntdev_priv {
	struct mutex lock;
	struct device *dma_dev;
	struct gntdev_dmabuf_priv *dmabuf_priv;
};

struct gntdev_grant {
	u16 domid;
	grant_ref_t ref;
};

struct gntdev_grant_map {
	struct list_head next;
	int count;
	int flags;
	struct gntdev_grant *grants;
	struct page **pages;
};

struct gntdev_grant_map *gntdev_alloc_map(struct gntdev_priv *priv, int count, int dma_flags);
void gntdev_add_map(struct gntdev_priv *priv, struct gntdev_grant_map *add);
void gntdev_put_map(struct gntdev_priv *priv, struct gntdev_grant_map *map);
bool gntdev_test_page_count(unsigned int count);
int gntdev_map_grant_pages(struct gntdev_grant_map *map);

#endif
