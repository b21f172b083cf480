"""Models: their cards, licences, and where their files lie."""
