"""The store that an off-site copy goes to, over S3: the only file that speaks it.

Uploads go through `s3transfer`, whose leaky bucket keeps to the owner's bandwidth, in the caller's thread; nothing is
tried again here, since the copier does that in its own time. An object is deleted with all its versions. Errors are
`Away`, in words without address, key or name.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, ReadTimeoutError, SSLError
from s3transfer.futures import NonThreadedExecutor
from s3transfer.manager import TransferConfig, TransferManager

from sealcam_hub.offsite_errors import Away, Missing, Refused
from sealcam_hub.offsite_settings import Settings

CONNECT_S, READ_S = 10.0, 30.0
_NS = 1_000_000_000
_REASONS = {
    "NoSuchBucket": "there is no such bucket",
    "InvalidAccessKeyId": "the store doesn't know the access key",
    "SignatureDoesNotMatch": "the store refuses the secret key",
    "AccessDenied": "the store doesn't allow it",
    "SlowDown": "the store asks for patience",
    "QuotaExceeded": "the store is full",
    "InsufficientStorage": "the store is full",
    "RequestTimeTooSkewed": "this machine's clock is wrong, or the store's",
}
_ABSENT = ("NoSuchKey", "404", "NotFound")
_NO_VERSIONS = ("NotImplemented", "MethodNotAllowed", "501", "405")


class S3Store:
    """One bucket's part under a prefix; for one thread at a time."""

    def __init__(self, chosen: Settings, connect_s: float = CONNECT_S, read_s: float = READ_S) -> None:
        self._bucket, self._prefix = chosen.bucket, f"{chosen.prefix}/" if chosen.prefix else ""
        settings = Config(
            connect_timeout=connect_s,
            read_timeout=read_s,
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "auto" if chosen.endpoint.endswith("amazonaws.com") else "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            max_pool_connections=1,
        )
        with _told():
            session = botocore.session.Session()
            session.set_config_variable("credentials_file", "/dev/null")  # whoever runs this has none of his own here
            session.set_config_variable("config_file", "/dev/null")
            self._client: Any = session.create_client(
                "s3",
                region_name=chosen.region,
                endpoint_url=chosen.endpoint,
                aws_access_key_id=chosen.access_key,
                aws_secret_access_key=chosen.secret_key,
                verify=chosen.ca_file or None,
                config=settings,
            )
        bounds = TransferConfig(
            multipart_threshold=1 << 30, max_bandwidth=chosen.most_kbytes_per_s * 1000 or None, num_download_attempts=1
        )
        self._uploads = TransferManager(self._client, bounds, executor_cls=NonThreadedExecutor)

    def put(self, name: str, data: bytes, locked_ns: int = 0) -> None:
        """Store an object; until `locked_ns` (wall time, 0: not at all) nobody is to delete it.

        Raises:
            Away: it isn't known to be there.
        """
        more: dict[str, object] = {}
        if locked_ns:
            until = datetime.fromtimestamp(locked_ns // _NS, UTC)
            more = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until, "ChecksumAlgorithm": "SHA256"}
        with _told():
            self._uploads.upload(io.BytesIO(data), self._bucket, self._prefix + name, extra_args=more).result()

    def get(self, name: str, most_bytes: int) -> bytes:
        """An object's bytes, at most one more than `most_bytes`.

        Raises:
            Missing: there is none.
            Away: it can't be had.
        """
        with _told():
            body = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)["Body"]
            try:
                return bytes(body.read(most_bytes + 1))
            finally:
                body.close()

    def names(self) -> Iterator[str]:
        """The names of all objects under the prefix, in pages.

        Raises:
            Away: they can't be had.
        """
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
        with _told():
            for page in pages:
                for one in page.get("Contents", ()):
                    yield one["Key"].removeprefix(self._prefix)

    def delete(self, name: str) -> None:
        """Delete an object with all its versions; one that isn't there is deleted already.

        Raises:
            Away: it may still be there.
        """
        key = self._prefix + name
        with _told():
            for version in self._versions(key):
                self._client.delete_object(Bucket=self._bucket, Key=key, **version)

    def _versions(self, key: str) -> list[dict[str, str]]:
        try:
            found = self._client.list_object_versions(Bucket=self._bucket, Prefix=key)
        except ClientError as error:
            if _code(error) not in _NO_VERSIONS:
                raise
            return [{}]
        both = (*found.get("Versions", ()), *found.get("DeleteMarkers", ()))
        return [{"VersionId": one["VersionId"]} for one in both if one["Key"] == key]

    def lockable(self) -> bool:
        """Whether objects in this bucket can be locked.

        Raises:
            Away: the store doesn't say.
        """
        with _told():
            try:
                said = self._client.get_object_lock_configuration(Bucket=self._bucket)
            except ClientError as error:
                if _code(error) in ("ObjectLockConfigurationNotFoundError", *_NO_VERSIONS):
                    return False
                raise
        return bool(said.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled")

    def close(self) -> None:
        """Let go of the store."""
        self._uploads.shutdown(cancel=True)
        self._client.close()


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def _told() -> Iterator[None]:
    """Our error for the library's; its own words may name the bucket, the key or the address."""
    try:
        yield
    except ClientError as error:
        code = _code(error)
        if code in _ABSENT:
            raise Missing("there is no such object") from None
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        why = _REASONS.get(code, f"the store answers with an error ({status or 'no number'})")
        raise (Refused if status == 403 else Away)(why) from None
    except (ConnectTimeoutError, ReadTimeoutError):
        raise Away("the store doesn't answer in time") from None
    except SSLError:
        raise Away("the store's certificate isn't trusted here") from None
    except BotoCoreError:
        raise Away("the store can't be reached") from None
    except OSError:
        raise Away("the connection to the store broke") from None
