"""Moving files between this machine and artifact repositories, and finding where an address leads.

`repos` opens a repository, `trees` moves folders, `resolve` follows `runs:/` and `models:/`, `download` is MLflow's function,
`manifest` seals model folders. What a repository must do is in `drupe.extend.artifact_repo`; the repositories themselves are plugins.
"""
