"""Breaks the system on purpose while clients talk, and checks that the promise holds: `make chaos`."""
