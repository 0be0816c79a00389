"""Files that are no workflows: each says where and what, with the documented exit code, and never a traceback."""

import os

import pytest

JOB = "runs-on: local, steps: [{run: x}]"

BAD = {
    "empty": (b"", "1:1"),
    "rubbish": (bytes(range(256)) * 20, "3:115"),
    "not utf-8": (b"on: push\nname: \xff\xfe\njobs: {}\n", "2:7"),
    "too large": (b"on: push\n# " + b"x" * 2_000_000, "1:1"),
    "not a mapping": (b"- a\n- b\n", "1:1"),
    "unclosed quote": (b'on: push\nname: "x\njobs:\n', "2:7"),
    "tab": (b"on: push\njobs:\n\ta: 1\n", "3:1"),
    "no jobs": (b"on: push\n", "1:1"),
    "duplicate key": (f"on: push\njobs:\n  a: {{{JOB}}}\n  a: {{{JOB}}}\n".encode(), "4:3"),
    "unknown key": (f"on: push\njobs:\n  a: {{{JOB}, stepz: 1}}\n".encode(), "3:42"),
    "wrong type": (b"on: push\njobs:\n  a: {runs-on: local, steps: text}\n", "3:30"),
    "unknown need": (f"on: push\njobs:\n  build: {{{JOB}}}\n  b: {{{JOB}, needs: biuld}}\n".encode(), "4:49"),
    "cycle": (
        f"on: push\njobs:\n  s: {{{JOB}}}\n  a: {{{JOB}, needs: c}}\n  b: {{{JOB}, needs: a}}\n  c: {{{JOB}, needs: b}}\n".encode(),
        "4:49",
    ),
    "expression": (b"on: push\njobs:\n  a: {runs-on: local, steps: [{run: '${{ github. }}'}]}\n", "3:"),
    "unknown context": (
        b"on: push\njobs:\n  a:\n    runs-on: local\n    steps:\n      - run: |\n          echo\n          ${{ nope.x }}\n",
        "6:14",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_every_mistake_has_its_place(project, name: str) -> None:
    content, place = BAD[name]
    (project.folder / "w.yml").write_bytes(content)
    done = project.skyflow("validate", "w.yml", code=3)
    first = done.err.splitlines()[0]
    assert first.startswith(f"w.yml:{place}"), done.err
    assert first.endswith("]"), "the code of the rule is named"
    assert project.skyflow("run", "w.yml", code=3).err == done.err
    assert not (project.folder / ".skyflow").exists()


WORDS = {"validate": "there are no workflow files in this folder"}


@pytest.mark.parametrize("command", ["validate", "run", "plan"])
def test_a_directory_is_no_workflow(project, command: str) -> None:
    (project.folder / "folder").mkdir()
    done = project.skyflow(command, "folder", code=3)
    assert done.err.startswith(f"folder:1:1: {WORDS.get(command, 'this is a directory, not a workflow file')}")
    assert not (project.folder / ".skyflow").exists()


def test_hints_say_what_to_do(project) -> None:
    for name, words in {"unknown key": "did you mean 'steps'", "unknown need": "did you mean 'build'"}.items():
        (project.folder / "w.yml").write_bytes(BAD[name][0])
        assert words in project.skyflow("validate", "w.yml", code=3).err


def test_a_cycle_is_named_as_a_whole(project) -> None:
    (project.folder / "w.yml").write_bytes(BAD["cycle"][0])
    err = project.skyflow("validate", "w.yml", code=3).err
    assert "a -> c -> b -> a" in err


def test_the_source_line_is_shown_with_a_caret(project) -> None:
    (project.folder / "w.yml").write_bytes(BAD["unknown need"][0])
    lines = project.skyflow("validate", "w.yml", code=3).err.splitlines()
    assert "needs: biuld" in lines[1]
    assert lines[1].index("biuld") == lines[2].index("^")


def test_all_findings_come_at_once_in_order(project) -> None:
    project.write(
        "on: push\njobs:\n  a: {runs-on: local, steps: [{run: x, shel: y}]}\n  b: {runs-on: local, needs: z, if: [], steps: [{run: x}]}\n"
    )
    findings = project.skyflow("validate", "--json", "w.yml", code=3).json
    assert [finding["line"] for finding in findings] == [3, 4, 4]


def test_an_alias_bomb_is_refused_at_once(project) -> None:
    levels = "".join(f"x{i}: &x{i} [{', '.join([f'*x{i - 1}'] * 10)}]\n" for i in range(1, 12))
    project.write(f"x0: &x0 [a]\n{levels}on: push\njobs: {{}}\n")
    done = project.skyflow("validate", "w.yml", code=3)
    assert "w.yml:" in done.err


@pytest.mark.parametrize("command", ["validate", "run", "plan"])
def test_files_that_cannot_be_read_are_usage_errors(project, command: str) -> None:
    assert "nothing.yml" in project.skyflow(command, "nothing.yml", code=2).err
    if os.geteuid() != 0:
        project.write("x", "secret.yml").chmod(0)
        assert "secret.yml" in project.skyflow(command, "secret.yml", code=2).err


def test_a_command_that_is_interrupted_says_so(project) -> None:
    project.write("on: push\n")
    (project.folder / "ruamel").mkdir()
    (project.folder / "ruamel" / "__init__.py").write_text(
        "raise KeyboardInterrupt\n"
    )  # what reads YAML is imported late
    done = project.skyflow("run", "w.yml", code=130, PYTHONPATH=str(project.folder))
    assert (done.out, done.err) == ("", "interrupted\n")


def test_an_interrupt_while_the_command_is_imported_shows_no_traceback(project) -> None:
    (project.folder / "typer.py").write_text("raise KeyboardInterrupt\n")
    done = project.skyflow("runs", code=130, PYTHONPATH=str(project.folder))
    assert (done.out, done.err) == ("", "")


def test_a_valid_file_says_so(project) -> None:
    project.write(f"on: push\njobs:\n  a: {{{JOB}}}\n")
    assert project.skyflow("validate", "w.yml").out == "1 file is valid\n"


def test_the_name_of_a_file_close_by_is_suggested(project) -> None:
    project.write(f"on: push\njobs:\n  a: {{{JOB}}}\n", "w.yml")
    assert "w.yml" in project.skyflow("run", "w.yaml", code=2).err
