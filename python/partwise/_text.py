"""Texts of exceptions, which are kept short."""

#: Longest text of an exception.
_LONGEST = 500


def cut(text: str, longest: int = _LONGEST) -> str:
    """``text``, or its beginning."""
    return text if len(text) <= longest else text[: longest - 1] + "…"
