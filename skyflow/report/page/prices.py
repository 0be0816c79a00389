"""The catalog explorer: price against carbon, region by region."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from skyflow.model.region_offer import RegionOffer
from skyflow.model.units import format_grams
from skyflow.report.page.live import rendered
from skyflow.report.scatter import Axis, Mark, scatter_svg

__all__ = ["render_prices_page"]


def render_prices_page(offers: Sequence[RegionOffer], asked: Mapping[str, str], *, problem: str) -> str:
    """Return the page; `asked` has what was looked for by the fields of its form, `problem` why nothing was found."""
    return rendered(
        "catalog.html",
        place="/catalog",
        offers=offers,
        asked=asked,
        problem=problem,
        picture=_picture(offers),
        price=_price,
    )


def _price(usd: float) -> str:
    """Return a price by the hour: those of small machines differ below a cent."""
    return f"${usd:,.2f}" if usd >= 1 else f"${usd:.3g}"


def _picture(offers: Sequence[RegionOffer]) -> Markup | None:
    """Return the map of all regions of which both figures are known and can be drawn."""
    marks = [
        Mark(
            x=offer.offering.price_usd_per_hour,
            y=offer.grams_per_hour,
            kind=offer.offering.provider,
            title=f"{offer.offering.id}: {_price(offer.offering.price_usd_per_hour)} and "
            f"{format_grams(offer.grams_per_hour)} per hour",
            label=offer.offering.region if offer.is_undominated else "",
            href=f"#{offer.offering.provider}-{offer.offering.region}",
        )
        for offer in offers
        if offer.grams_per_hour and offer.offering.price_usd_per_hour
    ]
    if not marks:
        return None
    best = [
        (offer.offering.price_usd_per_hour, offer.grams_per_hour)
        for offer in offers
        if offer.is_undominated and offer.grams_per_hour and offer.offering.price_usd_per_hour
    ]
    picture = scatter_svg(
        marks,
        across=Axis(name="price per hour", show=_price, is_log=True),
        up=Axis(name="CO2e per hour", show=format_grams, is_log=True),
        title=f"Price against carbon of {len(marks)} regions",
        path=best,
        is_part=True,
    )
    return Markup(picture)  # noqa: S704 -- it escapes what it writes
