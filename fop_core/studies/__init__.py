"""Studies: which runs to make, which setting of a method wins, and what can be concluded from them."""
