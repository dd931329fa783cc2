"""The package loads no framework, and an adapter loads its own."""

import pytest

FRAMEWORKS = [
    "torch",
    "lightning",
    "pytorch_lightning",
    "transformers",
    "accelerate",
    "keras",
    "tensorflow",
    "jax",
    "tensorboard",
    "wandb",
    "mlflow",
    "torchmetrics",
    "ignite",
    "skorch",
]


@pytest.mark.parametrize(
    "modules",
    [
        "dsentropy",
        "dsentropy.monitor",
        "dsentropy.integrations",
        "dsentropy.cli.main",
    ],
)
def test_no_framework_is_loaded(run_python, modules):
    assert loaded(run_python, modules) == []


def loaded(run_python, module):
    """The frameworks that are in the process after an import."""
    program = """
        import importlib, sys
        importlib.import_module(sys.argv[1])
        print(*(name for name in sys.argv[2:] if name in sys.modules))
    """
    return run_python(program, module, *FRAMEWORKS, timeout=180).split()


def test_the_adapter_of_torch_loads_torch_alone(run_python):
    assert loaded(run_python, "dsentropy.integrations.torch") == ["torch"]
