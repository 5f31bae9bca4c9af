"""A small form that a page of ours sent: its fields, read with bounds, and proof that it is ours."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request

from sealcam_hub.console.origin import came_from_us
from sealcam_hub.console.session import same

MOST_BYTES = 16384  # three passphrases of the longest kind, each character as percent signs and digits
MOST_FIELDS = 32


async def own_form(request: Request, csrf: str | None) -> dict[str, str]:
    """The fields of a form, the first of each name; `csrf` is what it must carry, none where nobody has a session yet.

    Raises:
        HTTPException: another site sent it (403), or it is no small form (400, 413, 415).
    """
    if not came_from_us(request.headers, request.url.scheme):
        raise HTTPException(403)
    form = await _read(request)
    if csrf is not None and not same(form.get("csrf", ""), csrf):
        raise HTTPException(403)
    return form


async def _read(request: Request) -> dict[str, str]:
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise HTTPException(415)
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise HTTPException(413)
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise HTTPException(400) from error
    return {name: values[0] for name, values in fields.items()}
