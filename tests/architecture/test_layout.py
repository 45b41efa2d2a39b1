import ast
import re
from pathlib import Path

HEADINGS = ("Purpose", "Owns", "Calls", "Listens and sends", "Limits", "Run it alone")
README_LINES = 60
# An entry reads as a list of commands; logic in it could not be imported by a test.
ENTRY_LINES = 60
SHAPE = ("__init__.py", "__main__.py", "app.py", "settings.py", "wiring.py", "py.typed", "domain")
DECISION = ("Status", "Context", "Decision", "Consequences", "Rejected", "Held by")


def test_every_service_has_a_readme_with_the_same_six_headings(services: list[Path]) -> None:
    for service in services:
        text = (service / "README.md").read_text()
        assert tuple(re.findall(r"(?m)^## (.+)$", text)) == HEADINGS, service.name
        assert len(text.splitlines()) <= README_LINES, service.name


def test_every_package_says_what_it_is_for(packages: list[Path]) -> None:
    missing = [package.name for package in packages if not (package / "README.md").is_file()]
    assert missing == []


def test_every_service_has_the_same_shape(services: list[Path]) -> None:
    for service in services:
        home = service / "src" / "darkroom" / service.name
        missing = [name for name in SHAPE if not (home / name).exists()]
        assert missing == [], service.name


def test_namespace_and_test_folders_are_not_packages(root: Path) -> None:
    namespaces = [path / "__init__.py" for path in root.glob("*/*/src/darkroom")]
    folders = [*root.glob("*/*/tests/**/__init__.py"), *root.glob("tests/**/__init__.py")]
    assert len(namespaces) >= len(list((root / "services").iterdir()))
    assert [path for path in (*namespaces, *folders) if path.exists()] == []


def test_service_tests_are_told_apart_by_what_they_need(services: list[Path]) -> None:
    for service in services:
        stray = [path.name for path in (service / "tests").glob("test_*.py")]
        assert stray == [], service.name
        assert {"unit", "integration"} <= {path.name for path in (service / "tests").iterdir()}


def test_entries_are_lists_of_commands(services: list[Path]) -> None:
    for service in services:
        entry = service / "src" / "darkroom" / service.name / "__main__.py"
        assert len(entry.read_text().splitlines()) <= ENTRY_LINES, service.name


def test_domain_is_synchronous(services: list[Path]) -> None:
    for path in (path for service in services for path in service.glob("src/**/domain/**/*.py")):
        waiting = ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith
        found = [
            node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, waiting)
        ]
        assert found == [], path


def test_requests_and_events_are_met_without_sql(services: list[Path]) -> None:
    edges = [
        path
        for service in services
        for path in (*service.glob("src/**/api/*.py"), *service.glob("src/**/events.py"))
    ]
    # A session may be handed on; what builds a query may not be there.
    builds = re.compile(r"(?m)^(from sqlalchemy import|import sqlalchemy)")
    assert [path for path in edges if builds.search(path.read_text())] == []


def test_every_module_of_a_service_says_its_job_on_its_first_line(services: list[Path]) -> None:
    for path in (path for service in services for path in service.glob("src/**/*.py")):
        if path.read_text().strip() and "migrations" not in path.parts:
            assert ast.get_docstring(ast.parse(path.read_text())), path


def test_every_decision_has_the_same_headings(root: Path) -> None:
    records = sorted((root / "docs" / "decisions").glob("*.md"))
    assert len(records) > 1
    for record in records:
        headings = tuple(re.findall(r"(?m)^## (.+)$", record.read_text()))
        assert headings == DECISION, record.name


def test_every_link_in_the_documents_leads_somewhere(root: Path) -> None:
    pages = [
        *root.glob("*.md"),
        *root.glob("docs/**/*.md"),
        *root.glob("packages/*/README.md"),
        *root.glob("services/*/README.md"),
    ]
    broken = [
        (str(page.relative_to(root)), target)
        for page in pages
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text())
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []
