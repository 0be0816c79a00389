"""hashFiles on another machine: it lists and hashes its files, which ones match is decided here."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import anyio

from skyflow._util.glob import make_glob
from skyflow._util.glob_pattern import Kind, Pattern, PatternError, pattern_matches, with_descendants
from skyflow.model.artifacts import is_safe_path
from skyflow.ports.runner import HashFilesError
from skyflow.ports.transport import TransportError
from skyflow.runners.hashing import LIMIT_SECONDS, read_arguments
from skyflow.runners.remote.link import HostLink
from skyflow.runners.remote.session import Answer

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
            matching = matching_files(glob.patterns, Path(workspace), await link.ask("walk", folder=workspace))
            if not matching:
                return ""
            answer = await link.ask("hash", json.dumps(matching).encode(), folder=workspace)
            digests = [bytes.fromhex(digest) for digest in answer.texts("digests")]
    except PatternError as error:
        raise HashFilesError(f"hashFiles: {error}") from error
    except TransportError as error:
        raise HashFilesError(f"hashFiles on {link.name}: {error}") from error
    except ValueError:
        raise HashFilesError(f"hashFiles on {link.name}: the machine answers with what is no digest") from None
    except TimeoutError:
        raise HashFilesError(f"hashFiles did not finish within {LIMIT_SECONDS:g} seconds") from None
    return hashlib.sha256(b"".join(digests)).hexdigest()


def matching_files(patterns: Sequence[Pattern], workspace: Path, walked: Answer) -> list[str]:
    """Return the files that match, in the order in which a search here finds them: that of the bytes of their names.

    What would lie outside of the workspace, if the machine names such, is none of them.

    Raises:
        MachineRefusedError: the machine has answered with something else than a list of files.
    """
    wanted = tuple(each for pattern in patterns for each in with_descendants(pattern))
    names = [each[0] for each in walked.listing() if isinstance(each, list) and each[1:] == ["file"]]
    inside = [name for name in names if isinstance(name, str) and is_safe_path(name)]
    files = [name for name in inside if Kind.FILE in pattern_matches(wanted, workspace / name)]
    return sorted(files, key=lambda name: tuple(part.encode(errors="surrogateescape") for part in name.split("/")))
