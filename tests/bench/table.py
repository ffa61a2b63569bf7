"""Figures with their targets, as a table."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure.

    Args:
        what: was measured.
        value: that was found.
        unit: of both.
        target: not to be exceeded, where there is one.
    """

    what: str
    value: float
    unit: str
    target: float | None = None

    def row(self) -> str:
        """As a line of a table."""
        target = "" if self.target is None else f"<= {self.target:g} {self.unit}".rstrip()
        verdict = "" if self.target is None else "ok" if self.value <= self.target else "missed"
        return f"| {self.what:48} | {target:12} | {f'{self.value:.4g} {self.unit}'.rstrip():12} | {verdict:6} |"


def table(figures: list[Figure]) -> str:
    """All of them, in Markdown."""
    head = f"| {'what':48} | {'target':12} | {'measured':12} | {'':6} |\n| --- | --- | ---: | --- |"
    return "\n".join([head, *(figure.row() for figure in figures)])
