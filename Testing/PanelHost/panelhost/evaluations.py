"""Reports of evaluations as the engine writes them, from a few scores."""

import math
import statistics

HOLES = "spheres:10mm:3"
YARDSTICK = "shell-mean"
METRICS = {
    "psnr": {"heading": "PSNR dB", "digits": 2, "better": "higher"},
    "ssim": {"heading": "SSIM", "digits": 3, "better": "higher"},
    "ssim_inner": {"heading": "SSIM inner", "digits": 3, "better": "higher"},
    "mae": {"heading": "MAE", "digits": 1, "better": "lower"},
    "gradient_energy": {"heading": "gradE", "digits": 2, "better": "one"},
}


def report(psnr, holes: str = HOLES, **changes) -> dict:
    """The report on one set of holes.

    Args:
        psnr: method -> dB, one value a hole, None where the fill is perfect; with the yardstick. The other scores
            follow from it; the inside of the holes has no SSIM, as in small holes.
        changes: other fields, in place of the usual ones.
    """
    rows = [
        {
            "holes": holes,
            "method": method,
            "hole": number,
            "voxels": 500 + number,
            "centre": [1.0, 2.0, 3.0 + number],
            "scores": _scores(found),
            "within": None,
        }
        for method, values in psnr.items()
        for number, found in enumerate(values, start=1)
    ]
    about = {"range": "R = 823, from 0 to 823", "machine": "Linux x86_64, 2 cores"}
    return {
        "software": "MedInpaintLib 1.2.3",
        "image": {"name": "T1.nrrd"},
        "modality": "MR",
        "convention": "masked: errors over the hole",
        "range": about["range"],
        "seed": 7,
        "device": "auto",
        "trivial": YARDSTICK,
        "holes": [{"holes": holes, "count": len(psnr[YARDSTICK]), "reference": YARDSTICK, "about": about}],
        "metrics": METRICS,
        "rows": rows,
        "methods": [_summary(method, rows, holes) for method in psnr],
        "left_out": {},
        "warnings": [],
        **changes,
    }


def _scores(psnr: float | None) -> dict:
    error = 0.0 if psnr is None else 10 ** (-psnr / 20)
    return {
        "psnr": psnr,
        "ssim": 1 - error,
        "ssim_inner": None,
        "mae": 500 * error,
        "gradient_energy": 1 - 2 * error,
    }


def _summary(method: str, rows: list[dict], holes: str) -> dict:
    own, reference = ([row["scores"] for row in rows if row["method"] == each] for each in (method, YARDSTICK))
    gains = {
        metric: _spread([_minus(mine[metric], other[metric]) for mine, other in zip(own, reference, strict=True)])
        for metric in ("psnr", "ssim")
    }
    return {
        "holes": holes,
        "method": method,
        "scores": {metric: _spread([scores[metric] for scores in own]) for metric in METRICS},
        "gain": gains,
        "better": sum(mine["mae"] < other["mae"] for mine, other in zip(own, reference, strict=True)),
        "count": len(own),
        "seconds": 1.25,
        "coverage": None,
        "device": "cpu",
    }


def _minus(mine: float | None, other: float | None) -> float | None:
    return None if mine is None or other is None else mine - other


def _spread(values: list) -> dict:
    if None in values:
        return {"mean": None, "sd": None, "n": len(values)}
    sd = statistics.stdev(values) if len(values) > 1 else math.nan
    return {"mean": statistics.mean(values), "sd": None if math.isnan(sd) else sd, "n": len(values)}
