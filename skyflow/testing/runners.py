"""What every runner has to do."""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import anyio

from skyflow.model.execution import StepRef, StepRequest, StepResult
from skyflow.model.layout import RunFolder
from skyflow.ports.runner import Runner

__all__ = ["RunnerBench", "RunnerConformance"]

_SOON_SECONDS = 60.0


@dataclass
class RunnerBench:
    """A runner with what a test wants to know of it: `project` is the folder whose files steps see."""

    runner: Runner
    folder: RunFolder
    project: Path
    shown: list[str] = field(default_factory=list)
    _looks: Iterator[int] = field(default_factory=lambda: count(100))

    def look(self) -> int:
        """Return the position of a step that looks at the machine: a step runs once, so each look is one of its own."""
        return next(self._looks)

    async def run(self, script: str, position: int = 1, **request: object) -> StepResult:
        """Run a script as a step of the one attempt there is."""
        asked = StepRequest(script=script, **request)  # type: ignore[arg-type]
        return await self.runner.run_step(StepRef("job", 1, position), asked, self.shown.append)

    @property
    def printed(self) -> str:
        """What steps have printed, without the lines of the runner's own."""
        lines = "".join(self.shown).splitlines(keepends=True)
        return "".join(line for line in lines if not line.startswith(("Workspace on ", "Slurm job ")))


