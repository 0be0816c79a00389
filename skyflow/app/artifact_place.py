"""Where the artifacts and caches of a project are kept."""

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from skyflow.model.catalog import LOCAL_PLACE, Place

__all__ = ["PLACE_VARIABLE", "store_place"]

PLACE_VARIABLE = "SKYFLOW_ARTIFACTS"
"""Where artifacts and caches are kept: a folder, or the URL of a bucket."""


def store_place(environment: Mapping[str, str] = os.environ) -> Place | None:
    """Return where the artifacts are, as far as the price of moving them is concerned; None for a bucket that may be anywhere.

    Of a bucket, S3 alone is known by what says how to reach it, if that is Amazon's own.
    """
    text = environment.get(PLACE_VARIABLE, "")
    if not text or urlsplit(text).scheme in {"", "file"}:
        return LOCAL_PLACE
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    has_endpoint = environment.get("AWS_ENDPOINT_URL") or environment.get("AWS_ENDPOINT_URL_S3")
    if urlsplit(text).scheme != "s3" or has_endpoint or not region:
        return None
    return Place("aws", region)
