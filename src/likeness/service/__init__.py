"""What Likeness can do: one act each, put together from the capabilities."""
