"""The certificate that a server shows, and how it is read anew while the server runs."""

import logging
import ssl
from dataclasses import dataclass
from pathlib import Path

from likeness.errors import InvalidRequest

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate with its chain, and its key, as PEM files."""

    chain: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """Read both, for connections that are made from now on.

        Raises:
            InvalidRequest: they cannot be read, or do not belong together.
        """
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        try:
            # Without a password here, OpenSSL would ask for one at the terminal, and wait.
            context.load_cert_chain(self.chain, self.key, password=_no_password)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise InvalidRequest(
                f"Not a certificate and its key in PEM: {str(self.chain)!r} and"
                f" {str(self.key)!r} ({reason}). Check --tls-cert and --tls-key."
            ) from error
        return context


class Shown:
    """The certificate that newcomers are shown, if any: read at first, and again when told to."""

    def __init__(self, certificate: Certificate | None) -> None:
        """Read it; raises what `Certificate.context` raises."""
        self._certificate = certificate
        self.context = certificate.context() if certificate else None

    def read_anew(self) -> None:
        """Show what the files hold by now; what they hold in vain is said, and changes nothing."""
        if self._certificate is None:
            _logger.info("SIGHUP reads certificates anew, and there is none")
            return
        try:
            self.context = self._certificate.context()
        except InvalidRequest as error:
            _logger.error("the certificate was not read anew, and the old one goes on: %s", error)
        else:
            _logger.info("the certificate was read anew")


def _no_password() -> str:
    raise ValueError("the key has a password, which nobody could type; store it without one")
