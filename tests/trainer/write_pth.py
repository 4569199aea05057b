"""Writes files of torch.save into the folder that is the one argument: what trainer/weights has to read or to refuse."""

import os
import pathlib
import sys

import torch

folder = pathlib.Path(sys.argv[1])
values = torch.arange(6, dtype=torch.float64).view(2, 3)


def every_type():
    types = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16,
             torch.int8, torch.uint8, torch.bool]
    return {str(dtype).removeprefix("torch."): values.to(dtype) for dtype in types}


def views():
    whole = torch.arange(24, dtype=torch.float32)
    cube = whole.view(2, 3, 4)
    return {"whole": whole, "again": whole, "transposed": cube.permute(2, 0, 1), "slice": cube[1, ::2, 1:3],
            "scalar": torch.tensor(7.5), "empty": torch.empty(3, 0, 2), "narrow": whole[20:]}


def network():
    torch.manual_seed(3)
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Linear(4, 2))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.arange(parameter.numel()).view(parameter.shape) / 16)
    return net


class Touch:
    """Its pickle runs a shell command when Python loads it."""

    def __reduce__(self):
        return os.system, (f"touch '{folder / 'executed'}'",)


net = network()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
net(torch.zeros(2, 3, 6, 6)).sum().backward()
optimizer.step()
net = network()
checkpoint = {"epoch": 3, "best": None, "rates": [0.1, -1e300], "big": 2**40, "negative": -2**40, "done": True,
              "optimizer": optimizer.state_dict()}

for protocol in (2, 3, 4, 5):
    torch.save(every_type(), folder / f"types{protocol}.pth", pickle_protocol=protocol)
torch.save(views(), folder / "views.pth")
torch.save(net.state_dict(), folder / "network.pth")
torch.save(dict(net.named_parameters()), folder / "parameters.pth")
torch.save(torch.nn.DataParallel(net).state_dict(), folder / "parallel.pth")
for key in ("state_dict", "model", "model_state_dict"):
    torch.save(checkpoint | {key: net.state_dict()}, folder / f"{key}.pth")

for name, value in {"legacy": net.state_dict(), "legacy_views": views(), "legacy_touch": {"b": Touch()},
                    "legacy_checkpoint": checkpoint | {"model": net.state_dict()}}.items():
    torch.save(value, folder / f"{name}.pth", _use_new_zipfile_serialization=False)
torch.save(net, folder / "whole.pth")
torch.save(values, folder / "tensor.pth")
torch.save([values], folder / "list.pth")
torch.save({"epoch": 3}, folder / "nothing.pth")
torch.save({"a": values, "b": {"c": values}}, folder / "nested.pth")
torch.save({"a": torch.ones(1).expand(1000)}, folder / "expanded.pth")
torch.save({"a": values.to_sparse()}, folder / "sparse.pth")
torch.save({"a": values.to(torch.complex64)}, folder / "complex.pth")
torch.save({"a": values, "b": Touch()}, folder / "touch.pth")
torch.jit.script(torch.nn.Linear(2, 2)).save(folder / "script.pt")
