"""Three programs that tell cerebrospinal fluid, grey and white matter apart in a T1 without skull."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..tissue_volumes.segmentation import segment

#: Voxels along each side of the blocks on whose means HMRF and Atropos run: at 1 mm they take 46 s and 30 s for a
#: head, on blocks of 2 mm 3 s and 4 s.
BLOCK = 2
#: Weight of neighbours of the same tissue; as in the examples of dipy and ANTs.
SMOOTHNESS = 0.1
#: Iterations at most; after 5, Atropos changes less than 0.02 % of a tissue's volume.
HMRF_ITERATIONS, ATROPOS_ITERATIONS = 20, 5

#: Of image, mask and spacing in mm: labels CSF, GREY or WHITE, and -1 outside the mask.
Segmenter = Callable[[np.ndarray, np.ndarray, Sequence[float]], np.ndarray]


def three_means(image: np.ndarray, where: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Segment by k-means, a bias field and neighbours that agree: the segmenter of the study `tissue-volumes`."""
    return segment(image, where, spacing).labels


def hmrf(image: np.ndarray, where: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Segment by the hidden Markov random field of dipy (Zhang et al., IEEE Trans. Med. Imaging 2001)."""
    from dipy.segment.tissue import TissueClassifierHMRF

    blocks, known = means_of_blocks(image, where)
    # HMRF models the background, too; where that is 0 it adds noise such as this, which differs from run to run.
    noise = np.random.default_rng(0).normal(1e-3, 1e-4, size=blocks.shape)
    values = np.where(known, blocks, noise).astype(np.float64)
    _, labels, _ = TissueClassifierHMRF(verbose=False).classify(values, 3, SMOOTHNESS, max_iter=HMRF_ITERATIONS)
    return _of_voxels(np.maximum(np.asarray(labels), 1) - 1, where)


def atropos(image: np.ndarray, where: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Segment by Atropos of ANTs from k-means on (Avants et al., Neuroinformatics 2011)."""
    import ants

    blocks, known = means_of_blocks(image, where)
    mm = tuple(BLOCK * each for each in spacing)
    result = ants.atropos(
        a=ants.from_numpy(blocks, spacing=mm),
        x=ants.from_numpy(known.astype(np.float32), spacing=mm),
        i="kmeans[3]",
        m=f"[{SMOOTHNESS},1x1x1]",
        c=f"[{ATROPOS_ITERATIONS},0]",
        r=0,  # else its k-means begins with other random numbers each time
    )
    labels = result["segmentation"].numpy().astype(np.int8)
    return _of_voxels(np.maximum(labels, 1) - 1, where)


SEGMENTERS: dict[str, Segmenter] = {"k-means": three_means, "HMRF": hmrf, "Atropos": atropos}


def means_of_blocks(image: np.ndarray, where: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of the voxels of each block that are in the mask, float32, and which blocks have any."""
    pad = [(0, -length % BLOCK) for length in image.shape]
    weights, values = (
        np.pad(each, pad)
        .reshape([part for length in each.shape for part in (-(-length // BLOCK), BLOCK)])
        .sum(axis=(1, 3, 5), dtype=np.float32)
        for each in (where, np.where(where, image, 0))
    )
    return values / np.maximum(weights, 1), weights > 0


def _of_voxels(labels: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Return the labels of blocks at each of their voxels in the mask, -1 outside."""
    for axis in range(labels.ndim):
        labels = labels.repeat(BLOCK, axis)
    return np.where(where, labels[tuple(map(slice, where.shape))], -1).astype(np.int8)
