"""Bringing runs and models of other tools here: what is read is fitted to the rules of this house, written, and compared again.

`bringing.bring` is the whole of it; sources are plugins, see `drupe.extend.import_source`. One store into another is for `copying`.
"""
