"""Let standing watches see what jobs see: people in clips that are searched against a collection.

with record... :
    def end(connection):                       # the transaction that ends a search of a clip
        ...
        watch_seen(connection, home, of, sightings, use=record.use, now=home.clock())
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from likeness.gallery import OpenCollection
from likeness.review import Case, Sighting, is_anybody_watched
from likeness.service.uses import Home
from likeness.service.video.track_scores import tracks_named_from
from likeness.terms import Use


def watch_seen(
    connection: Connection,
    home: Home,
    of: OpenCollection,
    sightings: Sequence[Sighting],
    *,
    use: Use,
    now: datetime,
) -> list[Case]:
    """Compare people seen in a clip with whoever is watched for; give the cases that it opened.

    While pictures for review are not kept, nobody is compared. A person of whom people decide
    already, or whom they told apart from the face watched for, opens no other case, in whichever
    run over the clip. What the source of the clip was stated to be counts for the watch, too.

    Args:
        connection: of the act that ends the search, so that no match is lost.
        home: the home.
        of: what the clip was searched against.
        sightings: the people seen; their templates are fused, as the collection's cohort sees them.
        use: the search.
        now: the time.

    Raises:
        NotFound: nobody has measured what scores of the collection mean.
        KeyUnusable: a key is gone.
    """
    reviewing = home.reviewing
    watches = reviewing.keeps_crops and is_anybody_watched(connection, of.id, now)
    if not (sightings and watches):
        return []
    calibration = tracks_named_from(home, of, fmr=home.fmr, fpir=home.fpir).naming.calibration
    return reviewing.watched(connection, of, sightings, calibration, use=use, now=now)
