"""A form of ours with one small file in it (`multipart/form-data`, RFC 7578, as browsers send it), read with bounds.

The file's name and type are what its sender says, and nothing here looks at them.
"""

from __future__ import annotations

import re

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request

from sealcam_hub.console.form import MOST_BYTES, MOST_FIELDS
from sealcam_hub.console.origin import came_from_us
from sealcam_hub.console.session import same

KIND = "multipart/form-data"
MOST_LINES = 8  # of a part's head; a browser sends two
_BOUNDARY = re.compile(rf"{KIND}; *boundary=([A-Za-z0-9'()+_,./:=?-]{{1,70}})")
_NAME = re.compile(rb'content-disposition: form-data; name="([a-z_]{1,32})"(; filename="[^\r\n]*")?', re.IGNORECASE)


async def own_upload(request: Request, csrf: str, most_bytes: int) -> tuple[dict[str, str], dict[str, bytes]]:
    """The fields of a form and its files, the first of each name; `csrf` is what it must carry.

    Raises:
        HTTPException: another site sent it (403), or it is no such form (400, 413, 415).
    """
    if not came_from_us(request.headers, request.url.scheme):
        raise HTTPException(403)
    found = _BOUNDARY.fullmatch(request.headers.get("content-type", ""))
    if found is None:
        raise HTTPException(415)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES + most_bytes:
            raise HTTPException(413)
    try:
        fields, files = await to_thread.run_sync(parts, bytes(body), found[1].encode())
    except ValueError as error:
        raise HTTPException(400) from error
    if not same(fields.get("csrf", ""), csrf):
        raise HTTPException(403)
    if sum(map(len, fields.values())) > MOST_BYTES:
        raise HTTPException(413)
    return fields, files


def parts(body: bytes, boundary: bytes) -> tuple[dict[str, str], dict[str, bytes]]:
    """Fields and files of such a body, the first of each name.

    Raises:
        ValueError: it isn't as a browser sends it.
    """
    before, *between = (b"\r\n" + body).split(b"\r\n--" + boundary, MOST_FIELDS + 2)
    if before or not between or between.pop() not in (b"--", b"--\r\n"):
        raise ValueError("not from boundary to boundary")
    fields: dict[str, str] = {}
    files: dict[str, bytes] = {}
    for one in between:
        head, blank, content = one.partition(b"\r\n\r\n")
        named = next(filter(None, map(_NAME.fullmatch, head.split(b"\r\n", MOST_LINES))), None)
        if not head.startswith(b"\r\n") or not blank or named is None:
            raise ValueError("a part without a name")
        if named[2] is None:
            fields.setdefault(named[1].decode(), content.decode("utf-8", "replace"))
        else:
            files.setdefault(named[1].decode(), content)
    return fields, files
