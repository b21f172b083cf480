"""A program as people write them for Amazon Rekognition: it knows nothing of Likeness.

`python folder_and_users.py COLLECTION FOLDER PROBE` indexes a folder of pictures, lists and
searches it, makes a user of the best match, and cleans up.
"""

import sys
from pathlib import Path

import boto3
from botocore.exceptions import ClientError


def main(collection_id: str, folder: Path, probe: Path) -> None:
    client = boto3.client("rekognition")
    try:
        print("ARN", client.create_collection(CollectionId=collection_id)["CollectionArn"])
    except client.exceptions.ResourceAlreadyExistsException:
        print("exists")

    for photo in sorted(folder.iterdir()):
        response = client.index_faces(
            CollectionId=collection_id,
            Image={"Bytes": photo.read_bytes()},
            ExternalImageId=photo.stem,
            MaxFaces=1,
            QualityFilter="AUTO",
            DetectionAttributes=["ALL"],
        )
        for record in response["FaceRecords"]:
            print("indexed", record["Face"]["ExternalImageId"])
        for unindexed in response["UnindexedFaces"]:
            print("left out", unindexed["Reasons"])

    response = client.list_faces(CollectionId=collection_id, MaxResults=1)
    listed = response["Faces"]
    while "NextToken" in response:
        response = client.list_faces(
            CollectionId=collection_id, NextToken=response["NextToken"], MaxResults=1
        )
        listed += response["Faces"]
    print("listed", [face["ExternalImageId"] for face in listed])

    image = {"Bytes": probe.read_bytes()}
    matches = client.search_faces_by_image(
        CollectionId=collection_id, Image=image, FaceMatchThreshold=90, MaxFaces=5
    )["FaceMatches"]
    print("found", [match["Face"]["ExternalImageId"] for match in matches])

    client.create_user(CollectionId=collection_id, UserId="somebody")
    response = client.associate_faces(
        CollectionId=collection_id,
        UserId="somebody",
        FaceIds=[match["Face"]["FaceId"] for match in matches],
    )
    print("status", response["UserStatus"], len(response["AssociatedFaces"]))
    users = client.search_users_by_image(CollectionId=collection_id, Image=image)["UserMatches"]
    print("users", [match["User"]["UserId"] for match in users])

    try:
        client.search_faces_by_image(CollectionId="nowhere", Image=image)
    except ClientError as error:
        print(error.response["Error"]["Code"], "-", error.response["Error"]["Message"])
    try:
        client.detect_labels(Image=image)
    except ClientError as error:
        print(error.response["Error"]["Code"])
    print("deleted", client.delete_collection(CollectionId=collection_id)["StatusCode"])


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
