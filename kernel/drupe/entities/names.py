"""Names for runs that nobody named: `adjective-noun-number`, such as `patient-quince-417`.

The stores and the in-memory oracle make them here, so that they look alike everywhere. Names are for people and need not be unique;
ids are (see `new_run_id`).
"""

from __future__ import annotations

import random
import uuid

__all__ = ["new_run_id", "random_run_name"]

_ADJECTIVES = (
    "able amber ample apt arctic autumn azure balmy blithe bold brave breezy bright brisk calm candid clever coral cosmic crisp curious "
    "dapper daring deft dewy eager early earnest easy elated fabled fair fluent fond frank fresh frosty gentle giddy glad gleaming golden "
    "graceful grand hardy hasty hazel hearty hidden honest humble ivory jolly jovial keen kind lively loyal lucid lucky lunar mellow merry "
    "mighty mindful misty modest nimble noble opal patient peaceful placid plucky polite proud quaint quick quiet radiant rapid ripe robust "
    "rosy ruby rustic sage serene sharp silent silver simple sincere sleek smooth snug solar sound spry steady still stout sunny swift "
    "tender thrifty tidy tranquil upbeat valiant velvet verdant vivid warm wary whimsical wild wise witty young zealous zesty"
).split()

_NOUNS = (
    "acorn almond anchor apple apricot aspen badger banyan barley basil beacon beech birch bison brook cactus canyon cedar cherry cicada "
    "clover comet coral cove crane cricket curlew cypress dahlia damson delta dolphin dune elder elm ember falcon fennel fern finch fjord "
    "fox gale garnet gecko ginkgo glacier grove gull harbor hare hazel heron hickory island ivy jasmine juniper kelp kestrel kite lagoon "
    "lark laurel lemur lichen lilac linden lotus lynx magpie mango maple marten meadow medlar mesa moss moth nectarine newt oak olive orchid "
    "osprey otter owl papaya peach pebble pecan peony perch pine pistachio plum pond poplar poppy prairie puffin quail quince rain raven "
    "reef river robin rowan saffron sage salmon sequoia shore sloe sparrow spruce squid stork stream summit swan teal thicket thistle thrush "
    "tide tulip valley walnut willow wren yarrow yew"
).split()


def random_run_name(source: random.Random | None = None) -> str:
    """Invent a run name; `source` makes it repeatable. A seed set on the global `random` neither changes it nor is used up by it."""
    chance = source or _CHANCE
    return f"{chance.choice(_ADJECTIVES)}-{chance.choice(_NOUNS)}-{chance.randrange(1000)}"


def new_run_id() -> str:
    """Make a run id: 32 hex digits that no other run has."""
    return uuid.uuid4().hex


_CHANCE = random.SystemRandom()
