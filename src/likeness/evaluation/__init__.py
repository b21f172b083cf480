"""How well, and how evenly, does it work? Arithmetic on scores; it reads and writes nothing."""
