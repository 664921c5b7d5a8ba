"""`python -m lab` is `thawlab`."""

from lab.cli.main import main

main()
