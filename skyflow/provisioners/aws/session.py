"""Clients of AWS: credentials, profile and endpoints as boto3 finds them, one client for each service and region."""

import threading
from typing import Any

import boto3
from botocore.config import Config

from skyflow.provisioners.aws.errors import translated

__all__ = ["AwsSession"]

_FALLBACK_REGION = "us-east-1"
_CONNECT_SECONDS = 5.0


class AwsSession:
    """Makes clients that try once: trying again is decided elsewhere, by one policy for all clouds.

    `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_EC2` lead to other endpoints, as in every program that uses boto3.
    """

    def __init__(self, *, read_seconds: float = 60.0) -> None:
        self._config = Config(
            retries={"total_max_attempts": 1, "mode": "standard"},
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=read_seconds,
            max_pool_connections=32,
        )
        self._session: Any = None
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def client(self, service: str, region: str) -> Any:
        """Return the client of a service in a region; sessions are not thread-safe, clients are."""
        with self._lock, translated():
            if self._session is None:
                self._session = boto3.session.Session()
            if (service, region) not in self._clients:
                self._clients[service, region] = self._session.client(service, region_name=region, config=self._config)
            return self._clients[service, region]

    def ec2(self, region: str) -> Any:
        """Return the client of EC2 in a region."""
        return self.client("ec2", region)

    @property
    def home_region(self) -> str:
        """The region that the user's configuration names, else one that every account has."""
        with self._lock, translated():
            if self._session is None:
                self._session = boto3.session.Session()
            return self._session.region_name or _FALLBACK_REGION

    def regions(self) -> list[str]:
        """Return the regions that are switched on for this account."""
        with translated():
            answer = self.ec2(self.home_region).describe_regions()
        return sorted(region["RegionName"] for region in answer["Regions"])
