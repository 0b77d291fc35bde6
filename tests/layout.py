"""What of a lesson is out of its place in a page: beyond the edge, over another, squeezed."""

from lib.teaching.pictures import DENSITY

# What a lesson draws, prints and writes: pictures, tables, formulas, what an explorer is made of.
OURS = (
    ".jp-OutputArea-output :is(img, table, svg)",
    ".jp-RenderedMarkdown :is(img, table, mjx-container[display])",
    ".course-panel :is(input, select, .noUi-base, .widget-label, figcaption)",
)
# Given the notebook's outermost element, one line for each fault. What lies in a box that scrolls
# is all there, and so is not beyond the edge; a picture never has to be scrolled.
FAULTS = (
    """notebook => {
    const page = notebook.getBoundingClientRect(), faults = [];
    // what a sheet of numbers has scrolled away lies over nothing
    const seen = part => {
        const box = part.getBoundingClientRect(), frame = part.closest('.course-sheet-body');
        if (!frame || frame === part) return box;
        const edge = frame.getBoundingClientRect(), top = Math.max(box.top, edge.top);
        const height = Math.max(0, Math.min(box.bottom, edge.bottom) - top);
        return new DOMRect(box.left, top, box.width, height);
    };
    const parts = [...notebook.querySelectorAll(`OURS`)]
        .map(part => ({part, box: seen(part)}))
        .filter(({box}) => box.width && box.height);
    const name = part => part.tagName.toLowerCase()
        + (part.alt || part.textContent || part.className).trim().slice(0, 40).replace(/^/, ' ');
    const scrolls = part => part && part !== notebook && part.tagName !== 'IMG'
        && (/auto|scroll/.test(getComputedStyle(part).overflowX) || scrolls(part.parentElement));
    for (const {part, box} of parts)
        if ((box.left < page.left - 1 || box.right > page.right + 1) && !scrolls(part))
            faults.push(`${name(part)} reaches from ${box.left | 0} to ${box.right | 0}`
                + `, the page from ${page.left | 0} to ${page.right | 0}`);
    parts.forEach((one, i) => parts.slice(i + 1).forEach(other => {
        const [a, b] = [one.box, other.box];
        const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        const nested = one.part.contains(other.part) || other.part.contains(one.part);
        if (across > 1 && down > 1 && !nested)
            faults.push(`${name(one.part)} overlaps ${name(other.part)}`);
    }));
    for (const {part, box} of parts.filter(({part}) => part.matches('.jp-OutputArea-output img'))) {
        const [width, height] = [part.naturalWidth, part.naturalHeight];
        if (Math.abs(box.height - box.width * height / width) > 1)
            faults.push(`${name(part)} is squeezed to ${box.width} x ${box.height}`);
        if (box.width > width / DENSITY + 1)
            faults.push(`${name(part)} is ${box.width} px wide, of ${width} pixels`);
        if (part.getAttribute('width') != width / DENSITY)
            faults.push(`${name(part)} does not say that it is ${width / DENSITY} px wide`);
    }
    return faults;
}""".replace("OURS", ", ".join(OURS))
).replace("DENSITY", str(DENSITY))
