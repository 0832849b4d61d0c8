/* SPDX-License-Identifier: MIT */
/*
 * stacktrace.h - the name of a place in the program, for whoever prints a stack
 */
#ifndef HOST_STACKTRACE_H
#define HOST_STACKTRACE_H

#include <stddef.h>

/**
 * stack_frame_name - what a return address is called, in one line without its end
 * @pc: where a call returns to
 *
 * In a program with a sanitizer function, file and line; else the function, if it is exported, or the
 * object's file, and the offset in it, which addr2line understands.  Never an address: where the system
 * has put a program is nobody's business (docs/security.md).
 *
 * Context: any; takes the dynamic linker's lock.  @text always ends with a NUL.
 */
void stack_frame_name(const void *pc, char *text, size_t size);

#endif
