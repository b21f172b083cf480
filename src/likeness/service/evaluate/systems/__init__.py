"""Systems under test: Likeness itself, a Rekognition endpoint, and scores from a file."""
