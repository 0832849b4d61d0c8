/* SPDX-License-Identifier: MIT */
/*
 * doctor.h - what this machine allows of what a run stands on
 */
#ifndef USERDEV_DOCTOR_H
#define USERDEV_DOCTOR_H

/**
 * run_doctor - try each thing by itself and print a line for it, with what is lost without it
 * Context: this process has one thread.
 * Returns how many of them are missing; -1 when one is without which there can be no run.
 */
int run_doctor(void);

#endif
