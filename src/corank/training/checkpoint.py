"""The state of a run, written whole, as safetensors and JSON."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from corank.config import Config
from corank.errors import CorankError
from corank.files import whole_file, whole_folder, write_json


class State(Config):
    """Where training stands.

    Attributes:
        step: optimizer steps done.
        epoch, step_in_epoch: where the reader goes on.
        best: the best validation metric so far and its step.
        misses: evaluations since the best.
        seconds: training time so far.
        finished: nothing is left to do.
    """

    step: int = 0
    epoch: int = 0
    step_in_epoch: int = 0
    best: float | None = None
    best_step: int = 0
    misses: int = 0
    seconds: float = 0.0
    finished: bool = False

    def advanced(self, seconds: float) -> State:
        """One step on."""
        more = {"step": self.step + 1, "step_in_epoch": self.step_in_epoch + 1, "seconds": seconds}
        return self.model_copy(update=more)

    def judged(self, value: float, better: bool, patience: int) -> State:
        """After an evaluation; finished after `patience` of them without a better one."""
        if better:
            return self.model_copy(update={"best": value, "best_step": self.step, "misses": 0})
        misses = self.misses + 1
        return self.model_copy(update={"misses": misses, "finished": misses >= patience})

    def next_epoch(self, epochs: float) -> State:
        """At the start of the next epoch, or finished after the last."""
        finished = self.finished or self.epoch + 1 >= epochs
        return self.model_copy(update={"epoch": self.epoch + 1, "step_in_epoch": 0, "finished": finished})


def save_checkpoint(
    folder: Path, model: nn.Module, objective: nn.Module, optimizer: torch.optim.Optimizer, state: State
) -> None:
    """Add a checkpoint to the folder, then remove the older ones."""
    new = folder / f"step-{state.step:09d}"
    with whole_folder(new, overwrite=True) as aside:
        save_weights(aside / "model.safetensors", model)
        if objective.state_dict():
            save_weights(aside / "objective.safetensors", objective)
        tensors = {
            f"{name}/{key}": value.contiguous()
            for name, parameter in _trained(model, objective).items()
            for key, value in optimizer.state.get(parameter, {}).items()
        }
        rng = {"rng": torch.get_rng_state()}
        if torch.cuda.is_available():
            rng["rng_cuda"] = torch.cuda.get_rng_state()
        save_file({**tensors, **rng}, aside / "optimizer.safetensors")
        write_json(aside / "state.json", state.model_dump(mode="json"))
    for old in folder.glob("step-*"):
        if old != new:
            shutil.rmtree(old)


def load_checkpoint(
    folder: Path, model: nn.Module, objective: nn.Module, optimizer: torch.optim.Optimizer
) -> State | None:
    """Bring model, objective, optimizer and random generator back to the last checkpoint.

    Returns:
        Where training stands; None if there is no checkpoint.

    Raises:
        CorankError: the checkpoint is damaged or of another model.
    """
    found = sorted(folder.glob("step-*"))
    if not found:
        return None
    last = found[-1]
    load_weights(last / "model.safetensors", model)
    if objective.state_dict():
        load_weights(last / "objective.safetensors", objective)
    tensors = _read(last / "optimizer.safetensors")
    rng, of_device = tensors.pop("rng"), tensors.pop("rng_cuda", None)
    parameters = _trained(model, objective)
    for path, value in tensors.items():
        name, _, key = path.rpartition("/")
        if name not in parameters:
            raise CorankError(f"{last}: holds '{name}', which this model has not; is it another model's run?")
        parameter = parameters[name]
        # Strides as the parameter's: fused AdamW goes by memory, not by index.
        like = parameter if value.shape == parameter.shape else value
        optimizer.state[parameter][key] = torch.empty_like(like, device=parameter.device).copy_(value)
    torch.set_rng_state(rng)
    if of_device is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state(of_device)
    return State.read(last / "state.json")


def _trained(model: nn.Module, objective: nn.Module) -> dict[str, nn.Parameter]:
    """All parameters by the names under which the optimizer's state is kept."""
    own = {f"objective.{name}": parameter for name, parameter in objective.named_parameters()}
    return {**dict(model.named_parameters()), **own}


def save_weights(path: Path, model: nn.Module) -> None:
    """Write a model's weights whole."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    with whole_file(path) as aside:
        save_file(tensors, aside)


def load_weights(path: Path, model: nn.Module) -> None:
    """Read weights into a model.

    Raises:
        CorankError: the file is missing, damaged, or of another model.
    """
    try:
        model.load_state_dict(_read(path))
    except RuntimeError as error:
        lines = str(error).splitlines()
        raise CorankError(f"{path}: does not fit the model ({lines[-1].strip()})") from None


def _read(path: Path) -> dict[str, Tensor]:
    try:
        tensors: dict[str, Tensor] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise CorankError(f"{path}: missing or damaged ({error.__class__.__name__})") from None
    return tensors
