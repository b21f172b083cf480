"""What can Likeness do? One act each, put together from the capabilities."""
