/* SPDX-License-Identifier: MIT */
/*
 * cred.h - whose process this is
 *
 * DIFFERS: one process, so one user; ids are plain numbers and nothing is counted or changed.
 */
#ifndef _LINUX_CRED_H
#define _LINUX_CRED_H

#include <linux/types.h>
#include <unistd.h>

static inline uid_t host_current_uid(void)
{
	return getuid();
}

static inline uid_t host_current_euid(void)
{
	return geteuid();
}

#define current_uid() host_current_uid()
#define current_euid() host_current_euid()

#endif
