"""The walls of service/: a room is imported through its face, and a face says what it exports.

The directions between rooms are held by import-linter (pyproject.toml), which `make lint` runs.
"""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SERVICE = ROOT / "service"
ROOMS = sorted(path.parent for path in SERVICE.glob("*/__init__.py"))
FACES = sorted(path.parent for path in SERVICE.glob("*/**/__init__.py"))


def module_of(path: Path) -> str:
    """service/style/memory -> service.style.memory."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def imports_from_other_rooms() -> Iterator[tuple[Path, str, str]]:
    """File, module and name of each import that leaves its room, wherever in the file it stands."""
    for path in SERVICE.rglob("*.py"):
        room = path.relative_to(SERVICE).parts[0]
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("service."):
                continue
            module = str(node.module)
            other = module.split(".")[1]
            if other != room and (SERVICE / other).is_dir():
                yield from ((path, module, alias.name) for alias in node.names)


def test_a_room_is_imported_through_its_face_alone() -> None:
    past = [
        f"{path.relative_to(ROOT)} imports {name} from {module}"
        for path, module, name in imports_from_other_rooms()
        if not (ROOT / module.replace(".", "/")).is_dir()
        or name not in importlib.import_module(module).__all__
    ]
    assert not past


def test_there_are_imports_to_look_at() -> None:
    assert len(list(imports_from_other_rooms())) > 100


@pytest.mark.parametrize("face", FACES, ids=module_of)
def test_a_face_exports_what_it_names_in_alphabetical_order_and_nothing_twice(face: Path) -> None:
    module = importlib.import_module(module_of(face))
    names = list(getattr(module, "__all__", []))
    assert names == sorted(set(names), key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    for name in names:
        assert getattr(module, name) is not None


@pytest.mark.parametrize("face", ROOMS, ids=module_of)
def test_a_face_imports_only_what_it_exports(face: Path) -> None:
    tree = ast.parse((face / "__init__.py").read_text())
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert imported == set(getattr(importlib.import_module(module_of(face)), "__all__", []))


def test_the_root_has_few_entries() -> None:
    assert len([path for path in SERVICE.iterdir() if path.name != "__pycache__"]) <= 18


@pytest.mark.parametrize("folder", FACES, ids=module_of)
def test_no_folder_has_more_modules_than_one_can_survey(folder: Path) -> None:
    assert len([path for path in folder.glob("*.py") if path.name != "__init__.py"]) <= 12


WORDS = ROOT / "docs/develop/architecture.md"


def words_of_one_module() -> list[str]:
    """The last column of the glossary: names that only one module, or one folder, has."""
    glossary = WORDS.read_text().split("## Words\n")[1].split("\n## ")[0]
    return re.findall(r"\| `(\w+)` \|$", glossary, re.MULTILINE)


def test_the_glossary_names_modules() -> None:
    assert {"memory", "options", "progress"} <= set(words_of_one_module())


@pytest.mark.parametrize("word", words_of_one_module())
def test_a_word_of_the_glossary_is_the_name_of_one_module(word: str) -> None:
    modules = [path for path in SERVICE.rglob("*.py") if path.stem == word]
    folders = [path for path in FACES if path.name == word]
    assert len(modules + folders) == 1
