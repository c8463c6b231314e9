"""What is written about the service is true of the code."""

import re
from pathlib import Path

import pytest

from service.intake.contract import StylizeOptions
from service.settings.settings import PREFIX, Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
OPTIONS = (ROOT / "docs/use/requests.md").read_text()
SETTINGS = (ROOT / "docs/run/settings.md").read_text()


@pytest.mark.parametrize("name", [PREFIX + field.upper() for field in Settings.model_fields])
def test_every_setting_is_documented(name: str) -> None:
    assert f"`{name}`" in SETTINGS


def test_every_documented_setting_exists() -> None:
    known = {PREFIX + field.upper() for field in Settings.model_fields}
    assert set(re.findall(r"STYLIZE_[A-Z_]+", README + SETTINGS)) <= known


@pytest.mark.parametrize("name", list(StylizeOptions.model_fields))
def test_every_option_is_documented(name: str) -> None:
    assert f"`{name}`" in OPTIONS


def test_every_make_target_in_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"make ([a-z]+)", README)) - {"sure"} <= targets


@pytest.mark.parametrize(
    "page",
    ["README.md", "CHANGELOG.md", *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md"))],
)
def test_every_link_inside_the_repository_leads_somewhere(page: str) -> None:
    text = (ROOT / page).read_text()
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    missing = [link for link in links if not ((ROOT / page).parent / link).exists()]
    assert missing == []


def test_the_artworks_of_the_documented_config_map_exist_and_fit_into_one() -> None:
    page = (ROOT / "docs/run/kubernetes.md").read_text()
    files = [ROOT / name for name in re.findall(r"--from-file=(\S+)", page)]
    assert len(files) > 1
    assert sum(file.stat().st_size for file in files) < 2**20


def test_the_architecture_names_every_room_and_every_stage_of_a_request() -> None:
    page = (ROOT / "docs/develop/architecture.md").read_text()
    rooms = {path.parent.name for path in (ROOT / "service").glob("*/__init__.py")}
    assert {room for room in rooms if f"](../../service/{room})" not in page} == set()
    stages = re.findall(r"\]\(\.\./\.\./(service/\S+\.py)\)", page)
    assert len(stages) > 20
    assert [stage for stage in stages if not (ROOT / stage).is_file()] == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("An option", [f"`{name}`" for name in StylizeOptions.model_fields]),
        ("A setting", [f"`{PREFIX}{name.upper()}`" for name in Settings.model_fields]),
    ],
)
def test_every_file_that_a_change_has_to_touch_names_what_is_there_already(
    change: str, found: list[str]
) -> None:
    """So a file that no longer has such a list, or that lacks an entry, is noticed."""
    page = (ROOT / "docs/develop/architecture.md").read_text()
    paragraph = page.split(f"**{change}**")[1].split("\n\n")[0]
    links = re.findall(r"\]\(([^)]+\.md)\)", paragraph)
    assert links
    for link in links:
        text = (ROOT / "docs/develop" / link).read_text()
        assert [name for name in found if name not in text] == []
