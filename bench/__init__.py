"""Measure Likeness against its targets and its peers, side by side on this machine.

`python -m bench` measures every figure of `figures.py`. To add one: write a function that returns
a `Measurement` into the module of its group, list a `Figure` in that module's `FIGURES`, and name a
new module in `figures.py`. A figure that cannot be measured here raises `NotMeasured`.
"""
