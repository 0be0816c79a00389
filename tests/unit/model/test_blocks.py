"""How far a refusal reaches."""

from datetime import UTC, datetime, timedelta

import offerings
import pytest

from skyflow.model.blocks import block_after
from skyflow.model.machines import FailureKind, Scope
from skyflow.model.resources import Accelerators, Market

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def offering(
    kind: str,
    region: str = "r1",
    zone: str = "",
    *,
    market: Market = Market.ON_DEMAND,
    gpu: str = "",
    arch: str = "x86_64",
):
    devices = Accelerators(gpu, 1) if gpu else None
    return offerings.offering(
        region=region, zone=zone, instance_type=kind, market=market, accelerators=devices, arch=arch
    )


A, A_ELSEWHERE, A_SPOT = offering("m6i.large"), offering("m6i.large", "r2"), offering("m6i.large", market=Market.SPOT)
BIGGER, OTHER = offering("m6i.xlarge"), offering("c5.large")
ZONED, ZONED_TOO = offering("m6i.large", zone="r1a"), offering("m6i.large", zone="r1b")
GPU, GPU_TOO, GPU_ELSEWHERE = (
    offering("p4d.24", gpu="A100"),
    offering("g5.xl", gpu="A10G"),
    offering("p4d.24", "r2", gpu="A100"),
)
ARM = offering("m7g.large", arch="arm64")
ALL = [A, A_ELSEWHERE, A_SPOT, BIGGER, OTHER, ZONED, ZONED_TOO, GPU, GPU_TOO, GPU_ELSEWHERE, ARM]


@pytest.mark.parametrize(
    ("refused", "kind", "scope", "covered"),
    [
        (A, FailureKind.CAPACITY, Scope.ZONE, [A, ZONED, ZONED_TOO]),
        (ZONED, FailureKind.CAPACITY, Scope.ZONE, [ZONED]),
        (A, FailureKind.CAPACITY, Scope.CLOUD, [A, A_ELSEWHERE, ZONED, ZONED_TOO]),
        (A, FailureKind.QUOTA, Scope.REGION, [A, BIGGER, OTHER, ZONED, ZONED_TOO, ARM]),
        (A_SPOT, FailureKind.QUOTA, Scope.REGION, [A_SPOT]),
        (GPU, FailureKind.QUOTA, Scope.REGION, [GPU]),
        (GPU, FailureKind.QUOTA, Scope.CLOUD, [GPU, GPU_TOO, GPU_ELSEWHERE]),
        (A, FailureKind.NOT_OFFERED, Scope.REGION, [A, A_SPOT, ZONED, ZONED_TOO]),
        (ZONED, FailureKind.NOT_OFFERED, Scope.ZONE, [ZONED]),
        (A, FailureKind.UNUSABLE, Scope.REGION, [A, A_SPOT, BIGGER, OTHER, ZONED, ZONED_TOO, ARM]),
        (GPU, FailureKind.UNUSABLE, Scope.REGION, [GPU, GPU_TOO]),
        (A, FailureKind.NO_IMAGE, Scope.REGION, [A, A_SPOT, BIGGER, OTHER, ZONED, ZONED_TOO]),
        (ARM, FailureKind.NO_IMAGE, Scope.REGION, [ARM]),
        (GPU, FailureKind.NO_IMAGE, Scope.CLOUD, [GPU, GPU_TOO, GPU_ELSEWHERE]),
    ],
)
def test_a_refusal_reaches_as_far_as_its_cloud_says(refused, kind, scope, covered) -> None:
    block = block_after(refused, kind, scope, NOW)
    assert [each for each in ALL if block.covers(each, image=None)] == covered


def test_a_lack_of_capacity_is_forgotten_before_a_quota_is() -> None:
    ends = [block_after(A, kind, Scope.REGION, NOW).ends_at for kind in (FailureKind.CAPACITY, FailureKind.QUOTA)]
    assert ends == [NOW + timedelta(minutes=15), NOW + timedelta(hours=6)]


@pytest.mark.parametrize("kind", [FailureKind.NO_IMAGE, FailureKind.UNUSABLE])
def test_an_image_of_ones_own_is_missing_to_those_who_name_it(kind) -> None:
    block = block_after(A, kind, Scope.REGION, NOW, image="ami-1")
    assert [block.covers(BIGGER, image=image) for image in ("ami-1", "ami-2", None)] == [True, False, False]
    assert not block.covers(A_ELSEWHERE, image="ami-1")


def test_the_usual_image_is_not_missing_to_those_who_name_another() -> None:
    block = block_after(A, FailureKind.NO_IMAGE, Scope.REGION, NOW)
    assert not block.covers(A, image="ami-1")


def test_a_lack_of_capacity_is_one_whatever_the_image() -> None:
    assert block_after(A, FailureKind.CAPACITY, Scope.REGION, NOW, image="ami-1").covers(A, image=None)
