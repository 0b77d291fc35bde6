"""Known mistakes in what is said of a picture, and in how it gets into a page.

What a mutant is stands in mutants.py.
"""

import pytest
from learners import seen_by
from mutants import trials

pytestmark = pytest.mark.author


def described(*tests):
    return seen_by("test_describe", *(f"test_{test}" for test in tests))


curve = described("a_curve_is_told_by_its_ends_and_by_what_lies_between")
bars = described("bars_are_told_one_by_one")
many_bars = described("bars_that_are_too_many_are_counted")
bands = described("bands_are_told_by_their_edges")
digits = described("a_whole_number_is_told_whole")
empty = described("empty_cells_of_a_map_are_counted")
ends = described("a_map_is_told_by_its_ends")
small_maps = described("a_map_of_few_cells_is_told_whole_and_one_more_is_not")
names = described("places_have_the_names_of_the_axis")
levels = described("levels_points_and_what_is_hidden", "from_0_to_1_data_are_no_shares_of_the_axes")
many_lines = described("many_lines_are_counted")
many_words = described("many_words_are_counted")
several = described("several_axes_are_numbered_and_colour_bars_left_out")
drawing = described("a_drawing_is_told_by_its_words")
hatched_cells = described("a_map_tells_whether_cells_are_empty_or_hatched")
authors = described("who_draws_axes_or_a_figure_may_say_what_they_show")
sticks = described("lines_that_stand_on_one_level_are_bars")
pieces = described("other_pieces_of_lines_are_told_from_end_to_end")
steps = described("steps_are_told_at_their_middles")
errors = described("error_bars_are_told_with_their_values", "error_bars_across_and_of_bars")
marks = described("marks_are_not_told_as_lines")
named_lines = described("of_many_lines_those_with_a_name_are_told")
inner = described("axes_within_axes_are_told")
besides = described("what_is_written_beside_the_axes_is_told")
labels = described("labels_of_cells_are_told_as_words")
hatched_bars = described("bars_that_are_hatched_are_called_so")
areas = described("areas_are_told_by_their_corners")
map_areas = described("an_area_of_a_map_is_told_by_its_cells")
between = described("an_area_between_curves_is_told_by_its_ends")
arrows = described("arrows_are_told_by_what_stands_at_their_ends")
pointed = described("what_a_plot_points_at_is_told")
key = described("a_legend_tells_what_nothing_else_does")
key_again = described("a_legend_that_says_nothing_new_is_not_told")


def in_pages(*tests):
    return seen_by("test_pictures_in_pages", *(f"test_{test}" for test in tests))


twice = in_pages("a_figure_has_twice_the_pixels_of_its_place_in_the_page")
corners = in_pages("the_corners_of_a_card_are_round_and_see_through")
paper = in_pages("what_is_see_through_lies_on_white_paper")
dark = in_pages("a_dark_figure_of_the_user_is_a_dark_card")
exact = in_pages("the_colours_that_a_picture_is_made_of_are_exact")
frequent = in_pages("two_colours_that_are_nearly_alike_are_both_exact")
most = in_pages("of_more_colours_than_there_is_room_for_those_that_fill_most_are_exact")
maps = in_pages("a_map_of_weights_and_a_signed_one_keep_their_colours_in_one_picture")
any_size = in_pages("a_picture_of_any_size_is_a_card")
quick = in_pages("what_is_quick_holds_the_pixels")
explorer = in_pages("an_explorer_has_twice_the_pixels_of_its_place_in_the_page")
edge = in_pages("an_explorer_s_axes_leave_the_edge_of_the_card_free")
without_page = in_pages("a_kernel_without_a_page_keeps_the_formats_of_the_user")
user = in_pages(
    "what_the_user_says_of_saving_is_respected",
    "only_what_ipython_does_of_itself_is_done_otherwise",
)
in_page = in_pages("a_page_holds_the_picture_once_in_the_format_of_the_user")

DESCRIBE, REMARKS, WORDING, PICTURES, PANEL = (
    f"teaching.{name}" for name in ("describe", "remarks", "wording", "pictures", "panel")
)

