"""Features: levels, shapes, frozen weights, and which files are not VGG16's."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from MedInpaintLib.errors import ModelError, ParameterError
from MedInpaintLib.networks.convolutional import Encoder
from MedInpaintLib.networks.features import EncoderFeatures, Vgg16Features

CONVOLUTIONS = {0: (3, 64), 2: (64, 64), 5: (64, 128), 7: (128, 128), 10: (128, 256), 12: (256, 256), 14: (256, 256)}


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    encoder = Encoder(32, 6, kernel=3, width=4)
    encoder(torch.randn(8, 1, 32, 32))  # statistics of normalisation that are not those of the start
    return encoder


@pytest.fixture(scope="module")
def weights():
    """As torchvision names them, with random numbers; and something of the rest of its file."""
    chance = torch.Generator().manual_seed(0)
    found = {}
    for number, (before, after) in CONVOLUTIONS.items():
        found[f"features.{number}.weight"] = torch.randn(after, before, 3, 3, generator=chance) / (9 * before) ** 0.5
        found[f"features.{number}.bias"] = 0.1 * torch.randn(after, generator=chance)
    return found | {"features.17.weight": torch.zeros(2, 2), "classifier.6.bias": torch.zeros(3)}


@pytest.fixture
def file(weights, tmp_path):
    torch.save(weights, tmp_path / "vgg16.pth")
    return tmp_path / "vgg16.pth"


def images(*shape, seed=1):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_features_of_an_encoder_are_what_comes_out_of_its_activations(encoder):
    found = EncoderFeatures(encoder, levels=4)(images(2, 1, 32, 32))
    assert [tuple(each.shape) for each in found] == [(2, 4, 16, 16), (2, 8, 8, 8), (2, 16, 4, 4), (2, 32, 2, 2)]
    expected, values = [], images(2, 1, 32, 32)
    for layer in encoder.eval().features:
        values = layer(values)
        if isinstance(layer, nn.LeakyReLU):
            expected.append(values)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(EncoderFeatures(encoder)(images(2, 1, 32, 32)), expected[:3])


@pytest.mark.parametrize("levels", [0, 5])
def test_levels_that_an_encoder_lacks_are_refused(encoder, levels):
    with pytest.raises(ParameterError, match=f"of 1..4 levels of an encoder; found {levels}"):
        EncoderFeatures(encoder, levels)


def test_features_stay_as_they_are_while_what_holds_them_and_the_encoder_are_trained(encoder):
    features = EncoderFeatures(encoder)
    assert encoder.training
    assert all(each.requires_grad for each in encoder.parameters())
    holder = nn.ModuleList([features]).train()
    assert holder.training
    assert not any(each.training for each in features.modules())
    assert not any(each.requires_grad for each in features.parameters())
    assert features.train() is features
    expected = features(images(4, 1, 32, 32))
    encoder(10 * torch.randn(8, 1, 32, 32))
    nn.init.zeros_(encoder.features[0].weight)
    torch.testing.assert_close(features(images(4, 1, 32, 32)), expected, rtol=0, atol=0)
    torch.testing.assert_close(features(images(4, 1, 32, 32)[:1])[2], expected[2][:1])  # frames do not mix


def test_gradients_go_through_to_the_images(encoder, file):
    for features in (EncoderFeatures(encoder), Vgg16Features(file)):
        given = images(1, 1, 16, 16).requires_grad_(True)
        sum(each.sum() for each in features(given)).backward()
        assert given.grad.any()


def test_vgg16_is_that_of_its_definition(weights, file):
    features = Vgg16Features(file)
    found = features(images(2, 1, 32, 24))
    assert [tuple(each.shape) for each in found] == [(2, 64, 16, 12), (2, 128, 8, 6), (2, 256, 4, 3)]
    values = torch.cat(
        [((images(2, 1, 32, 24) + 1) / 2 - mean) / sd for mean, sd in ((0.485, 0.229), (0.456, 0.224), (0.406, 0.225))],
        dim=1,
    )
    expected = []
    for number in CONVOLUTIONS:
        kernel, bias = (weights[f"features.{number}.{name}"] for name in ("weight", "bias"))
        values = functional.conv2d(values, kernel, bias, padding=1).clamp(min=0)
        if number in (2, 7, 14):
            values = functional.max_pool2d(values, 2)
            expected.append(values)
    torch.testing.assert_close(found, expected)
    assert not any(each.requires_grad for each in features.parameters())


def test_a_safetensors_file_does_as_well(weights, file, tmp_path):
    from safetensors.torch import save_file

    save_file(weights, tmp_path / "vgg16.safetensors")
    found = Vgg16Features(tmp_path / "vgg16.safetensors")(images(1, 1, 16, 16))
    torch.testing.assert_close(found, Vgg16Features(str(file))(images(1, 1, 16, 16)), rtol=0, atol=0)


def refused(path, match):
    with pytest.raises(ModelError, match=match) as caught:
        Vgg16Features(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    assert "download https://" in str(caught.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    refused(tmp_path / "none.pth", "There is no file")
    refused(tmp_path, "There is no file")


@pytest.mark.parametrize("name", ["vgg16.pth", "vgg16.safetensors"])
@pytest.mark.parametrize("content", [b"", b"no weights at all", b"PK\x03\x04 cut off", bytes(100)])
def test_files_of_something_else_are_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    refused(tmp_path / name, "cannot be read")


def test_a_cut_off_file_is_refused(file):
    file.write_bytes(file.read_bytes()[:100_000])
    refused(file, "cannot be read")


def test_a_file_that_would_run_code_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return (print, ("run",))

    torch.save({"features.0.weight": Evil()}, tmp_path / "evil.pth")
    refused(tmp_path / "evil.pth", "cannot be read")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"features.14.weight": None}, "features.14.weight"),  # VGG13
        ({"features.16.weight": torch.zeros(256, 256, 3, 3)}, "features.16.weight"),  # VGG19
        ({"features.0.weight": torch.zeros(64, 1, 3, 3)}, "features.0.weight"),
        ({"features.5.bias": 7}, "features.5.bias"),
    ],
)
def test_weights_of_another_network_are_refused_and_one_is_named(weights, tmp_path, change, named):
    other = {name: each for name, each in (weights | change).items() if each is not None}
    torch.save(other, tmp_path / "other.pth")
    refused(tmp_path / "other.pth", f"does not hold the weights of VGG16, see '{named}'")
    torch.save([1, 2], tmp_path / "list.pth")
    refused(tmp_path / "list.pth", "does not hold the weights of VGG16")
