/* SPDX-License-Identifier: MIT */
/*
 * scenarios.c - the list of them
 */
#include <stddef.h>

#include "checker/schedules/schedules.h"

extern const struct scenario map_freeze, map_move, map_move_reclaim, map_freeze_move, map_map,
	map_held_map, map_widen, map_held_move, map_detach, map_reclaim_detach, map_held_detach;
extern const struct scenario hit_bracket, held_bracket, bracket_hit, bracket_held, two_devices,
	bracket_move, out_seen, held_out_seen;
extern const struct scenario fence_callback, fence_added, fence_timeout, fence_any, fence_poll;
extern const struct scenario readers_replace, readers_grow, readers_append, two_locks, three_locks;
extern const struct scenario map_revoke, map_revoke_put, reclaim_put, map_reclaim, buffer_move,
	last_put;

/* clang-format off */
const struct scenario *const scenarios[] = {
	&map_freeze, &map_move, &map_move_reclaim, &map_freeze_move, &map_map, &map_held_map, &map_widen, &map_held_move, &map_detach, &map_reclaim_detach, &map_held_detach,
	&hit_bracket, &held_bracket, &out_seen, &held_out_seen, &bracket_hit, &bracket_held, &two_devices, &bracket_move,
	&fence_callback, &fence_added, &fence_timeout, &fence_any, &fence_poll,
	&readers_replace, &readers_grow, &readers_append, &two_locks, &three_locks,
	&map_revoke, &map_revoke_put, &reclaim_put, &map_reclaim, &buffer_move, &last_put,
	NULL,
};
/* clang-format on */
