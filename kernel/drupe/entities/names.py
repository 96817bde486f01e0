"""Names for runs that were started without one: `adjective-noun-number`, easy to say and to tell apart in a list.

They are labels, not identities: two runs may get the same one.
"""

from __future__ import annotations

from random import Random, SystemRandom

__all__ = ["invent_run_name"]

_ADJECTIVES = """
    amber brave brisk calm clear crisp curious dapper deft eager early fair fancy fleet fond frank
    free fresh gentle glad golden grand happy hardy honest humble jolly keen kind lively lucky
    mellow merry mild modest neat nimble noble open patient placid plucky polite proud quick quiet
    rapid ready robust rosy rustic serene sharp shiny silent silver sleek smooth snug sober solid
    spry stable steady still sturdy subtle sunny swift tidy tranquil upbeat valiant vivid warm whole
    wise witty young zesty
"""
_NOUNS = """
    acorn almond antler apple apricot badger beech birch bison bramble brook canyon cedar cherry
    chestnut clover comet coral cove crane creek damson dawn delta dolphin dune ember falcon fern
    finch fjord forest fox garnet glade grove harbor hare hawk hazel heron hill hollow ibex iris
    island ivy jackdaw juniper kernel kestrel lagoon lark laurel lemur lichen lily linden lynx maple
    marten meadow mango moss nectarine oak olive orchard osprey otter owl peach pebble pine plover
    plum poplar prairie quail quince raven reed ridge river robin rowan sage salmon sloe sparrow
    spruce stork summit swan tern thistle thrush tulip valley walnut willow wren yarrow
"""
_system = SystemRandom()  # not the seeded generator of `random`: a script that sets a seed must not name all of its runs alike


def invent_run_name(random: Random | None = None) -> str:
    """A name such as `quiet-otter-417`; `random` chooses it, the system's randomness when None."""
    source = random or _system
    return f"{source.choice(_ADJECTIVES.split())}-{source.choice(_NOUNS.split())}-{source.randrange(1000)}"
