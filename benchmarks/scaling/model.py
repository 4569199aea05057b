#!/usr/bin/env python3
"""What docs/scaling.md says of machines that nobody has measured: the efficiency of data-parallel training, from the
time of a step on one device, the bytes of the gradients and the links. The defaults are ResNet18 at 224 px on nodes
of eight H100; put in what benchmarks/scaling/run has measured.

    benchmarks/scaling/model.py --step-ms 22.9
"""
import argparse
import math


def step(arguments, ranks):
    """Milliseconds of one step beyond computing: of the sums of gradients that nothing hides, and of batch norm."""
    nodes = max(1, ranks // arguments.node)
    bandwidth = arguments.node_gbs if nodes == 1 else arguments.link_gbs
    passes = 2 * (ranks - 1) / ranks
    hidden_from = 1000 * passes * (arguments.gradient_mb - arguments.last_mb) / 1000 / bandwidth
    last = 1000 * passes * arguments.last_mb / 1000 / bandwidth
    backward = arguments.step_ms * arguments.backward
    small = (arguments.small_us + arguments.hop_us * (math.log2(nodes) if nodes > 1 else 0)) / 1000
    return max(0.0, hidden_from - backward) + last, arguments.small_sums * small


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--step-ms", type=float, default=16.8, help="of one device at its share of the batch")
    parser.add_argument("--backward", type=float, default=0.6, help="part of it in which sums can hide")
    parser.add_argument("--gradient-mb", type=float, default=44.7)
    parser.add_argument("--last-mb", type=float, default=8.8, help="of the last bucket")
    parser.add_argument("--node", type=int, default=8, help="devices of a node")
    parser.add_argument("--node-gbs", type=float, default=300, help="GB/s of a device to the others of its node")
    parser.add_argument("--link-gbs", type=float, default=40, help="GB/s of a device to other nodes")
    parser.add_argument("--small-sums", type=int, default=40, help="of batch normalisation, in a step")
    parser.add_argument("--small-us", type=float, default=20, help="microseconds of one in a node")
    parser.add_argument("--hop-us", type=float, default=5, help="more for every doubling of the number of nodes")
    parser.add_argument("--ranks", type=int, nargs="+", default=[8, 64, 128, 256, 512])
    arguments = parser.parse_args()
    print("| GPUs | gradients, not hidden (ms) | batch norm (ms) | efficiency, synchronised | efficiency, local |")
    print("|---|---|---|---|---|")
    for ranks in arguments.ranks:
        gradients, norm = step(arguments, ranks)
        own = arguments.step_ms
        print(f"| {ranks} | {gradients:.2f} | {norm:.2f} | {100 * own / (own + gradients + norm):.0f} % | "
              f"{100 * own / (own + gradients):.0f} % |")


if __name__ == "__main__":
    main()
