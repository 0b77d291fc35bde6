"""What the lessons are taught with: pictures, explorers, exercises. No mathematics is here."""
