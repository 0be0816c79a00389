"""What no plan can beat, plans that come close to it, and the proof of what is best: from the data alone, without a solver."""
