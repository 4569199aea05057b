"""Training: sweep_runner beside a plain PyTorch loop of the same ResNet18, loss, batch, optimizer and images."""
import contextlib
import pathlib
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import small_training  # noqa: E402

EPOCHS = small_training.EPOCHS


def ours(arguments, defence, precision):
    """Clean images/s of the last epoch."""
    return small_training.run(arguments.programs, images=arguments.images, size=arguments.size, batch=arguments.batch,
                              defence=defence, precision=precision, threads=arguments.threads,
                              device=arguments.device).images_per_second


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Identity() if stride == 1 else nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return F.relu(self.bn2(self.conv2(y)) + self.shortcut(x), inplace=True)


class ResNet18(nn.Module):
    """Gives logits, the features behind layer4 and the encoding behind layer2."""

    def __init__(self, classes=4):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))
        self.stem = nn.Sequential(nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True),
                                  nn.MaxPool2d(3, 2, 1))
        self.encoder = nn.Sequential(Block(64, 64, 1), Block(64, 64, 1), Block(64, 128, 2), Block(128, 128, 1))
        self.rest = nn.Sequential(Block(128, 256, 2), Block(256, 256, 1), Block(256, 512, 2), Block(512, 512, 1))
        self.fc = nn.Linear(512, classes)

    def forward(self, x):
        encoding = self.encoder(self.stem((x - self.mean) / self.std))
        features = self.rest(encoding)
        return self.fc(features.mean((2, 3))), features, encoding


def make_decoder():
    layers = []
    for channels in (128, 64):
        layers += [nn.ConvTranspose2d(channels, channels // 2, 4, 2, 1, bias=False), nn.BatchNorm2d(channels // 2),
                   nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.ConvTranspose2d(32, 3, 4, 2, 1), nn.Sigmoid())


def loss_of(model, decoder, x, y):
    if decoder is None:
        return F.cross_entropy(model(x)[0], y)
    noisy = x + torch.empty_like(x).uniform_(-8 / 255, 8 / 255)
    logits, features, encoding = model(torch.cat([x, noisy]))
    clean, disturbed = features.float().chunk(2)
    loss = F.cross_entropy(logits, y.repeat(2)) + (clean - disturbed).flatten(1).norm(dim=1).mean()
    target = torch.cat([x, x])
    return loss + 10 * 2 * (target - decoder(encoding).float()).flatten(1).norm(dim=1).mean()


def pytorch(arguments, defence, precision, channels_last=True, compiled=False):
    """Clean images/s of the last epoch of a plain loop."""
    device = arguments.device
    memory_format = torch.channels_last if channels_last else torch.contiguous_format
    model = ResNet18().to(device, memory_format=memory_format)
    decoder = None
    if defence != "cross-entropy":
        decoder = make_decoder().to(device, memory_format=memory_format)
    parameters = list(model.parameters()) + ([] if decoder is None else list(decoder.parameters()))
    optimizer = torch.optim.SGD(parameters, 0.01, momentum=0.9, weight_decay=1e-4)
    count = arguments.images // 4 * 4
    images = torch.randint(0, 256, (count, 3, arguments.size, arguments.size), dtype=torch.uint8)
    labels = torch.arange(count) % 4
    loss_function = torch.compile(loss_of) if compiled else loss_of
    autocast = torch.autocast(device, torch.bfloat16) if precision == "bf16" else contextlib.nullcontext()
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    for _ in range(EPOCHS):
        start = time.perf_counter()
        for batch in torch.randperm(count).split(arguments.batch):
            x = images[batch].to(device).contiguous(memory_format=memory_format).float() / 255
            optimizer.zero_grad()
            with autocast:
                loss = loss_function(model, decoder, x, labels[batch].to(device))
            loss.backward()
            optimizer.step()
            loss.item()
        seconds = time.perf_counter() - start
    return count / seconds
