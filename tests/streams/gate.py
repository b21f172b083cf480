"""Signing in to a server, as the standards write it down."""

import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass


@dataclass(frozen=True)
class Gate:
    """How a server is signed in to: "basic", "md5", "md5 old", "md5-sess", "sha-256", "both".

    Other kinds are sent as they are.
    """

    kind: str
    user: str
    password: str
    nonce: str

    def challenges(self) -> list[str]:
        """Give what a server asks for."""
        nonce = f'nonce="{self.nonce}"'
        return {
            "basic": ['Basic realm="a camera"'],
            "md5": [f'Digest realm="a camera", {nonce}, algorithm=MD5, qop="auth"'],
            "md5 old": [f'Digest realm="a camera",{nonce}'],
            "md5-sess": [
                f'Digest realm="a camera", {nonce}, qop="auth-int,auth", algorithm=MD5-sess'
            ],
            "sha-256": [
                f'Digest realm="a camera", {nonce}, algorithm=SHA-256, qop="auth", opaque="o"'
            ],
            "both": [
                f'Basic realm="a camera", Digest realm="a camera", {nonce}, algorithm=MD5',
                f'Digest realm="a camera", {nonce}, algorithm=SHA-256, qop="auth"',
            ],
        }.get(self.kind, [self.kind])

    def lets_in(self, method: str, head: str) -> bool:
        """Check a signature as the standards write it down."""
        signed = re.search(r"(?mi)^authorization: *(.*)$", head)
        if not signed:
            return False
        kind, _, rest = signed[1].strip().partition(" ")
        if self.kind == "basic":
            return rest == b64encode(f"{self.user}:{self.password}".encode()).decode()
        parts = {
            name: quoted or plain
            for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,"]+))', rest)
        }
        wanted = {"sha-256": "SHA-256", "both": "SHA-256", "md5-sess": "MD5-sess"}
        assert parts.get("algorithm", "MD5") == wanted.get(self.kind, "MD5")
        name = "sha256" if self.kind in ("sha-256", "both") else "md5"

        def hashed(text: str) -> str:
            return hashlib.new(name, text.encode()).hexdigest()

        url = head.split(" ")[1]
        secret = hashed(f"{self.user}:a camera:{self.password}")
        if self.kind == "md5-sess":
            secret = hashed(f"{secret}:{self.nonce}:{parts['cnonce']}")
        between = ""
        if "old" not in self.kind:
            assert parts["qop"] == "auth"
            between = f"{parts['nc']}:{parts['cnonce']}:auth:"
        expected = hashed(f"{secret}:{self.nonce}:{between}{hashed(f'{method}:{url}')}")
        if self.kind == "sha-256":
            assert parts["opaque"] == "o"
        return kind == "Digest" and parts["uri"] == url and parts["response"] == expected
