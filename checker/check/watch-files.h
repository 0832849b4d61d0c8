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

/** watch_files_made - how many were made until now */
unsigned long watch_files_made(void);

/**
 * watch_files_close - the program ends that has those made since watch_files_made() was @made_before
 *
 * A number that is only reserved stays: that is nobody's.
 */
void watch_files_close(unsigned long made_before);

/** watch_files_left - whatever is open is a finding: nobody will come to close it */
void watch_files_left(void);

#endif
