"""Acts that bring collections from one installation, or another system, to another."""
