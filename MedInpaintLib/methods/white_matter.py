"""White matter: lesions filled as the healthy white matter around them, for programs that measure tissue."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ..initial_fill import initial_fill
from ..parameters import parameter
from ..prediction import Cost, Prediction, Run, method
from ..region import Region
from ..tissues import WhiteMatter, white_matter

# The white matter of the atlas (:mod:`..atlas`) is not used. In a trial, voxels were white matter only where the
# atlas, smoothed by 2 mm because the registration may be off by as much, expects 15 % of it or more. 15 ml of real MS
# shapes in healthy white matter were filled; the mean absolute error of a part's mean, as a share of the contrast of
# white and grey matter, became smaller in a patient with MS (T2: 0.125 to 0.089, FLAIR: 0.517 to 0.471), and larger
# in slices of 3 mm of val (FLAIR: 0.186 to 0.189, T2: 0.172 to 0.175). After a stroke it was 0.577 instead of 0.566
# in FLAIR, and 0.099 instead of 0.101 in T2. In another patient, with blocks limited likewise, T2 gained (0.128 to
# 0.114) and T1 stayed (0.049). Limits of 30 to 80 % lose 14 to 79 % of the white matter that is found, and leave up
# to 3,800 voxels of one patient's lesions without any within 10 mm. The registration would take 4 to 9 s; the search
# takes 1.1 s.

#: Standard deviations beyond which noise is cut off: a bright or dark speck would pass for other tissue.
MOST = 2.5
#: The highest correlation of neighbours that three weights in a row can give is 0.707.
HIGHEST = 0.7


@dataclasses.dataclass(frozen=True)
class Parameters:
    noise: bool = parameter(
        True, help="Add the noise of the white matter around; a fill without it is smooth, which programs can notice."
    )
    distance: float = parameter(
        10.0,
        unit="mm",
        minimum=1.0,
        maximum=50.0,
        help="Parts of the hole that are further than this from all white matter are filled by biharmonic.",
    )


@method(
    name="white-matter",
    title="White matter",
    family="tissue",
    summary="Healthy white matter as around the lesion: its local mean and its noise, found in the image itself.",
    trust="For lesions in white matter: what was cortex or ventricle in the hole becomes white matter, too.",
    reference="Battaglini et al.: Evaluating and reducing the impact of white matter lesions on brain volume "
    "measurements, Hum. Brain Mapp. 33:2062, 2012",
    parameters=Parameters,
    # Without the search for white matter, which takes 1.1 s of a head of 1 mm: it runs once an image, and again in each
    # worker process, which a cost that held it would start for many small lesions.
    cost=Cost(0.0012, 0.0008),
)
def fill(region: Region, parameters: Parameters, run: Run) -> Prediction:
    """Fill with the mean of the white matter around, weighted by distance, and with noise like that of white matter.

    Pasted, not blended: a lesion often touches the ventricle or the cortex, whose values a Poisson blend would carry
    into the fill. Known voxels keep their values in the prediction, so that a blend that the user asks for changes
    nothing.
    """
    if not region.modality.has_tissues:
        return _instead(region, f"White matter is found in MR alone, and this image is {region.modality.name}")
    white = white_matter(region.subject, run.progress)
    if white is None:
        return _instead(region, "No white matter was found in this image")
    far = _far(region, white, parameters.distance)
    if far[region.fill].all():
        return _instead(region, f"There is no white matter within {parameters.distance:g} mm of the hole")
    mean, deviation, noise = (
        white.at(blocks, region.fill, region.place) for blocks in (white.mean, white.deviation, white.noise)
    )
    if parameters.noise:
        # Parts of one shape would all get the same noise from the seed alone.
        rng = np.random.default_rng([run.seed, *(side.start for side in region.box)])
        drawn = _noise(region.hole.shape, white.correlation, rng)[region.fill]
        mean += np.clip(drawn, -MOST, MOST) * noise
        # The truth deviates from the mean independently of the fill.
        deviation = np.hypot(deviation, noise)
    values, spread = region.values.copy(), np.zeros_like(region.values)
    values[region.fill], spread[region.fill] = mean, deviation
    if not far.any():
        return Prediction(values, spread)
    values[far] = initial_fill(region)[far]
    warning = (
        f"{np.count_nonzero(far)} voxels of the hole were filled by biharmonic: their parts of it have no white matter "
        f"within {parameters.distance:g} mm."
    )
    return Prediction(values, warnings=(warning,))


def _instead(region: Region, reason: str) -> Prediction:
    """Fill by biharmonic."""
    return Prediction(initial_fill(region), warnings=(f"{reason}: it was filled by biharmonic.",), instead="biharmonic")


def _far(region: Region, white: WhiteMatter, distance: float) -> np.ndarray:
    """Mark the parts of the hole that are further from all white matter than a distance in mm."""
    from scipy import ndimage

    labels, count = ndimage.label(region.fill, structure=np.ones((3,) * region.hole.ndim))
    apart = white.at(white.distance, region.fill, region.place)
    nearest = ndimage.minimum(apart, labels[region.fill], np.arange(count + 1))
    return region.fill & (nearest > distance)[labels]


def _noise(shape: Sequence[int], correlation: Sequence[float], rng: np.random.Generator) -> np.ndarray:
    """Return noise of standard deviation 1 whose neighbours correlate as `correlation` gives for each axis.

    White noise, weighted by (a, 1, a) along an axis, gives neighbours the correlation c = 2 a / (1 + 2 a^2), so
    a = (1 - sqrt(1 - 2 c^2)) / (2 c).
    """
    from scipy import ndimage

    # A voxel more on each side is cut off again: at the ends, and along axes of one or two voxels (where wrapping gave
    # deviations of 1.56 and 1.11), the weights meet no noise that they have met already.
    noise = rng.standard_normal([size + 2 for size in shape], dtype=np.float32)
    for axis, each in enumerate(correlation):
        c = min(max(each, -HIGHEST), HIGHEST)
        a = (1 - np.sqrt(1 - 2 * c**2)) / (2 * c) if c else 0.0
        noise = ndimage.correlate1d(noise, np.array([a, 1, a]) / np.sqrt(1 + 2 * a**2), axis)
    return noise[(slice(1, -1),) * noise.ndim]
