"""The forecast of the open deals, what became of it, and how far to trust its probabilities.

Theory of operation. A forecast is what the open deals say of themselves at a moment of both axes
of time: in which category, to close in which month, worth how much and how surely. It is summed
over the deal periods (`rollup`); the same deals are then looked up at a later moment (`happened`);
or the forecast of one month is followed as it came nearer (`history`). `calibration` sets the
probabilities that were on record a while before the outcome against the outcome.

All of them group and sum integers in the database, and make the figures of the grouped rows.
"""
