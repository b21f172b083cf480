"""Pictures that are not sent along: in folders, or on an S3 endpoint."""

from likeness.buckets.buckets import Buckets
from likeness.buckets.folder import FolderBuckets
from likeness.buckets.held import HeldBuckets
from likeness.buckets.s3 import S3Buckets

__all__ = ["Buckets", "FolderBuckets", "HeldBuckets", "S3Buckets"]
