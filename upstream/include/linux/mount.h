/* SPDX-License-Identifier: MIT */
/* mount.h - the one mount that a pseudo filesystem has: <linux/pseudo_fs.h> */
#ifndef _LINUX_MOUNT_H
#define _LINUX_MOUNT_H

#include <linux/pseudo_fs.h>

#endif
