"""Video: clips are sent and searched, live searches told of, sources registered, copies made."""

from likeness.console.pages.video.files import files
from likeness.console.pages.video.job import job
from likeness.console.pages.video.live import live
from likeness.console.pages.video.overview import overview
from likeness.console.pages.video.sources import sources

VIDEO = (overview, job, files, live, sources)
"""All families of pages about video."""
