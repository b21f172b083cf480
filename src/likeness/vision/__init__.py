"""Where the faces are, and what their templates are.

Read in this order: `find` says the whole path, a sentence each; `decode` makes pixels of bytes
(`formats`), `detect` finds faces in them with a network (`networks`, `detections`), `upright`
places their landmarks, `embed` cuts chips and makes templates of them, evened out by a cohort
(`cohorts`); `quality` says how a face is shown. `models` holds cards, licences and files.
"""
