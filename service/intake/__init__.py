"""From what was asked, by anyone, to what is painted."""
