"""The models that Likeness knows: three that it uses, two more that it offers for download.

The terms of training data are what their makers say, and where they say nothing, that.
"""

from likeness.artifacts import catalogue
from likeness.vision.models.cards import LicenceClass, Licences, ModelCard
from likeness.vision.networks.forms import Form

CENTERFACE = ModelCard(
    name="centerface",
    form=Form.CENTERFACE,
    source=catalogue.CENTERFACE,
    licences=Licences(
        code="MIT",
        weights=catalogue.CENTERFACE.licence,
        weights_class=LicenceClass.PERMISSIVE,
        training_data="WIDER FACE, 32,203 pictures from the web, published for research",
    ),
    preparation=Form.CENTERFACE.preparation,
    dimensions=None,
    description="Finds faces and five landmarks of each; the default detector",
    known_limits=("Of the faces 16 to 32 pixels tall in the searched picture it finds about half",),
    credits="Yuanyuan Xu and others, CenterFace: Joint Face Detection and Alignment, 2019",
)

DLIB_RESNET_V1 = ModelCard(
    name="dlib-resnet-v1",
    form=Form.DLIB_RESNET,
    source=catalogue.DLIB_RESNET,
    licences=Licences(
        code="Boost Software License 1.0",
        weights=catalogue.DLIB_RESNET.licence,
        weights_class=LicenceClass.PERMISSIVE,
        training_data=(
            "FaceScrub and VGG Face, both published for research, and pictures that dlib's author"
            " collected from the web; 3 million in all"
        ),
    ),
    preparation=Form.DLIB_RESNET.preparation,
    dimensions=128,
    description="Makes templates of 128 numbers; the recogniser where the better one is not here",
    known_limits=(
        "The weights are from 2017 and weak at strict thresholds, false match rates under 1e-4",
        "Pictures of faces under about 40 pixels match strangers 5 to 7 times as often as stated",
        "How it does as people age was not measured",
        "Users report more errors for East Asian faces and for children",
        "One raw threshold gives groups of people unequal error rates: scores are distances in"
        " units of how crowded a face's surroundings are",
        "The people of LFW were kept out of its training, so figures on LFW are not flattered",
    ),
    credits="Davis E. King, dlib, 2017",
    lfw_fnmr=0.042,
)

RETAIL_0095 = ModelCard(
    name="face-reidentification-retail-0095",
    form=Form.OPENVINO_REID,
    source=catalogue.RETAIL_0095_WEIGHTS,
    graph=catalogue.RETAIL_0095_GRAPH,
    licences=Licences(
        code="Apache-2.0",
        weights=catalogue.RETAIL_0095_WEIGHTS.licence,
        weights_class=LicenceClass.PERMISSIVE,
        training_data=(
            "unknown: Intel does not say what it was trained on, nor whether people of LFW were"
            " among it"
        ),
    ),
    preparation=Form.OPENVINO_REID.preparation,
    dimensions=256,
    description="Makes templates of 256 numbers; the default recogniser",
    known_limits=(
        "Intel does not say what it was trained on, so figures on LFW may be flattered",
        "How it does as people age was not measured",
        "One raw threshold gives groups of people unequal error rates: scores are distances in"
        " units of how crowded a face's surroundings are",
    ),
    credits="Intel, Open Model Zoo, release 2023.0",
    lfw_fnmr=0.0088,
)

YUNET_2023MAR = ModelCard(
    name="yunet-2023mar",
    form=Form.YUNET,
    source=catalogue.YUNET,
    licences=Licences(
        code="MIT",
        weights=catalogue.YUNET.licence,
        weights_class=LicenceClass.PERMISSIVE,
        training_data=(
            "unconfirmed: the file's publisher names none; its makers' training code is set up"
            " for WIDER FACE, published for research"
        ),
    ),
    preparation=Form.YUNET.preparation,
    dimensions=None,
    description="Finds faces and five landmarks of each; small and fast",
    known_limits=("Its makers trained it for faces between about 10 and 300 pixels",),
    credits="Wei Wu, Hanyang Peng, Shiqi Yu, YuNet, 2023; published by OpenCV Zoo",
)

SFACE_2021DEC = ModelCard(
    name="sface-2021dec",
    form=Form.SFACE,
    source=catalogue.SFACE,
    licences=Licences(
        code="Apache-2.0",
        weights=catalogue.SFACE.licence,
        weights_class=LicenceClass.PERMISSIVE,
        training_data=(
            "unconfirmed: neither publisher nor author say which of CASIA-WebFace, VGGFace2 and"
            " MS1MV2, all collected from the web, trained this file"
        ),
    ),
    preparation=Form.SFACE.preparation,
    dimensions=128,
    description="Makes templates of 128 numbers from ArcFace chips",
    known_limits=("Not measured by Likeness: calibrate it before relying on a threshold",),
    credits="Yaoyao Zhong, Weihong Deng and others, SFace, 2021; published by OpenCV Zoo",
)

BUILT_IN = (CENTERFACE, RETAIL_0095, DLIB_RESNET_V1, YUNET_2023MAR, SFACE_2021DEC)
