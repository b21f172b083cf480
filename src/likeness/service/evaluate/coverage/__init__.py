"""What a set of pictures holds, is missing, and which error rates it could carry."""
