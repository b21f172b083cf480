"""Finds faces for every collection with its own model, whatever the settings say now."""

import shlex
import threading
from collections.abc import Callable
from functools import cache, partial

from likeness.app.installation import Installation, Workload
from likeness.artifacts import Progress
from likeness.errors import ArtifactUnavailable, Conflict, LicenceNotAccepted, NotFound
from likeness.gallery import Collection
from likeness.service.govern.cohorts import adopt_cohort
from likeness.service.uses import Rows
from likeness.vision.detections import FaceNetwork
from likeness.vision.find import FaceFinder
from likeness.vision.models.cards import ModelCard
from likeness.vision.models.template_model import TemplateModel
from likeness.vision.networks.session import Session


class Finders:
    """Loads the finders of models on first use, and each network once; safe between threads.

    Who wants a finder that is loaded does not wait for one that is being loaded.
    """

    def __init__(
        self,
        installation: Installation,
        workload: Workload,
        progress: Progress | None = None,
        *,
        fetches: bool,
        wrap: Callable[[FaceFinder], FaceFinder] = lambda finder: finder,
    ) -> None:
        """Get ready; nothing is loaded yet.

        Args:
            installation: what knows models.
            workload: what the networks are to be fast at.
            progress: is told how far weights are fetched.
            fetches: whether weights that are missing are fetched for a collection; those of new
                collections' model are in any case.
            wrap: what is done to every finder.
        """
        self._installation = installation
        self._engine = cache(partial(installation.engine, workload))
        self._progress = progress
        self._fetches = fetches
        self._wrap = wrap
        self._loading = threading.Lock()
        # By the names of models, and by cards: one that is added anew may have other weights.
        self._finders: dict[str, FaceFinder] = {}
        self._face_networks: dict[ModelCard, FaceNetwork] = {}
        self._template_networks: dict[ModelCard, Session] = {}

    def of_model(self, model: TemplateModel) -> FaceFinder:
        """Give the finder of a model; weights that are missing are fetched.

        Raises what `Installation.finder` raises.
        """
        found = self._finders.get(model.name)
        if found is not None:
            return found
        with self._loading:
            if model.name not in self._finders:
                self._finders[model.name] = self._wrap(self._loaded(model))
            return self._finders[model.name]

    def of(self, collection: Collection | None) -> FaceFinder:
        """Give the finder of a collection's model; of new ones', and loose pictures', without.

        Raises:
            Conflict: this machine does not know the model, or lacks what it needs.
            ModelTampered: its weights are not those that its card names.
        """
        if collection is None:
            return self.of_model(self._installation.template_model())
        found = self._finders.get(collection.model)
        if found is not None:
            return found
        model = model_of(self._installation, collection)
        if not self._fetches:
            require_complete(self._installation, collection, model)
        try:
            return self.of_model(model)
        except NotFound as error:  # which would tell a client that there is no such collection
            raise Conflict(f"Collection {collection.name!r} has no cohort. {error}") from error
        except (ArtifactUnavailable, LicenceNotAccepted) as error:
            raise type(error)(
                f"Collection {collection.name!r} needs {model.name}. {error} Or make the templates"
                f" anew: {re_embed_command(self._installation, collection)}."
            ) from error

    def _loaded(self, model: TemplateModel) -> FaceFinder:
        installation, detector, recogniser = self._installation, model.detector, model.recogniser
        installation.standards.cohort(model.name)  # without one, nothing is fetched or loaded
        if detector not in self._face_networks:
            self._face_networks[detector] = installation.face_network(
                self._engine(), detector, self._progress
            )
        if recogniser not in self._template_networks:
            self._template_networks[recogniser] = installation.template_network(
                self._engine(), recogniser, self._progress
            )
        return installation.finder_with(
            self._face_networks[detector], self._template_networks[recogniser], model
        )


def model_of(installation: Installation, collection: Collection) -> TemplateModel:
    """Find what a collection's model stands for here.

    Raises:
        Conflict: nothing that is known here is that model.
    """
    model = installation.known_model(collection.model)
    if model is None:
        raise Conflict(
            f"Collection {collection.name!r} is of a model that is not known here,"
            f" {collection.model}. Add its recogniser and its detector (`likeness models add`), or"
            f" make the templates anew: {re_embed_command(installation, collection)}."
        )
    return model


def require_complete(
    installation: Installation, collection: Collection, model: TemplateModel
) -> None:
    """Refuse a collection whose model cannot be loaded as it is.

    Raises:
        Conflict: something is missing; the message says how to get it.
        ModelTampered: weights are not those that their card names.
    """
    missing = installation.missing_part(model)
    if missing is not None:
        otherwise = (
            ""
            if installation.template_model(installation.recogniser.name).name == model.name
            else f" Or make the templates anew: {re_embed_command(installation, collection)}."
        )
        raise Conflict(
            f"Collection {collection.name!r} needs {model.name}, and {missing.what}."
            f" `{missing.command}` gets it.{otherwise}"
        )


def re_embed_command(installation: Installation, collection: Collection) -> str:
    """Name the command that moves a collection to the model of new ones."""
    name = shlex.quote(collection.name)
    return f"`likeness collections re-embed {name} --to {installation.recogniser.name}`"


def adopt_cohort_and_require_comparable(
    installation: Installation, rows: Rows, collection: Collection
) -> None:
    """Let a collection whose cohort is gone take that of its model, or refuse it; load no network.

    A change of cohort is written, and recorded in the ledger. A collection that nothing made here
    could be compared with is refused.

    Raises:
        Conflict: its model is not known here.
        NotFound: its model has no cohort.
    """
    model_of(installation, collection)
    adopt_cohort(rows, collection)
    if collection.kept_cohort() is None:
        present = rows.collections.collection(collection.name)
        installation.standards.cohort_of(present.model, present.cohort_version)


def better_recogniser(installation: Installation, collection: Collection) -> str | None:
    """Name the recogniser that new collections take, where it is better than a collection's.

    It is where it is known to miss fewer pairs of one person; of recognisers that nobody measured
    none is called better.
    """
    best, theirs = installation.recogniser, installation.known_model(collection.model)
    if theirs is None or best.lfw_fnmr is None or theirs.recogniser.lfw_fnmr is None:
        return None
    return best.name if best.lfw_fnmr < theirs.recogniser.lfw_fnmr else None


def remember_choice(installation: Installation, collection: Collection) -> None:
    """Remember that a collection's model was chosen: whoever chose need not be told of a better."""
    better = better_recogniser(installation, collection)
    if better is not None:
        collection.remember_told_of(better)
