"""A model bundle: a folder with ``bundle.json``, ``weights.safetensors`` and the model card ``README.md``.

Nothing in it is ever executed: no pickle, no TorchScript. PyTorch and safetensors are imported only to read or write
weights.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..documents import parse_json, read_json
from ..errors import MissingDependencyError, ModelError, ParameterError
from ..networks import build, outline
from ..texts import escaped_all
from .card import card
from .fields import DTYPES, FORMAT, misfit
from .folders import CARD, FACTS, WEIGHTS, own_file, replacing_bundle

#: Largest header of a file of weights, bytes; 100 bytes a tensor.
MOST_HEADER = 1 << 20

if TYPE_CHECKING:
    import torch

    Network = TypeVar("Network", bound=torch.nn.Module)


@dataclasses.dataclass(frozen=True)
class Bundle:
    """A model as its ``bundle.json`` describes it.

    Attributes:
        folder: of the bundle.
        name, title: for programs and for people.
        architecture, arguments: of the network.
        modality, contrasts: of its images, e.g. ``"MR"`` and ``("T1",)``.
        normalisation: ``centre`` and ``half_width``: the network sees ``(scaled - centre) / half_width``, with
            ``scaled`` from :mod:`MedInpaintLib.intensity`.
        input: ``pixels`` (side of the frame), ``pixel_mm`` and ``plane``; for films also ``across`` (pixels along the
            image's longer side, in place of ``pixel_mm``); for networks that fill in one pass also ``also`` (other
            planes), ``slice_mm`` (between slices), ``hint`` (a method whose fill they see).
        training: ``recipe``, ``steps``, ``seed`` and ``data``, a list of ``dataset``, ``licence``, ``citation`` and
            ``subjects`` (their number).
        scores: rows of measured scores; ``protocol`` in a row names their protocol.
        weights_file: ``file``, ``sha256``, ``bytes`` and ``dtype`` (as stored); ``weights`` in the JSON file.
        format: version of the format.
    """

    folder: Path
    name: str
    title: str
    architecture: str
    arguments: dict[str, Any]
    modality: str
    contrasts: tuple[str, ...]
    normalisation: dict[str, float]
    input: dict[str, Any]
    training: dict[str, Any]
    scores: list[dict[str, Any]]
    weights_file: dict[str, Any]
    format: int = FORMAT

    @property
    def weights_path(self) -> Path:
        """The file with the weights."""
        return own_file(self.folder, self.weights_file["file"])

    @property
    def megabytes(self) -> float:
        """The size of the weights in units of 10^6 bytes."""
        return self.weights_file["bytes"] / 1e6

    def check_size(self) -> None:
        """Check quickly, for lists, that the weights exist and have their size.

        Raises:
            ModelError: they are missing, cut off or too long.
        """
        path, expected = self.weights_path, self.weights_file["bytes"]
        if not path.is_file():
            raise ModelError(f"The weights '{path}' of the model '{self.name}' are missing; get the model again.")
        size = path.stat().st_size
        if size < expected:
            raise ModelError(f"The weights '{path}' are cut off: {size} of {expected} bytes; get the model again.")
        if size > expected:
            raise ModelError(
                f"The weights '{path}' were altered: {size} bytes instead of {expected}; get the model again."
            )

    def verify(self) -> None:
        """Check that the weights are, byte for byte, those of the bundle.

        Raises:
            ModelError: they are missing, cut off or altered.
        """
        self.check_size()
        digest, expected = _sha256(self.weights_path), self.weights_file["sha256"]
        if digest != expected:
            raise ModelError(
                f"The weights '{self.weights_path}' were altered: the size is right, but the sha256 is {digest[:12]}"
                f"... instead of {expected[:12]}...; get the model again."
            )

    def check_architecture(self, *allowed: str) -> None:
        """Raise ModelError unless the model is of one of these architectures."""
        if self.architecture not in allowed:
            raise ModelError(
                f"The model '{self.name}' has the architecture '{self.architecture}', and "
                f"{' or '.join(map(repr, allowed))} is needed; 'medinpaint models list' shows what there is."
            )

    def weights(self) -> dict[str, torch.Tensor]:
        """Return the verified weights by name, on the CPU, floating ones as float32.

        Raises:
            ModelError: see :meth:`verify`; or the file is no safetensors file.
            MissingDependencyError: PyTorch or safetensors is not installed.
        """
        self.verify()
        torch, safetensors = _torch_and_safetensors()
        try:
            # From memory: tensors mapped from a file keep it open and break when it is replaced.
            stored = safetensors.torch.load(self.weights_path.read_bytes())
        except safetensors.SafetensorError as error:
            raise ModelError(f"The weights '{self.weights_path}' are no safetensors file ({error}).") from None
        return {
            name: tensor.to(torch.float32) if tensor.is_floating_point() else tensor for name, tensor in stored.items()
        }


def read_bundle(folder: str | os.PathLike[str]) -> Bundle:
    """Read the bundle in a folder and check its facts; :meth:`Bundle.verify` checks its weights.

    Raises:
        ModelError: ``bundle.json`` is missing, not JSON, of another format version, or has a missing or wrong field.
    """
    path = own_file(Path(folder), FACTS)
    if not path.is_file():
        raise ModelError(f"The folder '{folder}' holds no model: there is no {FACTS} in it.")
    return _bundle(escaped_all(read_json(path, f"'{path}'", ModelError)), Path(folder))


def write_bundle(
    folder: str | os.PathLike[str],
    *,
    name: str,
    title: str,
    architecture: str,
    arguments: Mapping[str, Any],
    modality: str,
    contrasts: Sequence[str],
    normalisation: Mapping[str, float],
    input: Mapping[str, Any],
    training: Mapping[str, Any],
    scores: Sequence[Mapping[str, Any]],
    tensors: Mapping[str, torch.Tensor],
    dtype: str = "float16",
    method: str | None = None,
) -> Bundle:
    """Write a bundle with its model card; a killed run leaves no incomplete one.

    Args:
        folder: the bundle's own folder. An old bundle is replaced; a folder with anything else in it is refused.
        name, title, architecture, arguments, modality, contrasts, normalisation, input, training, scores: as in
            :class:`Bundle`, also with numbers of numpy or PyTorch.
        tensors: the weights by name, as from ``state_dict()``.
        dtype: of the stored floating tensors: ``"float16"``, ``"bfloat16"`` or ``"float32"``. Others are unchanged.
        method: the method that uses the model, for the example on the card.

    Raises:
        ModelError: a field or a tensor is invalid; nothing was written.
        OutputError: see :func:`.folders.replacing_bundle`.
    """
    data = _stored(tensors, dtype)
    fields = {
        "format": FORMAT,
        "name": name,
        "title": title,
        "architecture": architecture,
        "arguments": dict(arguments),
        "modality": modality,
        "contrasts": list(contrasts),
        "normalisation": dict(normalisation),
        "input": dict(input),
        "training": dict(training),
        "scores": [dict(score) for score in scores],
        "weights": {
            "file": WEIGHTS,
            "sha256": hashlib.sha256(data).hexdigest(),
            "bytes": len(data),
            "dtype": dtype,
        },
    }
    text = _json(fields, folder)
    bundle = _bundle(json.loads(text), Path(folder))
    with replacing_bundle(folder) as temporary:
        # Not safetensors' save_file: other users cannot read its files.
        (temporary / WEIGHTS).write_bytes(data)
        (temporary / CARD).write_text(card(bundle, method), encoding="utf-8")
        (temporary / FACTS).write_text(text, encoding="utf-8")
    return bundle


def rescore(bundle: Bundle, scores: Sequence[Mapping[str, Any]], method: str | None = None) -> Bundle:
    """Replace the scores of a bundle; its weights stay the same, byte for byte. ``method``: see :func:`write_bundle`.

    Raises:
        ModelError: see :meth:`Bundle.weights`.
        OutputError: see :func:`.folders.replacing_bundle`.
    """
    fields = {field.name: getattr(bundle, field.name) for field in dataclasses.fields(bundle)}
    for name in ("folder", "format", "scores", "weights_file"):
        del fields[name]
    dtype = bundle.weights_file["dtype"]
    return write_bundle(bundle.folder, **fields, scores=scores, tensors=bundle.weights(), dtype=dtype, method=method)


def load_into(module: Network, bundle: Bundle) -> Network:
    """Load the weights of a bundle into a network and return it in eval mode, without gradients.

    Raises:
        ModelError: see :meth:`Bundle.weights`; or a name or shape does not fit.
    """
    _check_fit(module, bundle)
    module.load_state_dict(bundle.weights())
    module.eval()
    module.requires_grad_(False)
    return module


def load_network(bundle: Bundle) -> torch.nn.Module:
    """Build the network of a bundle and load its weights, see :func:`load_into`.

    Network and weights are compared before memory is taken for either: a bundle may declare any size.

    Raises:
        ModelError: see :func:`load_into`; or no network can be built with these arguments.
    """
    bundle.check_size()
    try:
        _check_fit(outline(bundle.architecture, bundle.arguments), bundle)
        return load_into(build(bundle.architecture, bundle.arguments), bundle)
    except ParameterError as error:
        raise ModelError(f"The model '{bundle.name}' cannot be used: {error}") from None


def _check_fit(module: torch.nn.Module, bundle: Bundle) -> None:
    """Check by the header of the weights' file that names, shapes and kinds of numbers are those of a network."""
    bundle.verify()
    stored = _header(bundle.weights_path)
    expected = {name: (_is_real(str(each.dtype)), tuple(each.shape)) for name, each in module.state_dict().items()}
    for name in (*expected, *stored):
        ours, theirs = expected.get(name), stored.get(name)
        if ours != theirs:
            raise ModelError(
                f"The weights of the model '{bundle.name}' do not fit the network {type(module).__name__}: '{name}' is "
                f"{_shape(theirs, ours)} in the model and {_shape(ours, theirs)} in the network."
            )


