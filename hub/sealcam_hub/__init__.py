"""Sealcam's hub: opens, verifies, keeps and shows what the owner's cameras sealed."""
