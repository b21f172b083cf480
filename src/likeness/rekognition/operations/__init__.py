"""One function for each operation of Rekognition, named in `OPERATIONS`."""

from collections.abc import Callable, Mapping

from likeness.rekognition.backend import Backend
from likeness.rekognition.call import Call, Request, Response
from likeness.rekognition.operations.collections import (
    create_collection,
    delete_collection,
    describe_collection,
    list_collections,
)
from likeness.rekognition.operations.faces import compare_faces, detect_faces
from likeness.rekognition.operations.indexing import delete_faces, index_faces, list_faces
from likeness.rekognition.operations.search import (
    search_faces,
    search_faces_by_image,
    search_users,
    search_users_by_image,
)
from likeness.rekognition.operations.streams import (
    create_stream_processor,
    delete_stream_processor,
    describe_stream_processor,
    list_stream_processors,
    start_stream_processor,
    stop_stream_processor,
    update_stream_processor,
)
from likeness.rekognition.operations.tags import (
    list_tags_for_resource,
    tag_resource,
    untag_resource,
)
from likeness.rekognition.operations.users import (
    associate_faces,
    create_user,
    delete_user,
    disassociate_faces,
    list_users,
)
from likeness.rekognition.operations.video import (
    get_face_detection,
    get_face_search,
    start_face_detection,
    start_face_search,
)

Operation = Callable[[Backend, Call, Request], Response]

OPERATIONS: Mapping[str, Operation] = {
    "AssociateFaces": associate_faces,
    "CompareFaces": compare_faces,
    "CreateCollection": create_collection,
    "CreateStreamProcessor": create_stream_processor,
    "CreateUser": create_user,
    "DeleteCollection": delete_collection,
    "DeleteFaces": delete_faces,
    "DeleteStreamProcessor": delete_stream_processor,
    "DeleteUser": delete_user,
    "DescribeCollection": describe_collection,
    "DescribeStreamProcessor": describe_stream_processor,
    "DetectFaces": detect_faces,
    "DisassociateFaces": disassociate_faces,
    "GetFaceDetection": get_face_detection,
    "GetFaceSearch": get_face_search,
    "IndexFaces": index_faces,
    "ListCollections": list_collections,
    "ListFaces": list_faces,
    "ListStreamProcessors": list_stream_processors,
    "ListTagsForResource": list_tags_for_resource,
    "ListUsers": list_users,
    "SearchFaces": search_faces,
    "SearchFacesByImage": search_faces_by_image,
    "SearchUsers": search_users,
    "SearchUsersByImage": search_users_by_image,
    "StartFaceDetection": start_face_detection,
    "StartFaceSearch": start_face_search,
    "StartStreamProcessor": start_stream_processor,
    "StopStreamProcessor": stop_stream_processor,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "UpdateStreamProcessor": update_stream_processor,
}
