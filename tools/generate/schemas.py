"""The JSON Schema of every event, for readers in other languages: one file per subject."""

import json
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema

from tools.generate import contracts, page

FOLDER: Final = page.ROOT / "packages" / "contracts" / "schemas"
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


class AsSent(GenerateJsonSchema):
    """Describe what is on the wire: fields with defaults are always there, to be relied on."""

    def field_is_required(self, field: Any, total: bool) -> bool:  # noqa: ARG002, FBT001 - pydantic calls it so
        return True


def files() -> page.Files:
    return {
        FOLDER / f"{subject}.json": json.dumps(document_of(subject), indent=2) + "\n"
        for subject in contracts.events()
    }


def document_of(subject: str) -> dict[str, Any]:
    schema = contracts.events()[subject].model_json_schema(
        mode="serialization", schema_generator=AsSent
    )
    return {"$schema": DIALECT, "$id": f"urn:darkroom:event:{subject}", **schema}


def drift() -> list[str]:
    """Name the files that differ from the events, or belong to no event."""
    wanted = files()
    stray = set(FOLDER.glob("*.json")) - wanted.keys()
    stale = {path for path, text in wanted.items() if not path.exists() or path.read_text() != text}
    return sorted(path.name for path in stray | stale)
