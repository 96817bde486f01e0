"""drupe-flavor-pytorch: PyTorch models and checkpoints, and autologging of Lightning."""

from drupe.extend import Offer, hookimpl

DRUPE_API = "1.0"


@hookimpl
def drupe_model_flavors() -> list[Offer]:
    return [
        Offer(
            "pytorch",
            load="drupe_flavor_pytorch.flavor:PytorchFlavor",
            help="PyTorch modules, TorchScript and exported programs",
            handles=("torch.nn.modules.module.Module", "torch.export.exported_program.ExportedProgram"),
            requires=("torch", "safetensors"),
        )
    ]


@hookimpl
def drupe_autologgers() -> list[Offer]:
    return [
        Offer(
            "pytorch",
            load="drupe_flavor_pytorch.autolog.autologger:LightningAutologger",
            help="fits of Lightning's Trainer",
            keys=("lightning", "pytorch_lightning"),
            requires=("torch",),
            settings="drupe_flavor_pytorch.autolog.options:PytorchOptions",
        )
    ]
