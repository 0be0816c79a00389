"""What stands on the command line of an engine, and what does not."""

import json

import pytest

from skyflow.model.containers import ContainerRequest, Mounts
from skyflow.runners.containers.engine import ContainerError, variable_options
from skyflow.runners.containers.options import (
    command_words,
    full_image_name,
    login_file,
    registry_of,
    safe_name,
    user_options,
)
from skyflow.runners.shells import ShellError, shell_inside


def request(**more: object) -> ContainerRequest:
    return ContainerRequest(**{"name": "", "image": "x", **more})


@pytest.mark.parametrize(
    ("image", "registry", "full"),
    [
        ("alpine", "https://index.docker.io/v1/", "docker.io/library/alpine"),
        ("alpine:3.20", "https://index.docker.io/v1/", "docker.io/library/alpine:3.20"),
        ("some/thing", "https://index.docker.io/v1/", "docker.io/some/thing"),
        ("docker.io/some/thing", "https://index.docker.io/v1/", "docker.io/some/thing"),
        ("index.docker.io/some/thing", "https://index.docker.io/v1/", "index.docker.io/some/thing"),
        ("ghcr.io/some/thing:1", "ghcr.io", "ghcr.io/some/thing:1"),
        ("localhost/thing", "localhost", "localhost/thing"),
        ("here:5000/thing@sha256:0", "here:5000", "here:5000/thing@sha256:0"),
    ],
)
def test_an_image_is_of_the_registry_it_names_else_of_docker_hub(image: str, registry: str, full: str) -> None:
    assert registry_of(image) == registry
    assert full_image_name(image) == full
    assert list(json.loads(login_file(request(image=image, username="u", password="p")))["auths"]) == [registry]


def test_options_are_split_as_a_shell_would() -> None:
    asked = request(
        ports=("80", "8080:80/udp"), volumes=("/a:/b:ro",), options="--health-cmd \"test 'a b'\" \n --cpus=1"
    )
    assert user_options(asked) == [
        *("--publish", "80", "--publish", "8080:80/udp", "--volume", "/a:/b:ro"),
        *("--health-cmd", "test 'a b'", "--cpus=1"),
    ]


@pytest.mark.parametrize("options", ["--network host", "--net=none", "--cpus 1 --entrypoint x"])
def test_what_is_our_own_business_is_refused(options: str) -> None:
    with pytest.raises(ContainerError, match=r"`options` may not have --(net|network|entrypoint), as on GitHub"):
        user_options(request(options=options))


def test_words_that_do_not_end_are_an_error_with_its_key() -> None:
    with pytest.raises(ContainerError, match="`options` cannot be split into words: No closing quotation: a 'b"):
        user_options(request(options="a 'b"))
    with pytest.raises(ContainerError, match="`command` cannot be split"):
        command_words(request(command='"'))


def test_the_rest_of_an_entry_point_comes_before_the_command() -> None:
    assert command_words(request(entrypoint="/run --all", command="-p '1 2'")) == (
        ["--entrypoint", "/run"],
        ["--all", "-p", "1 2"],
    )
    assert command_words(request(command="-v")) == ([], ["-v"])


def test_values_are_inherited_and_those_that_would_change_the_client_written_out() -> None:
    options, inherited = variable_options({"TOKEN": "secret", "PATH": "/x", "DOCKER_HOST": "tcp://a", "PATHS": "1"})
    assert options == [
        *("--env", "TOKEN", "--env", "PATH=/x", "--env", "DOCKER_HOST=tcp://a", "--env", "PATHS"),
    ]
    assert inherited == {"TOKEN": "secret", "PATHS": "1"}


def test_names_of_different_jobs_differ() -> None:
    keys = ("a/b", "a-b", "a.0", "a.0/b", "a/b.0")
    assert len({safe_name("skyflow", "run", key, "1") for key in keys}) == len(keys)
    assert safe_name("my project!", "") == "my-project-"


def test_the_longest_mount_counts_and_half_a_name_does_not() -> None:
    mounts = Mounts.of([("/p", "/__w/p/p"), ("/p/.skyflow/temp", "/__w/_temp")])
    assert mounts.to_inside("/p/.skyflow/temp/1.sh") == "/__w/_temp/1.sh"
    assert mounts.to_inside("/p/src") == "/__w/p/p/src"
    assert mounts.to_inside("/pears") == "/pears"
    assert mounts.to_inside("see /p/src") == "see /p/src"
    assert mounts.to_outside("/__w/_temp/x") == "/p/.skyflow/temp/x"
    assert mounts.to_outside("/__w/p/p") == "/p"


def test_no_shell_is_looked_for_in_a_container() -> None:
    assert shell_inside(None).command("/s.sh") == ["sh", "-e", "/s.sh"]
    assert shell_inside("bash").words[:3] == ("bash", "--noprofile", "--norc")
    assert shell_inside("pwsh").suffix == ".ps1"
    assert shell_inside("perl {0}").command("x") == ["perl", "x"]
    with pytest.raises(ShellError, match="'fish' is not a shell"):
        shell_inside("fish")
