"""The fleet: which processes make up the platform, and what each is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from darkroom.contracts.credentials import PASSPORT_KEYS_PATH
from darkroom.contracts.jobs import Lane
from darkroom.embedded.home import Home
from darkroom.embedded.ports import LOOPBACK, free_port
from darkroom.embedded.servers.nats import Nats
from darkroom.embedded.servers.postgres import Postgres
from darkroom.embedded.servers.s3 import REGION, S3
from darkroom.embedded.service import Service
from darkroom.embedded.settings import EmbeddedSettings

# Each gets a role and a database of its name; upload keeps nothing there yet.
_DATABASES: Final = ("auth", "upload", "catalog")
_USER: Final = "darkroom"


@dataclass(frozen=True, slots=True)
class Stores:
    """Hold the three stores."""

    postgres: Postgres
    nats: Nats
    s3: S3


@dataclass(frozen=True, slots=True)
class Services:
    """Hold every process of the services."""

    gateway: Service
    auth: Service
    upload: Service
    catalog: tuple[Service, ...]
    processors: tuple[Service, ...]


def make_stores(home: Home) -> Stores:
    """Choose ports for the stores and read or make their passwords."""
    roles = {role: home.secret(f"postgres-{role}") for role in _DATABASES}
    superuser = home.secret("postgres-superuser")
    return Stores(
        Postgres(home / "postgres", free_port(), superuser, roles),
        Nats(home / "nats", free_port(), _USER, home.secret("nats")),
        S3(home / "s3", free_port(), _USER, home.secret("s3")),
    )


def make_services(home: Home, settings: EmbeddedSettings, stores: Stores) -> Services:
    """Choose ports for the services and tell each where the others are."""
    admin = free_port()
    keys = {"PASSPORT__KEYS_URL": f"http://{LOOPBACK}:{admin}{PASSPORT_KEYS_PATH}"}
    nats, s3 = _nats(stores.nats), _s3(stores.s3)
    auth = _service(
        "auth",
        ("serve", "relay"),
        _postgres(stores.postgres, "auth")
        | nats
        | keys
        | {
            "SESSION_KEY_FILE": str(home / "secrets" / "session-key.pem"),
            "PEPPER_FILE": str(home / "secrets" / "pepper"),
            "ADMIN_EMAIL": settings.admin_email,
        },
    )
    catalog = _catalog(
        _postgres(stores.postgres, "catalog")
        | nats
        | s3
        | keys
        | {
            "CAPABILITY_KEY_FILE": str(home / "secrets" / "capability-key"),
            "PUBLIC_URL": settings.base_url,
        }
    )
    upload = _service(
        "upload",
        ("serve",),
        s3 | keys | {"CATALOG_URL": catalog[0].url, "SPOOL_DIR": str(home / "spool")},
    )
    return Services(
        _gateway(home, settings, admin=admin, nats=nats, upstreams=(auth, upload, catalog[0])),
        auth,
        upload,
        catalog,
        _processors(settings.processors, nats | s3 | {"SCRATCH_DIR": str(home / "scratch")}),
    )


def _gateway(
    home: Home,
    settings: EmbeddedSettings,
    *,
    admin: int,
    nats: Mapping[str, str],
    upstreams: tuple[Service, ...],
) -> Service:
    told = {
        "HTTP__HOST": settings.host,
        "HTTP__PORT": str(settings.port),
        "ADMIN__HOST": LOOPBACK,
        "ADMIN__PORT": str(admin),
        "PASSPORT_KEY_FILE": str(home / "secrets" / "passport-key.pem"),
        "ADDRESS_SALT_FILE": str(home / "secrets" / "address-salt"),
    }
    told |= {f"UPSTREAMS__{each.service.upper()}": each.url for each in upstreams}
    return Service("gateway", "gateway", ("serve",), admin, {**told, **nats})


def _catalog(told: Mapping[str, str]) -> tuple[Service, ...]:
    return (
        _service("catalog", ("serve",), told),
        _service("catalog", ("relay",), told, name="catalog-relay"),
        _service("catalog", ("work", "sweep"), told, name="catalog-work"),
    )


def _processors(count: int, told: Mapping[str, str]) -> tuple[Service, ...]:
    words = ("work", "--lane", Lane.BULK.value)
    return tuple(
        _service("processor", words, told, name=f"processor-{number}")
        for number in range(1, count + 1)
    )


def _service(
    service: str, words: tuple[str, ...], told: Mapping[str, str], *, name: str | None = None
) -> Service:
    port = free_port()
    listening = {"HTTP__HOST": LOOPBACK, "HTTP__PORT": str(port)}
    return Service(name or service, service, words, port, {**told, **listening})


def _postgres(postgres: Postgres, role: str) -> dict[str, str]:
    return {"POSTGRES__DSN": postgres.dsn(role)}


def _nats(nats: Nats) -> dict[str, str]:
    return {"NATS__SERVERS": nats.url, "NATS__USER": nats.user, "NATS__PASSWORD": nats.password}


def _s3(s3: S3) -> dict[str, str]:
    return {
        "S3__ENDPOINT": s3.endpoint,
        "S3__REGION": REGION,
        "S3__BUCKET": "darkroom",
        "S3__ACCESS_KEY": s3.access_key,
        "S3__SECRET_KEY": s3.secret_key,
    }
