"""Makes what reads pictures that callers name and do not send."""

from pathlib import Path

from likeness.buckets import Buckets, FolderBuckets, S3Buckets
from likeness.config import Settings
from likeness.errors import InvalidRequest


def buckets_of(settings: Settings) -> Buckets:
    """Make what reads buckets.

    Raises:
        InvalidRequest: folder and endpoint are both named, or one of them is none.
    """
    if settings.s3_endpoint and settings.buckets:
        raise InvalidRequest("LIKENESS_BUCKETS and LIKENESS_S3_ENDPOINT are both set. Unset one.")
    if settings.s3_endpoint:
        return S3Buckets(
            settings.s3_endpoint,
            region=settings.s3_region,
            access_key_id=settings.s3_access_key_id.get_secret_value(),
            secret_access_key=settings.s3_secret_access_key.get_secret_value(),
            work=settings.home / "work",
        )
    root = Path(settings.buckets) if settings.buckets else settings.home / "buckets"
    if settings.buckets and not root.is_dir():
        raise InvalidRequest(
            f"LIKENESS_BUCKETS names {str(root)!r}, which is no folder. Make it, or name another."
        )
    return FolderBuckets(root)