def _is_real(dtype: str) -> bool:
    """Return whether a dtype of torch or safetensors is floating."""
    return dtype.removeprefix("torch.").lower().startswith(("f", "bf"))


def _header(path: Path) -> dict[str, tuple[bool, tuple[int, ...]]]:
    """Return whether it is floating, and the shape, for each tensor of a safetensors file, without reading the tensors.

    Raises:
        ModelError: it is no safetensors file, or longer or shorter than its tensors.
    """
    what = f"The weights '{path}'"
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        text = file.read(min(length, MOST_HEADER))
    if length > MOST_HEADER or len(text) < length:
        raise ModelError(f"{what} are no safetensors file (a header of {length} bytes).")
    entries = parse_json(text.decode("utf-8", errors="replace"), what, ModelError)
    try:
        tensors = {name: entry for name, entry in entries.items() if name != "__metadata__"}
        ends = [int(entry["data_offsets"][1]) for entry in tensors.values()]
        shapes = {
            name: (_is_real(entry["dtype"]), tuple(int(side) for side in entry["shape"]))
            for name, entry in tensors.items()
        }
    except (AttributeError, LookupError, TypeError, ValueError):
        raise ModelError(f"{what} are no safetensors file (its header is none).") from None
    if 8 + length + max(ends, default=0) != path.stat().st_size:
        raise ModelError(f"{what} are no safetensors file (it is longer or shorter than its tensors).")
    return shapes


