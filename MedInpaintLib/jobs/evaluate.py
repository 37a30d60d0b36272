"""Score methods on synthetic holes in an image of which the truth is known."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import OutputPathError, ParameterError
from ..modality import Modality
from ..progress import Progress
from ..report import EvaluationReport, now, software
from ..texts import escaped
from .job_file import JobFile
from .outputs import model_folder

if TYPE_CHECKING:
    from ..evaluation.report import Table
    from ..volume import Volume


@dataclasses.dataclass(frozen=True)
class EvaluateJob(JobFile):
    """One evaluation, see :func:`MedInpaintLib.evaluate`.

    Attributes:
        job: ``"evaluate"``.
        image: file (or folder with one DICOM series) to read, healthy where holes may lie.
        holes: what to cut out, one set of holes after the other: descriptions such as ``"spheres:20mm:6"``, or files
            with masks.
        methods: names; the trivial fill is always added.
        output: the table to write: ``.csv`` has a line for each set, method and hole, ``.json`` the whole report.
        parameters: method -> its parameters by name; the others keep their defaults.
        convention: of the scores: ``"masked"``, ``"brats"`` or ``"rfr-report"``.
        data_range: R of PSNR and SSIM, in the image's intensities; None for what suits the image.
        avoid: a file with a mask of where no hole may lie, or None.
        modality, device, seed, series, allow_outside_data, workers: as in :func:`MedInpaintLib.inpaint`; methods that
            want no GPU stay on the CPU.
    """

    KIND: ClassVar[str] = "evaluate"
    PATHS: ClassVar[tuple[str, ...]] = ("image", "output", "avoid")

    output: str
    image: str
    holes: list[str]
    methods: list[str]
    parameters: dict[str, Any] = dataclasses.field(default_factory=dict)
    convention: str = "masked"
    data_range: float | None = None
    avoid: str | None = None
    modality: str | None = None
    device: str = "auto"
    seed: int = 0
    series: str | None = None
    allow_outside_data: bool = False
    workers: int | None = None

    @classmethod
    def placed(cls, fields: Mapping[str, Any], folder: Path) -> dict[str, Any]:
        from ..holes import is_spec, taken_from

        placed, holes = super().placed(fields, folder), fields.get("holes")
        if isinstance(holes, list):
            placed["holes"] = [
                each if not isinstance(each, str) else taken_from(each, folder) if is_spec(each) else str(folder / each)
                for each in holes
            ]
        return placed

    def run(self, progress: Progress | None = None) -> EvaluationReport:
        """Score all methods in all holes, and write the table."""
        from ..evaluation.protocol import evaluate
        from ..evaluation.report import write_csv
        from ..files import write_json
        from ..volume import Volume

        progress, start = progress or Progress(), time.perf_counter()
        self._check()
        entries = self._entries()
        progress.update(0.0, "Reading")
        image = Volume.read(self.image, series=self.series, allow_outside_data=self.allow_outside_data)
        tables = []
        for number, holes in enumerate(self.holes):
            share = progress.part(0.02 + 0.96 * number / len(self.holes), 0.02 + 0.96 * (number + 1) / len(self.holes))
            table = evaluate(
                image,
                _hole_source(holes),
                entries,
                seed=self.seed,
                data_range=self.data_range,
                convention=self.convention,
                modality=self.modality,
                avoid=self.avoid,
                name=escaped(Path(self.image).name),
                keep_going=True,
                allow_outside_data=self.allow_outside_data,
                progress=share.part(0.0, 1.0, _called(holes)) if len(self.holes) > 1 else share,
            )
            tables.append(table)
        report = self._report(image, tables, time.perf_counter() - start)
        progress.update(0.98, "Writing")
        if self.output.lower().endswith(".csv"):
            write_csv(self.output, tables)
        else:
            write_json(self.output, report)
        progress.update(1.0, "Done")
        return report

    def check_options(self) -> None:
        """Check what can be checked without opening a file.

        Raises:
            InputError: an option cannot be used, or the output has no ending that is known.
        """
        from ..devices import check_device
        from ..holes import is_spec, parse
        from ..metrics import CONVENTIONS

        for field in ("holes", "methods"):
            if not getattr(self, field):
                raise ParameterError(f"The job's field '{field}' is empty; give one or more.")
        if not self.output.lower().endswith((".csv", ".json")):
            raise OutputPathError(f"'{Path(self.output).name}' must end in .csv (a line a hole) or .json (the report).")
        if self.convention not in CONVENTIONS:
            raise ParameterError(
                f"There is no convention '{self.convention}'; the conventions are: {', '.join(CONVENTIONS)}."
            )
        if self.modality is not None:
            Modality.of(self.modality)
        if self.seed < 0:
            raise ParameterError(f"The seed must be a whole number, 0 or more; found {self.seed}.")
        check_device(self.device)
        for each in self.holes:
            if is_spec(each):
                parse(each)
        self._entries()

    def _check(self) -> None:
        """Check before the work begins all that could make it fail."""
        from ..files import check_folder
        from ..holes import HINT, file_of, is_spec

        inputs: dict[str, str | None] = {"image": self.image, "mask of what to avoid": self.avoid}
        inputs |= {f"mask of holes {number}": file_of(holes) for number, holes in enumerate(self.holes, start=1)}
        inputs |= {f"model of {name}": model_folder(values) for name, values in self.parameters.items()}
        self.check_outputs(inputs, {"output": self.output})
        self.check_options()
        check_folder(self.output)
        for each in self.holes:
            if not is_spec(each) and not os.path.exists(each):
                raise ParameterError(f"'{each}' is neither a file nor a description of holes. {HINT}")

    def _entries(self) -> list[tuple[str, dict[str, Any]]]:
        """Return the methods with their options, as :func:`.evaluate` takes them.

        Raises:
            ParameterError: a method is not known, or one of its parameters is not what it must be.
        """
        from ..methods import registry
        from ..parameters import parse

        entries: dict[str, dict[str, Any]] = {}
        for name in self.methods:
            options: dict[str, Any] = {
                "method": name,
                "parameters": self.parameters.get(name, {}),
                "workers": self.workers,
            }
            if not isinstance(options["parameters"], dict):
                raise ParameterError(f"The parameters of '{name}' must be an object of names and values.")
            if name != "auto":
                info = registry.get(name)
                parse(info.parameters, options["parameters"], method=name)
                options |= {"device": self.device} if info.wants_gpu else {}
            entries[name] = options
        strangers = [name for name in self.parameters if name not in entries]
        if strangers:
            raise ParameterError(f"There are parameters for '{strangers[0]}', which is not among the methods to score.")
        return list(entries.items())

    def _report(self, image: Volume, tables: Sequence[Table], seconds: float) -> EvaluationReport:
        from ..evaluation.protocol import TRIVIAL
        from ..inputs import facts_of

        sets = [(_called(holes), table, table.to_dict()) for holes, table in zip(self.holes, tables, strict=True)]
        several = len(sets) > 1
        first = tables[0].constants
        return EvaluationReport(
            software=software(),
            date=now(),
            image={**facts_of(self.image, image), "dtype": str(image.array.dtype)},
            modality=str(first["modality"]),
            modality_reason=tables[0].modality_reason,
            convention=tables[0].about["convention"],
            range="; ".join(dict.fromkeys(table.about["range"] for table in tables)),
            seed=self.seed,
            device=self.device,
            trivial=TRIVIAL,
            holes=[
                {"holes": holes, "count": int(table.labels.max()), "reference": table.reference, "about": table.about}
                for holes, table, _ in sets
            ],
            metrics=sets[0][2]["metrics"],
            rows=[{"holes": holes, **row} for holes, _, each in sets for row in each["rows"]],
            methods=[
                {"holes": holes, **method, "device": table.reports[method["method"]]["device"]}
                for holes, table, each in sets
                for method in each["methods"]
            ],
            left_out={
                name: f"{holes}: {why}" if several else why
                for holes, table, _ in sets
                for name, why in table.left_out.items()
            },
            warnings=_warnings(tables),
            seconds={"total": round(seconds, 3)},
            text="\n".join(table.to_text() for table in tables).rstrip(),
        )


def _hole_source(holes: str) -> str | Path:
    from ..holes import is_spec

    return holes if is_spec(holes) else Path(holes)


def _called(holes: str) -> str:
    """Name a set of holes for the report: a description as it is, a mask by its file's name."""
    source = _hole_source(holes)
    return source if isinstance(source, str) else escaped(source.name)


def _warnings(tables: Sequence[Table]) -> list[str]:
    """Return the warnings of the image, of the methods, and about methods that were left out; each once."""
    warnings = [warning for table in tables for warning in table.warnings]
    warnings += [
        f"{method}: {warning}"
        for table in tables
        for method, report in table.reports.items()
        for warning in report["warnings"]
    ]
    warnings += [f"{method} was left out: {why}" for table in tables for method, why in table.left_out.items()]
    return list(dict.fromkeys(warnings))
