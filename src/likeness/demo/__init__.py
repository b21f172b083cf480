"""A demonstration: enrol two people, then find and name them in a group picture.

`python -m likeness.demo` runs it, `make demo` sets everything up first.
"""
