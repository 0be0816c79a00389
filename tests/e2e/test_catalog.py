"""`skyflow catalog` and `skyflow config`, as a person uses them."""

import csv
import io
import shutil
from pathlib import Path

import pytest

SHIPPED = Path(__file__).parents[2] / "catalogs"


def rows(done):
    return list(csv.DictReader(io.StringIO(done.out)))


def test_a_listing_is_csv_off_a_terminal_with_the_cheapest_first(project):
    found = rows(project.skyflow("catalog", "list", "--accelerators", "A100", "--market", "spot"))
    assert {row["accelerator"] for row in found} == {"A100"}
    assert {row["market"] for row in found} == {"spot"}
    assert len({row["accelerator_count"] for row in found}) > 2
    prices = [float(row["price_usd_per_hour"]) for row in found]
    assert prices == sorted(prices)


def test_filters_are_the_words_of_resources(project):
    found = project.skyflow(
        "catalog", "list", "--accelerators", "nvidia l4:1", "--jurisdiction", "EU", "--cpus", "8+", "--cloud", "gcp",
        "--memory", "32GiB+", "--sort", "carbon", "--limit", "3", "--json",
    ).json  # fmt: skip
    assert len(found) == 3
    assert [row["gco2e_per_hour"] for row in found] == sorted(row["gco2e_per_hour"] for row in found)
    for row in found:
        assert row["accelerator"] == "L4"
        assert row["accelerator_count"] == 1
        assert row["vcpus"] >= 8
        assert row["country"] in {"BE", "NL", "DE", "FI", "FR", "IT", "ES", "PL", "SE", "IE"}


def test_filters_are_called_as_in_resources_too(project):
    short = ("--cloud", "gcp", "--country", "DE", "--capability", "gpu", "--cpus", "8+", "-n", "5")
    long = ("--clouds", "gcp", "--countries", "DE", "--capabilities", "gpu", "--cpus", "8+", "-n", "5")
    assert project.skyflow("catalog", "list", *short).out == project.skyflow("catalog", "list", *long).out


def test_a_market_is_a_filter_like_the_others(project):
    for market in ("on-demand", "spot"):
        found = rows(project.skyflow("catalog", "list", "--instance-type", "t3.large", "--market", market))
        assert {row["market"] for row in found} == {market}


def test_a_table_marks_estimates_and_says_how_many_there_are(project):
    done = project.skyflow("catalog", "list", "--cloud", "azure", "--market", "spot", "--format", "table", "-n", "2")
    assert "~" in done.out
    assert "~: no price is published for this; it is skyflow's own estimate" in done.out
    assert "2 of " in done.out


def test_nothing_like_that_is_said_in_a_table(project):
    done = project.skyflow("catalog", "list", "--accelerators", "T4:7", "--format", "table")
    assert done.out == "nothing in the catalog is like that\n"


def test_where_nothing_is_like_that_what_came_nearest_is_said_beside_the_rows(project):
    done = project.skyflow("catalog", "list", "--accelerators", "A100:64", "--format", "csv")
    assert rows(done) == []
    assert "the most in one machine of the catalog is A100:16; try nodes: 4 with A100:16 each" in done.err


def test_one_thing_is_compared_in_all_places_with_both_markets_side_by_side(project):
    done = project.skyflow("catalog", "show", "H100:8", "--format", "table")
    assert "on-demand $/h  spot $/h" in done.out
    assert {"p5.48xlarge", "a3-highgpu-8g", "Standard_ND96isr_H100_v5"} <= set(done.out.split())


@pytest.mark.parametrize(
    ("arguments", "code", "hint"),
    [
        (("list", "--accelerators", "A1000"), 4, "did you mean 'A100'?"),
        (("list", "--cpus", "many"), 2, "write for example 8, or 8+"),
        (("list", "--region", "us-esat-1"), 4, "did you mean 'us-east-1'?"),
        (("list", "--countries", "UK"), 4, "the filter names the country 'UK', where no known region lies"),
        (("list", "--countries", "UK"), 4, "did you mean 'GB'?"),
        (("list", "--arch", "arm"), 2, "is not one of 'x86_64', 'arm64', 'any'"),
        (("show", "m6i.lar"), 2, "there is m6i.large"),
        (("show", "H1000"), 2, "did you mean 'H100'?"),
        (("diff", "nowhere"), 2, "name a folder of catalog tables"),
        (("observe", "aws/us-east-1/m6i.largo/spot", "preempted"), 2, "did you mean 'aws/us-east-1/m6i.large/spot'?"),
    ],
)
def test_mistakes_come_with_a_hint(project, arguments, code, hint):
    assert hint in project.skyflow("catalog", *arguments, code=code).err


