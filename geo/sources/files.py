"""Open the files of a data folder: within limits, read once, with their digest."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path, PurePosixPath

from geo.settings import Settings
from geo.sources.faultlog import FaultLog

_CHUNK = 1 << 20


class FolderFiles:
    """The files of one data folder.

    Attributes
    ----------
    root : pathlib.Path
    digests : dict of str to str
        SHA-256 of every file read so far, by its path relative to the folder.
    """

    def __init__(self, root: Path, *, settings: Settings, log: FaultLog) -> None:
        self.root = root
        self.settings = settings
        self.log = log
        self.digests: dict[str, str] = {}

    @property
    def limit_bytes(self) -> int:
        """Largest file accepted, also after it is unpacked."""
        return self.settings.max_upload_mb * 1_000_000

    def name(self, path: Path) -> str:
        """Return `path` as the user knows it: relative to the folder, with slashes."""
        return path.relative_to(self.root).as_posix()

    def candidates(self, folder: str, *, suffixes: tuple[str, ...], stem: str | None = None) -> list[Path]:
        """Return the files of `folder` with one of `suffixes` (and the name `stem`), in alphabetical order."""
        return sorted(
            path
            for path in self._entries(folder)
            if path.is_file()
            and not path.name.startswith((".", "~$"))
            and path.name.lower().endswith(suffixes)
            and (stem is None or path.name.split(".")[0].lower() == stem)
        )

    def _entries(self, folder: str) -> list[Path]:
        place = self.root / folder
        try:
            return list(place.iterdir()) if place.is_dir() else []
        except OSError as error:
            self.log.add("file_unreadable", file=f"{folder}/", detail=error.strerror or error)
            return []

    def one_of(self, paths: list[Path], *, part: str) -> Path | None:
        """Return the only path; several are a fault, none is None."""
        if len(paths) > 1:
            names = ", ".join(self.name(path) for path in paths)
            self.log.add("several_candidates", file=self.name(paths[0]), part=part, found=names)
            return None
        return paths[0] if paths else None

    def accepts(self, path: Path) -> bool:
        """Say whether `path` can be opened, is not empty and within the limit; note why not."""
        try:
            size = path.stat().st_size
        except OSError as error:
            self.log.add("file_unreadable", file=self.name(path), detail=error.strerror or error)
            return False
        if size == 0:
            self.log.add("empty_file", file=self.name(path))
        elif size > self.limit_bytes:
            self._too_large(path, size)
        return 0 < size <= self.limit_bytes

    def read(self, path: Path) -> bytes | None:
        """Return the content of `path` and keep its digest; None where it is not accepted."""
        if not self.accepts(path):
            return None
        try:
            content = path.read_bytes()
        except OSError as error:
            self.log.add("file_unreadable", file=self.name(path), detail=error.strerror or error)
            return None
        self.digests[self.name(path)] = hashlib.sha256(content).hexdigest()
        return content

    def keep_digest(self, path: Path) -> bool:
        """Keep the digest of a file that is not parsed here; say whether it could be read."""
        if not self.accepts(path):
            return False
        digest = hashlib.sha256()
        try:
            with path.open("rb") as stream:
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
        except OSError as error:
            self.log.add("file_unreadable", file=self.name(path), detail=error.strerror or error)
            return False
        self.digests[self.name(path)] = digest.hexdigest()
        return True

    def unzip(self, path: Path, content: bytes, *, suffixes: tuple[str, ...] | None) -> dict[str, bytes] | None:
        """Return the members of a zip archive by path, only those with `suffixes` where given.

        The sizes are summed before anything is unpacked, and what is unpacked is cut at the limit again, because an
        archive may lie about its sizes.
        """
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                return self._members(path, archive, suffixes)
        except Exception as error:  # a damaged archive raises whatever its codec raises
            self.log.add("file_unreadable", file=self.name(path), detail=error)
        return None

    def _members(
        self, path: Path, archive: zipfile.ZipFile, suffixes: tuple[str, ...] | None
    ) -> dict[str, bytes] | None:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        if sum(entry.file_size for entry in entries) > self.limit_bytes:
            self._too_large(path, sum(entry.file_size for entry in entries))
            return None
        members: dict[str, bytes] = {}
        left = self.limit_bytes
        for entry in entries:
            if _leaves_its_folder(entry.filename):
                self.log.add("zip_unsafe", file=self.name(path), value=entry.filename)
                return None
            if suffixes is not None and not entry.filename.lower().endswith(suffixes):
                continue
            with archive.open(entry) as stream:
                member = stream.read(left + 1)
            left -= len(member)
            if left < 0:
                self._too_large(path, self.limit_bytes + 1)
                return None
            members[entry.filename] = member
        return members

    def _too_large(self, path: Path, size: int) -> None:
        self.log.add(
            "file_too_large",
            file=self.name(path),
            value=f"{size / 1e6:.1f} MB",
            allowed=f"{self.settings.max_upload_mb} MB",
        )


def _leaves_its_folder(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or ":" in name.partition("/")[0]
