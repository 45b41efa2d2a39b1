from sqlalchemy import Column, Integer, Table, UniqueConstraint

from darkroom.platform.db.tables import instant, metadata, recorded_at


def test_constraints_are_named_by_rule() -> None:
    table = Table(
        "notes",
        metadata(),
        Column("id", Integer, primary_key=True),
        Column("number", Integer),
        UniqueConstraint("number"),
    )
    assert {constraint.name for constraint in table.constraints} == {
        "pk_notes",
        "uq_notes_number",
    }


def test_times_carry_their_zone() -> None:
    table = Table("notes", metadata(), instant("read_at", nullable=True), recorded_at())
    assert all(getattr(column.type, "timezone", False) for column in table.columns)
    assert table.c.created_at.server_default is not None
