import importlib
import json
import pkgutil
from pathlib import Path

import pytest
from pydantic import ValidationError

import darkroom.contracts
from darkroom.contracts.event import SUBJECT, Event

for module in pkgutil.iter_modules(darkroom.contracts.__path__):
    importlib.import_module(f"darkroom.contracts.{module.name}")

GOLDEN = Path(__file__).parent / "golden" / "events"
SAMPLES = sorted(GOLDEN.glob("*/*.json"))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_payload_of_every_release_still_decodes_to_what_it_said(sample: Path) -> None:
    sent = json.loads(sample.read_bytes())
    event = Event.registry[sample.parent.name].decode(sample.read_bytes())
    assert json.loads(event.encode()) == json.loads(event.encode()) | sent


@pytest.mark.parametrize("subject", sorted(Event.registry))
def test_newest_golden_is_what_is_sent_byte_for_byte(subject: str) -> None:
    releases = (GOLDEN / subject).glob("*.json")
    newest = max(releases, key=lambda path: [int(part) for part in path.stem.split(".")])
    sent = newest.read_bytes().strip()
    assert Event.registry[subject].decode(sent).encode() == sent


@pytest.mark.parametrize("subject", sorted(Event.registry))
def test_consumer_ignores_a_field_it_does_not_know(subject: str) -> None:
    kind = Event.registry[subject]
    sample = next((GOLDEN / subject).glob("*.json")).read_bytes()
    extended = json.dumps(json.loads(sample) | {"said_by_a_later_release": [1]}).encode()
    assert kind.decode(extended) == kind.decode(sample)


@pytest.mark.parametrize("subject", sorted(Event.registry))
def test_payload_without_one_of_its_facts_is_refused(subject: str) -> None:
    kind = Event.registry[subject]
    sample = json.loads(next((GOLDEN / subject).glob("*.json")).read_bytes())
    for name in sample.keys() - {"event_id", "occurred_at"}:
        without = {field: value for field, value in sample.items() if field != name}
        with pytest.raises(ValidationError):
            kind.decode(json.dumps(without).encode())


def test_no_golden_is_left_of_an_event_that_does_not_exist() -> None:
    assert {path.parent.name for path in SAMPLES} == set(Event.registry)


@pytest.mark.parametrize("subject", sorted(Event.registry))
def test_class_is_named_as_its_subject_is_versioned(subject: str) -> None:
    assert SUBJECT.match(subject)
    assert Event.registry[subject].__name__.endswith(subject.rpartition(".")[2].upper())


@pytest.mark.parametrize("subject", ["jobs.done.v1", "darkroom.jobs.done", "darkroom.jobs.Done.v1"])
def test_subject_without_a_version_makes_no_event(subject: str) -> None:
    with pytest.raises(TypeError, match="not a versioned subject"):
        type("Done", (Event,), {"__module__": __name__}, subject=subject)


def test_subject_belongs_to_one_event() -> None:
    with pytest.raises(TypeError, match="two events claim"):
        type("Again", (Event,), {"__module__": __name__}, subject="darkroom.jobs.started.v1")


def test_event_cannot_be_changed_after_the_fact() -> None:
    sample = next((GOLDEN / "darkroom.jobs.started.v1").glob("*.json")).read_bytes()
    event = Event.registry["darkroom.jobs.started.v1"].decode(sample)
    with pytest.raises(ValidationError):
        setattr(event, "occurred_at", event.occurred_at.replace(year=2000))  # noqa: B010 - mypy knows
