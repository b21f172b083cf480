"""What does each operation of Rekognition do? One function each, named in `OPERATIONS`."""
