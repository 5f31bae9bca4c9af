"""Sealcam's provisioning tool: models, claims, and the whole product on one machine."""
