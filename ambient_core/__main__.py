"""``python -m ambient_core`` is ``ambient``."""

from ambient_core.cli import main

if __name__ == "__main__":
    main()
