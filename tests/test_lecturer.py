"""The lecturer's page says of the lessons what the lessons say."""

import re

from test_lessons import HEADING, LESSONS, ROOT, every_lesson

PAGE = (ROOT / "binder/README.md").read_text("utf-8")


def exercises(lesson):
    """(number, difficulty, minutes) of each, from the lesson's own headings."""
    prose = "\n".join(cell.source for cell in lesson.cells if cell.cell_type == "markdown")
    return HEADING.findall(prose)


@every_lesson
def test_the_table_of_exercises_is_that_of_the_lessons(lesson):
    found = exercises(lesson)
    checked = ", ".join(f"{n} {kind} ({m})" for n, kind, m in found if kind != "open")
    opened = ", ".join(f"{n} ({m})" for n, kind, m in found if kind == "open")
    link = f"[{lesson.number}](../notebooks/{lesson}.ipynb)"
    assert f"| {link} | {checked} | {opened} |\n" in PAGE


def test_plans_name_lessons_that_there_are():
    """And those of one and four weeks say in passing what they leave out and need."""
    numbers = {lesson.number for lesson in LESSONS}
    plans = re.findall(r"^\| \*\*\d+ weeks?\*\*, .*$", PAGE, re.MULTILINE)
    assert len(plans) == 4
    for plan in plans:
        _, _, taught, _, told, _ = plan.split("|")
        named = set(re.findall(r"\b\d\d\b", taught))
        assert named <= numbers
        if "all" in taught:
            continue
        hours = int(re.search(r"(\d+) hours", plan)[1])
        assert len(named) == hours
        needed = set()
        for lesson in LESSONS:
            if lesson.number in named:
                needs = re.search(r"\*\*What you need\*\* \|(.*)\|", lesson.cells[0].source)[1]
                needed |= set(re.findall(r"\b\d\d\b", needs))
        assert needed - named - {"00"} <= set(re.findall(r"\b\d\d\b", told)), sorted(needed - named)
