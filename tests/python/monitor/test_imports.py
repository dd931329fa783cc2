"""What an import of the monitor loads."""

import json


def test_the_monitor_needs_numpy_alone(run_python):
    program = "import sys, json, dsentropy.monitor; print(json.dumps(sorted(sys.modules)))"
    packages = {name.split(".")[0] for name in json.loads(run_python(program))}
    assert not packages & {"matplotlib", "pandas", "pyarrow", "scipy", "sklearn", "torch", "multiprocessing"}
