from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from darkroom.platform.auth.keyfiles import KeyFileError, load_or_create_secret
from darkroom.platform.auth.keys import load_or_create_signing_key


def test_a_signing_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "session.pem"
    first = load_or_create_signing_key(path)
    assert load_or_create_signing_key(path).kid == first.kid
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["session.pem"]


def test_processes_that_start_together_share_one_key(tmp_path: Path) -> None:
    path = tmp_path / "session.pem"
    with ThreadPoolExecutor(8) as threads:
        kids = {key.kid for key in threads.map(load_or_create_signing_key, [path] * 32)}
    assert len(kids) == 1


@pytest.mark.parametrize("content", [b"", b"not a key", b"\xff\x00"])
def test_a_file_that_holds_no_key_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "session.pem"
    path.write_bytes(content)
    with pytest.raises(KeyFileError, match=r"session\.pem"):
        load_or_create_signing_key(path)


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "session.pem"
    path.write_bytes(
        generate_private_key(SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    with pytest.raises(KeyFileError, match="Ed25519"):
        load_or_create_signing_key(path)


def test_a_place_that_cannot_hold_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KeyFileError, match="cannot be used"):
        load_or_create_signing_key(tmp_path / "file" / "session.pem")


def test_a_secret_is_made_once_and_long_enough(tmp_path: Path) -> None:
    secret = load_or_create_secret(tmp_path / "pepper")
    assert len(secret) == 32
    assert load_or_create_secret(tmp_path / "pepper") == secret


@pytest.mark.parametrize("content", ["", "abcd", "x" * 64])
def test_a_secret_that_is_short_or_not_hexadecimal_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "pepper"
    path.write_text(content)
    with pytest.raises(KeyFileError, match="pepper"):
        load_or_create_secret(path)
