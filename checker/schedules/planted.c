/* SPDX-License-Identifier: MIT */
/*
 * planted.c - planted.txt as data
 */
#include "checker/schedules/planted.h"
#include "planted-table.h"
