"""The command line: one command a stage, one subcommand a method.

Exit codes: 0 done; 1 a defect of personae; 2 wrong words on the command line; 3 input that cannot be worked
with; 4 an optional package is missing; 5 a result cannot be written; 130 interrupted.
"""

from personae.cli.app import main

__all__ = ["main"]
