"""What leaves the camera and what comes back: the sealing format, keys and signed statements.

The only code that device, hub and technician share. Stands alone: standard library, `nacl`, `cryptography`,
`cbor2`; no thread, clock, file or socket. `design/wire.md` is the specification that this package implements.
"""
