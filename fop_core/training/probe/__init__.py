"""What a plug-in does, tried in a process of its own: ``client`` asks, ``worker`` tries, ``keeper`` ends all of it."""
