"""What is kept between two runs: files of which only this user can have made each. An accelerator only."""

from configlet.kept.sealed import Sealed, key_of_user

__all__ = ["Sealed", "key_of_user"]
