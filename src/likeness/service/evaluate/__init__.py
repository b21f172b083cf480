"""Acts that measure how well, and how evenly across groups, any system recognises people."""
