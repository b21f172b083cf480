"""Scripts for whoever works on Likeness."""