def test_what_was_seen_of_a_machine_is_shown(project):
    offering = "aws/us-east-1/p3.2xlarge/spot"
    assert "to be had" not in project.skyflow("catalog", "show", "p3.2xlarge", "--format", "table").out
    project.skyflow("catalog", "observe", offering, "provisioned", "--seconds", "80")
    done = project.skyflow("catalog", "observe", offering, "capacity-error")
    assert done.out == f"{offering}: 63% to be had, by 2 observations\n"
    shown = {row["id"]: row for row in project.skyflow("catalog", "show", "p3.2xlarge", "--json").json}
    assert shown[offering]["availability"]["provisioning_seconds"] == 80
    assert shown["aws/us-east-1/p3.2xlarge/on-demand"]["availability"] is None
    assert "63% to be had" in " ".join(
        project.skyflow("catalog", "show", "p3.2xlarge", "--format", "table").out.split()
    )


def test_the_shipped_tables_are_sound(project):
    done = project.skyflow("catalog", "doctor")
    assert done.out.endswith("prices can be used, 0 rows cannot\n")
    assert done.err == ""


def test_a_bad_row_is_named_and_the_rest_can_be_used(project):
    folder = project.folder / "tables"
    shutil.copytree(SHIPPED, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    path = folder / "gcp" / "prices.csv"
    lines = path.read_text().splitlines(keepends=True)
    lines[5] = lines[5].replace(",list,", ",rumour,", 1)
    path.write_text("".join(lines))
    project.write("catalog: tables\n", "skyflow.yml")
    done = project.skyflow("catalog", "doctor", code=4)
    assert "error: gcp/prices.csv:6: column 'basis': 'rumour' is none of list, history" in done.err
    assert "note: gcp/prices.csv has been changed since meta.csv was written" in done.out
    assert "1 row cannot" in done.out
    assert project.skyflow("catalog", "list", "--accelerators", "H100").out
    project.write("on: push\njobs:\n  a: {runs-on: gcp, steps: [{run: x}]}\n")
    assert "1 row of the catalog is wrong and left out" in project.skyflow("plan", "w.yml").out


def test_two_folders_are_compared(project):
    folder = project.folder / "tables"
    shutil.copytree(SHIPPED, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    path = folder / "aws" / "prices.csv"
    text = path.read_text()
    line = next(line for line in text.splitlines() if line.startswith("us-east-1,,m6i.large,"))
    path.write_text(text.replace(f"{line}\n", line.replace(",0.096,", ",0.192,") + "\n"))
    done = project.skyflow("catalog", "diff", str(SHIPPED), "tables")
    assert done.out.splitlines() == [
        "aws: 0 prices added, 0 removed, 1 changed",
        "  aws/us-east-1/m6i.large/on-demand: $0.096 -> $0.192 per hour (+100%)",
    ]
    [changed] = project.skyflow("catalog", "diff", str(SHIPPED), "tables", "--json").json["changed"]
    assert changed["new_usd_per_hour"] == 0.192


CONFIG = """\
machines:
  lab: {cpus: 64, memory: 512GiB, accelerators: H100:8, price: 1, place: {country: DE}, power: {idle: 900, max: 7000}}
prices:
  - {cloud: aws, instance-type: m6i.*, discount: 90%, agreement: EDP 7}
"""


def test_a_plan_uses_what_the_project_has_and_pays(project):
    project.write(CONFIG, "skyflow.yml")
    assert project.skyflow("config", "check").out == "skyflow.yml is valid: 1 machine, 1 price rule\n"
    project.write(
        "on: push\njobs:\n"
        "  train: {runs-on: sky, estimate: 1h, resources: {accelerators: H100:8, market: any}, steps: [{run: x}]}\n"
        "  build: {runs-on: aws, estimate: 1h, resources: {cpus: 16, memory: 64}, steps: [{run: x}]}\n"
    )
    jobs = {job["job"]: job["offering"] for job in project.skyflow("plan", "w.yml", "--json").json["jobs"]}
    assert (jobs["train"]["provider"], jobs["train"]["region"]) == ("own", "lab")
    assert jobs["build"]["instance_type"] == "m6i.4xlarge"
    assert jobs["build"]["price_basis"] == "list, EDP 7"
    assert "own lab H100:8" in project.skyflow("plan", "w.yml").out
    assert rows(project.skyflow("catalog", "list", "--cloud", "own"))[0]["instance_type"] == "lab"


def test_a_wrong_skyflow_yml_is_told_with_its_place(project):
    project.write("machines:\n  lab: {cpu: 4, memory: 8}\n", "skyflow.yml")
    done = project.skyflow("config", "check", code=3)
    assert "skyflow.yml:2:9: unknown key 'cpu'" in done.err
    assert "did you mean 'cpus'?" in done.err
    project.write("on: push\njobs:\n  a: {runs-on: local, steps: [{run: x}]}\n")
    assert "skyflow.yml:2:9" in project.skyflow("plan", "w.yml", code=3).err


def test_what_fits_nothing_is_doubted(project):
    project.write(
        "machines: {lab: {cpus: 4, memory: 8, accelerators: H10O:1, power: {idle: 1, max: 2}}}\n"
        "prices: [{cloud: aws, region: us-esat-1, discount: 5%}, {instance-type: m6j.*, discount: 5%}]\n",
        "skyflow.yml",
    )
    err = project.skyflow("config", "check").err
    assert "machines 'lab': no table knows the accelerator 'H10O'; did you mean 'H100'?" in err
    assert "machines 'lab': say 'country' or 'carbon' in 'place'" in err
    assert "price rule 1 fits no region of the catalog" in err
    assert "price rule 2 fits no instance type of the catalog" in err
    assert "there is no " in project.skyflow("config", "check", "other.yml", code=2).err


def test_a_choice_of_places_and_laws_is_planned(project):
    project.write(
        "on: push\njobs:\n"
        "  a: {runs-on: sky, resources: {accelerators: [H100:1, L4:1], jurisdictions: [EU], clouds: [aws, gcp]}, steps: [{run: x}]}\n"
        "  b: {runs-on: sky, resources: {cpus: 4, nodes: 3, countries: DE, arch: arm64}, steps: [{run: x}]}\n"
    )
    jobs = {job["job"]: job["offering"] for job in project.skyflow("plan", "w.yml", "--json").json["jobs"]}
    assert jobs["a"]["accelerators"]["name"] == "H100"
    assert jobs["b"]["nodes"] == 3
    assert jobs["b"]["arch"] == "arm64"
    assert "3 x " in project.skyflow("plan", "w.yml").out
    project.write("on: push\njobs:\n  a: {runs-on: sky, resources: {accelerators: A100:32}, steps: [{run: x}]}\n")
    assert (
        "the most in one machine of the catalog is A100:16; try nodes: 2"
        in project.skyflow("plan", "w.yml", code=4).err
    )


def test_the_power_of_a_region_is_shown_hour_by_hour(project):
    done = project.skyflow("catalog", "carbon", "us-west-1", "--hours", "48", "--json").json
    assert done["basis"] == "by the hour of day and month"
    grams = [hour["gco2_per_kwh"] for hour in done["hours"]]
    assert len(grams) == 48
    assert min(grams) < done["mean_gco2_per_kwh"] < max(grams)
    assert "  least" in project.skyflow("catalog", "carbon", "eu-west-2").out
    assert "every hour is the mean" in project.skyflow("catalog", "carbon", "eu-north-1").out
    assert "did you mean 'eu-west-2'?" in project.skyflow("catalog", "carbon", "eu-wset-2", code=2).err
    live = project.skyflow("catalog", "carbon", "eu-north-1", "--live", code=2, ELECTRICITYMAPS_TOKEN="")
    assert "ELECTRICITYMAPS_TOKEN" in live.err
