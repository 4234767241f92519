"""What the tags of OpenStreetMap say about a way or a node: class, who may pass, surface, barrier, water."""

from __future__ import annotations

from collections.abc import Mapping

from geo.params import HIGHWAY_CLASSES, MODES, SURFACES

_ALIASES: dict[str, str | None] = {
    "road": "unclassified", "cycleway": "path", "bridleway": "path", "corridor": "footway", "busway": None,
    "crossing": "footway", "platform": None, "construction": None, "proposed": None,
}  # fmt: skip
#: Modes that may use a class unless a tag says otherwise: the OSM wiki's table, but that paths and cycleways carry
#: motorbikes too, as they do in Vietnam.
_DEFAULT_MODES = {
    "motorway": {"car"},
    "pedestrian": {"walk"},
    "footway": {"walk"},
    "steps": {"walk"},
    "path": {"walk", "motorbike"},
    "track": {"walk", "motorbike"},
}
#: Access tags of a mode, the most specific first.
_ACCESS_TAGS = {
    "motorbike": ("motorcycle", "motor_vehicle", "vehicle", "access"),
    "car": ("motorcar", "motor_vehicle", "vehicle", "access"),
    "walk": ("foot", "access"),
}
_ONEWAY_TAGS = {
    "motorbike": ("oneway:motorcycle", "oneway"),
    "car": ("oneway:motorcar", "oneway"),
    "walk": ("oneway:foot",),
}
_CLOSED = {"no", "private", "agricultural", "forestry", "military", "emergency", "psv", "bus", "use_sidepath"}
#: Modes that a barrier stops unless its access tags say otherwise: the OSM wiki's defaults, but that motorbikes pass
#: between bollards, blocks and planters, as they do in Vietnam. A barrier not listed (gate, lift_gate, toll_booth,
#: entrance, kerb, height_restrictor, ...) stops nobody.
_BARRED = {
    **dict.fromkeys(("bollard", "block", "planter", "bus_trap", "sump_buster"), ("car",)),
    **dict.fromkeys(("cycle_barrier", "motorcycle_barrier", "jersey_barrier", "chain", "rope", "log", "debris",
                     "yes"), ("car", "motorbike")),
    **dict.fromkeys(("kissing_gate", "turnstile", "full-height_turnstile", "stile", "horse_stile", "guard_rail"),
                    ("car", "motorbike")),
    **dict.fromkeys(("wall", "fence", "city_wall", "retaining_wall", "hedge", "ditch"), MODES),
}  # fmt: skip

_PAVED, _UNEVEN, _UNPAVED, _BAD = "paved", "uneven", "unpaved", "bad"
#: Surface classes by tag, the tag that says most about wheels first.
_SURFACES = {
    "smoothness": {
        **dict.fromkeys(("excellent", "good", "intermediate"), _PAVED),
        "bad": _UNEVEN,
        "very_bad": _UNPAVED,
        **dict.fromkeys(("horrible", "very_horrible", "impassable"), _BAD),
    },
    "surface": {
        **dict.fromkeys(("paved", "asphalt", "chipseal", "concrete", "concrete:plates", "cement", "paving_stones",
                         "paving_stones:lanes", "metal", "wood"), _PAVED),
        **dict.fromkeys(("sett", "cobblestone", "unhewn_cobblestone", "bricks", "concrete:lanes", "grass_paver",
                         "stepping_stones"), _UNEVEN),
        **dict.fromkeys(("unpaved", "compacted", "fine_gravel", "gravel", "pebblestone", "ground", "dirt", "earth",
                         "rock"), _UNPAVED),
        **dict.fromkeys(("mud", "sand", "grass", "clay"), _BAD),
    },
    "tracktype": {"grade1": _PAVED, "grade2": _UNPAVED, "grade3": _UNPAVED, "grade4": _BAD, "grade5": _BAD},
}  # fmt: skip
_RIVERS = {"river", "canal"}
_LONGEST_NUMBER = 4


