"""One file of exercise checks for each lesson: what is right, and what each slip looks like."""
