"""The pytest plugin: real servers for the whole run, and the fixtures that reach them.

The servers live in one process beside pytest, each started when first asked for, shared by all
workers, ended with the run. Fixtures are imported late, so that coverage sees their imports.
"""

from typing import Any, Final

import pytest

from darkroom.testing.servers import ServersProcess

SERVERS: Final = pytest.StashKey[ServersProcess]()
_WORKER_INPUT: Final = "darkroom_servers"
_FIXTURES: Final = (
    "darkroom.testing.fixtures.stores",
    "darkroom.testing.fixtures.own_servers",
    "darkroom.testing.fixtures.passports",
    "darkroom.testing.fixtures.web",
    "darkroom.testing.fixtures.samples",
)


# Suites are imported by test modules and assert as those do.
pytest.register_assert_rewrite("darkroom.testing.suites")


def pytest_configure(config: pytest.Config) -> None:
    """Prepare the servers' process; with workers it must exist before they ask."""
    for name in _FIXTURES:
        config.pluginmanager.import_plugin(name)
    workerinput: dict[str, Any] | None = getattr(config, "workerinput", None)
    if workerinput is not None:
        config.stash[SERVERS] = ServersProcess(workerinput[_WORKER_INPUT])
        return
    config.stash[SERVERS] = ServersProcess()
    if getattr(config.option, "tx", None):
        config.stash[SERVERS].start()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker where the servers' process listens."""
    node.workerinput[_WORKER_INPUT] = node.config.stash[SERVERS].socket_path


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the servers this process started."""
    servers = config.stash.get(SERVERS, None)
    if servers is not None:
        servers.stop()


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> ServersProcess:
    """Return the servers of this run; asking for one starts it."""
    return pytestconfig.stash[SERVERS]
