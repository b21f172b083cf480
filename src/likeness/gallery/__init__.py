"""Whose face is most like this one?"""
