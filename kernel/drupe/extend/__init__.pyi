from drupe.extend.artifact_repo import ArtifactRepo as ArtifactRepo
from drupe.extend.context import RunContext as RunContext
from drupe.extend.events import (
    AliasDeleted as AliasDeleted,
)
from drupe.extend.events import (
    AliasSet as AliasSet,
)
from drupe.extend.events import (
    Event as Event,
)
from drupe.extend.events import (
    ModelLogged as ModelLogged,
)
from drupe.extend.events import (
    ModelRegistered as ModelRegistered,
)
from drupe.extend.events import (
    RunDeleted as RunDeleted,
)
from drupe.extend.events import (
    RunEnded as RunEnded,
)
from drupe.extend.events import (
    RunRestored as RunRestored,
)
from drupe.extend.events import (
    RunStarted as RunStarted,
)
from drupe.extend.events import (
    StageChanged as StageChanged,
)
from drupe.extend.events import (
    VersionCreated as VersionCreated,
)
from drupe.extend.events import (
    VersionDeleted as VersionDeleted,
)
from drupe.extend.features import Feature as Feature
from drupe.extend.features import Support as Support
from drupe.extend.flavor import Flavor as Flavor
from drupe.extend.flavor import FlavorRecord as FlavorRecord
from drupe.extend.markers import hookimpl as hookimpl
from drupe.extend.markers import hookspec as hookspec
from drupe.extend.offers import API as API
from drupe.extend.offers import Offer as Offer
from drupe.extend.registry_store import RegistryStore as RegistryStore
from drupe.extend.tracking_store import TrackingStore as TrackingStore

__all__: list[str]
