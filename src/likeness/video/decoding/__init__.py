"""The program that decodes clips, kept apart: `python -m decoding`, started by `video.process`.

FFmpeg reads whatever strangers wrote, so it runs in a process of its own that may do next to
nothing (`rights.py`). Nothing here imports anything of Likeness but its own modules, which it finds
beside itself: it starts quickly and holds little that anybody could take.
"""
