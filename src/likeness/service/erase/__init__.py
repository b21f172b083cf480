"""Acts that take people out of a collection for good."""
