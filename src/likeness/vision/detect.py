"""Where the faces of a picture are."""

from dataclasses import dataclass

from likeness.terms.image import Image
from likeness.vision.detections import Detections, FaceNetwork, suppressed
from likeness.vision.letterbox import Letterbox


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """How a picture is searched.

    `longer_side`: pixels along the longer side of what the network is shown. `threshold`: the least
    confidence, 0 to 1. `overlap`: boxes of a higher intersection over union are one face.
    """

    longer_side: int = 960
    threshold: float = 0.5
    overlap: float = 0.3


class Detector:
    """Finds faces with any network, in the full frame of any picture."""

    def __init__(self, network: FaceNetwork, settings: DetectorSettings) -> None:
        self._network = network
        self.settings = settings

    def detect(self, image: Image) -> Detections:
        """Find the faces of one picture, most confident first, in pixels of the full frame."""
        letterbox = Letterbox.fit(image, self.settings.longer_side)
        candidates = self._network.find(letterbox.canvas, self.settings.threshold)
        return letterbox.restore(suppressed(candidates, self.settings.overlap))
