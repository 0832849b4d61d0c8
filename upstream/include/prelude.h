/* SPDX-License-Identifier: MIT */
/* prelude.h - before every source: what Linux's sources and headers take for declared */
#ifndef UPSTREAM_PRELUDE_H
#define UPSTREAM_PRELUDE_H

#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/uaccess.h>

/* Who may read a file: all. */
#define S_IRUGO 0444

struct seq_file;

#endif
