"""`darkroom up`: the platform from nothing to ready, and in order to nothing again."""

import asyncio
import errno
import signal
import socket
import time
from collections.abc import Awaitable
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from darkroom.embedded.accounts import (
    Accounts,
    ensure_accounts,
    known_accounts,
    read_album,
    write_facts,
)
from darkroom.embedded.console import Console
from darkroom.embedded.errors import StartError
from darkroom.embedded.fleet import Services, Stores, make_services, make_stores
from darkroom.embedded.home import Home, sentence_for
from darkroom.embedded.ports import bind_once
from darkroom.embedded.probe import status_of
from darkroom.embedded.sample import FILENAME
from darkroom.embedded.servers.program import Program, run_once
from darkroom.embedded.service import Service
from darkroom.embedded.settings import EmbeddedSettings
from darkroom.embedded.supervisor import Supervisor
from darkroom.embedded.tour import curl_line, open_api, take_tour

# Every process is alive by then; what is left is one connection to each store.
_HEALTH_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.05
# Ctrl-C reaches us from the terminal and once more through make; that is one wish, told twice.
_SAME_SIGNAL_SECONDS: Final = 2.0
_ENDINGS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def run(settings: EmbeddedSettings) -> None:
    """Run the platform until a signal; raises StartError when it cannot start."""
    console, home = Console(), Home(settings.home.expanduser().absolute())
    home.prepare()
    try:
        await _run_on(home, settings, console)
    except OSError as error:
        raise sentence_for(error, home.path) from error


async def _run_on(home: Home, settings: EmbeddedSettings, console: Console) -> None:
    with home.locked():
        _check_address(settings.port, settings.host)
        await _Platform(settings, home, console).run()


def _check_address(port: int, host: str) -> None:
    try:
        bind_once(port, host)
    except socket.gaierror as error:
        raise StartError(f"DARKROOM_HOST is not usable: {host} is no address.") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            sentence = (
                f"Port {port} is in use by another program: "
                f"end that one, or set DARKROOM_PORT to a free port."
            )
        else:
            sentence = f"The gateway cannot listen on {host}, port {port}: {error.strerror}."
        raise StartError(sentence) from error


async def side_by_side(*steps: Awaitable[None]) -> None:
    """Take steps at the same time; the first that fails ends the others, and is what is raised."""
    tasks = [asyncio.ensure_future(step) for step in steps]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


class _Platform:
    """Hold one run of the platform."""

    def __init__(self, settings: EmbeddedSettings, home: Home, console: Console) -> None:
        self._settings = settings
        self._home = home
        self._console = console
        self._supervisor = Supervisor(home, console)
        self._stores = make_stores(home)
        self._services = make_services(home, settings, self._stores)
        self._stop = asyncio.Event()
        self._asked_to_stop_at: float | None = None

    async def run(self) -> None:
        """Start, wait for a signal, and stop; a signal during the start stops it as well."""
        for ending in _ENDINGS:
            asyncio.get_running_loop().add_signal_handler(ending, self._on_signal)
        starting = asyncio.create_task(self._start())
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                await stopping
        finally:
            for task in (starting, stopping):
                task.cancel()
            with suppress(asyncio.CancelledError, StartError):
                await starting
            await self._end()

    def _on_signal(self) -> None:
        """Stop in order at the first signal; a second, meant one kills what still runs."""
        now = time.monotonic()
        if self._asked_to_stop_at is None:
            self._asked_to_stop_at = now
            self._stop.set()
        elif now - self._asked_to_stop_at > _SAME_SIGNAL_SECONDS:
            self._console.say("Killing what still runs.")
            self._supervisor.kill_all()

    async def _start(self) -> None:
        started = time.monotonic()
        self._console.say(f"Darkroom starts in {self._home.path}")
        await self._start_programs()
        await self._await_health()
        await self._introduce(started)

    async def _start_programs(self) -> None:
        """Start everything side by side; only what reads tables waits, for its migration."""
        stores, services = self._stores, self._services
        remark = "" if (stores.postgres.directory / "PG_VERSION").exists() else "makes its cluster"
        postgres = asyncio.create_task(self._supervisor.start(stores.postgres, remark=remark))
        await side_by_side(
            postgres,
            self._start_migrated(postgres, services.auth),
            self._start_migrated(postgres, *services.catalog),
            self._start_all(stores.nats, stores.s3),
            self._start_all(services.gateway, services.upload, *services.processors),
        )

    async def _start_migrated(self, postgres: asyncio.Task[None], *processes: Service) -> None:
        await asyncio.wait([postgres])
        if postgres.cancelled() or postgres.exception():
            return
        service = processes[0]
        with self._console.step(f"{service.service} tables"):
            await run_once(service.command("migrate"), f"{service.service} migrate")
        await self._start_all(*processes)

    async def _start_all(self, *programs: Program) -> None:
        await side_by_side(*(self._supervisor.start(program) for program in programs))

    async def _await_health(self) -> None:
        deadline = time.monotonic() + _HEALTH_SECONDS
        url = f"{self._settings.local_url}/health"
        while time.monotonic() < deadline:
            with suppress(OSError, TimeoutError):
                if await status_of(url) == HTTPStatus.OK:
                    return
            await asyncio.sleep(_POLL_SECONDS)
        raise StartError(
            f"{url} did not answer 200 within {_HEALTH_SECONDS:g} s; "
            f"the logs in {self._home / 'logs'} say why."
        )

    async def _introduce(self, started: float) -> None:
        """See that accounts and album exist, write dev.json, and tell how to go on."""
        settings, sample = self._settings, self._home / FILENAME
        accounts, album_id = known_accounts(self._home, settings), read_album(self._home)
        image = None
        if accounts is None or album_id is None or not await self._still_open(accounts, album_id):
            accounts, album_id, image = await self._introduce_first(sample)
        write_facts(accounts, self._home, settings, album_id=album_id)
        took = time.monotonic() - started
        self._console.say(f"Ready after {took:.1f} s: {settings.base_url}  (Ctrl-C ends it)")
        if image is not None:
            for name in ("original", "processed", "thumbnail"):
                self._console.say(f"  {name:<12}{image[f'{name}_url']}")
        curl = curl_line(settings.base_url, accounts.keys["pk"], sample, album_id)
        self._console.say("Upload a picture of your own, or this one again:")
        self._console.say(f"  {curl}")
        self._console.say(f"Accounts and keys are in {self._home / 'dev.json'}")

    async def _still_open(self, accounts: Accounts, album_id: str) -> bool:
        async with open_api(self._settings.local_url, accounts.keys["pk"]) as api:
            return await api.knows(album_id)

    async def _introduce_first(self, sample: Path) -> tuple[Accounts, str, dict[str, Any]]:
        with self._console.step("accounts"):
            accounts = await ensure_accounts(self._services.auth, self._home, self._settings)
        with self._console.step("sample picture"):
            async with open_api(self._settings.local_url, accounts.keys["pk"]) as api:
                album_id, image = await take_tour(api, sample)
        return accounts, album_id, image

    async def _end(self) -> None:
        """Stop who takes work first, who does it next, and the stores last."""
        started = time.monotonic()
        for group in _groups_to_stop(self._stores, self._services):
            await self._supervisor.stop(group)
        self._console.say(f"Stopped after {time.monotonic() - started:.1f} s.")


def _groups_to_stop(stores: Stores, services: Services) -> tuple[tuple[str, ...], ...]:
    workers = (services.auth, services.upload, *services.catalog, *services.processors)
    return (
        (services.gateway.name,),
        tuple(worker.name for worker in workers),
        (stores.nats.name, stores.s3.name, stores.postgres.name),
    )
