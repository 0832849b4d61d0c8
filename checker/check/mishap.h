/* SPDX-License-Identifier: MIT */
/*
 * mishap.h - what goes wrong outside the rules' own calls: WARNs, BUGs, sanitizers, signals
 */
#ifndef CHECKER_CHECK_MISHAP_H
#define CHECKER_CHECK_MISHAP_H

/** mishap_watch - all of it is a finding from now on */
void mishap_watch(void);

/** mishap_over - all is done; before it the end of the process is a finding */
void mishap_over(void);

/** mishap_leaks - memory that nobody knows of any more is a finding, too */
void mishap_leaks(void);

#endif
