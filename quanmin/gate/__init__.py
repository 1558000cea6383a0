"""The one door: roles, scope, masking, suppression, audit."""

from quanmin.gate.accounts import Accounts
from quanmin.gate.actor import Actor, NotAllowed
from quanmin.gate.scope import Scope

__all__ = ["Accounts", "Actor", "NotAllowed", "Scope"]
