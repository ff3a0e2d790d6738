"""The languages of a report."""

from enum import StrEnum


class Language(StrEnum):
    """In which language sentences and practices are told; labels stay English."""

    EN = "en"
    ZH = "zh"
    BOTH = "both"
