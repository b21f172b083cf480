"""Acts that let a collection know people."""
