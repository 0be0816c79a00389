"""What reads the words of others, each as a function of bytes that must come back whatever these are.

A target lets the errors pass that users are told of; anything else that it raises, and whatever takes it longer than
`LIMIT_SECONDS`, is a mistake. `python tests/fuzz/run.py` looks for such; what it finds is put into `corpus/TARGET/`, and
stays there: `test_corpus.py` hands all of it to the targets again.
"""

import contextlib
import json
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from skyflow._util.foreign_json import read_json
from skyflow._util.glob_pattern import PatternError, parse_pattern
from skyflow._util.masking import Masks
from skyflow._util.terminal import coloured, one_line, plain, uncoloured
from skyflow._util.version_range import VersionError, parse_range, parse_version
from skyflow.app.planning.bare_problem import load_problem
from skyflow.artifacts import documents
from skyflow.catalog.columns import TABLES
from skyflow.catalog.tables import read_table
from skyflow.errors import CatalogError, ExpressionError, UsageError, WorkflowInvalidError
from skyflow.expr import answer, from_python, parse_condition, parse_template
from skyflow.model.matrix import expand_matrix
from skyflow.model.placement import Plan
from skyflow.model.run import RunOptions
from skyflow.ports.artifacts import ArtifactError
from skyflow.ports.transport import LinkLostError
from skyflow.report.page.logs import line_html
from skyflow.report.page.markdown_html import markdown_html
from skyflow.report.step_summaries import render_summaries
from skyflow.runners.output.files import FileCommandError, WrittenElsewhere, read_answers
from skyflow.runners.output.lines import LogWriter
from skyflow.runners.output.matcher_files import MatcherFileError, read_matchers
from skyflow.runners.output.matchers import Matchers
from skyflow.runners.output.obey import AttemptMemory, StepCommands
from skyflow.runners.processes.recovery import Journal, read_attempt
from skyflow.runners.remote.errand import ErrandRefusedError
from skyflow.runners.remote.session import HostSession
from skyflow.runners.remote.told import read_entries, read_texts
from skyflow.runners.slurm.commands import phase_of, read_list, refusal
from skyflow.spec import action, config, load
from skyflow.vault.dotenv import parse_dotenv

__all__ = ["CORPUS", "LIMIT_SECONDS", "TARGETS", "seeds"]

ROOT = Path(__file__).parents[2]
CORPUS = Path(__file__).parent / "corpus"
LIMIT_SECONDS = 10.0
"""Of processor time; a file of a megabyte takes a second or two."""


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="surrogateescape")


def workflow(data: bytes) -> None:
    """A workflow file."""
    with contextlib.suppress(WorkflowInvalidError):
        load.load("w.yml", data, platform="linux", read=None)


def action_file(data: bytes) -> None:
    """The `action.yml` of an action."""
    with contextlib.suppress(WorkflowInvalidError):
        action.load("action.yml", data)


def project_file(data: bytes) -> None:
    """A project's `skyflow.yml`."""
    with contextlib.suppress(WorkflowInvalidError):
        config.load("skyflow.yml", data)


def expression(data: bytes) -> None:
    """An expression in all the places where one may stand, and the contexts that it is given."""
    text = _text(data)
    for read in (parse_template, parse_condition):
        with contextlib.suppress(ExpressionError):
            read(text, names=("github", "matrix"))
    answer(text)
    contexts = {"github": {"event": {"title": "x", "labels": [{"name": "a"}]}}, "matrix": {"n": [1, 2.5, None]}}
    answer(json.dumps({"expr": text, "context": contexts}))


def matrix(data: bytes) -> None:
    """A matrix that comes from JSON."""
    with contextlib.suppress(ValueError, ExpressionError):
        expand_matrix(from_python(read_json(data)))


def command_files(data: bytes) -> None:
    """What a step writes to GITHUB_ENV, GITHUB_OUTPUT, GITHUB_STATE and GITHUB_PATH."""
    for kind in ("env", "output", "state", "path"):
        with contextlib.suppress(FileCommandError):
            read_answers(WrittenElsewhere({kind: data}))


class _Log:
    def write(self, _data: bytes) -> None:
        """Keep nothing."""

    def close(self) -> None:
        """Nothing is open."""


def output(data: bytes) -> None:
    """What a step prints, workflow commands among it, in two pieces."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        memory = AttemptMemory(Masks(), Matchers(workspace))
        env = {"ACTIONS_STEP_DEBUG": "true", "ACTIONS_ALLOW_UNSECURE_COMMANDS": "true"}
        commands = StepCommands(memory, workspace=workspace, env=env)
        log = LogWriter(_Log(), commands, lambda _line: None)
        log.feed(data[: len(data) // 2])
        log.feed(data[len(data) // 2 :])
        log.finish()


def problem_matcher(data: bytes) -> None:
    """The file of a problem matcher."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "matcher.json")
        file.write_bytes(data)
        with contextlib.suppress(MatcherFileError):
            read_matchers(file)


