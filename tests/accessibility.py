"""What axe-core finds in a lesson's own content, in a light and in a dark page."""

from importlib.resources import files

AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
GRAVE = ("critical", "serious")
# Ours is what a lesson writes, prints and draws. JupyterLab's frame around it is not.
OURS = [".jp-RenderedMarkdown", ".jp-OutputArea-output"]
# What ipywidgets writes and we cannot change, by rule and element, each with its reason.
KNOWN = {
    ("aria-input-field-name", "noUi-handle"): "a slider's handle has no name; the field has one",
}
FINDINGS = """async ([ours, grave]) => {
    const found = await axe.run(
        {include: ours.filter(one => document.querySelector(one)).map(one => [one])},
        {resultTypes: ['violations']});
    return found.violations.filter(rule => grave.includes(rule.impact)).flatMap(rule =>
        rule.nodes.map(node => ({rule: rule.id, html: node.html})));
}"""
THEME = """async theme => {
    await jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab ' + theme});
}"""


def findings(page):
    """(ours, known): the grave findings in a page, one line each."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    ours, known = [], set()
    for found in page.evaluate(FINDINGS, [OURS, GRAVE]):
        names = [
            (rule, what) for rule, what in KNOWN if rule == found["rule"] and what in found["html"]
        ]
        known.update(names)
        if not names:
            ours.append(f"{found['rule']} at {found['html'][:120]}")
    return ours, known


def wear(page, theme):
    """Give JupyterLab its Light or its Dark theme."""
    page.evaluate(THEME, theme)
    page.wait_for_function(f"document.body.dataset.jpThemeName === 'JupyterLab {theme}'")
    page.wait_for_timeout(500)  # colours change slowly
