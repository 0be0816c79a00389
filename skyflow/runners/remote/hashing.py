"""hashFiles on another machine: it lists and hashes its files, which ones match is decided here."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import anyio

from skyflow._util.glob import make_glob
from skyflow._util.glob_pattern import Kind, Pattern, PatternError, pattern_matches, with_descendants
from skyflow.ports.runner import HashFilesError
from skyflow.ports.transport import TransportError
from skyflow.runners.hashing import LIMIT_SECONDS, read_arguments
from skyflow.runners.remote.link import HostLink

__all__ = ["hash_remote_files", "matching_files"]


async def hash_remote_files(link: HostLink, workspace: str, arguments: tuple[str, ...]) -> str:
    """Return what `hashFiles(arguments)` gives in a workspace on the machine: links to folders are not followed.

    Raises:
        HashFilesError: an argument is not valid, a file cannot be read, the machine is lost, or it takes too long.
    """
    patterns, follow_links = read_arguments(arguments)
    if follow_links:
        raise HashFilesError("hashFiles: '--follow-symbolic-links' cannot be used on another machine")
    try:
        glob = make_glob("\n".join(patterns), workspace=Path(workspace))
        with anyio.fail_after(LIMIT_SECONDS):
            listed = json.loads((await link.ask("walk", folder=workspace)).data)
            matching = matching_files(glob.patterns, Path(workspace), listed)
            if not matching:
                return ""
            answer = await link.ask("hash", json.dumps(matching).encode(), folder=workspace)
    except PatternError as error:
        raise HashFilesError(f"hashFiles: {error}") from error
    except TransportError as error:
        raise HashFilesError(f"hashFiles on {link.name}: {error}") from error
    except TimeoutError:
        raise HashFilesError(f"hashFiles did not finish within {LIMIT_SECONDS:g} seconds") from None
    return hashlib.sha256(b"".join(map(bytes.fromhex, answer.fields["digests"]))).hexdigest()


def matching_files(patterns: Sequence[Pattern], workspace: Path, listed: Sequence[tuple[str, str]]) -> list[str]:
    """Return the files that match, in the order in which a search here finds them: that of the bytes of their names."""
    wanted = tuple(each for pattern in patterns for each in with_descendants(pattern))
    files = [name for name, kind in listed if kind == "file" and Kind.FILE in pattern_matches(wanted, workspace / name)]
    return sorted(files, key=lambda name: tuple(part.encode(errors="surrogateescape") for part in name.split("/")))
