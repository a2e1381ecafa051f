"""Signing and verifying with the operator's own ssh-keygen, so that agents and hardware keys serve as they are."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from configlet.model.problem import Refused, refuse

SECONDS = 120
"""Long enough for a passphrase or a touch."""


def sign(content: bytes, key: Path, namespace: str) -> str:
    """The armoured signature (``ssh-keygen -Y sign``). ssh-keygen itself asks for a passphrase, on the terminal."""
    ended = _run(["-Y", "sign", "-q", "-n", namespace, "-f", str(key)], content)
    if ended.returncode != 0:
        raise refuse("Cannot sign", f"ssh-keygen with {key}: {_words(ended)}")
    return ended.stdout.decode("ascii", "replace")


def verify(content: bytes, signature: str, signers: Path, name: str, namespace: str) -> str | None:
    """Why this is not the signature of ``name`` over the content, by a file of allowed signers; None when it is."""
    with tempfile.TemporaryDirectory(prefix="configlet-") as folder:
        file = Path(folder) / "signature"
        file.write_text(signature, encoding="ascii")
        ended = _run(["-Y", "verify", "-f", str(signers), "-I", name, "-n", namespace, "-s", str(file)], content)
    return None if ended.returncode == 0 else _words(ended)


def _run(arguments: list[str], content: bytes) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["ssh-keygen", *arguments], input=content, capture_output=True, timeout=SECONDS, check=False
        )
    except FileNotFoundError:
        raise _missing() from None
    except subprocess.TimeoutExpired:
        raise refuse("Cannot sign", f"ssh-keygen did not end within {SECONDS} s.") from None


def _missing() -> Refused:
    return refuse("ssh-keygen is missing", "Signatures are made and verified by it. Install openssh-client.")


def _words(ended: subprocess.CompletedProcess[bytes]) -> str:
    said = (ended.stderr + b" " + ended.stdout).decode("utf-8", "replace").split()
    text = "".join(c if c.isprintable() else "?" for c in " ".join(said))
    return text[:300] or f"it ended with {ended.returncode}"
