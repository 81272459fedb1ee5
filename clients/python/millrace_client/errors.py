"""What can be wrong with what a topic holds."""


class MillraceClientError(Exception):
    """Base of all errors of this package; the message says what was wrong and what would be right."""


class NotSound(MillraceClientError):
    """Bytes are not what they should be: damaged, cut short, or loaded wrongly."""


class Foreign(MillraceClientError):
    """A newer trainer, or a feature this client does not have: upgrade the client, or score elsewhere."""
