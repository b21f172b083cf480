"""Acts that compare faces: detect, compare, verify, search, identify, cluster."""
