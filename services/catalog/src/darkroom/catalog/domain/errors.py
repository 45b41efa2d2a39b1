"""The catalog's reasons to refuse, each under the family that decides its status."""

from darkroom.platform.errors import Broken, Conflict, Forbidden, NotFound, Unavailable


class ImageMissing(NotFound):
    """Absent, foreign, of the other stage or not yet public: the answer is the same."""

    public = "There is no such image."


class AlbumMissing(NotFound):
    """Absent, foreign or of the other stage."""

    public = "There is no such album."


class FileMissing(NotFound):
    """No stored file under this address, for this caller."""

    public = "There is no such file."


class LinkRefused(Forbidden):
    """The capability in the link is wrong, expired or withdrawn."""

    public = "This link is not valid any more."


class UploadTaken(Conflict):
    """The upload or image id belongs to another registration."""

    public = "This upload is already registered."


class ObjectLost(Unavailable):
    """The row says the object is there, and the store says it is not: someone must look."""

    public = "The file cannot be read at the moment."


class RenditionsIncompleteError(Broken):
    """A completed job left out a rendition that was asked for."""
