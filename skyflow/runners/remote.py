"""Runs steps on another machine, where they go on when the link breaks or this process dies."""

import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import anyio
from anyio.abc import TaskGroup

from skyflow._util.masking import Masks
from skyflow.model.annotation import AnnotationLevel
from skyflow.model.execution import ActionRequest, StepRef, StepRequest, StepResult
from skyflow.model.layout import RunFolder, StateFolder
from skyflow.model.run import RunId
from skyflow.ports.transport import LinkLostError, TransportError
from skyflow.runners.files import FileAnswers, FileCommandError, SummaryTooLargeError, keep_summary, read_answers
from skyflow.runners.host_link import HostLink
from skyflow.runners.host_session import StepEnd
from skyflow.runners.javascript import action_variables
from skyflow.runners.matchers import Matchers
from skyflow.runners.obey import AttemptMemory, StepCommands
from skyflow.runners.output import LogWriter
from skyflow.runners.process import KillLadder
from skyflow.runners.project_files import ProjectFiles, ProjectFilesError
from skyflow.runners.remote_paths import PathPairs
from skyflow.runners.remote_workspace import bring_workspace
from skyflow.runners.resumable_log import ResumableLog
from skyflow.runners.shells import ShellError, shell_choices

__all__ = ["RemoteRunner"]
