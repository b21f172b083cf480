"""Searches of cameras and streams as they happen."""
