"""XML of strangers as a stream of events, so that a long sheet never stands in memory as a tree."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING
from xml.etree.ElementTree import ParseError

import defusedxml.ElementTree as SafeTree
from defusedxml.common import DefusedXmlException

from povertyaid.lib.sheets.refusals import damaged, unsafe

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from xml.etree.ElementTree import Element


def events(
    source: IO[bytes] | IO[str], wanted: Collection[str]
) -> Iterator[tuple[str, Element, list[Element]]]:
    """`start` and `end` of the root and of each element whose tag is `wanted`, with those of them around it.

    Declarations of document types and entities are refused (code unsafe), XML that breaks off as damaged. Who
    has read an element takes it out of its parent, which must be wanted too: `del ancestors[-1][:]`.
    """
    ancestors: list[Element] = []
    root: Element | None = None
    try:
        for event, element in SafeTree.iterparse(source, events=("start", "end"), forbid_dtd=True):
            if root is None:
                root = element
            if element.tag not in wanted and element is not root:
                continue
            if event == "start":
                yield event, element, ancestors
                ancestors.append(element)
            else:
                ancestors.pop()
                yield event, element, ancestors
    except DefusedXmlException as error:
        raise unsafe(error) from error
    except (ParseError, ValueError, LookupError) as error:
        raise damaged(error) from error


def parse(xml: bytes) -> Element:
    """A short part as a tree; refused as `events` does."""
    try:
        return SafeTree.fromstring(xml, forbid_dtd=True)
    except DefusedXmlException as error:
        raise unsafe(error) from error
    except (ParseError, ValueError, LookupError) as error:
        raise damaged(error) from error


def local(tag: str) -> str:
    """The name of a tag without its namespace."""
    return tag.rpartition("}")[2]
