"""What the clouds sell: loads the catalog tables and finds the offerings that satisfy a job's requirements."""

from skyflow.catalog.load import Catalog, load_catalog
from skyflow.catalog.select import Selected, matching_offerings, select_candidates

__all__ = ["Catalog", "Selected", "load_catalog", "matching_offerings", "select_candidates"]
