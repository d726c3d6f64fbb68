"""The command line: parses, calls wiring, prints. One file per family of commands."""
