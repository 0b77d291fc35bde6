"""A whole model on one screen: every number editable, forward and backward.

tape                the matrices of a model in order, their values, gradients and formulas
operations          what makes one matrix of others, by lib's functions, and what goes back
decoder_operations  the same for attention, norms and a tied table
decoder_tape        a whole decoder of one layer
words               formulas and sentences
still               the sheet as a picture
sheet               the explorer itself
"""
