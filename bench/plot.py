"""One plot, as SVG: seconds against rows changed, both logarithmic."""
import math

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 400, 64, 24, 40, 56
STYLE = """<style>
    text { font: 12px sans-serif; fill: #444 }
    .title { font-size: 14px; fill: #222 }
    .grid { stroke: #ddd }
    .step { stroke: #1b6ca8; fill: #1b6ca8 }
    .run { stroke: #d98324; fill: #d98324 }
    .full { stroke: #b03a3a; stroke-dasharray: 6 4 }
    polyline { fill: none !important; stroke-width: 2 }
  </style>"""


def decades(values):
    return math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))


def number(n):
    return f"{n:,.0f}" if n >= 1 else f"{n:g}"


def write(path, points, full):
    """points: (rows, name, seconds of the step, seconds of the run)."""
    x0, x1 = decades([p[0] for p in points])
    y0, y1 = decades([p[2] for p in points] + [full])

    def x(rows):
        return LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(rows) - x0) / (x1 - x0)

    def y(seconds):
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (math.log10(seconds) - y0) / (y1 - y0)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">', "  " + STYLE,
           '  <rect width="100%" height="100%" fill="#fff"/>',
           f'  <text class="title" x="{LEFT}" y="22">A seven-day average over 5M rows: seconds by rows changed</text>']
    for i in range(x0, x1 + 1):
        out.append(f'  <path class="grid" d="M{x(10 ** i):.0f} {TOP}V{HEIGHT - BOTTOM}"/>'
                   f'<text x="{x(10 ** i):.0f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{number(10 ** i)}</text>')
    for i in range(y0, y1 + 1):
        out.append(f'  <path class="grid" d="M{LEFT} {y(10.0 ** i):.0f}H{WIDTH - RIGHT}"/>'
                   f'<text x="{LEFT - 8}" y="{y(10.0 ** i) + 4:.0f}" text-anchor="end">{number(10.0 ** i)} s</text>')
    out.append(f'  <text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 12}" text-anchor="middle">rows changed</text>')
    out.append(f'  <path class="full" d="M{LEFT} {y(full):.1f}H{WIDTH - RIGHT}"/>'
               f'<text x="{LEFT + 8}" y="{y(full) - 6:.0f}">the full query, {full:.0f} s</text>')
    for kind, at, label in (("run", 3, "the whole run"), ("step", 2, "the model's step")):
        line = " ".join(f"{x(p[0]):.1f},{y(p[at]):.1f}" for p in points)
        out.append(f'  <polyline class="{kind}" points="{line}"/>')
        out += [f'  <circle class="{kind}" cx="{x(p[0]):.1f}" cy="{y(p[at]):.1f}" r="3"/>' for p in points]
        row = HEIGHT - BOTTOM - (30 if kind == "run" else 12)
        out.append(f'  <path class="{kind}" stroke-width="2" d="M{WIDTH - 180} {row - 4}h24"/>'
                   f'<text x="{WIDTH - 148}" y="{row}">{label}</text>')
    for rows, name, step, _ in points:
        out.append(f'  <text x="{x(rows):.0f}" y="{y(step) + 18:.0f}" text-anchor="middle">{name}</text>')
    with open(path, "w") as f:
        f.write("\n".join(out) + "\n</svg>\n")
