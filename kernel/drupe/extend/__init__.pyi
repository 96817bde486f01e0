from drupe.extend.artifact_repo import ArtifactRepo as ArtifactRepo
from drupe.extend.autologger import (
    Autologger as Autologger,
    AutologOptions as AutologOptions,
    Call as Call,
    Patches as Patches,
    Training as Training,
    TrainingRun as TrainingRun,
)
from drupe.extend.context import RunContext as RunContext
from drupe.extend.dataset_source import DatasetSource as DatasetSource, Fetched as Fetched, SourceStat as SourceStat
from drupe.extend.environment_manager import EnvironmentManager as EnvironmentManager, EnvironmentSpec as EnvironmentSpec
from drupe.extend.evaluator import (
    Evaluation as Evaluation,
    EvaluationMetric as EvaluationMetric,
    Evaluator as Evaluator,
    Findings as Findings,
    JudgedModel as JudgedModel,
    MetricValue as MetricValue,
)
from drupe.extend.events import (
    AliasDeleted as AliasDeleted,
    AliasSet as AliasSet,
    Event as Event,
    ModelLogged as ModelLogged,
    ModelRegistered as ModelRegistered,
    RunDeleted as RunDeleted,
    RunEnded as RunEnded,
    RunMoved as RunMoved,
    RunRestored as RunRestored,
    RunStarted as RunStarted,
    StageChanged as StageChanged,
    VersionCreated as VersionCreated,
    VersionDeleted as VersionDeleted,
)
from drupe.extend.features import Feature as Feature, Support as Support
from drupe.extend.flavor import Flavor as Flavor, FlavorRecord as FlavorRecord
from drupe.extend.import_source import (
    FoundExperiment as FoundExperiment,
    FoundLoggedModel as FoundLoggedModel,
    FoundRun as FoundRun,
    ImportSource as ImportSource,
    Loss as Loss,
)
from drupe.extend.markers import hookimpl as hookimpl, hookspec as hookspec
from drupe.extend.model_signer import ModelSigner as ModelSigner, Signed as Signed, SignedFile as SignedFile
from drupe.extend.offers import API as API, Offer as Offer
from drupe.extend.registry_store import RegistryStore as RegistryStore
from drupe.extend.server_routes import (
    Access as Access,
    ServedStore as ServedStore,
    ServerRoutes as ServerRoutes,
    WebReply as WebReply,
    WebRequest as WebRequest,
    WebRoute as WebRoute,
)
from drupe.extend.system_metrics import SystemMetricSource as SystemMetricSource
from drupe.extend.tracking_store import TrackingStore as TrackingStore
from drupe.extend.ui_extension import UiExtension as UiExtension, UiPlace as UiPlace

__all__: list[str]
from drupe.extend.transfers import (
    FileOnDisk as FileOnDisk,
    Incoming as Incoming,
    OpenArtifact as OpenArtifact,
    PartedUpload as PartedUpload,
    SignedAddress as SignedAddress,
    Staged as Staged,
)
