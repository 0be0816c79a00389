"""What the clouds sell: loads the catalog tables and finds the offerings that satisfy a job's requirements."""

from skyflow.catalog.load import Catalog, load_catalog
from skyflow.catalog.select import matching_offerings, select_candidates

__all__ = ["Catalog", "load_catalog", "matching_offerings", "select_candidates"]
