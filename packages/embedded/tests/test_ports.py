import socket

import pytest

from darkroom.embedded.errors import WheelMissing
from darkroom.embedded.ports import LOOPBACK, free_port, is_free, localhost
from darkroom.embedded.wheels import find_program


def test_a_free_port_is_free_and_below_those_of_outgoing_connections() -> None:
    ports = {free_port() for _ in range(20)}
    assert len(ports) > 10
    assert all(10_240 <= port < 32_768 and is_free(port) for port in ports)


@pytest.mark.parametrize("host", [LOOPBACK, localhost()])
def test_a_port_somebody_listens_on_is_not_free(host: str) -> None:
    with socket.create_server((LOOPBACK, 0)) as listener:
        assert not is_free(listener.getsockname()[1], host)


@pytest.mark.parametrize("wheel", ["no-such-wheel", "pytest"])
def test_a_program_no_wheel_brings_is_one_sentence(wheel: str) -> None:
    with pytest.raises(WheelMissing, match=f"{wheel} brings no nats-server"):
        find_program(wheel, "nats-server")