class _Harmless(HTMLParser):
    """Reads a page as a browser does, and fails where it could do something."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one tag."""
        assert tag not in {"base", "embed", "form", "iframe", "link", "meta", "object", "script", "style", "svg"}
        for name, value in attrs:
            address = "".join((value or "").split()).lower()
            scheme = re.match(r"([a-z][a-z0-9+.-]*):|", address)[1] or ""
            assert not name.startswith("on")
            assert name != "style" or address.startswith(("color:", "background"))
            if name in {"href", "src"}:
                assert scheme in {"", "http", "https", "mailto"} or (
                    name == "src" and address.startswith("data:image/")
                )


def summary(data: bytes) -> None:
    """The summary of a step, on a page and in a terminal."""
    text = data.decode("utf-8", errors="replace")
    _Harmless().feed(markdown_html(text))
    list(render_summaries([("step", text)]))


def log_line(data: bytes) -> None:
    """A line of a log on a page."""
    _Harmless().feed(line_html(data.decode("utf-8", errors="replace")))


def slurm_answer(data: bytes) -> None:
    """What squeue and sbatch print."""
    text = data.decode(errors="replace")
    for listed in read_list(text):
        phase_of(listed.state)
        assert isinstance(listed.is_hopeless, bool)
    refusal(text)


def stored_document(data: bytes) -> None:
    """What is found in a store of artifacts."""
    for read in (documents.read_artifact, documents.read_cache, documents.read_checkpoint):
        with contextlib.suppress(ArtifactError):
            read(data)
    with contextlib.suppress(ArtifactError):
        documents.read_entry(data.decode("utf-8", errors="replace"))


def machine_answer(data: bytes) -> None:
    """What a machine tells of its files, in an errand or in a message of the supervisor."""
    with contextlib.suppress(LinkLostError):
        HostSession(None, b"").take(bytearray(data))
    with contextlib.suppress(ErrandRefusedError, ValueError):
        told = read_json(data)
        list(read_entries(told))
        read_texts(told)


def earlier_notes(data: bytes) -> None:
    """What a driver finds of an earlier one."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("results.jsonl", "keeper.jsonl"):
            Path(folder, name).write_bytes(data)
        read_attempt(Path(folder))
        Journal(Path(folder, "keeper.jsonl")).read()


def terminal(data: bytes) -> None:
    """Names, messages and lines of output on a terminal."""
    text = _text(data)
    obeyed = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
    assert not re.search(obeyed, plain(text))
    assert not re.search(f"{obeyed}|[\n\t]", one_line(text))
    left = uncoloured(coloured(text))
    assert left == uncoloured(text)
    assert not re.search("[\x00-\x08\x0a-\x1f\x7f-\x9f]", left)


def catalog_table(data: bytes) -> None:
    """A table of the catalog, as each kind there is; the header is right, so that it is about the rows."""
    with tempfile.TemporaryDirectory() as folder:
        for name, spec in TABLES.items():
            Path(folder, name).write_bytes(",".join(spec.names).encode() + b"\n" + data)
            with contextlib.suppress(CatalogError):
                read_table(Path(folder), name, spec)


def stored_plan(data: bytes) -> None:
    """A plan, and the options of a run, as they are stored or given as a file."""
    with contextlib.suppress(ValueError):
        found = read_json(data)
        if isinstance(found, dict):
            RunOptions.from_json(found)
            Plan.from_json(found)


def bare_problem(data: bytes) -> None:
    """The file of a placement problem."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "problem.json")
        file.write_bytes(data)
        with contextlib.suppress(UsageError):
            load_problem(str(file))


def env_file(data: bytes) -> None:
    """A file of secrets or variables."""
    with contextlib.suppress(UsageError):
        parse_dotenv(_text(data), path=".env")


def patterns(data: bytes) -> None:
    """Patterns of files, and ranges of versions."""
    text = _text(data)
    with contextlib.suppress(PatternError):
        parse_pattern(text, workspace=Path("/w"), home=Path("/home/u"))
    for read in (parse_range, parse_version):
        with contextlib.suppress(VersionError):
            read(text)


@dataclass(frozen=True)
class Target:
    """One of them; `like` are files of the repository that it reads, for a search to begin with."""

    run: Callable[[bytes], None]
    like: tuple[str, ...] = ()


TARGETS = {
    "workflow": Target(workflow, ("workflows/*.yml", "tests/unit/spec/data/*/*.yml")),
    "action_file": Target(action_file, ("action.yml",)),
    "project_file": Target(project_file, ("workflows/on-premises/skyflow.yml",)),
    "expression": Target(expression),
    "matrix": Target(matrix),
    "command_files": Target(command_files),
    "output": Target(output),
    "problem_matcher": Target(problem_matcher),
    "summary": Target(summary, ("README.md",)),
    "log_line": Target(log_line),
    "slurm_answer": Target(slurm_answer),
    "stored_document": Target(stored_document),
    "machine_answer": Target(machine_answer),
    "earlier_notes": Target(earlier_notes),
    "terminal": Target(terminal),
    "catalog_table": Target(catalog_table),
    "stored_plan": Target(stored_plan),
    "bare_problem": Target(bare_problem),
    "env_file": Target(env_file),
    "patterns": Target(patterns),
}


def seeds(name: str) -> list[bytes]:
    """Return what a search begins with: the corpus, and files of the repository."""
    files = [*sorted((CORPUS / name).glob("*")), *(file for glob in TARGETS[name].like for file in ROOT.glob(glob))]
    return [file.read_bytes() for file in files if file.stat().st_size < 100_000]
