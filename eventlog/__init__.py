"""The log: every kept change is an event of a stream, numbered 1, 2, 3, … and never lost."""
