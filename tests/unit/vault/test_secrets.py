"""Where secrets come from, and what comes first."""

import sys
import types
from pathlib import Path

import pytest

from skyflow.errors import UsageError
from skyflow.vault.secrets import Secrets, read_secrets, read_variables, without_secrets
from skyflow.vault.system_keyring import ask_keyring, service_name


def test_options_come_before_files_before_the_environment(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.write_text("B=file1\nC=file1\n")
    second.write_text("C=file2\n")
    found = read_secrets(
        given=["a=option1", "A=option2", "D"],
        files=[first, second],
        environment={"SKYFLOW_SECRET_a": "env", "SKYFLOW_SECRET_B": "env", "SKYFLOW_SECRET_E": "env", "D": "own"},
    )
    assert dict(found.items()) == {"A": "option2", "B": "file1", "C": "file2", "D": "own", "E": "env"}


def test_what_is_not_set_is_asked_for_or_refused() -> None:
    assert read_secrets(given=["A"], environment={}, ask=lambda name: f"<{name}>").get("A") == "<A>"
    with pytest.raises(UsageError, match="the environment variable A is not set"):
        read_secrets(given=["A"], environment={})


@pytest.mark.parametrize("given", ["p@ss word=hush", "1hush", "GITHUB_HUSH=x", "=hush", ""])
def test_names_are_checked_and_what_was_given_is_not_repeated(given: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_secrets(given=[given], environment={})
    assert caught.value.message.startswith("--secret: ")
    assert "hush" not in caught.value.message.lower() + (caught.value.hint or "").lower()


def test_a_name_in_a_file_or_the_environment_is_checked_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "s.env"
    file.write_text("A=1\nB-C=2\n")
    with pytest.raises(UsageError, match=r"s\.env:2: this is not a name"):
        read_secrets(files=[file], environment={})
    with pytest.raises(UsageError, match="the variable SKYFLOW_SECRET_GITHUB_X: names that begin with GITHUB_"):
        read_secrets(environment={"SKYFLOW_SECRET_GITHUB_X": "1"})


def test_the_token_alone_may_have_githubs_prefix() -> None:
    assert read_secrets(given=["github_token=t"], environment={}).get("GITHUB_TOKEN") == "t"
    with pytest.raises(UsageError, match="reserved"):
        read_variables(given=["GITHUB_TOKEN=t"])


def test_secrets_do_not_show_themselves() -> None:
    secrets = Secrets({"a": "hush"})
    assert "hush" not in repr(secrets)
    assert "hush" not in str(secrets)
    assert not hasattr(secrets, "__dict__")
    assert list(secrets) == ["A"]


def test_those_that_join_do_not_replace() -> None:
    assert dict(Secrets({"A": "1"}).joined_by({"a": "2", "B": "3"}).items()) == {"A": "1", "B": "3"}


def test_variables_come_from_options_before_files(tmp_path: Path) -> None:
    file = tmp_path / "v.env"
    file.write_text("A=file\nB=file\n")
    assert read_variables(given=["a=x=y"], files=[file]) == {"A": "x=y", "B": "file"}
    with pytest.raises(UsageError, match="--var: expected NAME=VALUE"):
        read_variables(given=["A"])


def test_steps_do_not_get_the_environments_secrets() -> None:
    assert without_secrets({"SKYFLOW_SECRET_A": "1", "A": "2"}) == {"A": "2"}


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A keyring that has one secret, and fails as its `error` says."""
    errors = types.ModuleType("keyring.errors")
    errors.KeyringError = type("KeyringError", (Exception,), {})
    errors.NoKeyringError = type("NoKeyringError", (errors.KeyringError, RuntimeError), {})
    module = types.ModuleType("keyring")
    module.__spec__ = types.SimpleNamespace(name="keyring")
    module.errors = errors
    module.error = None
    module.asked = []

    def get_password(service: str, name: str) -> str | None:
        module.asked.append((service, name))
        if module.error:
            raise module.error
        return {"A": "hush"}.get(name)

    module.get_password = get_password
    monkeypatch.setitem(sys.modules, "keyring", module)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    return module


def test_the_keyring_is_asked_for_what_is_wanted_only(keyring: types.ModuleType) -> None:
    assert ask_keyring(service_name("project"), ["A", "B"]) == {"A": "hush"}
    assert keyring.asked == [("skyflow/project", "A"), ("skyflow/project", "B")]


def test_a_machine_without_a_keyring_has_no_secrets(keyring: types.ModuleType) -> None:
    keyring.error = keyring.errors.NoKeyringError("none")
    assert ask_keyring("s", ["A"]) == {}


def test_a_keyring_that_does_not_answer_is_told(keyring: types.ModuleType) -> None:
    keyring.error = keyring.errors.KeyringError("locked")
    with pytest.raises(UsageError, match="the keyring does not answer"):
        ask_keyring("s", ["A"])


def test_without_the_package_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skyflow.vault.system_keyring.find_spec", lambda _: None)
    assert ask_keyring("s", ["A"]) == {}
