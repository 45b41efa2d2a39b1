from tools.generate import schemas


def test_exported_schemas_are_those_of_the_events() -> None:
    assert schemas.drift() == []


def test_schema_names_its_subject_and_its_required_facts() -> None:
    document = schemas.document_of("darkroom.jobs.started.v1")
    assert document["$id"] == "urn:darkroom:event:darkroom.jobs.started.v1"
    assert {"event_id", "occurred_at", "job_id", "attempt"} <= set(document["required"])
