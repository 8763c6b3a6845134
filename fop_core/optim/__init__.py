"""The optimizer: the equations, the layouts, the preconditioners, the torch optimizer, and toy update rules."""
