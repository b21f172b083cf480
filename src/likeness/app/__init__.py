"""The composition root: settings become objects, here and nowhere else.

`likeness.app.home` is not imported here: what opens no home does not wait for a database.
"""

from likeness.app.installation import Installation, Picture, Workload
from likeness.app.likeness import Likeness, Tell, open_likeness

__all__ = ["Installation", "Likeness", "Picture", "Tell", "Workload", "open_likeness"]
