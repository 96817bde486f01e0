"""Moving files between this machine and artifact repositories, and finding where an address leads.

`repos` opens a repository, `trees` moves folders, `resolve` follows `runs:/` and `models:/`, `download` holds MLflow's functions (offered here
too), `manifest` seals model folders. What a repository must do is in `drupe.extend.artifact_repo`; repositories are plugins.
"""

from drupe.artifacts.download import download_artifacts, list_artifacts, load_dict, load_image, load_text

__all__ = ["download_artifacts", "list_artifacts", "load_dict", "load_image", "load_text"]
