"""What is attacked: a ResNet18 with its weights in a file, images, and models to transfer to."""
import dataclasses
import pathlib

import h5py
import numpy as np
import safetensors.torch
import torch
import torchvision
from torch import nn


@dataclasses.dataclass
class Subject:
    weights: pathlib.Path       # of the attacked ResNet18, safetensors; pixels are taken raw
    images_file: pathlib.Path   # HDF5
    images_key: str
    classes: int
    model: nn.Module
    transfer: dict              # name -> model
    images: torch.Tensor        # float32 [N,3,H,W]
    labels: torch.Tensor


def frozen(model):
    model.eval()
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return model


def resnet18(classes):
    return torchvision.models.resnet18(num_classes=classes)


class SmallCnn(nn.Module):
    """Four times convolution, batch normalisation, ReLU and pooling, then the mean and a linear layer."""

    def __init__(self, classes):
        super().__init__()
        layers = []
        for inputs, outputs in ((3, 16), (16, 32), (32, 64), (64, 64)):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
                       nn.MaxPool2d(2)]
        self.features = nn.Sequential(*layers)
        self.fc = nn.Linear(64, classes)

    def forward(self, x):
        return self.fc(self.features(x).mean((2, 3)))


def read_images(file, key):
    with h5py.File(file) as opened:
        return (torch.from_numpy(opened[key][:]).float() / 255, torch.from_numpy(opened["labels"][:]))


# --- Given -----------------------------------------------------------------------------------------------


def state_in(group):
    state = {}
    group.visititems(lambda name, node: state.update({name: torch.from_numpy(np.array(node[()]))})
                     if isinstance(node, h5py.Dataset) else None)
    return {name: value.float() if value.is_floating_point() else value for name, value in state.items()}


def given(folder):
    """testset.h5, resnet18_A.safetensors and transfer_models.h5 of `folder`."""
    weights = folder / "resnet18_A.safetensors"
    state = {name: value.float() if value.is_floating_point() else value
             for name, value in safetensors.torch.load_file(weights).items()}
    classes = state["fc.bias"].shape[0]
    model = resnet18(classes)
    model.load_state_dict(state)
    transfer = {}
    with h5py.File(folder / "transfer_models.h5") as opened:
        for name, group in opened.items():
            other = resnet18(classes) if name.startswith("resnet18") else SmallCnn(classes)
            other.load_state_dict(state_in(group))
            transfer[name.split("_")[-1]] = frozen(other)
    images, labels = read_images(folder / "testset.h5", "images_u8")
    return Subject(weights, folder / "testset.h5", "images_u8", classes, frozen(model), transfer, images, labels)


def mirrored(subject, folder):
    """The same with four times the images: as they are, and mirrored in each direction and in both."""
    with h5py.File(subject.images_file) as opened:
        pixels = opened[subject.images_key][:]
    pixels = np.concatenate([pixels, pixels[..., ::-1], pixels[..., ::-1, :], pixels[..., ::-1, ::-1]])
    labels = subject.labels.repeat(4)
    with h5py.File(folder / "mirrored.h5", "w") as file:
        file["images"], file["labels"] = pixels, labels.numpy()
    return dataclasses.replace(subject, images_file=folder / "mirrored.h5", images_key="images",
                               images=torch.from_numpy(pixels).float() / 255, labels=labels)


# --- Made ------------------------------------------------------------------------------------------------

SIZE, CLASSES = 64, 4


def draw(count, generator):
    """Bytes [count,3,SIZE,SIZE]: a blob on a noisy ground, whose shape and colour follow loosely from its class."""
    labels = torch.arange(count) % CLASSES
    y, x = torch.meshgrid(torch.linspace(-1, 1, SIZE), torch.linspace(-1, 1, SIZE), indexing="ij")
    images = torch.empty(count, 3, SIZE, SIZE)
    for i, label in enumerate(labels.tolist()):
        shift, stretch = (torch.rand(2, generator=generator) - 0.5) * 0.8, 1 + label * 0.7
        angle = torch.rand((), generator=generator) * 2 * torch.pi
        u = torch.cos(angle) * (x - shift[0]) + torch.sin(angle) * (y - shift[1])
        v = torch.cos(angle) * (y - shift[1]) - torch.sin(angle) * (x - shift[0])
        blob = torch.exp(-(6 * (u * stretch) ** 2 + 6 * v**2))
        colour = 0.5 * torch.rand(3, generator=generator) - 0.25
        colour[label % 3] -= 0.15
        ground = 0.6 + 0.1 * torch.randn(3, SIZE, SIZE, generator=generator)
        images[i] = ground + colour.view(3, 1, 1) * blob
    return (images.clamp(0, 1) * 255).round().byte(), labels


def train(seed, images, labels, epochs):
    torch.manual_seed(seed)
    model = resnet18(CLASSES).to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, weight_decay=1e-4)
    for _ in range(epochs):
        for batch in torch.randperm(len(images)).split(64):
            loss = nn.functional.cross_entropy(model(images[batch].float() / 255), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return frozen(model.to(memory_format=torch.contiguous_format))


def made(folder):
    """A ResNet18 that is trained for a minute on generated images, and another one to transfer to."""
    generator = torch.Generator().manual_seed(0)
    images, labels = draw(768, generator)
    test_images, test_labels = draw(64, generator)
    with h5py.File(folder / "testset.h5", "w") as file:
        file["images"], file["labels"] = test_images.numpy(), test_labels.numpy()
    model, other = (train(seed, images, labels, epochs=4) for seed in (1, 2))
    safetensors.torch.save_file(model.state_dict(), folder / "weights.safetensors")
    return Subject(folder / "weights.safetensors", folder / "testset.h5", "images", CLASSES, model, {"B": other},
                   *read_images(folder / "testset.h5", "images"))
