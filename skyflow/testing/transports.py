"""What every transport has to do."""

import hashlib
from pathlib import Path

import anyio

from skyflow.ports.transport import Transport, TransportError

__all__ = ["TransportConformance"]

_ODD = "a b'\"$(x)`y`\\*?\n;&|<>~ é"
_MEBIBYTE = 1024 * 1024


class TransportConformance:
    """Give a fixture `transport` that reaches a machine with a POSIX shell, whose `/tmp` can be written."""

    async def test_a_command_tells_how_it_ended(self, transport: Transport) -> None:
        """Its exit code, its output, and what it said on standard error are apart."""
        ended = await transport.run(["sh", "-c", "echo out; echo err >&2; exit 7"])
        assert (ended.exit_code, ended.output, ended.error_text) == (7, b"out\n", "err\n")

    async def test_every_exit_code_comes_through(self, transport: Transport) -> None:
        """255, which the program ssh keeps to itself, as well."""
        for code in (0, 1, 127, 254, 255):
            assert (await transport.run(["sh", "-c", f"exit {code}"])).exit_code == code

    async def test_a_killed_command_has_the_code_of_a_shell(self, transport: Transport) -> None:
        """128 and the number of the signal."""
        assert (await transport.run(["sh", "-c", "kill -9 $$"])).exit_code == 137

    async def test_words_are_passed_on_as_they_are(self, transport: Transport) -> None:
        """No shell on the way takes them apart."""
        ended = await transport.run(["printf", "%s|", _ODD, "", "-x"])
        assert ended.output.decode() == f"{_ODD}||-x|"

    async def test_much_output_and_input_passes_unchanged(self, transport: Transport, tmp_path: Path) -> None:
        """More than any buffer on the way holds."""
        content = bytes(range(256)) * (8 * _MEBIBYTE // 256)
        digest = hashlib.sha256()
        assert (await transport.run(["cat"], stdin=content, output=digest.update)).exit_code == 0
        assert digest.digest() == hashlib.sha256(content).digest()
        file = tmp_path / "input"
        file.write_bytes(content)
        ended = await transport.run(["wc", "-c"], stdin=file)
        assert int(ended.output) == len(content)

    async def test_input_that_nobody_reads_does_no_harm(self, transport: Transport) -> None:
        """The command ends when it wants to."""
        ended = await transport.run(["sh", "-c", "exit 5"], stdin=b"x" * 8 * _MEBIBYTE)
        assert ended.exit_code == 5

    async def test_more_standard_error_than_a_pipe_holds_does_not_stop_a_command(self, transport: Transport) -> None:
        """Only the last of it is kept."""
        ended = await transport.run(["sh", "-c", "yes error | head -n 100000 >&2; echo last >&2; echo out"])
        assert ended.output == b"out\n"
        assert ended.error_text.endswith("error\nlast\n")

    async def test_a_channel_talks_both_ways(self, transport: Transport) -> None:
        """What is sent is there before the end of input."""
        channel = await transport.open(["cat"])
        for word in (b"one", b"two"):
            await channel.send(word)
            received = b""
            while len(received) < len(word):
                received += await channel.receive()
            assert received == word
        await channel.send_end()
        assert await channel.receive() == b""
        assert (await channel.wait()).exit_code == 0
        await channel.aclose()

    async def test_many_commands_at_once(self, transport: Transport) -> None:
        """More than sshd allows at a time: they wait for one another."""
        answers: list[str] = []

        async def one(number: int) -> None:
            answers.append((await transport.run(["sh", "-c", f"sleep 0.05; echo {number}"])).output.decode().strip())

        async with anyio.create_task_group() as tasks:
            for number in range(30):
                tasks.start_soon(one, number)
        assert sorted(map(int, answers)) == list(range(30))

    async def test_files_travel_both_ways(self, transport: Transport, tmp_path: Path) -> None:
        """With their content and the mode asked for, whatever they are called."""
        folder = (await transport.run(["mktemp", "-d"])).output.decode().strip()
        source, back = tmp_path / "source", tmp_path / "back"
        source.write_bytes(bytes(range(256)) * 4096)
        target = f"{folder}/it's a file"
        await transport.put(source, target, mode=0o750)
        await transport.get(target, back)
        assert back.read_bytes() == source.read_bytes()
        modes = await transport.run(["ls", "-l", target])
        assert modes.output.startswith(b"-rwxr-x---")
        assert (await transport.run(["ls", "-A", folder])).output.decode() == "it's a file\n"
        await transport.run(["rm", "-r", folder])

    async def test_what_cannot_be_copied_is_an_error_that_says_why(self, transport: Transport, tmp_path: Path) -> None:
        """And leaves nothing behind."""
        source = tmp_path / "source"
        source.write_bytes(b"x")
        for attempt in (
            transport.put(source, "/no/such/folder/file"),
            transport.get("/no/such/file", tmp_path / "back"),
        ):
            try:
                await attempt
            except TransportError as error:
                assert "/no/such/" in str(error)  # noqa: PT017 -- pytest is not imported by what is installed
            else:
                raise AssertionError("no error")
        assert not [path for path in tmp_path.iterdir() if "back" in path.name]

    async def test_a_closed_link_opens_again(self, transport: Transport) -> None:
        """A transport is used until nobody needs it any more, and then perhaps again."""
        await transport.aclose()
        assert (await transport.run(["true"])).exit_code == 0
