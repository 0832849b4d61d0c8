/* SPDX-License-Identifier: MIT */
/*
 * watch-files.h - the descriptors that a driver makes: each is put back, or closed, or a program's
 *
 * Invariant WF1: a number that was closed and given out again by others is not the driver's.
 */
#ifndef CHECKER_CHECK_WATCH_FILES_H
#define CHECKER_CHECK_WATCH_FILES_H

/** watch_file_made - the caller of who calls this has made descriptor @fd */
void watch_file_made(int fd);

/** watch_files_left - whatever is open is a finding: nobody will come to close it */
void watch_files_left(void);

#endif
