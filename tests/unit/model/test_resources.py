"""How amounts, devices and shares are written."""

import pytest

from skyflow.model.resources import (
    Accelerators,
    Alternatives,
    Amount,
    parse_accelerators,
    parse_disk,
    parse_money,
    parse_nodes,
    parse_rate,
    parse_share,
)


@pytest.mark.parametrize(
    ("text", "device"),
    [
        ("A100", Accelerators("A100", 1)),
        (" A100 : 8 ", Accelerators("A100", 8)),
        ("A10:0.5", Accelerators("A10", 0.5)),
        ("tpu-v5e-8", Accelerators("tpu-v5e", 8)),
        ("TPU-v6e-4", Accelerators("tpu-v6e", 4)),
        ("tpu-v5e:8", Accelerators("tpu-v5e", 8)),
        ("NVIDIA A100 80GB PCIe:2", Accelerators("NVIDIA A100 80GB PCIe", 2)),
    ],
)
def test_devices(text, device):
    assert parse_accelerators(text) == device


@pytest.mark.parametrize("text", ["", ":8", "A100:", "A100:0", "A100:-1", "A100:many", "A100:1e3"])
def test_what_is_no_device_is_refused(text):
    with pytest.raises(ValueError, match="is not an accelerator; write a name and a count"):
        parse_accelerators(text)


def test_devices_read_as_they_are_written():
    assert str(Accelerators("A10", 0.5)) == "A10:0.5"
    assert str(Alternatives((Accelerators("H100", 8), Accelerators("A100", 8)), in_order=True)) == "H100:8 or A100:8"


def test_disk_is_sold_in_decimal_gigabytes():
    assert parse_disk("1TiB+") == Amount(pytest.approx(1024), or_more=True)
    assert parse_disk("100").minimum == pytest.approx(93.13, abs=0.01)


def test_shares_money_and_numbers_of_machines():
    assert (parse_share("50%"), parse_share("0.25"), parse_share(" 100 % ")) == (0.5, 0.25, 1.0)
    assert (parse_money("$1.25"), parse_money("0")) == (1.25, 0.0)
    assert (parse_nodes("3"), parse_nodes("2.0"), parse_rate("0.1")) == (3, 2, 0.1)


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_share, "101%"),
        (parse_share, "-1%"),
        (parse_share, "half"),
        (parse_money, "-1"),
        (parse_money, "inf"),
        (parse_money, "nan"),
        (parse_money, "free"),
        (parse_nodes, "0"),
        (parse_nodes, "1.5"),
        (parse_nodes, "many"),
        (parse_nodes, "inf"),
        (parse_rate, "0"),
    ],
)
def test_other_texts_are_refused_with_a_sentence(parse, text):
    with pytest.raises(ValueError, match=f"'{text}' is not "):
        parse(text)
