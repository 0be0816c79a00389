"""What `skyflow.yml` says about where artifacts are kept."""

from urllib.parse import urlsplit

from skyflow.model.catalog import LOCAL_PLACE, Place
from skyflow.model.resources import OWN, RENTED
from skyflow.model.stores import HERE, DeclaredStore
from skyflow.spec.nodes import Node, ScalarNode
from skyflow.spec.quantities import read_list
from skyflow.spec.reading import Fields, Reading

__all__ = ["read_stores"]

_EXAMPLES = {"s3": "aws/us-east-1", "gs": "gcp/europe-west4", "az": "azure/westeurope"}
"""How the URLs of buckets begin, and a region that they may be in."""


def read_stores(reading: Reading, fields: Fields) -> tuple[DeclaredStore, ...]:
    """Return the stores of a file, in its order."""
    found: list[DeclaredStore] = []
    for key, node in fields.rest():
        store = _store(reading, key, node)
        if key.key == HERE:
            message = f"'{HERE}' is the store in the project's own folder"
            reading.findings.error("store-place", key.span, message, hint="give this one another name")
        same = next((each for each in found if (each.url, each.endpoint) == (store.url, store.endpoint)), None)
        if same is not None:
            message = f"'{key.key}' is the same store as '{same.name}'"
            reading.findings.error(
                "store-place", node.span, message, hint="remove one of them, or give one another prefix"
            )
        found.append(store)
    return tuple(found)


def _store(reading: Reading, key: ScalarNode, node: Node) -> DeclaredStore:
    fields = reading.fields(node)
    url_node, region_node = fields.take("url"), fields.take("region")
    url = (reading.plain_text(url_node) or "").rstrip("/")
    scheme = urlsplit(url).scheme
    place: Place | None = LOCAL_PLACE
    if scheme in _EXAMPLES:
        place = _bucket_place(reading, key, url_node or node, region_node, example=_EXAMPLES[scheme])
    elif scheme not in {"", "file"}:
        message = f"'{url}' names no store for artifacts"
        known = ", ".join(f"{each}://" for each in (*_EXAMPLES, "file"))
        reading.findings.error(
            "store-place", (url_node or node).span, message, hint=f"write a folder, or a URL that begins with {known}"
        )
    elif region_node is not None:
        message = f"'{key.key}' is a folder of this machine, which is in no region"
        reading.findings.error("store-place", region_node.span, message, hint="remove 'region', or name a bucket")
    return DeclaredStore(
        name=key.key,
        url=url,
        place=place,
        endpoint=reading.plain_text(fields.take("endpoint")) or "",
        serves=read_list(reading, fields.take("serves")),
    )


def _bucket_place(
    reading: Reading, key: ScalarNode, url: Node, region_node: Node | None, *, example: str
) -> Place | None:
    if region_node is None:
        message = f"nobody says where the bucket of '{key.key}' is, so no plan knows what data costs on its way there"
        reading.findings.error(
            "store-place", url.span, message, hint=f"add its region, for example 'region: {example}'"
        )
        return None
    provider, _, region = (reading.plain_text(region_node) or "").partition("/")
    if provider not in (*RENTED, OWN) or not region:
        message = f"'{reading.plain_text(region_node)}' names no region"
        reading.findings.error(
            "store-place",
            region_node.span,
            message,
            hint=f"write a cloud and a region such as {example}, or own/ and a name",
        )
        return None
    return Place(provider, region)
