/* SPDX-License-Identifier: MIT */
/* syscalls.h - drivers include it for what these three declare; there are no system calls to define */
#ifndef _LINUX_SYSCALLS_H
#define _LINUX_SYSCALLS_H

#include <linux/compiler.h>
#include <linux/fs.h>
#include <linux/uaccess.h>

#endif
