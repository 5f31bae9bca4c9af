"""Sealcam: the firmware of a home-security camera that only its owner can open."""

__version__ = "0.1.0"
