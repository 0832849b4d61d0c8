#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Random programs of begins and ends, and the cache maintenance that checker/coherence-spec.py prescribes for each.

    prescribed.py [--programs N] [--steps N] [--seed N]

A line for each step: agent, mode, begin or end, and what is to be done then: c cleans the buffer, i invalidates it, ? is not
compared (the exporter's own map is in it), - is nothing. "program NAME" begins another. Agents are the specification's of its
shape `linux`: nr, nw and nx are a device that does not snoop, mapped to read, to write or both, co one that does, u is a CPU
mapping that nobody brackets.
"""
import argparse
import os
import random
import sys

SPEC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../checker/coherence-spec.py")


def specification(agents):
    """The specification's names, for these agents."""
    with open(SPEC, encoding="utf-8") as f:
        source = f.read().rsplit("\nsys.exit(", 1)[0]
    sys.argv = [SPEC, ",".join(agents), "none", "atomic", "--shape", "linux"]
    names = {"__name__": "specification"}
    exec(compile(source, SPEC, "exec"), names)      # it is written as a program
    return names


class Program:
    """One buffer's directory, as the specification has it, and whether the caches are known to hold nothing dirty."""
    def __init__(self, agents):
        self.agents = agents
        self.spec = specification(agents)
        self.state = self.spec["initial"]()
        self.known_clean = False

    def writer_in_caches(self, but=None):
        return any(m[0] in "WX" and d == "C" and j != but
                   for j, (m, d) in enumerate(zip(self.state.open, self.spec["DIRECTORY"])))

    def step(self, i, mode):
        """Agent i begins in that mode, or ends where mode is None; what is done for it."""
        steps, update = self.spec["begin"](self.state, i, mode) if mode else self.spec["end"](self.state, i)
        # A slot counts out after its end; the CPU's bracket is over before.
        writer = self.writer_in_caches(None if mode or self.agents[i] != "cpu" else i)
        done = ""
        state = self.state.copy()
        for step in [*steps, ("set", *update)]:
            if step[0] == "clean" and not self.known_clean:
                done += "c"
                self.known_clean = not writer
            elif step[0] == "invalidate":
                done += "i"
                self.known_clean = not writer
            self.spec["do"](state, step)
        self.state = state
        if mode and mode in "WX" and self.spec["DIRECTORY"][i] == "C":
            self.known_clean = False
        return done or "-"


def generate(name, agents, steps):
    program = Program(agents)
    print("program", name)
    devices = [i for i, a in enumerate(agents) if a[0] == "n" or a == "co"]
    modes = program.spec["MODES"]
    cpu = agents.index("cpu")
    # The memory was filled by the CPU; then each mapping is made.
    for i, mode in [(cpu, "W"), *((i, m) for i in devices for m in modes.get(program.spec["KIND"][i], "RWX"))]:
        print(agents[i], mode, "begin", "?" if program.step(i, mode) else "")
        print(agents[i], mode, "end", "?" if program.step(i, None) else "")
    open_modes = {}
    for _ in range(steps):
        i = random.choice([j for j, a in enumerate(agents) if a != "u"])
        if i in open_modes:
            mode = open_modes.pop(i)
            print(agents[i], mode, "end", program.step(i, None))
        else:
            mode = open_modes[i] = random.choice(modes.get(program.spec["KIND"][i], "RWX"))
            print(agents[i], mode, "begin", program.step(i, mode))
    for i, mode in open_modes.items():
        print(agents[i], mode, "end", program.step(i, None))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--programs", type=int, default=6)
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    random.seed(arguments.seed)
    known = ("cpu,nr1,nw1,nr2,nw2", "cpu,nx1,nx2", "cpu,co,nr1,nw1,nx2", "cpu,co,nx1", "cpu,u,nr1,nw1", "cpu,u,nx1,co")
    for n in range(arguments.programs):
        agents = known[n % len(known)].split(",")
        generate(",".join(agents), agents, arguments.steps)
    return 0


if __name__ == "__main__":
    sys.exit(main())
