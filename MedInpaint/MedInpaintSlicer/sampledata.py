"""The samples that come with the extension, in Slicer's module Sample Data and behind "Try it"; no download."""

import dataclasses

from slicer.i18n import tr as _

from . import layout
from .nodes.segments import nameSegments

#: The heading in the module Sample Data.
CATEGORY = "MedInpaint"


@dataclasses.dataclass(frozen=True)
class _Offer:
    """The names of a sample in Slicer: its title, and those of its nodes."""

    title: str
    volume: str
    segmentation: str


def offers() -> dict[str, _Offer]:
    """Return the engine's name of each sample -> its names in Slicer; no films: Slicer reads no segments from PNG."""
    return {
        "brain-t1-lesion": _Offer(_("Brain MR, lesions marked"), "Brain T1", "Lesions"),
        "brain-t1": _Offer(_("Brain MR, two balls marked"), "Brain T1", "Balls"),
        "ct-slab": _Offer(_("Abdominal CT, two blobs marked"), "Abdominal CT", "Blobs"),
    }


def register() -> None:
    """Add the samples to the module Sample Data; further calls change nothing."""
    import SampleData

    from MedInpaintLib import samples

    for name, offer in offers().items():
        sample = samples.sample(name)
        SampleData.SampleDataLogic.registerCustomSampleDataSource(
            category=CATEGORY,
            sampleName=offer.title,
            thumbnailFileName=str(layout.resourcePath(f"Icons/{name}.png")),
            uris=[sample.image.as_uri(), sample.mask.as_uri()],
            # Slicer copies the files to its cache under these names, so saving the scene cannot change the originals.
            fileNames=[f"MedInpaint-{sample.image.name}", f"MedInpaint-{sample.mask.name}"],
            nodeNames=[offer.volume, offer.segmentation],
            loadFileTypes=["VolumeFile", "SegmentationFile"],
        )


def load(name: str = "brain-t1-lesion"):
    """Load a sample into the scene; return its volume node and its segmentation node."""
    import SampleData

    register()
    offer = offers()[name]
    volume, segmentation = SampleData.SampleDataLogic().downloadSamples(offer.title)
    nameSegments(segmentation, offer.segmentation)
    return volume, segmentation
