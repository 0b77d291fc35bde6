"""What was trained beforehand: weights (checkpoints) and how runs went (records)."""
