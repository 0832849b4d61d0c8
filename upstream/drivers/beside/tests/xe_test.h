/* SPDX-License-Identifier: MIT */
/* xe_test.h - what only xe's own tests declare; they are not built here */
#define XE_TEST_DECLARE(declaration)
#define XE_TEST_ONLY(value) 0
