"""Draws the ratios of all cases as bars, with their targets: results.svg. By hand: nothing has to be installed."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from results import Row

PLOT = Path(__file__).with_name("results.svg")

WIDTH = 960
LABEL_WIDTH = 330
RIGHT_MARGIN = 70
ROW_HEIGHT = 20
BAR_HEIGHT = 12
HEAD_HEIGHT = 64
FOOT_HEIGHT = 16
LARGEST_RATIO = 2.0  # longer bars are cut; their number tells
REACHED, MISSED, WITHOUT_TARGET = "#2e7d32", "#c62828", "#607d8b"


def svg(rows: Sequence[Row]) -> str:
    """REQUIRES: at least one row."""
    height = HEAD_HEIGHT + ROW_HEIGHT * len(rows) + FOOT_HEIGHT
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        text(10, 20, f"Time as a ratio to the peer's; {rows[-1].machine}", "start"),
        *legend(),
        *axis(height),
    ]
    for number, row in enumerate(rows):
        lines += bar(row, HEAD_HEIGHT + ROW_HEIGHT * number)
    return "\n".join([*lines, "</svg>"]) + "\n"


def x_of(ratio: float) -> float:
    return LABEL_WIDTH + (WIDTH - LABEL_WIDTH - RIGHT_MARGIN) * min(ratio, LARGEST_RATIO) / LARGEST_RATIO


def text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}">{escape(words)}</text>'


def rectangle(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{height}" fill="{colour}"/>'


def legend() -> list[str]:
    lines = []
    places = ((10, REACHED, "target reached"), (130, MISSED, "not reached"), (240, WITHOUT_TARGET, "no target"))
    for x, colour, words in places:
        lines += [rectangle(x, 32, 12, 12, colour), text(x + 18, 42, words, "start")]
    words = "black mark: target; thin line: lowest to highest round; 1.0: as fast as the peer"
    return [*lines, text(LABEL_WIDTH, 42, words, "start")]


def axis(height: int) -> list[str]:
    lines = []
    for quarters in range(int(LARGEST_RATIO * 4) + 1):
        x, colour = x_of(quarters / 4), "#888" if quarters == 4 else "#ddd"
        lines.append(rectangle(x, HEAD_HEIGHT - 4, 1, height - HEAD_HEIGHT - FOOT_HEIGHT + 8, colour))
        if quarters % 2 == 0:
            lines.append(text(x, HEAD_HEIGHT - 8, f"{quarters / 4:.1f}", "middle"))
    return lines


def bar(row: Row, top: int) -> list[str]:
    colour = {True: REACHED, False: MISSED, None: WITHOUT_TARGET}[row.reached]
    middle = top + ROW_HEIGHT // 2
    low, high = x_of(row.lowest_ratio), x_of(row.highest_ratio)
    lines = [
        text(LABEL_WIDTH - 8, middle + 4, f"{row.corpus}  {row.case}", "end"),
        rectangle(x_of(0), middle - BAR_HEIGHT // 2, x_of(row.ratio) - x_of(0), BAR_HEIGHT, colour),
        rectangle(low, middle, max(high - low, 1), 1, "#222"),
        text(max(x_of(row.ratio), high) + 6, middle + 4, f"{row.ratio:.3f}", "start"),
    ]
    if row.target is not None:
        lines.append(rectangle(x_of(row.target) - 1, top + 1, 2.5, ROW_HEIGHT - 2, "black"))
    return lines