def class_of(tags: Mapping[str, str]) -> str | None:
    """Return the class of a way, one of :data:`~geo.params.HIGHWAY_CLASSES`; None where nobody can use it."""
    highway = tags.get("highway")
    if highway is None:
        return "ferry" if tags.get("route") == "ferry" else None
    if tags.get("area") == "yes":
        return None
    plain = highway.removesuffix("_link")
    name = _ALIASES.get(plain, plain)
    return name if name in HIGHWAY_CLASSES else None


def open_to(name: str, tags: Mapping[str, str]) -> int:
    """Return the bits of the modes that may go along and against a way of the class `name`."""
    bits = 0
    for number, mode in enumerate(MODES):
        value = _access(tags, mode)
        if value in _CLOSED or (mode not in _DEFAULT_MODES.get(name, MODES) and not _says_yes(tags, mode)):
            continue
        along, against = _directions(name, tags, mode)
        bits |= along << 2 * number | against << 2 * number + 1
    return bits


def barred_at(tags: Mapping[str, str]) -> int:
    """Return the bits of the modes that a node stops, bit ``m`` for mode ``m``; 0 where it is no barrier.

    A mode's own tag rules over ``access``, both over the kind of barrier; a locked one stops who is not let through.
    """
    kind = tags.get("barrier")
    if kind is None:
        return 0
    stopped = MODES if tags.get("locked") == "yes" else _BARRED.get(kind, ())
    bits = 0
    for number, mode in enumerate(MODES):
        value = _access(tags, mode)
        if value in _CLOSED or (value is None and mode in stopped):
            bits |= 1 << number
    return bits


def surface_of(tags: Mapping[str, str]) -> int:
    """Return the surface of a way as its position in :data:`~geo.params.SURFACES`; 0 where no tag tells."""
    for key, classes in _SURFACES.items():
        name = classes.get(tags.get(key, "").partition(";")[0].strip())
        if name is not None:
            return SURFACES.index(name)
    return 0


def is_spanning(tags: Mapping[str, str]) -> bool:
    """Return whether a way runs over a bridge or through a tunnel, so that nobody gets on or off on its way."""
    return tags.get("bridge", "no") != "no" or tags.get("tunnel", "no") not in ("no", "building_passage")


def is_river(tags: Mapping[str, str]) -> bool:
    """Return whether a way is a river or canal that lies open."""
    return tags.get("waterway") in _RIVERS and tags.get("tunnel", "no") == "no" and tags.get("covered", "no") == "no"


def duration_s(text: str) -> float:
    """Return ``H:MM``, ``HH:MM:SS`` or minutes as seconds; NaN where it is none of them."""
    parts = [part.strip() for part in text.split(":")]
    if not all(part.isdecimal() and len(part) <= _LONGEST_NUMBER for part in parts):
        return float("nan")
    numbers = [int(part) for part in parts]
    match numbers:
        case [minutes]:
            return 60.0 * minutes
        case [hours, minutes]:
            return 3600.0 * hours + 60 * minutes
        case [hours, minutes, seconds]:
            return 3600.0 * hours + 60 * minutes + seconds
    return float("nan")


def _access(tags: Mapping[str, str], mode: str) -> str | None:
    return next((tags[key] for key in _ACCESS_TAGS[mode] if key in tags), None)


def _says_yes(tags: Mapping[str, str], mode: str) -> bool:
    """Return whether the mode's own tag opens a way that its class closes."""
    own = _ACCESS_TAGS[mode][0]
    return tags.get(own) in {"yes", "designated", "permissive"}


def _directions(name: str, tags: Mapping[str, str], mode: str) -> tuple[int, int]:
    value = next((tags[key] for key in _ONEWAY_TAGS[mode] if key in tags), None)
    if value in {"yes", "true", "1"}:
        return 1, 0
    if value in {"-1", "reverse"}:
        return 0, 1
    implied = name == "motorway" or tags.get("junction") in {"roundabout", "circular"}
    if value is None and implied and mode != "walk":
        return 1, 0
    return 1, 1
