"""Whether this copy of the program is whole: the checks of `genba-touch --self-test`; their order is in `run`."""
