"""Known mistakes in pictures and in exercises: the learner's tests see each.

What a mutant is stands in mutants.py. Nearly all of these leave every caption as it was.
"""

import pytest
from learners import seen_by
from mutants import trials

pytestmark = pytest.mark.author


def pictures(*tests):
    return seen_by("test_pictures", *(f"test_{test}" for test in tests))


cells = pictures("each_cell_has_the_colour_of_its_value")
signed = pictures("signed_cells_are_white_at_0_red_above_and_blue_below")
renewed = pictures("new_values_stand_in_their_cells_too")
sides = pictures("labels_of_rows_and_columns_stand_beside_what_they_name")
numbers = pictures("a_number_stands_in_its_cell_and_can_be_read_there")
in_cells = pictures("a_label_of_a_cell_stands_in_the_middle_of_it")
at_edges = pictures("a_label_of_an_edge_stands_outside_at_its_row_or_column")
letters = pictures("the_letters_of_a_label_follow_one_another")
wandering = pictures("labels_that_move_are_drawn_where_they_went")
time = pictures("time_is_counted_from_1")
above = pictures("what_goes_forward_is_above_its_edge_and_the_gradient_below")
arrows = pictures("an_edge_has_a_lane_forward_and_one_back_and_each_points_its_way")
dashes = pictures("the_gradient_s_lane_is_dashed_and_the_other_is_not")
one_lane = pictures("an_edge_without_a_gradient_has_one_lane_in_the_middle")
circles = pictures("a_circle_says_its_name_or_its_label")
hatched = pictures("a_cell_without_a_number_is_hatched_which_no_number_is")
shades = pictures("nothing_is_the_colour_of_paper_and_all_is_dark")
roles = pictures("the_two_directions_and_the_three_roles_have_colours_of_their_own")
order = pictures("what_moves_is_drawn_in_its_order_whoever_was_named_first")
traces = pictures("what_has_moved_leaves_nothing_behind")
anew = pictures("what_stands_still_is_drawn_anew_when_told")
frame = pictures("the_frame_stays_above_an_image_that_moves")
all_axes = pictures("all_axes_of_a_picture_move")
panel = pictures("a_panel_shows_what_its_controls_say")
stops = pictures("a_number_s_stops_are_what_it_can_take")


def exercised(*tests):
    return seen_by("test_exercise", *(f"test_{test}" for test in tests))


any_array = exercised("a_right_array_is_right_whatever_its_type")
any_number = exercised("a_right_number_is_right_whatever_its_type")
off = exercised("a_number_that_is_off_is_wrong")
slips = exercised("each_slip_is_named_also_in_float32")
parts = exercised("what_is_right_of_several_is_told")
shapes = exercised("what_cannot_be_compared_is_said")
stopped = exercised("what_is_not_answered_or_stops")
lines = exercised("it_says_one_line_and_keeps_its_verdict")


def explored(*tests):
    return seen_by("test_pictures_of_explorers", *(f"test_{test}" for test in tests))


six = explored("six_vectors_stand_where_they_point_and_bars_above_their_place")
level_bars = explored("level_bars_stand_beside_the_names_of_their_parts")
cloud = explored("what_should_be_goes_across_and_what_is_goes_up")
language = explored("a_language_model_s_bars_and_cells_are_of_the_characters_below_them")
wrote = seen_by(
    "test_maps_of_heads",
    "test_each_step_shows_what_it_was_drawn_from_and_where_it_looked",
)

SIX, PARTS, CLINIC, LANGUAGE, WRITING = (
    f"teaching.explorers.{name}"
    for name in (
        "scaled_dot_product_attention", "the_decoder_and_the_whole_model", "bug_clinic",
        "a_language_model", "generation",
    )
)  # fmt: skip
EXERCISE = "teaching.exercise"
PLOTS, PANEL, PALETTE = "teaching.plots", "teaching.panel", "teaching.palette"
CONTROLS = "teaching.controls"

