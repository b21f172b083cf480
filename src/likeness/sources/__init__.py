"""Which cameras and streams are registered, and which of them stream processors search?"""
