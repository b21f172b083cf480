"""How did the schema come to be? One file in `versions` a step, written by hand.

A step imports no capability: tables move on, and what was done to a database stays as it was.
"""
