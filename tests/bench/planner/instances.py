"""Synthetic placement problems in the format `skyflow-bench/1`, from a seed.

Three clouds with 28 regions. Money for machines and for moving data is of the same order, so that neither decides alone.
Machines of a cloud differ in price and in speed; a region has a price level; a job has some work and likes some machines
better than others. Shapes: `chain`; `random` (every job but the first reads from 1 to 3 earlier ones); `layered` (like
the Montage workflow: project, difference of neighbours, fit, model, correct, table, and a tail).
"""

import random
from typing import Any

__all__ = ["SHAPES", "instance"]

SHAPES = ("chain", "random", "layered")
_REGIONS = {"aws": 11, "gcp": 9, "azure": 8}
_EGRESS = {"aws": (0.02, 0.09), "gcp": (0.05, 0.12), "azure": (0.02, 0.0875)}
_CONTINENTS = 4
_KINDS = 36


def instance(shape: str, jobs: int, candidates: int, *, seed: int, zones: int = 1) -> dict[str, Any]:
    """Return a problem; with more than one zone each region is that many places, a cent per GB apart."""
    rng = random.Random(f"{shape}/{jobs}/{candidates}/{seed}")
    regions = [
        (cloud, f"{cloud}-{number}", f"{cloud}-{number}{'abcdef'[zone] if zones > 1 else ''}", number % _CONTINENTS)
        for cloud, count in _REGIONS.items()
        for number in range(count)
        for zone in range(zones)
    ]
    level = {region: rng.uniform(0.95, 1.4) for _, region, _, _ in regions}
    kinds = {cloud: [_kind(rng) for _ in range(_KINDS)] for cloud in _REGIONS}
    return {
        "format": "skyflow-bench/1",
        "name": f"{shape}_n{jobs}_k{candidates}_s{seed}",
        "shape": shape,
        "n": jobs,
        "k": candidates,
        "seed": seed,
        "regions": [[cloud, place] for cloud, _, place, _ in regions],
        "egress_usd_per_gb": [[_price(a, b) for b in regions] for a in regions],
        "bandwidth_gbps": [[_speed(a, b) for b in regions] for a in regions],
        "tasks": [{"candidates": _candidates(rng, regions, level, kinds, candidates)} for _ in range(jobs)],
        "edges": [[u, v, round(min(100.0, 10 ** rng.uniform(-1, 2)), 3)] for u, v in _edges(rng, shape, jobs)],
    }


def _kind(rng: random.Random) -> tuple[float, float]:
    price = 10 ** rng.uniform(-1.3, 0.7)
    return price, price**0.7 * rng.uniform(0.7, 1.4)


def _price(a: tuple, b: tuple) -> float:
    near, far = _EGRESS[a[0]]
    if a[0] != b[0]:
        return far
    if a[1] != b[1]:
        return near if a[3] == b[3] else near + 0.03 * (a[0] == "gcp")
    return 0.0 if a[2] == b[2] else 0.01


def _speed(a: tuple, b: tuple) -> float:
    if a[1] == b[1]:
        return 25.0
    same_continent, same_cloud = a[3] == b[3], a[0] == b[0]
    return {(True, True): 10.0, (False, True): 5.0, (True, False): 4.0, (False, False): 1.0}[same_continent, same_cloud]


def _candidates(rng: random.Random, regions: list, level: dict, kinds: dict, count: int) -> list[list[float]]:
    work = 10 ** rng.uniform(3.2, 4.3)
    pool = [(place, kind) for place in range(len(regions)) for kind in range(_KINDS)]
    likes = {cloud: [rng.lognormvariate(0, 0.35) for _ in range(_KINDS)] for cloud in _REGIONS}
    rows = []
    for place, kind in rng.sample(pool, min(count, len(pool))):
        cloud, region = regions[place][:2]
        price, speed = kinds[cloud][kind]
        seconds = round(work / (speed * likes[cloud][kind]), 1)
        hourly = round(price * level[region], 5)
        rows.append([place, kind, seconds, hourly, round(hourly * seconds / 3600, 6)])
    return rows


def _edges(rng: random.Random, shape: str, jobs: int) -> list[tuple[int, int]]:
    if shape == "chain":
        return [(job - 1, job) for job in range(1, jobs)]
    if shape == "random":
        return [
            (parent, job)
            for job in range(1, jobs)
            for parent in sorted(rng.sample(range(job), min(job, rng.randint(1, 3))))
        ]
    if shape != "layered":
        raise ValueError(f"no shape '{shape}'; there are {', '.join(SHAPES)}")
    width = max(2, (jobs - 4) // 3)
    project, difference, correct = range(width), range(width, 2 * width - 1), range(2 * width + 1, 3 * width + 1)
    fit, model = 2 * width - 1, 2 * width
    edges = [(i, d) for i, d in zip(project, difference, strict=False)]
    edges += [(i + 1, d) for i, d in zip(project, difference, strict=False)]
    edges += [(d, fit) for d in difference] + [(fit, model)]
    edges += [(model, c) for c in correct] + [(i, c) for i, c in zip(project, correct, strict=True)]
    tail = range(3 * width + 1, jobs)
    edges += [(c, tail[0]) for c in correct] if tail else []
    edges += [(job - 1, job) for job in tail[1:]]
    return sorted((u, v) for u, v in edges if v < jobs)
