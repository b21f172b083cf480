"""Which models are here, and where the network of one lies, ready to load.

What holds for every network that is handed out:

1. The licence of its weights is permissive, or was accepted by name for exactly these bytes.
2. The SHA-256 of each of its files was checked in this very call.
3. It was made from those bytes by this version of the converter, whole: its own SHA-256 is in its
   name, and was checked too. Anybody who can write there can name another so, hence nobody but the
   owner and their group may.

Cards and weights that users add, and acceptances, lie under `root`; networks lie in the cache of
`sources`, which also say where files are fetched from.
"""

import hashlib
import json
import stat
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from likeness.artifacts import (
    PinnedFile,
    Progress,
    Sources,
    digest_of,
    disk_faults_of,
    fetch_all,
    find,
    holds,
    write_whole,
)
from likeness.errors import (
    AlreadyExists,
    ArtifactUnavailable,
    InvalidRequest,
    ModelTampered,
    NotFound,
)
from likeness.vision.models.acceptance import (
    Acceptance,
    acceptance_of,
    record_acceptance,
    require_acceptance,
)
from likeness.vision.models.card_file import read_card, write_card
from likeness.vision.models.cards import BUILT_IN, Licences, LocalFile, ModelCard, two_files_refused
from likeness.vision.networks.forms import Form

# Counts up whenever the same bytes would become another network.
CONVERTER_VERSION = "2"


class ModelStore:
    """The models of one installation; several processes may use it at a time."""

    def __init__(
        self, root: Path, sources: Sources, built_in: Sequence[ModelCard] = BUILT_IN
    ) -> None:
        self._cards = root / "cards"
        self._weights = root / "weights"
        self._acceptances = root / "accepted"
        self._networks = sources.cache / "networks"
        self._sources = sources
        self._built_in = {card.name: card for card in built_in}

    def cards(self) -> list[ModelCard]:
        """Every model that is known here: those built in, then those added, by name.

        Raises:
            InvalidRequest: the card of an added model is damaged.
        """
        with disk_faults_of(self._cards):
            found = sorted(self._cards.glob("[!.]*.json"))
            added = [read_card(path.read_bytes(), str(path)) for path in found]
        return [*self._built_in.values(), *added]

    def card(self, name: str) -> ModelCard:
        """Look a model up.

        Raises:
            NotFound: there is none of that name.
        """
        known = {card.name: card for card in self.cards()}
        if name not in known:
            raise NotFound(
                f"No such model {name!r}. Known are {', '.join(known)}. Name one of them, or add"
                " yours."
            )
        return known[name]

    def add(self, card: ModelCard, weights: Path | None = None) -> None:
        """Add a model, for good: `weights` are copied. One from an address is fetched when used.

        Raises:
            AlreadyExists: another model has this name.
            InvalidRequest: the weights are missing, not those of the card, or not of its form.
        """
        known = {each.name: each for each in self.cards()}.get(card.name)
        if known == card:
            return
        if known is not None:
            raise AlreadyExists(
                f"There is another model called {card.name}. Give this one another name."
            )
        if card.form.has_graph_file:
            raise InvalidRequest(two_files_refused(card.form))
        if isinstance(card.source, LocalFile):
            content = _read_weights(weights, card.source)
            _convert(card, content)
            write_whole(self._weights / card.source.sha256, content)
        write_whole(self._cards / f"{card.name}.json", write_card(card).encode())

    def accept(self, name: str, by: str, at: datetime) -> Acceptance:
        """Record that `by` accepts the licence of a model's weights.

        Raises:
            NotFound: there is none of that name.
        """
        return record_acceptance(self._acceptances, self.card(name), by, at)

    def acceptance(self, name: str) -> Acceptance | None:
        """Say who accepted the licence of a model's weights, None where nobody did.

        Raises:
            NotFound: there is none of that name.
        """
        return acceptance_of(self._acceptances, self.card(name))

    def has_weights(self, name: str) -> bool:
        """Say whether the weights of a model are here, and are those that its card names.

        Raises:
            NotFound: there is no model of that name.
            ModelTampered: they are others.
        """
        card = self.card(name)
        if not card.pinned:
            return self._verified_files(card, None)[0].exists()
        return all(find(file, self._sources) is not None for file in card.pinned)

    def missing(self, card: ModelCard) -> list[PinnedFile]:
        """Name the files of a built-in model that are not here; their bytes are not looked at.

        Raises:
            InvalidRequest: the folder of artifacts is none.
            ArtifactUnavailable: the folder cannot be read.
        """
        return [file for file in card.pinned if not holds(self._sources, file)]

    def files(self, name: str, progress: Progress | None = None) -> list[Path]:
        """Give the verified files of a model; they are fetched where they can be.

        Raises:
            As `require`.
        """
        card = self.card(name)
        require_acceptance(self._acceptances, card)
        return self._verified_files(card, progress)

    def require(self, name: str, progress: Progress | None = None) -> Path:
        """Give the network of a model, ready to load; its weights are fetched where they can be.

        Raises:
            NotFound: there is no model of that name.
            LicenceNotAccepted: its weights need the operator's acceptance first.
            ArtifactUnavailable: its weights are not here and cannot be fetched.
            ModelTampered: its weights are not those that its card names.
            InvalidRequest: its weights are not of the form that its card states.
        """
        card = self.card(name)
        require_acceptance(self._acceptances, card)
        files = self._verified_files(card, progress)
        return self._network(card) or self._converted(card, files)

    def _verified_files(self, card: ModelCard, progress: Progress | None) -> list[Path]:
        if isinstance(card.source, PinnedFile):
            return fetch_all(card.pinned, self._sources, progress)
        path = self._weights / card.source.sha256
        with disk_faults_of(self._weights):
            if not path.exists():
                raise ArtifactUnavailable(
                    f"The weights of {card.name} are not here. Copy {card.source.name} to {path}."
                )
            came = digest_of(path)
        if came != card.source.sha256:
            raise ModelTampered(
                f"The weights of {card.name} are others: {path} has SHA-256 {came}, not"
                f" {card.source.sha256}. Copy {card.source.name} there from a source you trust."
            )
        return [path]

    def _network(self, card: ModelCard) -> Path | None:
        """Find the network where it was made before and is whole.

        Raises:
            ModelTampered: everybody could have put it there.
        """
        with disk_faults_of(self._networks):
            for folder in (self._sources.cache, self._networks):
                if folder.exists() and folder.stat().st_mode & stat.S_IWOTH:
                    raise ModelTampered(
                        f"Everybody can write to {folder}, and so decide what networks compute."
                        " Delete it, or name another in LIKENESS_CACHE."
                    )
            for path in self._networks.glob(f"{_network_stem(card)}-*.onnx"):
                if digest_of(path) == path.stem.rpartition("-")[2]:
                    return path
                path.unlink(missing_ok=True)
        return None

    def _converted(self, card: ModelCard, files: Sequence[Path]) -> Path:
        content = _convert(card, *map(_read_again, card.files, files))
        sha256 = hashlib.sha256(content).hexdigest()
        path = self._networks / f"{_network_stem(card)}-{sha256}.onnx"
        write_whole(path, content)
        return path


