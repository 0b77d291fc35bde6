"""Maps that answer: an explorer's numbers as a View, live in the page and still without it.

view        what an explorer shows, as data; fits: the refusals of what does not fit
still       the View as a picture, with strips: what made a number, bars, lines
live        the explorer itself: controls, the View in the page, its still picture
"""