def _bundle(fields: Any, folder: Path) -> Bundle:
    path = folder / FACTS
    version = fields.get("format", FORMAT) if isinstance(fields, dict) else FORMAT
    if isinstance(version, int) and version > FORMAT:  # its other fields are unknown here
        raise ModelError(
            f"'{path}' is of format {version}, and this MedInpaint reads format {FORMAT}; install a newer one."
        )
    wrong = misfit(fields)
    if wrong:
        raise ModelError(f"'{path}' cannot be used: {wrong}.")
    known = {field.name: fields[field.name] for field in dataclasses.fields(Bundle) if field.name in fields}
    known |= {"folder": folder, "contrasts": tuple(fields["contrasts"]), "weights_file": fields["weights"]}
    return Bundle(**known)


def _json(fields: dict[str, Any], folder: str | os.PathLike[str]) -> str:
    try:
        return json.dumps(fields, indent=2, ensure_ascii=False, allow_nan=False, default=_plain) + "\n"
    except (TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"The model for '{folder}' has a field that JSON cannot hold ({error}).") from None


def _plain(value: Any) -> Any:
    """Convert a scalar of numpy or PyTorch to Python's own number."""
    if not hasattr(value, "item"):
        raise TypeError(f"a {type(value).__name__}")
    return value.item()


def _stored(tensors: Mapping[str, torch.Tensor], dtype: str) -> bytes:
    """Return the content of the weights' file."""
    torch, safetensors = _torch_and_safetensors()
    if dtype not in DTYPES:
        raise ModelError(f"Weights cannot be stored as '{dtype}'; choose one of: {', '.join(DTYPES)}.")
    if not tensors:
        raise ModelError("There are no weights to store.")
    stored = {}
    for name, tensor in tensors.items():
        floating = tensor.is_floating_point()
        if floating and not torch.isfinite(tensor).all():
            raise ModelError(f"The weights '{name}' hold NaN or infinity: the training went astray.")
        # Copied: safetensors refuses tensors that share memory, such as tied weights.
        stored[name] = tensor.detach().to("cpu", getattr(torch, dtype) if floating else tensor.dtype, copy=True)
        if floating and not torch.isfinite(stored[name]).all():
            raise ModelError(f"The weights '{name}' are too large for {dtype}; store them as float32 or bfloat16.")
    return safetensors.torch.save({name: tensor.contiguous() for name, tensor in stored.items()})


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise ModelError(f"The weights '{path}' cannot be read ({error.strerror or error}).") from None
    return digest.hexdigest()


def _shape(tensor: tuple[bool, tuple[int, ...]] | None, other: tuple[bool, tuple[int, ...]] | None) -> str:
    """Describe a tensor; by its kind of numbers where only that differs from the other one."""
    if tensor is None:
        return "missing"
    if other is not None and other[1] == tensor[1]:
        return "of real numbers" if tensor[0] else "of whole numbers"
    return " x ".join(map(str, tensor[1])) or "a single number"


def _torch_and_safetensors() -> tuple[Any, Any]:
    try:
        import safetensors
        import safetensors.torch
        import torch
    except ImportError:
        raise MissingDependencyError(
            "Learned methods need PyTorch and safetensors, which are not installed; install them with: "
            "pip install torch safetensors"
        ) from None
    return torch, safetensors
