"""One module for each kind of measurement; each gives an `Outcome`."""
