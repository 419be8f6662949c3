"""`python -m corank`: the command line where the script `corank` is not on the path."""

from corank.cli import main

if __name__ == "__main__":
    main()
