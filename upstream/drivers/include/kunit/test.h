/* SPDX-License-Identifier: MIT */
/* test.h - drivers that have tests of their own name it; none of them is built here */
