"""Turns settings into objects, here and nowhere else.

`likeness.app.home` is not imported here: what opens no home does not wait for a database.
"""

from likeness.app.installation import Installation, Picture, Place, Workload, path_of

__all__ = ["Installation", "Picture", "Place", "Workload", "path_of"]
