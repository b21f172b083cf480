"""Make CenterFace's published graph take pictures of any size, any number at a time.

The file (MIT) is fixed to ten 32x32 pictures and lists its weights among its inputs, as
exporters of 2019 did. Nothing in it depends on the size, so declaring the axes free is enough.
"""

import onnx

from likeness.errors import InvalidRequest
from likeness.vision.networks.free_axes import declare_input, output_shapes, read_graph

_WHAT = "CenterFace's graph"
_STRIDE = 4
# By position: heat map, (height, width), offset (y, x), five landmarks (y, x).
_CHANNELS = (1, 2, 2, 10)
# Pictures of a size that nobody exports at, to find out whether the graph is bound to another.
_TRIAL = (2, 3, 96, 160)


def make_dynamic(published: bytes) -> onnx.ModelProto:
    """Make the graph: `pictures` (n, 3, h, w) float32 RGB 0..255, sides multiples of 32.

    Outputs are (n, 1, h/4, w/4), (n, 2, ...), (n, 2, ...) and (n, 10, ...) float32.

    Raises:
        InvalidRequest: the bytes are not CenterFace's graph.
    """
    model = read_graph(published, _WHAT)
    shapes = output_shapes(model, _TRIAL, _WHAT)
    count, _, height, width = _TRIAL
    expected = [(count, maps, height // _STRIDE, width // _STRIDE) for maps in _CHANNELS]
    if shapes != expected:
        raise InvalidRequest(
            f"{_WHAT} was expected to give {', '.join(map(str, expected))} for pictures of shape"
            f" {_TRIAL}; this one gives {', '.join(map(str, shapes))}: get the file again"
        )
    declare_input(model, ("n", 3, "h", "w"))
    return model
