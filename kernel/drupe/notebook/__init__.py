"""What notebooks show of values: experiments, runs, models, versions, and lists of them, as parts of a page.

Nothing here is imported before a notebook asks: entities name `html_of` and load it then. `html` has the pieces that all are made of, the
other rooms say what is in them; cards of models (`drupe.models.card`) and evaluations (`drupe.evaluation.page`) are made of the same pieces.
Everything is escaped, carries its style on itself, takes the ink of the page that it stands in, and has no scripts.
"""

from drupe.notebook.shown import html_of

__all__ = ["html_of"]
