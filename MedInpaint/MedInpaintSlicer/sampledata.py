"""The samples that come with the extension, in Slicer's module Sample Data and behind "Try it"; no download."""

import dataclasses

from slicer.i18n import tr as _

from . import layout
from .nodes.segments import nameSegments

#: The heading in the module Sample Data.
CATEGORY = "MedInpaint"


@dataclasses.dataclass(frozen=True)
class _Offer:
    """How Slicer calls a sample of the engine.

    Attributes:
        title: of the sample.
        volume, segmentation: of its nodes.
    """

    title: str
    volume: str
    segmentation: str


def offers() -> dict[str, _Offer]:
    """Sample of the engine -> what it is called here. Films are not among them: Slicer reads no segments from PNG."""
    return {
        "brain-t1-lesion": _Offer(_("Brain MR, lesions marked"), "Brain T1", "Lesions"),
        "brain-t1": _Offer(_("Brain MR, two balls marked"), "Brain T1", "Balls"),
        "ct-slab": _Offer(_("Abdominal CT, two blobs marked"), "Abdominal CT", "Blobs"),
    }


def register() -> None:
    """Offer the samples in the module Sample Data; once, however often it is called."""
    import SampleData

    from MedInpaintLib import samples

    for name, offer in offers().items():
        sample = samples.sample(name)
        SampleData.SampleDataLogic.registerCustomSampleDataSource(
            category=CATEGORY,
            sampleName=offer.title,
            thumbnailFileName=str(layout.resourcePath(f"Icons/{name}.png")),
            uris=[sample.image.as_uri(), sample.mask.as_uri()],
            # Slicer keeps a copy in its cache under these names, so that saving the scene cannot change the original.
            fileNames=[f"MedInpaint-{sample.image.name}", f"MedInpaint-{sample.mask.name}"],
            nodeNames=[offer.volume, offer.segmentation],
            loadFileTypes=["VolumeFile", "SegmentationFile"],
        )


def load(name: str = "brain-t1-lesion"):
    """Load a sample into the scene.

    Returns:
        Its volume node and its segmentation node.
    """
    import SampleData

    register()
    offer = offers()[name]
    volume, segmentation = SampleData.SampleDataLogic().downloadSamples(offer.title)
    nameSegments(segmentation, offer.segmentation)
    return volume, segmentation
