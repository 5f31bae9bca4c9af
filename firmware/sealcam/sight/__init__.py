"""Pixels to verdict: pure functions of frames and times. No thread, clock, file or socket is imported here."""
