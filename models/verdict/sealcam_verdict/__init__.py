"""The verdict model's making: made conditions, simulated incidents, training. Nothing of it runs on a camera.

See models/verdict/ and design/sight.md, verdict.
"""
