"""Puts together what moves a collection of a home to another model."""

from likeness.app.home import Home
from likeness.app.installation import Workload
from likeness.errors import required
from likeness.service.models.re_embed import ReEmbedder
from likeness.vision.find import FaceFinder


def re_embedder_of(home: Home, collection: str, finder: FaceFinder) -> ReEmbedder:
    """Make what makes a collection's templates anew, for a finder of a model that is known here.

    Raises what `ReEmbedder` raises.
    """
    model = required(home.installation.known_model(finder.model), "a finder's model")
    return ReEmbedder(
        home.database,
        home.gallery,
        collection,
        finder,
        model.dimensions,
        home.installation.limits,
        home.keyring,
        workers=home.installation.workers(Workload.MANY),
    )
