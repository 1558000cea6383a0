"""Office files that are equal for equal content: members without the time of writing, dates taken from the day of issue."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime

_DATE = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(</dcterms:)")


def sealed(document: bytes, at: datetime) -> bytes:
    """The zip `document` with every member dated `at` (files within it too) and its core properties' dates set to `at`.

    Source: ECMA-376 part 2, Open Packaging Conventions, annex on core properties. A broken zip is a zipfile.BadZipFile.
    """
    found, stamp = io.BytesIO(), at.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    with zipfile.ZipFile(io.BytesIO(document)) as source, zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = _DATE.sub(rb"\g<1>" + stamp + rb"\g<2>", content)
            elif name.endswith(".xlsx"):
                content = sealed(content, at)
            member = zipfile.ZipInfo(name, at.timetuple()[:6])
            member.compress_type, member.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            target.writestr(member, content)
    return found.getvalue()
