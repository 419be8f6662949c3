"""`python -m corank.cli`."""

from corank.cli import main

main()