MUTANTS = [
    # cells
    ("heatmap: upside down", PLOTS, "np.arange(top - bottom)[::-1] * rows", "np.arange(top - bottom) * rows", cells),
    ("heatmap: mirrored", PLOTS, "np.arange(right - left) * columns", "np.arange(right - left)[::-1] * columns", cells),
    ("heatmap: half a cell to the left", PLOTS, "np.arange(right - left) * columns // (right - left)", "np.minimum((np.arange(right - left) * columns * 2 // (right - left) + 1) // 2, columns - 1)", cells),
    ("heatmap: half a cell down", PLOTS, "np.arange(top - bottom)[::-1] * rows // (top - bottom)", "np.maximum((np.arange(top - bottom)[::-1] * rows * 2 // (top - bottom) - 1) // 2, 0)", cells),
    ("heatmap: drawn a few pixels off", PLOTS, "return pixels, left, bottom, Id", "return pixels, left + 12, bottom, Id", cells),
    ("heatmap: the ticks half a cell off", PLOTS, "image.axes.set(xlim=(-0.5, width - 0.5), ylim", "image.axes.set(xlim=(0, width), ylim", cells),
    ("heatmap: the first row below", PLOTS, "ylim=(height - 0.5, -0.5))", "ylim=(-0.5, height - 0.5))", cells),
    ("heatmap: the limit ignored", PLOTS, "norm=Normalize(low, limit)", "norm=Normalize(low, 1.2)", cells),
    ("heatmap: weights in the signed colours", PLOTS, "else (0, WEIGHTS)", "else (0, SIGNED)", cells),
    ("heatmap: red and blue exchanged", PALETTE, '"RdBu_r"', '"RdBu"', signed),
    ("heatmap: signed numbers from 0", PLOTS, "(-limit, SIGNED) if signed", "(0, SIGNED) if signed", signed),
    ("heatmap: signed never", PLOTS, "(-limit, SIGNED) if signed", "(-limit, SIGNED) if not limit", signed),
    ("new values: the old frame", PLOTS, "    if grown:\n", "    if False:\n", renewed),
    ("new values: rows for columns", PLOTS, "height, width = values.shape", "width, height = values.shape", renewed),
    ("new values: nothing is told of a new shape", PLOTS, "    return grown\n", "    return False\n", renewed),
    ("row labels on the columns", PLOTS, "ax.set_yticks(range(len(rows)), [*map(str, rows)]", "ax.set_yticks(range(len(rows)), [*map(str, rows[::-1])]", sides),
    ("column labels one to the right", PLOTS, "ax.set_xticks(range(len(columns)),", "ax.set_xticks(range(1, len(columns) + 1),", sides),
    # numbers in cells
    ("numbers transposed", PLOTS, "ax.text(j, i, f", "ax.text(i, j, f", numbers),
    ("numbers of the mirrored cell", PLOTS, "value = values[i, j]", "value = values[i, -1 - j]", numbers),
    ("numbers hang at their cell's middle", PLOTS, 'ha="center", va="center", color=ink', 'ha="left", va="center", color=ink', numbers),
    ("numbers in the colour of their ground", PLOTS, "return PAPER if on_paper >", "return PAPER if on_paper <", numbers),
    ("numbers white on white", PLOTS, "return PAPER if on_paper >", "return PAPER if 99 >", numbers),
    ("numbers by the colour of another number", PLOTS, "image.cmap(image.norm(value))", "image.cmap(1 - image.norm(value))", numbers),
    ("numbers of one digit", PLOTS, "{value:.2f}", "{value:.1f}", numbers),
    # labels
    ("labels of cells: column by column", PLOTS, "[(j, i) for i in range(rows) for j in range(columns)]", "[(j, i) for j in range(columns) for i in range(rows)]", in_cells),
    ("labels of cells: transposed", PLOTS, "[(j, i) for i in range(rows)", "[(i, j) for i in range(rows)", in_cells),
    ("labels above their place", PLOTS, "(x, -0.36 * size)", "(x, 0)", in_cells),
    ("labels to the right of their place", PLOTS, "- (x / 2, 0), np", "- (0, 0), np", in_cells),
    ("labels of letters on one heap", PLOTS, "        x += advance\n", "", letters),
    ("labels at an edge: inside", PLOTS, "[(i, -distance) for i in range(count)]", "[(i, distance) for i in range(count)]", at_edges),
    ("labels at an edge: in reverse", PLOTS, "[(-distance, i) for i in range(count)]", "[(-distance, count - 1 - i) for i in range(count)]", at_edges),
    ("labels at an edge: the ticks stay", PLOTS, "        ax.set_xticks([])\n", "", at_edges),
    ("labels stay where they were", PLOTS, "        self.set_offsets(points)\n", "", wandering),
    ("labels: the last places first", PLOTS, "[*self.texts, *missing]]", "[*missing, *self.texts]]", wandering),
    ("time counted from 0", PLOTS, "[step - 1 for step in shown]", "[step for step in shown]", time),
    ("time: the last step left out", PLOTS, "range(every, steps + 1, every)", "range(every, steps - 5, every)", time),
    # graphs
    ("graph: forward below, the gradient above", PLOTS, "return texts\n", "return {edge: pair[::-1] for edge, pair in texts.items()}\n", above),
    ("graph: the gradient on top of the forward", PLOTS, "*ends, -aside - 2.5,", "*ends, aside + 12,", above),
    ("graph: both in one colour", PLOTS, "-aside - 2.5, color=back.colour", "-aside - 2.5, color=INK", above),
    ("graph: numbers at an end of the edge", PLOTS, "middle = np.add(start, end) / 2", "middle = np.add(start, start) / 2", above),
    ("graph: arrows point back", PLOTS, "arrow(ax, *ends, gap, aside, color=INK)", "arrow(ax, *ends[::-1], gap, aside, color=INK)", arrows),
    ("graph: gradients go forward", PLOTS, "arrow(ax, *ends[::-1], gap, -aside, color", "arrow(ax, *ends, gap, -aside, color", arrows),
    ("graph: lanes exchanged", PLOTS, "aside * pixels * up for", "-aside * pixels * up for", arrows),
    ("graph: both in one lane", PLOTS, "arrow(ax, *ends[::-1], gap, -aside, color", "arrow(ax, *ends[::-1], gap, aside, color", arrows),
    ("graph: upright lanes exchanged", PLOTS, "-across[0] if abs", "across[0] if abs", arrows),
    ("graph: gradients without a dash", PLOTS, "color=back.colour, dash=back.dash", "color=back.colour", dashes),
    ("graph: a lane back where no gradient comes", PLOTS, "        if aside:\n", "        if True:\n", one_lane),
    ("graph: no lane back anywhere", PLOTS, "        if aside:\n", "        if False:\n", arrows),
    ("graph: names for labels", PLOTS, "(labels or {}).get(name, name)", "name", circles),
    ("graph: circles mirrored", PLOTS, "ax.scatter(x, y, size**2", "ax.scatter(x, y[::-1], size**2", circles),
    ("forward and gradient of one colour", PALETTE, 'GRADIENT = "#B0246E"', "GRADIENT = INK", roles),
    ("query and key of one colour", PALETTE, '"#C44E00"', '"#0072B2"', roles),
    ("a query too pale to be read", PALETTE, '"#0072B2"', '"#56B4E9"', roles),
    ("the highest weight pale", PALETTE, '"#2C1458"]', '"#E3DBF3"]', shades),
    ("no weight is grey", PALETTE, '"weights", [PAPER,', '"weights", [PALE,', shades),
    ("masked cells are paper", PLOTS, "grey = round(255 * 0.62)", "grey = 255", hatched),
    # what moves
    ("moving: the last named on top", PANEL, "sorted(self.artists, key=lambda artist: artist.zorder)", "self.artists", order),
    ("moving: the highest first", PANEL, "key=lambda artist: artist.zorder)", "key=lambda artist: -artist.zorder)", order),
    ("moving: drawn with what stands still", PANEL, "            artist.set_animated(True)\n", "", traces),
    ("moving: the ground is not laid anew", PANEL, "        self.canvas.restore_region(self.background)\n", "", traces),
    ("moving: only the first is drawn", PANEL, "self.artists.append(artist)", "self.artists[:] = self.artists or [artist]", all_axes),
    ("redraw is forgotten", PANEL, 'draw it all once more."""\n        self.background = None\n', 'draw it all once more."""\n', anew),
    ("moving: a new one stays in the ground", PANEL, "            self.artists.append(artist)\n        self.background = None\n", "            self.artists.append(artist)\n", anew),
    ("moving: the image covers the frame", PANEL, "                ax.draw_artist(spine)\n", "                pass\n", frame),
    ("panel: the picture before the step", PANEL, "        caption = shown(guard.text(\"what show returns\", self.show(**values)))\n        self.png = base64.b64encode(self.picture.png()).decode()\n", "        self.png = base64.b64encode(self.picture.png()).decode()\n        caption = shown(guard.text(\"what show returns\", self.show(**values)))\n", panel),
    ("panel: the controls are not heard", PANEL, '            control.observe(self.update, "value")\n', "            pass\n", panel),
    ("panel: a mistake is no alert", PANEL, 'complaint(error), "alert"', 'complaint(error), "status"', panel),
    ("panel: a mistake blanks the picture", PANEL, "self.png = self.png or base64", "self.png = base64", panel),
    ("stops: without the last", CONTROLS, "for i in sorted(picked)), self.high]", "for i in sorted(picked))]", stops),
    ("stops: one too many", CONTROLS, "min(count, 24)) for i in range(min(count, 24))}", "min(count, 25)) for i in range(min(count, 25))}", stops),
    # explorers
    ("a cloud's axes swapped: six vectors", SIX, "plane.scatter(*MEMORY.T, 30", "plane.scatter(*MEMORY.T[::-1], 30", six),
    ("a cloud's numbers in reverse", SIX, "plane.annotate(place + 1, point", "plane.annotate(6 - place, point", six),
    ("large dots for small weights", SIX, "20 + 260 * weights", "280 - 260 * weights", six),
    ("a cross with its axes swapped", SIX, "cross.set_data([x_1], [x_2])", "cross.set_data([x_2], [x_1])", six),
    ("bars in reverse: weights", SIX, "in enumerate(heights)])", "in enumerate(heights[::-1])])", six),
    ("weights where the gradient stands", SIX, "zip(bars, (weights, dscores), strict=True)", "zip(bars, (dscores, weights), strict=True)", six),
    ("places counted from 0", SIX, "columns=range(1, len(MEMORY) + 1)", "columns=range(len(MEMORY))", six),
    ("bars in reverse: parts", PARTS, "zip(bars, shares, strict", "zip(bars[::-1], shares, strict", level_bars),
    ("names in reverse: parts", PARTS, "ax.set_yticks(range(len(names)), names)", "ax.set_yticks(range(len(names)), names[::-1])", level_bars),
    ("the first part below", PARTS, "    ax.invert_yaxis()\n", "", level_bars),
    ("shares of the largest", PARTS, "shares = numbers / numbers.sum()", "shares = numbers / numbers.max()", level_bars),
    ("a cloud's axes swapped: patients", CLINIC, "points.set_data(healthy / largest, sick / largest)", "points.set_data(sick / largest, healthy / largest)", cloud),
    ("a cloud with two scales", CLINIC, "sick / largest)", "sick / np.abs(sick).max())", cloud),
    ("a cloud's labels swapped", CLINIC, 'xlabel="as it should be", ylabel="as the patient has it"', 'ylabel="as it should be", xlabel="as the patient has it"', cloud),
    ("marks of another temperature: language", LANGUAGE, "ones.set_ydata(plain[order])", "ones.set_ydata(turned[order])", language),
    ("bars of another temperature: language", LANGUAGE, "in enumerate(turned[order])])", "in enumerate(plain[order])])", language),
    ("bars in reverse: language", LANGUAGE, "np.argsort(-plain, kind=\"stable\")[:SHOWN]", "np.argsort(-plain, kind=\"stable\")[:SHOWN][::-1]", language),
    ("the names of other bars: language", LANGUAGE, "for i in order])", "for i in sorted(order)])", language),
    ("surprise one character late", LANGUAGE, "np.append(surprises, blank)", "np.append(blank[:1], np.append(surprises, blank[1:]))", language),
    ("letters from the end", LANGUAGE, "letters.write([visible(character) for character in text])", "letters.write([visible(character) for character in text[::-1]])", language),
    ("marks of another temperature: writing", WRITING, "for each in (plain, turned))", "for each in (plain, plain))", wrote),
    ("bars of another temperature: writing", WRITING, "for each in (plain, turned))", "for each in (turned, turned))", wrote),
    ("what comes after a step, not before", WRITING, "found.append((logits, looks))", "found.append((reading(ids, len(prompt))[0], looks))", wrote),
    ("the weights of the first place last", WRITING, "[layer.weights[0] for layer in caches]", "[layer.weights[0][..., ::-1] for layer in caches]", wrote),
    ("the heads in reverse", WRITING, "for head in heads],", "for head in heads[::-1]],", wrote),
    ("each step has seen what comes later", WRITING, "constant_values=np.nan", "constant_values=0", wrote),
    # what a check says of an answer
    ("a check that refuses float32", EXERCISE, "rtol=self.tolerance, atol=1e-6", "rtol=1e-9, atol=0", any_array),
    ("a check that refuses what paper gives", EXERCISE, "rtol=self.tolerance, atol=1e-6", "rtol=1e-5, atol=1e-6", any_number),
    ("a check that lets a thousandth pass", EXERCISE, "rtol=self.tolerance, atol=1e-6", "rtol=2e-3, atol=1e-6", off),
    ("a check that takes anything near 0", EXERCISE, "rtol=self.tolerance, atol=1e-6", "rtol=self.tolerance, atol=1e-3", off),
    ("a check that refuses fractions", EXERCISE, "if array.dtype == object and all", "if False and all", any_number),
    ("a check that knows no slip", EXERCISE, "for sentence, slip in self.slips.items():", "for sentence, slip in ():", slips),
    ("a check that looks for slips alone", EXERCISE, "        if self._equal(came, expected):\n", "        if False:\n", any_number),
    ("a check that tells the wrong part", EXERCISE, "if right]", "if not right]", parts),
    ("a check that broadcasts", EXERCISE, "if a_array.shape != np.shape(b):", "if False:", shapes),
    ("a check that reads what is masked", EXERCISE, "        if np.ma.is_masked(x):\n            return None\n", "", shapes),
    ("a check that knows no turned axes", EXERCISE, "if sorted(came) == sorted(expected):", "if came == expected:", shapes),
    ("a check that exits with the answer", EXERCISE, "except (Exception, SystemExit) as error:", "except Exception as error:", stopped),
    ("a check that takes None for an answer", EXERCISE, "        if answer is None:\n", "        if False:\n", stopped),
    ("a check that keeps no verdict", EXERCISE, "        verdicts.append(verdict)\n", "", lines),
]  # fmt: skip
test_the_code_as_it_is_passes, test_convicted = trials(MUTANTS)
