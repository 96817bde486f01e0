"""Every setting of the kernel, in one table: name, kind, default, environment variables, and what it is for.

Settings of plugins are not here: they are attrs classes named by offers and live under `[plugins.<name>]`.
"""

from __future__ import annotations

from typing import Any, Literal

__all__ = ["KEYS", "RESERVED", "SHARED", "Key", "Kind"]

Kind = Literal["text", "flag", "auto", "number", "real", "names"]


class Key:
    """One setting. `variables` are the environment variables that set it, the first that is set wins.

    `personal` ones are not taken from a project's file, since that comes with the project: whoever wrote it would decide for its reader.
    A plain class, because this table is made whenever the command line starts.
    """

    __slots__ = ("default", "help", "kind", "name", "personal", "variables")

    def __init__(self, name: str, kind: Kind, default: Any, help: str, *variables: str, personal: bool = False) -> None:
        upper = name.upper()
        self.personal = personal
        self.name, self.kind, self.default, self.help = name, kind, default, help
        self.variables = variables or (f"DRUPE_{upper}", f"MLFLOW_{upper}")


KEYS: dict[str, Key] = {
    key.name: key
    for key in (
        Key("tracking_uri", "text", None, "where experiments and runs are kept; sqlite:///drupe.db in the working folder if unset"),
        Key("registry_uri", "text", None, "where registered models are kept; the tracking address if unset"),
        Key("experiment_name", "text", None, "experiment of runs that are started without one"),
        Key("experiment_id", "text", None, "the same by id; goes before the name"),
        Key("run_id", "text", None, "run that the first start_run takes up again"),
        Key(
            "active_model_id",
            "text",
            None,
            "logged model that metrics belong to where they do not say, until set_active_model names another",
        ),
        Key("run_name", "text", None, "name of runs that are started without one"),
        Key(
            "artifact_root",
            "text",
            None,
            "where experiments that are created without a location keep their artifacts",
            "DRUPE_ARTIFACT_ROOT",
            "MLFLOW_ARTIFACT_ROOT",
            "MLFLOW_DEFAULT_ARTIFACT_ROOT",
        ),
        Key("offline", "flag", False, "keep runs in local journals and talk to no store; `drupe sync` ships them"),
        Key("strict_logging", "flag", False, "a store that does not take what is logged is an error at once, in the call that logs"),
        Key(
            "journal_folder",
            "text",
            None,
            "where journals are kept; beside a store that is a local file, else in the state folder, if unset",
        ),
        Key("journal_sync", "text", "process", "when journals are synced to the disk: process (never), second, or call"),
        Key("journal_max_mb", "number", 1024, "how far a store may lag behind one run's journal before logging is slowed down"),
        Key("capture_environment", "flag", True, "record command, Python, machine and installed packages with every run"),
        Key("capture_git_diff", "flag", True, "keep uncommitted changes of the program's git repository as an artifact"),
        Key("dataset_profile", "flag", True, "keep statistics of the columns of datasets: ranges, means, frequent texts"),
        Key("enable_system_metrics_logging", "flag", True, "sample processor, memory, disk, network, process and GPUs for every run"),
        Key("system_metrics_sampling_interval", "real", 10.0, "seconds between two samples of the system metrics"),
        Key("system_metrics_samples_before_logging", "number", 1, "so many samples make one logged value, their mean"),
        Key("system_metrics_node_id", "text", None, "name of this machine among those that log to one run"),
        Key(
            "capture_console",
            "auto",
            "auto",
            "keep what programs print with their runs; auto does so in scripts, not in notebooks and shells",
        ),
        Key("console_max_mb", "number", 64, "how much of it is kept; beyond that, parts from the middle are dropped"),
        Key("heartbeat_s", "number", 10, "seconds between the signs of life of a run; 0 for none"),
        Key(
            "progress",
            "flag",
            True,
            "show progress bars in terminals",
            "DRUPE_PROGRESS",
            "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR",
        ),
        Key("artifact_workers", "number", None, "files that are copied at the same time; chosen by the machine if unset"),
        Key("strict_autolog", "flag", False, "a fault in autologging is an error at once", "DRUPE_STRICT_AUTOLOG"),
        Key(
            "requirements_inference", "flag", True, "watch in a process of its own what models of your own code import when they are saved"
        ),
        Key("requirements_inference_timeout", "real", 120.0, "seconds that this may take"),
        Key("requirements_inference_network", "flag", False, "let the model reach the network meanwhile"),
        Key("requirements_inference_raise_errors", "flag", False, "when it fails, that is an error and not a warning"),
        Key("lock_model_dependencies", "flag", False, "keep a lock with hashes with every model, as log_model(…, lock=True) does"),
        Key(
            "env_root",
            "text",
            None,
            "where the environments of models are kept; drupe/environments in the user's cache folder if unset",
        ),
        Key(
            "models.trust",
            "text",
            "servers",
            "whose models may run code when they are loaded: nobody, own, servers, stores, everybody; in your own file only",
            "DRUPE_MODELS_TRUST",
            personal=True,
        ),
        Key(
            "models.trusted_sources",
            "names",
            (),
            "stores, folders and artifact addresses whose models may run code, whoever made them; in your own file only",
            "DRUPE_MODELS_TRUSTED_SOURCES",
            personal=True,
        ),
        Key(
            "models.allowed_signers",
            "names",
            (),
            "files with the public keys of those whose signed models may run code; in your own file only",
            "DRUPE_MODELS_ALLOWED_SIGNERS",
            personal=True,
        ),
        Key("plugins.only", "names", None, "load these plugins and no others", "DRUPE_PLUGINS"),
        Key("plugins.disabled", "names", (), "never load these plugins", "DRUPE_DISABLE_PLUGINS"),
        Key("plugins.strict", "flag", False, "a plugin that cannot be used is an error at once", "DRUPE_STRICT_PLUGINS"),
        Key("plugins.trace", "flag", False, "print every hook call with its time to stderr", "DRUPE_TRACE_PLUGINS"),
    )
}

RESERVED = frozenset({"prefer"} | {name.partition(".")[2] for name in KEYS if name.startswith("plugins.")})
"""Names inside `[plugins]` that are the kernel's, so that no plugin can have them."""

SHARED = ("artifact_root",)
"""Settings of the kernel that also fill a plugin's option of the same name, unless that is set itself."""
