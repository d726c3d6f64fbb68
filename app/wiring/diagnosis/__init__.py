"""The checks of `doctor` and the diagnosis page, by what they look at; their order is in `app.wiring.doctor`."""
