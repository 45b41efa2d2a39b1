import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from pydantic import SecretStr

from darkroom.auth.app import create_app
from darkroom.auth.domain.account import Account
from darkroom.auth.domain.key import APIKey, KeyKind
from darkroom.auth.settings import AuthSettings
from darkroom.contracts.claims import ALL_SCOPES, CredentialKind, Role
from darkroom.contracts.credentials import KEY_CHECK_PATH
from darkroom.contracts.ids import Prefix, decode_id, new_id
from darkroom.contracts.surfaces import Surface
from darkroom.platform.settings import PassportSettings, PostgresSettings
from darkroom.testing.fixtures.identity import PassportFactory
from darkroom.testing.fixtures.stores import DatabaseFactory
from darkroom.testing.fixtures.web import AppServer

PASSWORD = "correct horse battery staple"
