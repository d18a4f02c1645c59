"""Opening zip containers of strangers: every size is checked before a parser sees a byte."""

from __future__ import annotations

import io
import zipfile
import zlib

from povertyaid.lib.sheets.model import Limits
from povertyaid.lib.sheets.refusals import damaged, encrypted, too_large

_ENCRYPTED_FLAG = 0x1
_LOCAL_HEADER = 30
_PIECE = 1024 * 1024
_SHORT = 1024


class Container:
    """The parts of a zip file, each unpacked when it is asked for and no further than the limits allow.

    The sizes that a zip declares may be a lie, and the parsers behind us believe it: `check` unpacks, piece by
    piece and counted, whatever nobody has asked for yet.
    """

    def __init__(self, data: bytes, limits: Limits) -> None:
        """Read the directory; UnreadableFileError when it is broken, encrypted or too large."""
        self._data = data
        self._most = limits.unpacked_bytes
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                entries = archive.infolist()
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, RuntimeError) as error:
            raise damaged(error) from error
        self._parts = {info.filename: info for info in entries}
        if len(self._parts) != len(entries):
            # Two parts of one name: which of them a parser takes is anybody's guess.
            raise damaged("two parts of one name")
        if any(info.flag_bits & _ENCRYPTED_FLAG for info in entries):
            raise encrypted()
        if sum(info.file_size for info in entries if _is_text(info.filename)) > self._most:
            raise too_large("unpacked", self._most)
        self._checked: set[str] = set()

    def __contains__(self, name: str) -> bool:
        """Whether the container has a part of this name."""
        return name in self._parts

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all parts."""
        return tuple(self._parts)

    def text(self, name: str) -> bytes:
        """The content of a part; empty when there is none of this name. Unpacked anew at each call."""
        info = self._parts.get(name)
        if info is None:
            return b""
        content = self._unpack(info, keep=True)
        self._checked.add(name)
        return content

    def raw(self, name: str) -> bytes:
        """A short part, at most 1 kB; empty when it is longer or missing."""
        info = self._parts.get(name)
        return self._unpack(info, keep=True) if info is not None and info.file_size <= _SHORT else b""

    def check(self) -> None:
        """Unpack every part of text that was not asked for; UnreadableFileError when one is not what it says."""
        for name, info in self._parts.items():
            if _is_text(name) and name not in self._checked:
                self._unpack(info, keep=False)

    def rewritten(self, changed: dict[str, bytes]) -> bytes:
        """The container with other content in some parts, for a parser that cannot read what stands there."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name in self._parts:
                if _is_text(name):
                    archive.writestr(name, changed.get(name) or self.text(name))
        return buffer.getvalue()

    def _unpack(self, info: zipfile.ZipInfo, *, keep: bool) -> bytes:
        packed = self._packed(info)
        if info.file_size > self._most:
            raise too_large("unpacked", self._most)
        if info.compress_type == zipfile.ZIP_STORED:
            if len(packed) != info.file_size or zlib.crc32(packed) != info.CRC:
                raise damaged(info.filename)
            return bytes(packed)
        if info.compress_type != zipfile.ZIP_DEFLATED:
            raise damaged(info.filename)
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        if keep:
            # One byte more than it says, so that a part that goes on is noticed.
            content = _inflate(unpacker, packed, info.file_size + 1, info.filename)
            size, digest = len(content), zlib.crc32(content)
        else:
            content, size, digest = b"", 0, 0
            source: bytes | memoryview = packed
            while piece := _inflate(unpacker, source, _PIECE, info.filename):
                size += len(piece)
                digest = zlib.crc32(piece, digest)
                source = unpacker.unconsumed_tail
                if size > info.file_size:
                    break
        if size != info.file_size or digest != info.CRC:
            raise damaged(info.filename)
        return content

    def _packed(self, info: zipfile.ZipInfo) -> memoryview:
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
        return memoryview(self._data)[start : start + info.compress_size]


def _is_text(name: str) -> bool:
    return name.lower().endswith((".xml", ".rels"))


def _inflate(unpacker: zlib._Decompress, packed: bytes | memoryview, most: int, name: str) -> bytes:
    try:
        return unpacker.decompress(packed, most)
    except zlib.error as error:
        raise damaged(name) from error
