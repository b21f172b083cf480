"""Which vectors are nearest? Ids and vectors; no SQL and no person."""
