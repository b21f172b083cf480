"""The picture formats that are read, one module each; `decode` is their only reader.

A module tells whether bytes are its format, what the header promises, and what the pixels are.
Headers are read here where a decoding library would allocate by them first, and libraries are
handed only what makes pixels. Of BMP, AVIF and HEIC the library reads the header, too.
"""
