/* SPDX-License-Identifier: MIT */
/*
 * define_trace.h - a trace header's last line
 *
 * In Linux it makes the events of the header; here there is nothing to make, each time it is
 * included: <linux/tracepoint.h>.
 */
