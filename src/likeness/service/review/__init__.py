"""Acts by which people decide what machines suggest."""
