"""Plays any heavy program of an example: fails unless its inputs are there, and writes its outputs.

It is copied under the program's name into a folder of PATH. What follows an option for outputs is written, and so is the
last argument of a program that copies; every other argument that looks like a path has to exist. A program without an
output prints; what it prints or writes depends on what it has read.
"""

import hashlib
import sys
from pathlib import Path

OUTPUTS = {"--out", "-o", "-O"}
COPIERS = {"aws", "gcloud", "azcopy"}
FETCHED = ".fetched"
"""In a folder that a copier has filled: any file may be asked for in there."""


def is_uri(text: str) -> bool:
    return "://" in text


def is_path(text: str) -> bool:
    return not text.startswith("-") and not is_uri(text) and ("/" in text or "." in text[1:]) and text[0].isalpha()


def digest(inputs: list[str]) -> str:
    content = hashlib.sha256()
    for name in inputs:
        path = Path(name)
        if not path.exists() and not (path.parent / FETCHED).exists():
            sys.exit(f"{sys.argv[0]}: {name}: no such file")
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            content.update(file.read_bytes() if file.is_file() else file.name.encode())
    return content.hexdigest()


def write(name: str, text: str) -> None:
    path = Path(name)
    file = path / "part-0" if name.endswith("/") else path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def main() -> None:
    program, arguments = Path(sys.argv[0]).name, sys.argv[1:]
    before = ["", *arguments]
    outputs = [word for option, word in zip(before, arguments, strict=False) if option in OUTPUTS]
    inputs = [word for word in arguments if is_path(word) and word not in outputs and not word.endswith(".py")]
    if program in COPIERS:
        target = [word for word in arguments if not word.startswith("-")][-1]
        if not is_uri(target):
            write(f"{target.rstrip('/')}/{FETCHED}", "")
            outputs, inputs = [f"{target.rstrip('/')}/"], [word for word in inputs if word != target]
    text = f"{program} of {digest(inputs)}"
    for name in outputs:
        write(name, text)
    if not outputs:
        print(text)  # noqa: T201 -- as the program would


if __name__ == "__main__":
    main()
