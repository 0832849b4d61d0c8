/* SPDX-License-Identifier: MIT */
/* Addresses that know what they are. */
#include <string.h>
#include <linux/iosys-map.h>
#include "tests/ktap.h"

static void kinds_differ(struct ktap *t)
{
	char bytes[8];
	struct iosys_map a = IOSYS_MAP_INIT_VADDR(bytes), b = IOSYS_MAP_INIT_VADDR_IOMEM(bytes);

	KT_CHECK(t, !a.is_iomem && b.is_iomem);
	KT_CHECK(t, iosys_map_is_set(&a) && iosys_map_is_set(&b));
	KT_CHECK(t, !iosys_map_is_equal(&a, &b));
	iosys_map_set_vaddr(&b, bytes);
	KT_CHECK(t, iosys_map_is_equal(&a, &b));
	iosys_map_incr(&b, 1);
	KT_CHECK(t, !iosys_map_is_equal(&a, &b));
	iosys_map_set_vaddr_iomem(&a, bytes);
	KT_CHECK(t, a.is_iomem);
	iosys_map_clear(&a);
	KT_CHECK(t, iosys_map_is_null(&a) && !a.is_iomem);
}

static void bytes_go_where_told(struct ktap *t)
{
	char bytes[8] = "........", out[3];
	struct iosys_map map = IOSYS_MAP_INIT_VADDR(bytes);

	iosys_map_memcpy_to(&map, 2, "abc", 3);
	KT_CHECK(t, !memcmp(bytes, "..abc...", 8));
	iosys_map_incr(&map, 3);
	iosys_map_memset(&map, 1, '#', 2);
	KT_CHECK(t, !memcmp(bytes, "..ab##..", 8));
	iosys_map_memcpy_from(out, &map, 0, 3);
	KT_CHECK(t, !memcmp(out, "b##", 3));
}

KTAP_MAIN(KTAP_CASE(kinds_differ), KTAP_CASE(bytes_go_where_told))
