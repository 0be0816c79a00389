"""The stores of a project: those that it declares, its own folder, and the one that the environment puts in their place."""

from pathlib import Path

import pytest

from skyflow.app.project import Project
from skyflow.app.stores import ProjectStores
from skyflow.model.catalog import LOCAL_PLACE, Place
from skyflow.model.layout import StateFolder

CONFIG = """
stores:
  virginia: {url: 's3://one/x', region: aws/us-east-1}
  ireland: {url: 's3://two/x', region: aws/eu-west-1}
  backup: {url: kept, serves: azure}
"""
OREGON, FRANKFURT, PARIS = Place("aws", "us-west-2"), Place("aws", "eu-central-1"), Place("azure", "francecentral")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.delenv("SKYFLOW_ARTIFACTS", raising=False)
    (tmp_path / "skyflow.yml").write_text(CONFIG)
    return Project(root=tmp_path, state=StateFolder(tmp_path / ".skyflow" / "state.db"))


def test_the_nearest_store_is_that_to_which_the_tables_have_the_least_price(project: Project) -> None:
    stores = ProjectStores(project)
    assert list(stores) == ["virginia", "ireland", "backup", "here"]
    nearest = {place.region: stores.near(place).name for place in (OREGON, FRANKFURT, PARIS, LOCAL_PLACE)}
    assert nearest == {"us-west-2": "virginia", "eu-central-1": "ireland", "francecentral": "backup", "local": "here"}
    assert stores.near(Place("gcp", "us-central1")).name != "backup"


def test_data_does_not_leave_where_residency_keeps_it(project: Project) -> None:
    stores = ProjectStores(project, residency=["EU"])
    assert stores.near(OREGON).name == "ireland"
    assert ProjectStores(project, residency=["DE"]).near(OREGON).name == "here"


def test_the_environment_stands_for_all_stores(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKYFLOW_ARTIFACTS", "gs://other/x")
    stores = ProjectStores(project)
    assert [store.url for store in stores.declared] == ["gs://other/x"]
    assert (stores.near(FRANKFURT).name, stores.place("here")) == ("here", None)
    monkeypatch.setenv("SKYFLOW_ARTIFACTS", "s3://other/x")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    assert ProjectStores(project).place("here") == Place("aws", "eu-west-1")


def test_the_own_folder_is_not_two_stores(project: Project) -> None:
    (project.root / "skyflow.yml").write_text("stores: {mine: {url: .skyflow/artifacts}}")
    assert list(ProjectStores(project)) == ["mine"]
