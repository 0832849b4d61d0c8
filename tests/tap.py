# SPDX-License-Identifier: MIT
"""Cases of a test that is written in Python: functions, called one after the other, told as TAP.

A case that returns held; one that raises Skip is skipped and says why; whatever else it raises, it failed.
"""
import contextlib


class Skip(Exception):
    pass


def need(condition, *what):
    if not condition:
        raise AssertionError("; ".join(str(w) for w in what))


def run(cases, around=contextlib.nullcontext):
    """Call each of @cases within a new @around(); returns whether one failed."""
    failed = False
    print(f"1..{len(cases)}")
    for number, case in enumerate(cases, 1):
        word, note = "ok", ""
        try:
            with around():
                case()
        except Skip as e:
            note = f" # SKIP {e}"
        except Exception as e:                              # whatever it is, it is this case's
            failed = True
            word = "not ok"
            print("\n".join(f"# {x}" for x in f"{type(e).__name__}: {e}".splitlines()))
        print(f"{word} {number} - {case.__name__}{note}", flush=True)
    return failed
