"""What was trained beforehand: weights (checkpoints), how runs went (records).

And the readers of models that others trained (pretrained).
"""
