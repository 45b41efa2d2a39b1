import pytest

from darkroom.testing.load import Load

pytestmark = [
    pytest.mark.resilience,
    pytest.mark.xdist_group("resilience"),
    # A fault may cost one broker redelivery (30 s) and one sweep (30 s).
    pytest.mark.timeout(240),
]


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("darkroom.processor", "work"), id="k_20_processor"),
        pytest.param(("darkroom.catalog", "relay"), id="k_11_relay"),
        pytest.param(("darkroom.catalog", "serve"), id="k_21_catalog"),
        pytest.param(("darkroom.catalog", "work"), id="k_17_catalog_consumer"),
        pytest.param(("darkroom.upload", "serve"), id="k_07_upload"),
        pytest.param(("darkroom.gateway", "serve"), id="k_02_gateway"),
        pytest.param(("nats-server",), id="n_01_nats"),
        pytest.param(("rclone", "serve"), id="s_05_store"),
        pytest.param(("postgres",), id="d_01_postgres"),
    ],
)
async def test_a_kill_with_uploads_in_flight_loses_nothing(
    load: Load, words: tuple[str, ...]
) -> None:
    await load.through(lambda: load.kill(*words))
    await load.assert_nothing_lost()


async def test_n_03_a_wiped_broker_loses_nothing(load: Load) -> None:
    def wipe() -> None:
        store = load.stack.home / "nats" / "jetstream"
        # Moved rather than removed: the server would keep writing into a folder it still sees.
        store.rename(store.with_name("lost"))
        load.kill("nats-server")

    await load.through(wipe)
    await load.assert_nothing_lost()
