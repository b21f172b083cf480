"""The picture formats that are read, one module each; `decode` is their only reader.

A module answers three questions about its format: are these bytes mine, what does the header
promise, and what are the pixels. Headers are read here and not by a decoding library, so that
every limit is checked before a library allocates anything, and libraries are handed only what
makes pixels.
"""
