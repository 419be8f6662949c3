"""The words of titles and queries: departments, category nouns, adjectives, brand names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Vocabulary:
    """Words by code.

    `categories[g]` are the nouns of department g, `adjectives[d]` the negative and the positive pole of
    style dimension d.
    """

    departments: tuple[str, ...]
    categories: tuple[tuple[str, ...], ...]
    adjectives: tuple[tuple[str, str], ...]

    @property
    def nouns(self) -> tuple[str, ...]:
        """All category nouns, by category code."""
        return tuple(noun for names in self.categories for noun in names)

    @property
    def poles(self) -> tuple[str, ...]:
        """All adjectives: twice the dimension, plus 1 for its positive pole."""
        return tuple(word for pair in self.adjectives for word in pair)


_ADJECTIVES = (
    ("soft", "firm"), ("light", "sturdy"), ("modern", "classic"), ("bright", "dark"),
    ("compact", "large"), ("simple", "ornate"), ("warm", "cool"), ("quiet", "bold"),
    ("smooth", "rugged"), ("slim", "wide"), ("matte", "glossy"), ("natural", "technical"),
    ("casual", "formal"), ("playful", "sober"), ("portable", "fixed"), ("fine", "robust"),
)  # fmt: skip

_MARKET = {
    "women": "dress blouse skirt cardigan jeans coat leggings tunic jumpsuit scarf tights swimsuit",
    "men": "shirt trousers suit sweater jacket polo shorts tie belt vest hoodie pyjamas",
    "shoes": "sneakers boots sandals loafers heels slippers trainers clogs moccasins insoles laces wellies",
    "bags": "backpack handbag wallet suitcase tote purse briefcase pouch satchel duffel clutch cardholder",
    "beauty": "lipstick shampoo perfume cream mascara serum sunscreen conditioner polish soap lotion brush",
    "kitchen": "kettle saucepan knife toaster blender mug plate wok grater apron bowl thermos",
    "furniture": "sofa armchair desk bookcase bed table stool wardrobe shelf mattress cabinet bench",
    "home": "lamp rug curtain cushion vase blanket mirror candle towel clock basket duvet",
    "garden": "lawnmower hose planter spade hammock parasol barbecue trellis seeds compost gloves lantern",
    "electronics": "headphones laptop phone tablet camera speaker monitor keyboard router drone printer",
    "sports": "bicycle tent dumbbell racket helmet skis football treadmill yogamat kayak goggles bottle",
    "toys": "puzzle doll blocks scooter kite teddy boardgame train robot plush balloon marbles",
    "grocery": "coffee tea chocolate olive-oil honey pasta nuts spices granola jam biscuits vinegar",
    "pets": "leash aquarium litter kennel birdcage catnip collar feeder treats crate scratcher brushcomb",
    "tools": "drill hammer wrench saw ladder screwdriver sander toolbox pliers level vise clamp",
    "books": "novel cookbook atlas biography comic dictionary thriller poetry textbook diary calendar guide",
}

_BOUTIQUE = {
    "leather goods": "handbag tote clutch cardholder travel-bag belt",
    "watches": "chronograph diver dress-watch tourbillon moonphase",
    "jewellery": "ring necklace bracelet earrings brooch pendant",
    "ready-to-wear": "coat gown blazer knitwear trench silk-shirt",
    "shoes": "pumps loafers ankle-boots sneakers sandals",
}

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "material": ("calfskin", "silk", "cashmere", "gold", "steel", "platinum", "suede", "wool", "satin"),
    "color": ("black", "ivory", "camel", "burgundy", "navy", "emerald", "rose", "silver", "sand", "scarlet"),
    "collection": ("heritage", "atelier", "riviera", "nocturne", "meridian", "jardin", "archive", "solstice"),
    "size_run": ("one size", "36-42", "XS-XL", "bespoke"),
    "season": ("spring-summer", "autumn-winter", "cruise", "permanent"),
}  # fmt: skip
"""Text attributes of boutique items."""

_ONSETS = ("b", "br", "d", "f", "k", "l", "m", "n", "p", "r", "s", "st", "t", "v", "z")
_VOWELS = ("a", "e", "i", "o", "u", "ai", "or", "en")


def vocabulary(name: str) -> Vocabulary:
    """The words of a preset (`market` or `boutique`)."""
    words = _MARKET if name == "market" else _BOUTIQUE
    return Vocabulary(
        departments=tuple(words),
        categories=tuple(tuple(text.split()) for text in words.values()),
        adjectives=_ADJECTIVES,
    )


def brand_names(count: int, rng: np.random.Generator) -> list[str]:
    """Invented, distinct, pronounceable names."""
    parts = len(_ONSETS) * len(_VOWELS)
    codes = rng.choice(parts**3, size=count, replace=False)
    syllables = [onset + vowel for onset in _ONSETS for vowel in _VOWELS]
    return [
        "".join(syllables[code // parts**place % parts] for place in range(3)).capitalize()
        for code in codes.tolist()
    ]
