"""What evens scores out, and what they mean."""
