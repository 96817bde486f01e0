"""The hook specifications: where plugins meet the kernel.

*Collecting* hooks have no arguments and return a list of offers; they are called once, plugin by plugin in the order of names, when the
catalog is built. *Moment* hooks are called when something happens. What a collecting hook raises marks that plugin as broken; what a moment
hook raises is reported once; neither reaches the user's code. An implementation takes any of the arguments, by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drupe.extend.markers import hookspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pluggy import PluginManager

    from drupe.extend.context import RunContext
    from drupe.extend.events import Event
    from drupe.extend.offers import Offer
    from drupe.settings import Settings

__all__ = [
    "drupe_add_hookspecs",
    "drupe_artifact_repos",
    "drupe_autologgers",
    "drupe_cli_commands",
    "drupe_configure",
    "drupe_dataset_sources",
    "drupe_default_experiment",
    "drupe_environment_managers",
    "drupe_evaluators",
    "drupe_event",
    "drupe_flavor_for",
    "drupe_import_sources",
    "drupe_model_flavors",
    "drupe_model_signers",
    "drupe_registry_stores",
    "drupe_run_tags",
    "drupe_server_routes",
    "drupe_system_metrics",
    "drupe_tracking_stores",
    "drupe_ui_extensions",
]


@hookspec
def drupe_tracking_stores() -> list[Offer]:  # type: ignore[empty-body]
    """Offer places where experiments and runs are kept. Key: the URI scheme, e.g. `sqlite`.

    Called once, when the catalog is built; importing the implementation must wait for `load`, which names a subclass of
    `drupe.extend.TrackingStore`. A raising implementation marks the plugin as broken. Since API 1.0.

        @hookimpl
        def drupe_tracking_stores():
            return [Offer("redis", load="drupe_store_redis.tracking:RedisStore", help="runs in Redis", keys=("redis", "rediss"))]
    """


@hookspec
def drupe_registry_stores() -> list[Offer]:  # type: ignore[empty-body]
    """Offer places where registered models are kept. Key: the URI scheme.

    Called once, when the catalog is built; `load` names a subclass of `drupe.extend.RegistryStore`. Since API 1.0.

        @hookimpl
        def drupe_registry_stores():
            return [Offer("redis", load="drupe_store_redis.registry:RedisRegistry", help="registered models in Redis")]
    """


@hookspec
def drupe_artifact_repos() -> list[Offer]:  # type: ignore[empty-body]
    """Offer places where files are kept. Key: the URI scheme, e.g. `file`, `s3`.

    Called once, when the catalog is built; `load` names a subclass of `drupe.extend.ArtifactRepo`. Since API 1.0.

        @hookimpl
        def drupe_artifact_repos():
            return [Offer("sftp", load="drupe_store_sftp:SftpRepo", help="files on an SSH server", requires=("paramiko",))]
    """


@hookspec
def drupe_model_flavors() -> list[Offer]:  # type: ignore[empty-body]
    """Offer ways to save, load and run the models of a library. Key: the flavor's name in MLmodel.

    Called once, when the catalog is built; `load` names a subclass of `drupe.extend.Flavor`. `handles` lists class paths; a model
    goes to the flavor whose path stands earliest in `type(model).__mro__`. Since API 1.0.

        @hookimpl
        def drupe_model_flavors():
            return [Offer("fasttext", load="drupe_flavor_fasttext:FastTextFlavor", help="fastText models",
                          handles=("fasttext.FastText._FastText",), requires=("fasttext",))]
    """


@hookspec
def drupe_environment_managers() -> list[Offer]:  # type: ignore[empty-body]
    """Offer ways to make the Python environment that a model needs. Key: the name that `--env-manager` takes, e.g. `uv`.

    Called once, when the catalog is built; `load` names a subclass of `drupe.extend.EnvironmentManager`. `local` is taken: it is the
    kernel's word for no environment at all. Since API 1.0.

        @hookimpl
        def drupe_environment_managers():
            return [Offer("pixi", load="drupe_env_pixi.manager:PixiManager", help="environments made by pixi")]
    """


@hookspec
def drupe_evaluators() -> list[Offer]:  # type: ignore[empty-body]
    """Offer ways to judge models. Key: the name in `evaluators=` and `evaluator_config=` of `drupe.evaluate`.

    Called once, when the catalog is built; `load` names a subclass of `drupe.extend.Evaluator`. All offers whose `can_evaluate` says yes
    are used, unless the user names some. Since API 1.0.

        @hookimpl
        def drupe_evaluators():
            return [Offer("fairness", load="drupe_fairness:FairnessEvaluator", help="gaps between groups", requires=("fairlearn",))]
    """


@hookspec
def drupe_model_signers() -> list[Offer]:  # type: ignore[empty-body]
    """Offer a way to sign models and to check such signatures. Key: the name of the format.

    Called once, when the catalog is built; `load` names a subclass of `drupe.extend.ModelSigner`. `drupe models sign --method` takes the name;
    a signature is checked by the first signer that recognises it and finds it made by an allowed key. Since API 1.0.

        @hookimpl
        def drupe_model_signers():
            return [Offer("minisign", load="drupe_signer_minisign:MinisignSigner", help="minisign's signatures", requires=("minisign",))]
    """


@hookspec
def drupe_dataset_sources() -> list[Offer]:  # type: ignore[empty-body]
    """Offer places that datasets are read from. Key: the URI scheme, e.g. `file`, `https`.

    Called once, when the catalog is built; `load` names a subclass of `drupe.extend.DatasetSource`. Since API 1.0.

        @hookimpl
        def drupe_dataset_sources():
            return [Offer("webdav", load="drupe_source_webdav:WebdavSource", help="files on a WebDAV server", keys=("dav", "davs"))]
    """


@hookspec
def drupe_system_metrics() -> list[Offer]:  # type: ignore[empty-body]
    """Offer what can be measured of a machine or process while a run lasts. Key: a name.

    Called once, when the catalog is built; `load` names a subclass of `drupe.extend.SystemMetricSource`. All offers are used. Since API 1.0.

        @hookimpl
        def drupe_system_metrics():
            return [Offer("tpu", load="drupe_tpu_metrics:TpuMetrics", help="load and memory of TPUs", requires=("libtpu",))]
    """


@hookspec
def drupe_autologgers() -> list[Offer]:  # type: ignore[empty-body]
    """Offer to log the trainings of a library. Key: the top-level module whose import starts it, e.g. `sklearn`.

    Called once, when the catalog is built; `load` names a subclass of `drupe.extend.Autologger`, imported after the library was, and
    `settings` a subclass of `drupe.extend.AutologOptions`. The offer's name is the library's name in MLflow: `drupe.<name>.autolog()`
    turns it on, as `drupe.autolog()` does for all. Since API 1.0.

        @hookimpl
        def drupe_autologgers():
            return [Offer("pytorch", load="drupe_autolog_torch:TorchAutologger", help="PyTorch Lightning trainings", keys=("lightning",),
                          requires=("lightning",), settings="drupe_autolog_torch:TorchOptions")]
    """


@hookspec
def drupe_ui_extensions() -> list[Offer]:  # type: ignore[empty-body]
    """Offer parts of the web UI: tabs of runs, viewers of files, charts, panels of model versions. Key: the name in addresses of the UI.

    Called once, when the catalog is built; `load` names a `drupe.extend.UiExtension`, and is imported when a page first asks what there is.
    One that has faults is left out, and the page `System` says why. Since API 1.0.

        @hookimpl
        def drupe_ui_extensions():
            return [Offer("geojson", load="drupe_viewer_geojson.extension:VIEWER", help="shows GeoJSON on a map")]
    """


@hookspec
def drupe_cli_commands() -> list[Offer]:  # type: ignore[empty-body]
    """Offer commands of the `drupe` command line. Key: the command's word, or two for a verb of a built-in noun (`models serve`).

    Called when the command line starts; `load` names a click command or group, imported when it is run or completed; fields of `settings`
    that are named like its options give their defaults. Built-in words cannot be taken. Since API 1.0.

        @hookimpl
        def drupe_cli_commands():
            return [Offer("mail", load="drupe_mail.cli:mail", help="Send run reports by mail")]
    """


@hookspec
def drupe_import_sources() -> list[Offer]:  # type: ignore[empty-body]
    """Offer stores of other tools that `drupe import` can read. Key: the URI scheme; plain paths have `file`.

    Called once, when the catalog is built; importing the implementation must wait for `load`, which names a subclass of
    `drupe.extend.ImportSource`. A raising implementation marks the plugin as broken. Since API 1.0.

        @hookimpl
        def drupe_import_sources():
            return [Offer("trackbook", load="drupe_import_trackbook.source:TrackbookSource", help="runs of trackbook", keys=("trackbook",))]
    """


@hookspec
def drupe_server_routes() -> list[Offer]:  # type: ignore[empty-body]
    """Offer routes of the tracking server. Key: the path below which they are, from `/`, e.g. `/hooks/mail`.

    Called when a server starts; `load` names a subclass of `drupe.extend.ServerRoutes`. MLflow's protocol cannot be taken away, and longer
    paths come first. A raising implementation marks the plugin as broken. Since API 1.0.

        @hookimpl
        def drupe_server_routes():
            return [Offer("mail", load="drupe_mail.routes:MailRoutes", help="answers to mails about runs", keys=("/hooks/mail",))]
    """


@hookspec(firstresult=True)
def drupe_flavor_for(model: Any) -> str | None:
    """Name the flavor that should save `model`, or None to leave it to others.

    Called by `log_model(model)` without a flavor, before `handles` is looked at; the first answer that is not None wins. What it raises is
    reported and the next plugin is asked. Since API 1.0.

        @hookimpl
        def drupe_flavor_for(model):
            return "ensemble" if isinstance(model, dict) and "members" in model else None
    """


@hookspec(firstresult=True)
def drupe_default_experiment(context: RunContext) -> str | None:
    """Name the experiment for runs that are started without one, or None.

    Called once per process by the first run that needs it; `set_experiment` and the environment go before it. Since API 1.0.

        @hookimpl
        def drupe_default_experiment(context):
            return context.folder.name if (context.folder / "experiment.toml").exists() else None
    """


@hookspec
def drupe_run_tags(context: RunContext) -> Mapping[str, str]:  # type: ignore[empty-body]
    """Tags to set on every new run; a user's own tag of the same key wins.

    Called when a run is started, plugin by plugin; what one raises is reported, the others' tags are kept. Since API 1.0.

        @hookimpl
        def drupe_run_tags(context):
            job = context.environ.get("SLURM_JOB_ID")
            return {"slurm.job": job} if job else {}
    """


@hookspec
def drupe_event(event: Event) -> None:
    """Be told of something that has happened: see `drupe.extend.events` for the kinds.

    Called after the fact, in the thread that did it; keep it short. What it raises is reported and changes nothing. Since API 1.0.

        @hookimpl
        def drupe_event(event):
            if isinstance(event, RunEnded) and event.status is RunStatus.FAILED:
                page_somebody(event.run_id)
    """


@hookspec(historic=True)
def drupe_configure(settings: Settings) -> None:
    """Be given the settings once, when the plugin is registered, before it is asked for offers.

    A plugin that is added later is told then. What it raises marks the plugin as broken. The plugin's own options are better read by the
    `settings` class of an offer, which is checked. Since API 1.0.

        @hookimpl
        def drupe_configure(settings):
            logging.getLogger("drupe_mail").setLevel(settings.get("plugins.mail.level", "WARNING"))
    """


@hookspec(historic=True)
def drupe_add_hookspecs(manager: PluginManager) -> None:
    """Add hook specifications of your own, so that other plugins can extend yours.

    Called once, after all front doors are imported and before any plugin's hooks are registered, so that no order of names matters. A
    specification without arguments collects offers, which `catalog().offers` finds. What it raises marks the plugin as broken. Since API 1.0.

        @hookimpl
        def drupe_add_hookspecs(manager):
            manager.add_hookspecs(drupe_mail_hookspecs)
    """
