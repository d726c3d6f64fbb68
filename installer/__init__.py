"""Makes what is installed: the program with its own Python inside, set-ups and packages (docs/packaging.md)."""
