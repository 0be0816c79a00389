"""The full screen: two tables, brought up to date by a thread that reads the store."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable, Footer, Static

from skyflow._util.terminal import one_line
from skyflow.app.machines.clouds import open_journal
from skyflow.app.project import Project
from skyflow.app.running.cancel import ask_to_cancel
from skyflow.app.showing.history import list_runs, read_run
from skyflow.errors import SkyflowError
from skyflow.model.run import RunId
from skyflow.model.status import Status
from skyflow.ports.clock import Clock
from skyflow.report.words import Signs
from skyflow.top.rows import JOB_COLUMNS, RUN_COLUMNS, Row, job_rows, run_row

__all__ = ["Top"]

_SECONDS_BETWEEN_LOOKS = 1.0
_MOST_RUNS = 20
_STATE_COLUMN = 2
_NAMES = {"workflow", "job", "machine"}
"""The columns that are shortened where they would take more than a quarter of the screen from the others."""


@dataclass(frozen=True, slots=True)
class _Picture:
    """Everything that is shown at one moment."""

    runs: tuple[Row, ...]
    jobs: tuple[Row, ...]
    of_run: str


class Top(App[None]):
    """Shows the newest runs of a project, those that go on first, and the jobs of the chosen one."""

    CSS = """
    #runs { height: auto; max-height: 40%; }
    #of { height: 1; color: $text-muted; }
    #jobs { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("tab", "app.focus_next", "Other table"),
        Binding("c", "cancel_run", "Cancel the run"),
    ]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, project: Project, *, clock: Clock, signs: Signs) -> None:
        super().__init__()
        self._project = project
        self._clock = clock
        self._signs = signs
        self._chosen = ""

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        yield DataTable(id="runs", cursor_type="row", zebra_stripes=True)
        yield Static(id="of", markup=False)
        yield DataTable(id="jobs", cursor_type="row")
        yield Footer()

    def on_mount(self) -> None:
        """Begin to look."""
        self._table("runs").add_columns(*RUN_COLUMNS)
        self._table("jobs").add_columns(*JOB_COLUMNS)
        self._table("runs").focus()
        self.set_interval(_SECONDS_BETWEEN_LOOKS, self._look)
        self._look()

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Show the jobs of the run that the cursor is on."""
        key = event.row_key.value or ""
        if event.data_table.id == "runs" and key and key != self._chosen:
            self._chosen = key
            self._look()

    def action_cancel_run(self) -> None:
        """Cancel the chosen run, as `skyflow cancel` does, without waiting for it."""
        try:
            is_driven = ask_to_cancel(self._chosen or "latest", project=self._project)
        except SkyflowError as error:
            self.notify(one_line(error.message), severity="warning", markup=False)
            return
        said = "It is being cancelled." if is_driven else "Nobody drives it: `skyflow resume` sees it to its end."
        self.notify(said, markup=False)
        self._look()

    @work(thread=True, exclusive=True)
    def _look(self) -> None:
        """Read the store in a thread of its own, and show what is there."""
        picture = self._picture()
        if self.is_running:
            self.call_from_thread(self._show, picture)

    def _picture(self) -> _Picture:
        now = self._clock.now()
        overviews = list_runs(self._project, limit=_MOST_RUNS)
        if not overviews:
            return _Picture((), (), "No run yet. `skyflow run FILE` makes the first.")
        overviews.sort(key=lambda one: (one.run.status is Status.COMPLETED, -one.run.number))
        machines = open_journal(self._project).records()
        histories = [read_run(self._project, one.run.id) for one in overviews]
        rented = {
            history.overview.run.id: tuple(one for one in machines if one.run == history.overview.run.id)
            for history in histories
        }
        known = {history.overview.run.id: history for history in histories}
        chosen = known.get(RunId(self._chosen), histories[0])
        run = chosen.overview.run
        return _Picture(
            tuple(run_row(each, rented[each.overview.run.id], now=now, signs=self._signs) for each in histories),
            job_rows(chosen, rented[run.id], now=now, signs=self._signs),
            f"Jobs of run {run.number}: {run.title}",
        )

    def _show(self, picture: _Picture) -> None:
        self.query_one("#of", Static).update(picture.of_run)
        longest = max(self.size.width // 4, 12)
        _fill(self._table("runs"), picture.runs, state_column=_STATE_COLUMN, longest_name=longest)
        _fill(self._table("jobs"), picture.jobs, state_column=1, longest_name=longest)

    def _table(self, name: str) -> "DataTable[Text]":
        return self.query_one(f"#{name}", DataTable)


def _fill(table: "DataTable[Text]", rows: Sequence[Row], *, state_column: int, longest_name: int) -> None:
    """Bring a table up to date; only what differs is written, so that nothing flickers and the cursor stays on its row."""
    columns = list(table.columns)
    wanted = {row.key: [_cell(row, index, state_column) for index in range(len(columns))] for row in rows}
    for index in (index for index, column in enumerate(table.ordered_columns) if column.label.plain in _NAMES):
        for cells in wanted.values():
            cells[index].truncate(longest_name, overflow="ellipsis")
    if [key.value for key in table.rows] == list(wanted):
        for key, cells in wanted.items():
            for column, cell in zip(columns, cells, strict=True):
                if table.get_cell(key, column) != cell:
                    table.update_cell(key, column, cell, update_width=True)
        return
    before = table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value if table.row_count else None
    table.clear()
    for key, cells in wanted.items():
        for drawn, cell in zip(table.ordered_columns, cells, strict=True):
            # else columns get their widths only after the rows were drawn, which stay cut off
            drawn.content_width = max(drawn.content_width, cell.cell_len)
        table.add_row(*cells, key=key)
    if before in wanted:
        table.move_cursor(row=list(wanted).index(before))


def _cell(row: Row, index: int, state_column: int) -> Text:
    style = row.colour if index == state_column else "bold" if index == 0 else ""
    return Text(one_line(row.cells[index]), "" if style == "default" else style)
