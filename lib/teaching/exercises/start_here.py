"""Start here: the checks of the five questions."""

from lib.teaching.exercise import EMPTY, Exercise, a_kind, as_numbers

MOST = 1000  # numbers of an answer that are looked at


class Question(Exercise):
    """An exercise whose answer is a few numbers in a row: entries, or the sizes of a shape.

    A slip may have more or fewer of them; a list, an array and a bare number will do as well.
    """

    def judge(self, answer):
        if answer is None:
            return EMPTY
        if (array := as_numbers(answer)) is None or array.dtype == bool:
            wanted = "numbers in brackets were expected, as in (1, 2, 3)"
            return "diagnosed", f"{wanted}; {a_kind(answer)} came."
        if array.size > MOST:
            return "diagnosed", f"a few numbers were expected, {array.size} came."
        came = tuple(array.ravel().tolist())
        if came == self.right:
            return "right", self.right_sentence
        for sentence, slip in self.slips.items():
            if came == slip:
                return "diagnosed", sentence
        if len(came) != len(self.right):
            return "wrong", f"not yet: {len(came)} came, and the result has not that many."
        return (
            "wrong",
            "not yet: as many numbers as expected, but not these. Run the line and look.",
        )


check_axis = Question(
    "Exercise 1",
    right=("right: axis 0 is summed over and gone, the 3 columns are left.", (5, 7, 9)),
    slips={
        "those are the sums of the rows, axis=1; the axis that you name is the one that goes.": (
            (6, 15)
        ),
        "that is the sum of everything, which is what no axis at all gives.": (21,),
        "that is the first row; the second has to be added to it.": (1, 2, 3),
        "that is the shape of the result; its entries were asked for.": (3,),
    },
)

check_keepdims = Question(
    "Exercise 2",
    right=("right: axis 1 is summed over and stays, with size 1.", (2, 1)),
    slips={
        "that is the shape without keepdims; with it the axis stays, with size 1.": (2,),
        "that is axis=0, where the rows are added up; axis=1 adds up the 3 columns.": (1, 3),
        "axis 1 stays, but with size 1 in place of 3: that is what a sum leaves.": (2, 3),
        "axis 0 keeps its place in front; the 1 stands where the 3 stood.": (1, 2),
        "those are the entries; the shape was asked for.": (6, 15),
    },
)

check_broadcasting = Question(
    "Exercise 3",
    right=("right: the 1 is stretched to 4, and (4,) counts as (1, 4).", (3, 4)),
    slips={
        "shapes are lined up at their last axis: the 4 meets the 1, and the 3 stays in front.": (
            (4, 3)
        ),
        "no axis is put beside another; the 4 meets the 1, which is stretched to it.": (3, 1, 4),
        "the 1 is stretched to 4, not the 4 cut to 1.": (3, 1),
        "the 3 rows stay: each of them gets the 4 numbers added.": (4,),
        "as many numbers, but the two axes stay two.": (12,),
    },
)

check_matmul = Question(
    "Exercise 4",
    right=("right: the 3 is summed over, 2 and 5 stay in front, 4 comes last.", (2, 5, 4)),
    slips={
        "that is the shape of a; the 3 is summed over, and the 4 takes its place.": (2, 5, 3),
        "only the 3 is summed over; the 5 stays where it is.": (2, 4),
        "the matrix serves each of the 2 sequences; that axis stays.": (5, 4),
        "NumPy keeps the axes of 2 and of 5 apart.": (10, 4),
        "the 3 is in both arrays and summed over: it is gone from the result.": (2, 5, 3, 4),
    },
)

check_indexing = Question(
    "Exercise 5",
    right=("right: one entry of each row, at the column that is paired with it.", (3, 4)),
    slips={
        "that is x[:, [2, 0]], both columns of every row; two lists are read in pairs.": (
            (3, 1, 6, 4)
        ),
        "the columns are the other way round: row 0 is paired with column 2.": (1, 6),
        "the first list holds rows, the second columns: the first pair is row 0, column 2.": (
            (2, 6)
        ),
        "that is the order of the columns; the first pair is row 0, column 2.": (4, 3),
        "columns are counted from 0: column 2 is the last of the three.": (2, 4),
    },
)
