/* SPDX-License-Identifier: MIT */
/*
 * report-page.h - a report as one page to look at: its findings, each with the picture of the buffer
 */
#ifndef CHECKER_CHECK_REPORT_PAGE_H
#define CHECKER_CHECK_REPORT_PAGE_H

#include "checker/check/report.h"

/**
 * report_page - write @report to @path, over whatever is there
 *
 * Findings whose workers told what it takes to draw them (job.h) have a picture, by
 * checker/report/html.h.
 * Context: may sleep.
 * Returns 0, or -errno as html_write_pictures().
 */
int report_page(const struct report *report, const char *path);

#endif
