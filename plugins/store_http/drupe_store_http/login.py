"""Who asks, and whom to believe: credentials and certificates from the address, the settings or the environment, in this order."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import unquote

from attrs import evolve, field, frozen
from requests import PreparedRequest
from requests.auth import AuthBase, _basic_auth_str

from drupe.errors import InvalidSettings
from drupe.uris import Uri
from drupe_store_http.settings import HttpSettings

__all__ = ["Login", "login_for", "with_environment"]

_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off", "")


@frozen
class Login(AuthBase):
    """The Authorization header of every request; none when `header` is empty, whatever a .netrc file says."""

    header: str = field(default="", repr=False)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign a request."""
        if self.header:
            request.headers["Authorization"] = self.header
        return request


def login_for(uri: Uri, settings: HttpSettings, environ: Mapping[str, str] = os.environ) -> Login:
    """User and password of the address go before settings, and those before the environment; a token before a password of the same place."""
    if uri.user_info:
        user, _, password = uri.user_info.partition(":")
        return _basic(unquote(user), unquote(password))
    if settings.token:
        return _bearer(settings.token)
    if settings.username:
        return _basic(settings.username, settings.password or "")
    token = _variable(environ, "TRACKING_TOKEN")
    user = _variable(environ, "TRACKING_USERNAME")
    if user:
        return _basic(user, _variable(environ, "TRACKING_PASSWORD"))
    return _bearer(token) if token else Login()


def with_environment(settings: HttpSettings, environ: Mapping[str, str] = os.environ) -> HttpSettings:
    """The settings, with MLflow's variables for TLS where nothing else is set. Raises InvalidSettings."""
    insecure = settings.insecure_tls
    if insecure is None:
        text = _variable(environ, "TRACKING_INSECURE_TLS").lower()
        if text not in _TRUE + _FALSE:
            raise InvalidSettings(f"TRACKING_INSECURE_TLS is {text!r}; it is true or false")
        insecure = text in _TRUE
    server_cert = settings.server_cert or _variable(environ, "TRACKING_SERVER_CERT_PATH") or None
    if insecure and server_cert:
        raise InvalidSettings("a certificate to check the server with, and the wish not to check it, are both set; keep one")
    client_cert = settings.client_cert or _variable(environ, "TRACKING_CLIENT_CERT_PATH") or None
    return evolve(settings, insecure_tls=insecure, server_cert=server_cert, client_cert=client_cert)


def _variable(environ: Mapping[str, str], name: str) -> str:
    return environ.get(f"DRUPE_{name}") or environ.get(f"MLFLOW_{name}") or ""


def _basic(user: str, password: str) -> Login:
    return _checked(_basic_auth_str(user.encode(), password.encode()))


def _bearer(token: str) -> Login:
    return _checked(f"Bearer {token}")


def _checked(header: str) -> Login:
    if not header.isascii() or not header.isprintable():
        raise InvalidSettings("the token for the server holds characters that no header may have")
    return Login(header)
