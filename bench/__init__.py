"""Measures what the project promises, against baselines that stand beside it in the same run: `make bench`.

Machines are noisy, so what counts is ratios: ours and each baseline take turns on the same machine, and the
median of the turns is told. The CPU time of server processes is read from the system.
"""
