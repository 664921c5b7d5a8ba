"""`python -m lab` is `thawlab`."""

from lab.cli import main

main()