def describe(
    weights: Path, name: str, form: Form, licences: Licences, credits: str = "not stated"
) -> ModelCard:
    """Make the card of a file that comes without one, prepared and laid out as its form is.

    Raises:
        InvalidRequest: the file cannot be read, or is not of this form.
    """
    from likeness.vision.networks import conversion  # as in `_convert`

    if form.has_graph_file:
        raise InvalidRequest(two_files_refused(form))
    content = _read_user_file(weights)
    _, dimensions = conversion.read_network(content, form, weights.name)
    return ModelCard(
        name=name,
        form=form,
        source=LocalFile(weights.name, len(content), hashlib.sha256(content).hexdigest()),
        licences=licences,
        preparation=form.preparation,
        dimensions=dimensions,
        description=f"Added from {weights.name}",
        known_limits=("Not measured by Likeness",),
        credits=credits,
    )


def _read_again(file: PinnedFile | LocalFile, path: Path) -> bytes:
    """Read a file that was verified; somebody may have changed it since."""
    with disk_faults_of(path.parent):
        content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise ModelTampered(f"{path} has changed while it was read. Try again.")
    return content


def _convert(card: ModelCard, published: bytes, graph: bytes | None = None) -> bytes:
    # onnx takes long to import, a third of a second, and a network is converted once for good.
    from likeness.vision.networks import conversion

    network = conversion.convert(card, published, graph)
    return bytes(network.SerializeToString(deterministic=True))


def _network_stem(card: ModelCard) -> str:
    """Name a network by all that it depends on: files, form, preparation, converter."""
    preparation = card.preparation
    depends_on = [
        CONVERTER_VERSION,
        card.digest,
        card.form,
        preparation.channels,
        preparation.mean,
        preparation.scale,
    ]
    return f"{card.name}-{hashlib.sha256(json.dumps(depends_on).encode()).hexdigest()[:16]}"


def _read_weights(weights: Path | None, source: LocalFile) -> bytes:
    if weights is None:
        raise InvalidRequest(f"The weights {source.name} are missing. Say where they lie.")
    content = _read_user_file(weights)
    came = hashlib.sha256(content).hexdigest()
    if (len(content), came) != (source.size, source.sha256):
        raise InvalidRequest(
            f"{weights} is not the file of the card: it has {len(content):,} bytes with SHA-256"
            f" {came}, not {source.size:,} with {source.sha256}. Correct the card, or get the right"
            " file."
        )
    return content


def _read_user_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidRequest(
            f"{path} cannot be read ({error.strerror}). Give a file of weights."
        ) from error
