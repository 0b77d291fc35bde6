"""What axe-core finds in a lesson's own content, in a light and in a dark page."""

from importlib.resources import files

AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
GRAVE = ("critical", "serious")
# Ours is what a lesson writes, prints and draws. JupyterLab's frame around it is not.
OURS = [".jp-RenderedMarkdown", ".jp-OutputArea-output"]
# What ipywidgets writes and we cannot change, by rule and place, each with its reason.
KNOWN = {
    ("aria-input-field-name", ".noUi-handle"): "a slider's handle has no name; the field has one",
}
FINDINGS = """async ([ours, grave]) => {
    const found = await axe.run(
        {include: ours.filter(one => document.querySelector(one)).map(one => [one])},
        {resultTypes: ['violations']});
    const place = node => node.target.flat().join(' ');
    return found.violations.filter(rule => grave.includes(rule.impact)).flatMap(rule =>
        rule.nodes.map(node => ({rule: rule.id, place: place(node), html: node.html})));
}"""
THEME = """async theme => {
    await jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab ' + theme});
}"""


def findings(page, theme):
    """(ours, known): the grave findings in a page of this theme, one line each."""
    page.evaluate(THEME, theme)
    page.wait_for_function(f"document.body.dataset.jpThemeName === 'JupyterLab {theme}'")
    page.wait_for_timeout(500)  # colours change slowly
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    ours, known = [], set()
    for found in page.evaluate(FINDINGS, [OURS, GRAVE]):
        names = [k for k in KNOWN if k[0] == found["rule"] and k[1] in found["place"]]
        known.update(names)
        if not names:
            ours.append(f"{theme}: {found['rule']} at {found['html'][:120]}")
    return ours, known
