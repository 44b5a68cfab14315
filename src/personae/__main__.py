"""`python -m personae`: the command line."""

from personae.cli import main

main()
