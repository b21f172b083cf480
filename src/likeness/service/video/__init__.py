"""Who is seen when in a clip: jobs over stored video, and what they found."""
