"""What can go wrong with what is stored; the API turns each class into its own status."""

from facegate.errors import FacegateError


class StoreError(FacegateError):
    """The database is out of reach, full, read-only, busy, or of another version of facegate."""


class NotFoundError(FacegateError):
    """A person, mark, session or key that was named is not there."""


class ConflictError(FacegateError):
    """What was to be added is there already, or was changed meanwhile."""


class InvalidError(FacegateError):
    """A value cannot be stored: a name, an identifier, a time or an embedding that makes no sense."""


class VaultError(FacegateError):
    """A key is missing or malformed, or sealed data do not open."""


class TamperedError(VaultError):
    """Sealed data were changed, moved to another row, or sealed by another key of the same name."""
