"""Who is asked which names exist, by the user's settings."""

import shlex
import shutil
from dataclasses import dataclass

from retrieval.analyst.child import Worker, jedi_worker, server_worker
from retrieval.analyst.search_path import environment_folders


@dataclass(frozen=True, slots=True)
class ChosenWorker:
    """A worker, and one line for each setting that could not be used."""

    worker: Worker
    complaints: tuple[str, ...] = ()


def choose_worker(environment: str, server: str) -> ChosenWorker:
    """The language server that is named, or else jedi with the packages of an environment."""
    complaints: list[str] = []
    if server:
        try:
            command = shlex.split(server)
        except ValueError as error:
            command = []
            complaints.append(f"analysisServer: {server} is no command ({error})")
        if command and shutil.which(command[0]) is not None:
            return ChosenWorker(server_worker(command))
        if command:
            complaints.append(f"analysisServer: there is no command {command[0]}; install it")
    if environment and not environment_folders(environment):
        advice = "name the folder of a virtual environment"
        complaints.append(f"pythonEnvironment: there are no packages in {environment}; {advice}")
    return ChosenWorker(jedi_worker(environment or None), tuple(complaints))
