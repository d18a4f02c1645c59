"""Opening zip containers of strangers: every size is checked before a parser sees a byte."""

from __future__ import annotations

import io
import zipfile
import zlib

from django.utils.translation import gettext_lazy as _

from povertyaid.lib.sheets.model import Limits, UnreadableFileError

_ENCRYPTED_FLAG = 0x1
_LOCAL_HEADER = 30


def damaged(detail: object = "") -> UnreadableFileError:
    """The error of a file that breaks off or contradicts itself; `detail` is for the developer only."""
    return UnreadableFileError(
        "damaged",
        _(
            "The file is damaged or incomplete. Open it in Excel or WPS, save it again as .xlsx, and send that file."
        ),
        {"detail": detail},
    )


def too_large() -> UnreadableFileError:
    """The error of a file above the limits."""
    return UnreadableFileError(
        "too_large",
        _(
            "The file is too large. Delete empty rows and columns beside and below the table, remove pictures, "
            "or split it into several files."
        ),
    )


def encrypted() -> UnreadableFileError:
    """The error of a file with a password."""
    return UnreadableFileError(
        "encrypted",
        _(
            "The file is protected by a password. Open it in Excel or WPS, remove the password, save it, and try again."
        ),
    )


class Container:
    """The text parts of a zip file, unpacked no further than the limits allow.

    The sizes that a zip declares may be a lie, and the parsers behind us believe it: every part that they
    read is unpacked here first, counted.
    """

    def __init__(self, data: bytes, limits: Limits) -> None:
        """Read the directory; UnreadableFileError when it is broken, encrypted or too large."""
        self._data = data
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                self._parts = {info.filename: info for info in archive.infolist()}
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, RuntimeError) as error:
            raise damaged(error) from error
        if any(info.flag_bits & _ENCRYPTED_FLAG for info in self._parts.values()):
            raise encrypted()
        texts = [info for name, info in self._parts.items() if name.lower().endswith((".xml", ".rels"))]
        if sum(info.file_size for info in texts) > limits.unpacked_bytes:
            raise too_large()
        self._texts: dict[str, bytes] = {}
        left = limits.unpacked_bytes
        for info in texts:
            content = self._unpack(info, left)
            left -= len(content)
            self._texts[info.filename] = content

    def __contains__(self, name: str) -> bool:
        """Whether the container has a part of this name."""
        return name in self._parts

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all parts."""
        return tuple(self._parts)

    def text(self, name: str) -> bytes:
        """The content of an XML part; empty when there is none of this name."""
        return self._texts.get(name, b"")

    def raw(self, name: str) -> bytes:
        """A short part that is no XML, at most 1 kB of it."""
        info = self._parts.get(name)
        return self._unpack(info, 1024) if info is not None and info.file_size <= 1024 else b""

    def _unpack(self, info: zipfile.ZipInfo, limit: int) -> bytes:
        offset = info.header_offset
        header = self._data[offset : offset + _LOCAL_HEADER]
        if len(header) < _LOCAL_HEADER or header[:4] != b"PK\x03\x04":
            raise damaged(info.filename)
        start = (
            offset
            + _LOCAL_HEADER
            + int.from_bytes(header[26:28], "little")
            + int.from_bytes(header[28:30], "little")
        )
        packed = self._data[start : start + info.compress_size]
        if info.compress_type == zipfile.ZIP_STORED:
            content = packed
        elif info.compress_type == zipfile.ZIP_DEFLATED:
            unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
            try:
                content = unpacker.decompress(packed, limit + 1)
            except zlib.error as error:
                raise damaged(info.filename) from error
        else:
            raise damaged(info.filename)
        if len(content) > limit:
            raise too_large()
        if len(content) != info.file_size or zlib.crc32(content) != info.CRC:
            raise damaged(info.filename)
        return content
