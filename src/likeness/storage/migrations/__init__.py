"""How the schema came to be: one file in `versions` a step, written by hand.

A step imports no capability: tables move on, and what was done to a database stays as it was.
"""
