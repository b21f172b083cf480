"""Make CenterFace's published graph take pictures of any size, any number at a time.

The file (MIT) is fixed to ten 32x32 pictures and lists its weights among its inputs, as
exporters of 2019 did. Nothing in it depends on the size, so declaring the axes free is enough.
"""

import onnx

from likeness.errors import InvalidRequest
from likeness.vision.free_axes import declare_input, read_graph, set_dimensions

# By position: heat map, (height, width), offset (y, x), five landmarks (y, x); all at stride 4.
OUTPUTS = ("heatmap", "size", "offset", "landmarks")
_CHANNELS = (1, 2, 2, 10)


def make_dynamic(published: bytes) -> onnx.ModelProto:
    """Make the graph: `pictures` (n, 3, h, w) float32 RGB 0..255, sides multiples of 32.

    Outputs are (n, 1, h/4, w/4), (n, 2, ...), (n, 2, ...) and (n, 10, ...) float32.

    Raises:
        InvalidRequest: the bytes are not CenterFace's graph.
    """
    model = read_graph(published, "CenterFace's graph")
    outputs = model.graph.output
    if len(outputs) != len(OUTPUTS):
        raise InvalidRequest(
            f"CenterFace's graph was expected to have {len(OUTPUTS)} outputs, this one has"
            f" {len(outputs)}: get the file again"
        )
    declare_input(model, ("n", 3, "h", "w"))
    for value, name, channels in zip(outputs, OUTPUTS, _CHANNELS, strict=True):
        set_dimensions(value, ("n", channels, f"{name}_h", f"{name}_w"))
    return model
