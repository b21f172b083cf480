"""Re-embedding a collection of a home with the model in force: what it takes, put together."""

from likeness.app.home import Home
from likeness.app.installation import Workload
from likeness.service.re_embed import ReEmbedder
from likeness.vision.find import FaceFinder


def re_embedder_of(home: Home, collection: str, finder: FaceFinder) -> ReEmbedder:
    """Make what makes a collection's templates anew; raises what `ReEmbedder` raises."""
    dimensions = home.installation.recogniser.dimensions
    assert dimensions is not None  # every recogniser's card has them
    return ReEmbedder(
        home.database,
        home.gallery,
        collection,
        finder,
        dimensions,
        home.installation.limits,
        workers=home.installation.workers(Workload.MANY),
    )
