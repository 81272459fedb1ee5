"""Follows a Millrace model topic and scores with what is on it. The format is docs/model-topic.md of Millrace."""

from .errors import Foreign, MillraceClientError, NotSound
from .features import FeatureEncoder
from .file_log import read_file_log
from .follow import follow_file_log, follow_records
from .follower import Followed, Follower
from .model import Model
from .signature import TrustedKeys
from .update import Update, read_update

__all__ = [
    "FeatureEncoder",
    "Followed",
    "Follower",
    "Foreign",
    "MillraceClientError",
    "Model",
    "NotSound",
    "TrustedKeys",
    "Update",
    "follow_file_log",
    "follow_records",
    "read_file_log",
    "read_update",
]
