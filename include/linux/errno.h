/* SPDX-License-Identifier: MIT */
/*
 * errno.h - the system's error numbers, and those that never leave a kernel
 *
 * ERESTARTSYS and its neighbours mean "a signal came; a system call would start again".  Whoever
 * stands at the border to a program turns them into EINTR.
 */
#ifndef _LIBDMABUF_LINUX_ERRNO_H
#define _LIBDMABUF_LINUX_ERRNO_H

#include_next <linux/errno.h>

#define ERESTARTSYS 512
#define ERESTARTNOINTR 513
#define ERESTARTNOHAND 514
#define ENOIOCTLCMD 515
#define ERESTART_RESTARTBLOCK 516
#define EPROBE_DEFER 517
#define EOPENSTALE 518
#define ENOPARAM 519
#define EBADHANDLE 521
#define ENOTSYNC 522
#define EBADCOOKIE 523
#define ENOTSUPP 524
#define ETOOSMALL 525
#define ESERVERFAULT 526
#define EBADTYPE 527
#define EJUKEBOX 528
#define EIOCBQUEUED 529

#endif
