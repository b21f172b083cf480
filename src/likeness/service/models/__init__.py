"""Acts that make, measure and change what templates and scores stand on."""
