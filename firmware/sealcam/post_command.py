"""`sealcam post`: reads the configuration and runs the post, which imports no configuration itself."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from sealcam import config, post

if TYPE_CHECKING:
    from argparse import ArgumentParser, _SubParsersAction


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("post", help="carry sealed mail between the eye and the broker")
    parser.add_argument("--config", type=Path, metavar="FILE", help=f"default {config.DEFAULT_PATH}")


def run(options: argparse.Namespace) -> int:
    """Run until told to stop; the exit code."""
    paths = config.load(options.config).paths
    return post.run(post.PostSettings(socket=paths.socket, state=paths.state / "post"))
