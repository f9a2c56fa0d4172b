"""`python -m fakedove`: the command line."""

from fakedove.cli import main

if __name__ == "__main__":
    main(prog_name="fakedove")
