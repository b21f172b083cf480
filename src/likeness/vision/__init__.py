"""Where the faces are, and what their templates are.

Read in this order: `find` says the whole path, a sentence each; `decode` makes pixels of bytes
(`formats`), `detect` finds faces in them with a network (`networks`, `detections`), `upright`
places their landmarks, `align` cuts chips, `embed` makes templates of these, evened out by a
cohort (`cohorts`); `pose` and `quality` say how a face is shown. `models` holds cards, licences and
files.
"""