class RunnerConformance:
    """Give a fixture `bench`, a `RunnerBench` whose ladder of signals is quick and whose project has the file `a.txt`."""

    async def test_output_is_shown_and_kept(self, bench: RunnerBench) -> None:
        """Both streams, and the last line without an end."""
        result = await bench.run("echo out; echo err >&2; printf tail")
        assert result.exit_code == 0
        assert sorted(bench.printed.split()) == ["err", "out", "tail"]
        assert bench.folder.log(StepRef("job", 1, 1)).read_text() == "".join(bench.shown)

    async def test_output_that_is_opened_anew_is_not_emptied(self, bench: RunnerBench) -> None:
        """Scripts write to `/dev/stderr`; what was printed before stays."""
        await bench.run("echo one; echo two >/dev/stderr; echo three >/dev/stdout; echo four")
        assert bench.printed == "one\ntwo\nthree\nfour\n"

    async def test_shells_behave_as_githubs(self, bench: RunnerBench) -> None:
        """The exit code is that of the script, 128 and more for a signal."""
        cases = (
            (None, "false | true", 0),
            ("bash", "false | true", 1),
            ("sh", "false; true", 1),
            ("python", "import sys; sys.exit(3)", 3),
            ("bash {0}", "false; true", 0),
            ("bash", "kill -9 $$", 137),
            ("bash", "exit 255", 255),
        )
        for position, (shell, script, code) in enumerate(cases, start=1):
            assert (await bench.run(script, position, shell=shell)).exit_code == code, (shell, script)

    async def test_what_cannot_be_started_says_why(self, bench: RunnerBench) -> None:
        """Nothing runs then."""
        cases = (
            ({"shell": "no-such-shell {0}"}, "'no-such-shell' is not on PATH"),
            ({"shell": "nonsense"}, "is not a shell: write one of bash, sh, python, pwsh"),
            ({"working_directory": "no/such"}, "no/such' does not exist"),
        )
        for position, (request, why) in enumerate(cases, start=1):
            result = await bench.run("echo ran", position, **request)
            assert result.exit_code is None
            assert why in (result.not_started or "")
        assert bench.printed == ""

    async def test_steps_see_the_project_and_its_variables(self, bench: RunnerBench) -> None:
        """Wherever the project is on that machine: paths in variables and scripts lead to it."""
        env = (("GITHUB_WORKSPACE", str(bench.project)), ("ODD", "a 'b' \"c\"\n$d é"))
        script = f'cat a.txt; cd /; cat "$GITHUB_WORKSPACE/a.txt" {bench.project}/a.txt; printf "%s\\n" "$ODD"'
        assert (await bench.run(script, env=env)).exit_code == 0
        assert bench.printed == "hello\n" * 3 + "a 'b' \"c\"\n$d é\n"

    async def test_steps_of_an_attempt_share_their_files(self, bench: RunnerBench) -> None:
        """What one leaves in the workspace, the next finds."""
        await bench.run("mkdir sub; echo left >sub/behind", 1)
        await bench.run("cat behind", 2, working_directory="sub")
        assert bench.printed == "left\n"

    async def test_answers_come_back(self, bench: RunnerBench) -> None:
        """Outputs, variables, entries of PATH, the state, the summary."""
        result = await bench.run(
            "echo o=1 >>$GITHUB_OUTPUT; echo e=2 >>$GITHUB_ENV; echo /p >>$GITHUB_PATH; echo s=3 >>$GITHUB_STATE;"
            "printf 'm<<E\\nx\\ny\\nE\\n' >>$SKYFLOW_OUTPUT; echo '# hi' >>$GITHUB_STEP_SUMMARY"
        )
        assert result.outputs == (("o", "1"), ("m", "x\ny"))
        assert (result.env, result.path, result.state) == ((("e", "2"),), ("/p",), (("s", "3"),))
        assert bench.folder.summary(StepRef("job", 1, 1)).read_text() == "# hi\n"

    async def test_a_file_that_cannot_be_read_fails_the_step(self, bench: RunnerBench) -> None:
        """As on GitHub."""
        result = await bench.run("echo nonsense >>$GITHUB_OUTPUT")
        assert (result.exit_code, result.outputs) == (0, ())
        assert "Invalid format 'nonsense'" in (result.file_error or "")

    async def test_entries_of_path_come_first(self, bench: RunnerBench) -> None:
        """The first of them before the others."""
        await bench.run("mkdir bin; printf '#!/bin/sh\\necho mine\\n' >bin/ls; chmod +x bin/ls", 1)
        await bench.run("ls", 2, path=(f"{bench.project}/bin", "/nowhere"))
        assert bench.printed == "mine\n"

    async def test_what_is_to_be_hidden_is(self, bench: RunnerBench) -> None:
        """From the moment a command asks for it, also in later steps."""
        result = await bench.run("echo ::add-mask::sesame; echo open sesame", 1)
        assert "sesame" in result.masks
        await bench.run("echo sesame again", 2)
        assert bench.printed == "open ***\n*** again\n"
        assert "sesame" not in bench.folder.log(StepRef("job", 1, 1)).read_text()

    async def test_a_step_is_interrupted_and_may_clean_up(self, bench: RunnerBench) -> None:
        """SIGINT first."""
        await self._stopped(bench, "trap 'echo cleaned; exit 3' INT; echo begun; while :; do sleep 0.05; done")
        assert bench.printed.splitlines()[-1] == "cleaned"

    async def test_a_step_that_heeds_no_signal_is_killed(self, bench: RunnerBench) -> None:
        """With all it has started."""
        mark = f"603.{os.getpid()}"  # others may run the same suite at the same time
        await self._stopped(
            bench, f"trap '' INT TERM; (trap '' INT TERM; sleep {mark}) & echo begun; while :; do sleep 1; done"
        )
        assert await self._count(bench, f"[s]leep {mark}") == 0

    async def test_force_does_not_wait(self, bench: RunnerBench) -> None:
        """A step that would clean up for long is gone at once."""
        await self._stopped(bench, "trap 'sleep 600' INT TERM; echo begun; while :; do sleep 1; done", force=True)

    async def test_a_step_stopped_before_it_starts_never_does(self, bench: RunnerBench) -> None:
        """The order to stop may come first."""
        bench.runner.stop_step(StepRef("job", 1, 1), force=False)
        assert (await bench.run("echo ran")).stopped
        assert bench.printed == ""

    async def test_what_a_step_leaves_running_lives_until_the_job_ends(self, bench: RunnerBench) -> None:
        """Also if it has left the session of the step."""
        mark = f"60[12].{os.getpid()}"  # others may run the same suite at the same time
        script = "setsid sleep 601.{0} >/dev/null 2>&1 & sleep 602.{0} >/dev/null 2>&1 & echo".format(os.getpid())
        assert (await bench.run(script, 1)).exit_code == 0
        with anyio.fail_after(_SOON_SECONDS):
            while await self._count(bench, f"[s]leep {mark}") < 2:  # noqa: ASYNC110 -- nobody tells
                await anyio.sleep(0.01)
        await bench.runner.release("job", 1)
        assert await self._count(bench, f"[s]leep {mark}", job="other") == 0

    async def test_files_are_hashed_where_the_steps_run(self, bench: RunnerBench) -> None:
        """As they are at that moment."""
        await bench.run("mkdir d; echo b >d/b.txt", 1)
        digests = b"".join(hashlib.sha256(content).digest() for content in (b"hello\n", b"b\n"))
        assert await bench.runner.hash_files("job", 1, ("**/*.txt",)) == hashlib.sha256(digests).hexdigest()
        assert await bench.runner.hash_files("job", 1, ("*.none",)) == ""

    async def test_steps_beside_one_another(self, bench: RunnerBench) -> None:
        """Background steps run at the same time."""
        results: list[StepResult] = []

        async def one(script: str, position: int) -> None:
            results.append(await bench.run(script, position))

        with anyio.fail_after(_SOON_SECONDS):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(one, "until test -e met; do sleep 0.02; done; touch too", 1)
                tasks.start_soon(one, "touch met; until test -e too; do sleep 0.02; done", 2)
        assert [result.exit_code for result in results] == [0, 0]

    async def test_killing_one_step_leaves_those_beside_it_alone(self, bench: RunnerBench) -> None:
        """Though they belong to the same attempt."""
        results: list[StepResult] = []

        async def beside() -> None:
            results.append(await bench.run("touch beside; until test -e go; do sleep 0.02; done", 2))

        with anyio.fail_after(_SOON_SECONDS):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(beside)
                while (await bench.run("test -e beside", bench.look())).exit_code:  # noqa: ASYNC110 -- nobody tells
                    await anyio.sleep(0.02)
                await self._stopped(bench, "trap '' INT TERM; echo begun; while :; do sleep 1; done", force=True)
                assert (await bench.run("touch go", 4)).exit_code == 0
        assert [result.exit_code for result in results] == [0]

    async def _stopped(self, bench: RunnerBench, script: str, *, force: bool = False) -> None:
        """Run a script that prints `begun`, stop it then, and check that it was stopped."""
        results: list[StepResult] = []

        async def run() -> None:
            results.append(await bench.run(script))

        with anyio.fail_after(_SOON_SECONDS):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(run)
                await _until(lambda: "begun" in bench.printed)
                bench.runner.stop_step(StepRef("job", 1, 1), force=force)
        assert results[0].stopped

    async def _count(self, bench: RunnerBench, pattern: str, *, job: str = "job") -> int:
        """Count processes of the machine by their command lines."""
        asked = StepRequest(script=f"ps -eo args | grep -c '{pattern}' || true")
        seen: list[str] = []
        await bench.runner.run_step(StepRef(job, 1, bench.look()), asked, seen.append)
        return int("".join(seen).split()[-1])


async def _until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 -- nobody tells
        await anyio.sleep(0.01)
