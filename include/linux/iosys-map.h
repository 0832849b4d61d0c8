/* SPDX-License-Identifier: MIT */
/*
 * iosys-map.h - an address that knows whether it is memory or a device's window
 *
 * dma_buf_vmap() fills one in.  Users go through the functions below, so the same code works on
 * both kinds.  As in Linux 6.12; a window of a software device is ordinary memory, so both kinds
 * are copied alike here.
 */
#ifndef _LINUX_IOSYS_MAP_H
#define _LINUX_IOSYS_MAP_H

#include <string.h>
#include <linux/compiler.h>
#include <linux/string.h>
#include <linux/types.h>

struct iosys_map {
	union {
		void __iomem *vaddr_iomem; /* is_iomem */
		void *vaddr;               /* !is_iomem */
	};
	bool is_iomem;
};

#define IOSYS_MAP_INIT_VADDR(addr)                 \
	{                                          \
		.vaddr = (addr), .is_iomem = false \
	}
#define IOSYS_MAP_INIT_VADDR_IOMEM(addr)                \
	{                                               \
		.vaddr_iomem = (addr), .is_iomem = true \
	}

static inline void iosys_map_set_vaddr(struct iosys_map *map, void *vaddr)
{
	map->vaddr = vaddr;
	map->is_iomem = false;
}

static inline void iosys_map_set_vaddr_iomem(struct iosys_map *map, void __iomem *vaddr_iomem)
{
	map->vaddr_iomem = vaddr_iomem;
	map->is_iomem = true;
}

/** iosys_map_is_equal - same kind and same address? */
static inline bool iosys_map_is_equal(const struct iosys_map *a, const struct iosys_map *b)
{
	return a->is_iomem == b->is_iomem && a->vaddr == b->vaddr;
}

static inline bool iosys_map_is_null(const struct iosys_map *map)
{
	return !map->vaddr;
}

static inline bool iosys_map_is_set(const struct iosys_map *map)
{
	return !iosys_map_is_null(map);
}

/** iosys_map_clear - back to memory at NULL, whatever it was */
static inline void iosys_map_clear(struct iosys_map *map)
{
	iosys_map_set_vaddr(map, NULL);
}

/** iosys_map_memcpy_to, _from, iosys_map_memset - bytes at @offset of @map */
static inline void iosys_map_memcpy_to(struct iosys_map *map, size_t offset, const void *src,
				       size_t len)
{
	memcpy((char *)map->vaddr + offset, src, len);
}

static inline void iosys_map_memcpy_from(void *dst, const struct iosys_map *map, size_t offset,
					 size_t len)
{
	memcpy(dst, (const char *)map->vaddr + offset, len);
}

static inline void iosys_map_memset(struct iosys_map *map, size_t offset, int value, size_t len)
{
	memset((char *)map->vaddr + offset, value, len);
}

/** iosys_map_incr - the address moves on by @bytes */
static inline void iosys_map_incr(struct iosys_map *map, size_t bytes)
{
	map->vaddr = (char *)map->vaddr + bytes;
}

#endif