MUTANTS = [
    ("the lowest for the highest", DESCRIBE, "np.unravel_index(np.nanargmax(values)", "np.unravel_index(np.nanargmin(values)", ends),
    ("the place of the mirrored cell", DESCRIBE, "row {label(rows, where[0])}, column {label(columns, where[1])}", "row {label(rows, where[1])}, column {label(columns, where[0])}", ends),
    ("ends exchanged", DESCRIBE, "low, high = short(np.nanmin(values)), short(np.nanmax(values))", "high, low = short(np.nanmin(values)), short(np.nanmax(values))", ends),
    ("rows for columns", DESCRIBE, 'f"a map of {values.shape[0]} {many[0]} and {values.shape[1]}', 'f"a map of {values.shape[1]} {many[0]} and {values.shape[0]}', ends),
    ("rows counted from 0", WORDING, "str(cell if names else cell + 1)", "str(cell)", ends),
    ("small maps by their ends", DESCRIBE, "if values.size <= MOST:", "if values.size < 0:", ends),
    ("a map of nine told whole", DESCRIBE, "if values.size <= MOST:", "if values.size <= MOST + 1:", small_maps),
    ("a map of eight by its ends", DESCRIBE, "if values.size <= MOST:", "if values.size < MOST:", small_maps),
    ("empty cells uncounted", DESCRIBE, "if empty := int(np.isnan(values).sum()):", "if empty := 0:", empty),
    ("full cells counted as empty", DESCRIBE, "int(np.isnan(values).sum())", "int((~np.isnan(values)).sum())", empty),
    ("two digits", WORDING, ":.3g}", ":.2g}", digits),
    ("years in three digits", WORDING, "if not number.is_integer() or", "if True or", digits),
    ("bars left out uncounted", WORDING, "if len(parts) > most else", "if False else", many_bars),
    ("one bar too many left out", DESCRIBE, "bars{called(container)}: {listed(told, 2 * MOST)}\"\n\n\ndef steps", "bars{called(container)}: {listed(told, 2 * MOST - 1)}\"\n\n\ndef steps", many_bars),
    ("bars in reverse", DESCRIBE, "for patch in container.patches:\n", "for patch in container.patches[::-1]:\n", bars),
    ("a bar's width for its height", DESCRIBE, "(box.intervalx, box.height) if upright", "(box.intervalx, box.width) if upright", bars),
    ("level bars as upright ones", DESCRIBE, 'container.orientation == "vertical"', "True", bars),
    ("bands turned", REMARKS, '{(True, False): "upright", (False, True): "level"}', '{(True, False): "level", (False, True): "upright"}', bands),
    ("hidden bands told", REMARKS, 'stripe(ax, patch) if patch.get_visible() else ""', "stripe(ax, patch)", bands),
    ("a curve from its second point", DESCRIBE, "from {at(0)} to {at(-1)}", "from {at(1)} to {at(-1)}", curve),
    ("lowest and highest exchanged", DESCRIBE, '(("lowest", y.argmin()), ("highest", y.argmax()))', '(("lowest", y.argmax()), ("highest", y.argmin()))', curve),
    ("an end told again as the highest", DESCRIBE, "if short(y[i]) not in (short(y[0]), short(y[-1])):", "if True:", curve),
    ("across and up exchanged", DESCRIBE, '"across: ": ax.xaxis.label, "up: ": ax.yaxis.label', '"across: ": ax.yaxis.label, "up: ": ax.xaxis.label', curve),
    ("hidden lines told", DESCRIBE, "if line.get_visible() and line", "if line", levels),
    ("a cloud's axes exchanged", DESCRIBE, "(left, low), (right, high) = np.nanmin(at, axis=0), np.nanmax(at, axis=0)", "(low, left), (high, right) = np.nanmin(at, axis=0), np.nanmax(at, axis=0)", levels),
    ("levels as upright lines", DESCRIBE, "if low == high else", "if low != high else", levels),
    ("one line too few counted", DESCRIBE, "{len(curves) - MOST} more lines", "{len(curves) - MOST - 1} more lines", many_lines),
    ("words left out uncounted", REMARKS, "written in it: {listed(texts, 3 * MOST", "written in it: {listed(texts, 2 * MOST", many_words),
    ("ticks by another's name", WORDING, "names.get(round(float(number), 2))", "names.get(round(float(number) + 1, 2))", names),
    ("colour bars told", DESCRIBE, ' or ax.get_label() == "<colorbar>"', "", several),
    ("axes counted from 0", DESCRIBE, "enumerate(parts, 1)", "enumerate(parts)", several),
    ("curves of a drawing told", DESCRIBE, "if not drawing(ax):", "if True:", drawing),
    ("empty cells called hatched", DESCRIBE, 'getattr(image, "blank", "empty")', '"hatched"', empty),
    ("hatched cells called empty", DESCRIBE, 'getattr(image, "blank", "empty")', '"empty"', hatched_cells),
    ("what its author says of the axes is left out", DESCRIBE, "if text := own(ax):", "if text := '':", authors),
    ("what its author says of a figure is left out", DESCRIBE, "if text := own(figure):", "if text := '':", authors),
    ("bars drawn by lines: their ends", DESCRIBE, "(end - start)[:, along]", "end[:, 1 - along]", sticks),
    ("bars drawn by lines: level for upright", DESCRIBE, "((1, ax.xaxis), (0, ax.yaxis))", "((1, ax.yaxis), (0, ax.xaxis))", sticks),
    ("pieces of lines as bars", DESCRIBE, " and not np.ptp(start[:, along]):", ":", pieces),
    ("steps at their edges", DESCRIBE, "(edges[1:] + edges[:-1]) / 2", "edges[1:]", steps),
    ("hidden steps told", DESCRIBE, "isinstance(stairs, StepPatch) and stairs.get_visible()", "isinstance(stairs, StepPatch)", steps),
    ("error bars as curves", DESCRIBE, "curves = [line for line in curves if line not in others]", "pass", errors),
    ("error bars as pieces of lines", DESCRIBE, "isinstance(several, LineCollection) and several not in others", "isinstance(several, LineCollection)", errors),
    ("error bars turned", DESCRIBE, "int((ends[:, 0, 0] == ends[:, 1, 0]).all())", "int((ends[:, 0, 0] != ends[:, 1, 0]).all())", errors),
    ("marks as lines", DESCRIBE, "joined = line.get_linestyle() not in", "joined = line.get_linestyle() != 0 or () in", marks),
    ("the first lines for those with a name", DESCRIBE, "curves.sort(key=lambda line: not called(line))", "pass", named_lines),
    ("axes within axes are left out", DESCRIBE, "(outer, *outer.child_axes)", "(outer,)", inner),
    ("what goes across all of a figure is left out", DESCRIBE, 'across and f"across: {across}"', '""', besides),
    ("labels of cells as points", DESCRIBE, ' or hasattr(cloud, "texts")', "", labels),
    ("labels of cells are left out", REMARKS, 'getattr(several, "texts", ())', "()", labels),
    ("bars called without their hatch", DESCRIBE, 'hatched = "hatched " *', 'hatched = "" *', hatched_bars),
    ("nothing is called hatched", REMARKS, 'return "hatched " *', 'return "" *', hatched_bars),
    ("areas by another's rows", REMARKS, '("row", ax.yaxis, box.intervaly), ("column", ax.xaxis, box.intervalx)', '("row", ax.yaxis, box.intervalx), ("column", ax.xaxis, box.intervaly)', map_areas),
    ("an area's first cell left out", REMARKS, "np.arange(np.ceil(min(ends))", "np.arange(np.ceil(min(ends)) + 1", map_areas),
    ("areas are left out", REMARKS, "    if found:\n", "    if False:\n", areas),
    ("bars as areas", REMARKS, "or patch in bars or stripe", "or stripe", hatched_bars),
    ("an area between curves by its middle", REMARKS, "for end in (x.min(), x.max()):", "for end in (x.min(), x[len(x) // 4]):", between),
    ("transforms compared by number", WORDING, "artist.get_transform().contains_branch_seperately(ax.transData)", "(artist.get_transform() == ax.transData,) * 2", levels),
    ("arrows point back", REMARKS, 'f"{start} → {end}" for start', 'f"{end} → {start}" for start', arrows),
    ("arrows of a drawing by numbers", REMARKS, '("" if drawing(ax) else pair(end))', "pair(end)", arrows),
    ("hidden arrows told", REMARKS, "isinstance(patch, ARROWS) and patch.get_visible()", "isinstance(patch, ARROWS)", arrows),
    ("an arrow that ends where it starts", REMARKS, "np.add(start, (arrow._dx, arrow._dy))", "start", pointed),
    ("a text that points by where it stands", REMARKS, "yield text.xyann, text.xy, said(text)", "yield text.xyann, text.xyann, said(text)", pointed),
    ("what is written beside is left out", REMARKS, 'yield f"written beside it: {listed(texts, 3', 'f"written beside it: {listed(texts, 3', besides),
    ("titles are told as beside, once more", REMARKS, " and text.get_text() not in heads]", "]", besides),
    ("a legend tells all again", REMARKS, 'if f" “{name}”" not in told]', "if name]", key_again),
    ("a legend tells nothing", REMARKS, "    if title or others:\n", "    if False:\n", key),
    ("a legend's marks as lines", REMARKS, 'return "marks"', 'return "line"', key),
    # a picture in a page
    ("single density", PICTURES, "dpi=DENSITY * figure.dpi", "dpi=figure.dpi", twice),
    ("shown at twice its width", PICTURES, '"width": paper.width // DENSITY', '"width": paper.width', twice),
    ("corners cut on one side", PICTURES, "for turn in range(4):", "for turn in range(1):", corners),
    ("corners turned inside out", PICTURES, "away = radius - 0.5 - np.arange(radius)", "away = np.arange(radius) + 0.5", corners),
    ("jagged corners", PICTURES, "np.clip(radius + 0.5 - np.hypot(away, away[:, None]), 0, 1)", "(radius > np.hypot(away, away[:, None])) * 1.0", corners),
    ("see-through paper is black", PICTURES, 'Image.new("RGBA", image.size, "white")', 'Image.new("RGBA", image.size, "black")', paper),
    ("a dark picture's corners are white", PICTURES, "paper.getpixel((0, 0)))", "(255, 255, 255))", dark),
    ("a dark picture's odd edge is white", PICTURES, "image.getpixel((0, 0)))", '"white")', dark),
    ("colours of about this kind", PICTURES, "> FLAT).sum()]][:EXACT]", "> FLAT).sum()]][:1]", exact),
    ("of two that are alike one is exact", PICTURES, "> FLAT).sum()]][:EXACT]", "> FLAT).sum()]][:1]", frequent),
    ("the rarest colours are exact", PICTURES, "np.argsort(-counts", "np.argsort(counts", most),
    ("no colour of a map is exact", PICTURES, "(counts > FLAT).sum()]", "(counts > FLAT).sum() * 0]", maps),
    ("an odd edge is lost", PICTURES, "-(-side // DENSITY) * DENSITY", "side // DENSITY * DENSITY", any_size),
    ("quick, but blue for red", PICTURES, "np.reshape(pixels, (height, 4 * width))", "np.reshape(pixels[..., [2, 1, 0, 3]], (height, 4 * width))", quick),
    ("an explorer of single density", PANEL, 'pictures.DENSITY * mpl.rcParams["figure.dpi"]', 'mpl.rcParams["figure.dpi"]', explorer),
    ("an explorer without an edge", PANEL, "MARGIN = 0.04", "MARGIN = 0.0", edge),
    ("IPython's own picture where it is ours to draw", PICTURES, 'if ours(registered("image/png")) or', "if", without_page),
    ("ours where the user has spoken", PICTURES, '{"bbox_inches": "tight", **make.keywords} == usual', 'bool(usual)', user),
    ("a picture twice in a page", PICTURES, "formatters[kind].pop(Figure, None)", "registered(kind)", in_page),
]  # fmt: skip
test_the_code_as_it_is_passes, test_convicted = trials(MUTANTS)
