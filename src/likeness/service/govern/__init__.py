"""Acts that change who may do what, and that prove what was done."""
